"""Backends whose atomic writes commit what they should not, or lose what they should commit."""

from __future__ import annotations

import io
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO, ClassVar, cast

from sqlite_store import SQLiteBackend
from sqlite_store.backend import BLOCK

from remote_store.core import AlreadyExists, LocalBackend, MemoryBackend, Source, WriteOptions, WriteResult
from remote_store.core.memory.files import Draft
from remote_store.core.options import check_write_options


class DropsTheContentTypeOfAtomicWrites(MemoryBackend):
    """`write_atomic` does not pass the content type on."""

    breaks: ClassVar[str] = "ATOM-001"

    def write_atomic(self, path: str, content: Any, *, content_type: str | None = None, **options: Any) -> WriteResult:
        return self.write(path, content, **options)


class CommitsWhenInterrupted(SQLiteBackend):
    """A block of `open_atomic` that ends with KeyboardInterrupt, or another exception that is no Exception, commits."""

    breaks: ClassVar[str] = "ATOM-004"

    @contextmanager
    def open_atomic(
        self,
        path: str,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> Iterator[BinaryIO]:
        self._check_write(path, metadata, content_type)
        with self._open(path) as db:
            self._check_free(db, path, overwrite=overwrite)
        failed = False
        with tempfile.SpooledTemporaryFile(BLOCK) as spool:
            stream = cast("BinaryIO", spool)
            try:
                yield stream
            except Exception:
                failed = True
                raise
            finally:
                if not failed:
                    stream.seek(0)
                    self.write(path, stream, overwrite=overwrite, metadata=metadata, content_type=content_type)


class SharesOneDraft(SQLiteBackend):
    """The draft of `open_atomic` is an attribute of the backend, so a block inside another one takes its place."""

    breaks: ClassVar[str] = "ATOM-003"

    _draft: io.BytesIO | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_draft": None}

    @contextmanager
    def open_atomic(
        self,
        path: str,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> Iterator[BinaryIO]:
        self._check_write(path, metadata, content_type)
        with self._open(path) as db:
            self._check_free(db, path, overwrite=overwrite)
        with io.BytesIO() as self._draft:
            yield self._draft
            self._draft.seek(0)
            self.write(path, self._draft, overwrite=overwrite, metadata=metadata, content_type=content_type)


class ComparesTheVersionOnlyOnEntry(MemoryBackend):
    """`open_atomic` compares `if_match` when its block begins, and replaces whatever is there when it ends."""

    breaks: ClassVar[str] = "SWAP-002"

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
        checked = self._check_write(path, metadata, content_type)
        check_write_options(options, overwrite=overwrite)
        asked = self._asked(WriteOptions, path, options)
        self._check_target(path, asked, overwrite=overwrite)
        asked.pop("if_match", None)
        with Draft() as draft:
            yield draft
        self._commit(path, draft.content, overwrite, checked, content_type, asked=asked)


class CreatesUnderALockOfItsProcess(LocalBackend):
    """A create looks for the file and then writes it, under a lock that other processes do not know."""

    breaks: ClassVar[str] = "ATOM-012"

    _creating: ClassVar[threading.Lock] = threading.Lock()

    def write(self, path: str, content: Any, *, overwrite: bool = False, **options: Any) -> WriteResult:
        if overwrite or "if_match" in options:
            return super().write(path, content, overwrite=overwrite, **options)
        self._check_write(path, options.get("metadata"), options.get("content_type"))
        self._check_missing(path)
        data = Source(content).read_rest()
        with self._creating:
            self._check_missing(path)
            return super().write(path, data, overwrite=True, **options)

    def _check_missing(self, path: str) -> None:
        if self.is_file(path):
            raise AlreadyExists("the file exists; pass overwrite=True to replace it", path=path, backend=self.name)

    @classmethod
    def renew(cls) -> None:
        """Replace the lock in a forked child, where no thread holds it."""
        cls._creating = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=CreatesUnderALockOfItsProcess.renew)
