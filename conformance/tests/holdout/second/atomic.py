"""Broken backends: atomic writes, and what happens in the middle of a write."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, ClassVar, Unpack, cast

from sqlite_store import SQLiteBackend
from sqlite_store.rows import now

from remote_store.core import Content, ContentDigest, MemoryBackend, Source, WriteOptions, WriteResult

BLOCK = 1 << 20


class CommitsAfterAnInterrupt(SQLiteBackend):
    """An `open_atomic` block that ends by an exception other than an `Exception`, such as a cancellation, commits."""

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
        checked = self._check_write(path, metadata, content_type)
        with self._open(path) as db:
            self._check_free(db, path, overwrite=overwrite)
        with tempfile.SpooledTemporaryFile(BLOCK) as spool:
            stream, failed = cast("BinaryIO", spool), False
            try:
                yield stream
            except Exception:
                failed = True
                raise
            finally:
                if not failed:
                    stream.seek(0)
                    self.write(path, stream, overwrite=overwrite, metadata=checked, content_type=content_type)


class ReadsTheMetadataAtTheEnd(SQLiteBackend):
    """The metadata of `open_atomic` is checked on entry, but taken from the caller's mapping when the block ends."""

    breaks: ClassVar[str] = "ATOM-011"

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
        with tempfile.SpooledTemporaryFile(BLOCK) as spool:
            stream = cast("BinaryIO", spool)
            yield stream
            stream.seek(0)
            self.write(path, stream, overwrite=overwrite, metadata=metadata, content_type=content_type)


class AppendsToTheDraft(SQLiteBackend):
    """The file of `open_atomic` is open for appending, so a write after a seek goes to its end."""

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
        with tempfile.TemporaryDirectory() as folder, Path(folder, "draft").open("a+b") as draft:
            yield cast("BinaryIO", draft)
            draft.seek(0)
            self.write(path, draft, overwrite=overwrite, metadata=checked, content_type=content_type)


class LooksForTheFileOnlyOnEntry(MemoryBackend):
    """`open_atomic` with `overwrite=False` looks for the file on entry, and replaces one that came meanwhile."""

    breaks: ClassVar[str] = "ATOM-006"

    @contextmanager
    def open_atomic(
        self,
        path: str,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        **options: Unpack[WriteOptions],
    ) -> Iterator[BinaryIO]:
        self._check_write(path, metadata, content_type)
        self._check_free(path, overwrite=overwrite)
        # The file does not exist, or may be replaced.
        free = overwrite or "if_match" not in options
        opening = super().open_atomic(path, overwrite=free, metadata=metadata, content_type=content_type, **options)
        with opening as file:
            yield file


class ReadsTheSourceInTheTransaction(SQLiteBackend):
    """A write reads its source inside its transaction, so a source that writes another file waits for itself."""

    breaks: ClassVar[str] = "PROC-009"

    def write(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        checked = self._check_write(path, metadata, content_type)
        source = Source(content)
        with self._open(path, begin="BEGIN IMMEDIATE") as db:
            self._check_free(db, path, overwrite=overwrite)
            data = source.read_rest()
            sha256 = hashlib.sha256(data).hexdigest()
            row = (path, data, now(), sha256, json.dumps(checked), content_type)
            columns = "key, content, modified_at, sha256, metadata, content_type"
            version = db.execute(f"REPLACE INTO files ({columns}) VALUES (?, ?, ?, ?, ?, ?)", row).lastrowid
        return WriteResult(path, len(data), str(version), digest=ContentDigest("sha256", sha256), metadata=checked)

    write_atomic = write
