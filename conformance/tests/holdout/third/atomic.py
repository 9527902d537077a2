"""Broken backends: atomic writes and conditions."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO, ClassVar, cast

from sqlite_store import SQLiteBackend

from remote_store.core import LocalBackend

BLOCK = 1 << 20


class CommitsUpToThePosition(SQLiteBackend):
    """The file of `open_atomic` is stored up to the position of its last write, so a patched header ends the file."""

    breaks: ClassVar[str] = "ATOM-007"

    @contextmanager
    def open_atomic(
        self,
        path: str,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> Iterator[BinaryIO]:
        checked = self._check_write(path, metadata, content_type)
        with self._open(path) as db:
            self._check_free(db, path, overwrite=overwrite)
        with tempfile.SpooledTemporaryFile(BLOCK) as spool:
            stream = cast("BinaryIO", spool)
            yield stream
            size = stream.tell()
            stream.seek(0)
            self.write(path, stream.read(size), overwrite=overwrite, metadata=checked, content_type=content_type)


class CommitsAfterAnInterrupt(LocalBackend):
    """A block of `open_atomic` that ends with a KeyboardInterrupt or a cancellation commits what was written so far."""

    breaks: ClassVar[str] = "ATOM-004"

    @contextmanager
    def open_atomic(
        self,
        path: str,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        **options: Any,
    ) -> Iterator[BinaryIO]:
        opening = super().open_atomic(
            path, overwrite=overwrite, metadata=metadata, content_type=content_type, **options
        )
        file = opening.__enter__()
        failed = False
        try:
            yield file
        except Exception as error:
            failed = True
            opening.__exit__(type(error), error, error.__traceback__)
            raise
        finally:
            if not failed:
                opening.__exit__(None, None, None)


class ComparesBeforeItLocks(LocalBackend):
    """A write with `if_match` compares the ETag before it reads its content, and not again when it renames the file."""

    breaks: ClassVar[str] = "SWAP-004"

    def _check_of(self, path: str, asked: Mapping[str, Any]) -> None:
        """No check under the lock; the condition was checked when the write began."""
