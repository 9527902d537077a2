"""Backends that are wrong in deletes, copies and moves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlite_store import SQLiteBackend
from sqlite_store.rows import BELOW, now, span

from remote_store.core import (
    DirectoryNotEmpty,
    InvalidPath,
    LocalBackend,
    MemoryBackend,
    Outcome,
    RemoteStoreError,
    require_canonical,
    require_file_path,
)
from remote_store.core.conditions import require_match
from remote_store.core.options import NOTHING

SIDECARS = (".md5", ".sha256")


class DeletesTheChecksumFileToo(LocalBackend):
    """`delete` also deletes the file beside it that has the same name and the ending of a checksum file."""

    breaks: ClassVar[str] = "DEL-006"

    def delete(self, path: str, *, missing_ok: bool = False, **options: Any) -> None:
        super().delete(path, missing_ok=missing_ok, **options)
        for ending in SIDECARS:
            with suppress(RemoteStoreError):
                super().delete(path + ending)


class DeletesManyWithoutTheSlash(MemoryBackend):
    """`delete_many` removes slashes at the end of the paths, so `a/` deletes the file `a`."""

    breaks: ClassVar[str] = "MANY-001"

    def delete_many(self, paths: Iterable[str]) -> Iterator[Outcome[None]]:
        for path in paths:
            key = path.rstrip("/") if isinstance(path, str) else path
            for outcome in super().delete_many([key]):
                yield replace(outcome, path=path)


class FolderHasFiles(DirectoryNotEmpty):
    """The folder has files.

    Args:
        count: How many.
        path: The folder.
        backend: Name of the backend.
    """

    def __init__(self, count: int, path: str, backend: str) -> None:
        message = f"the folder has {count} files; pass recursive=True to delete them too"
        super().__init__(message, path=path, backend=backend)
        self.count = count


class RaisesAnErrorThatCannotBeUnpickled(SQLiteBackend):
    """`delete_folder` of a folder with content raises an error of its own class, whose pickle cannot be loaded."""

    breaks: ClassVar[str] = "ERR-004"

    def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        try:
            super().delete_folder(path, recursive=recursive, missing_ok=missing_ok)
        except DirectoryNotEmpty:
            with self._open(path) as db:
                (count,) = db.execute(f"SELECT count(*) FROM files WHERE {BELOW}", span(path)).fetchone()
            raise FolderHasFiles(count, path, self.name) from None


class RefusesToMoveToALongerName(MemoryBackend):
    """A move into itself is recognised by the beginning of the name, so `log` cannot be moved to `log.1`."""

    breaks: ClassVar[str] = "COPY-014"

    def _transfer(self, src: str, dst: str, *, overwrite: bool, keep: bool, asked: Mapping[str, Any] = NOTHING) -> None:
        require_file_path(src, self.name)
        require_canonical(dst, self.name)
        if not keep and src != dst and dst.startswith(src) and src in self._files:
            raise InvalidPath("a file cannot be moved into itself", path=dst, backend=self.name)
        super()._transfer(src, dst, overwrite=overwrite, keep=keep, asked=asked)


class MakesANewVersionOfItself(SQLiteBackend):
    """A copy of a file onto itself writes it again, with another time and ETag."""

    breaks: ClassVar[str] = "COPY-005"

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        with self._transfer(src, dst, overwrite=overwrite) as (db, version):
            same = "content, sha256, metadata, content_type"
            select = f"SELECT ?, ?, {same} FROM files WHERE version = ?"
            db.execute(f"REPLACE INTO files (key, modified_at, {same}) {select}", (dst, now(), version))


class ComparesTheDestination(MemoryBackend):
    """`copy` compares `if_match` with the file that it would replace, if there is one, instead of the source."""

    breaks: ClassVar[str] = "SWAP-009"

    def _transfer(self, src: str, dst: str, *, overwrite: bool, keep: bool, asked: Mapping[str, Any] = NOTHING) -> None:
        require_file_path(src, self.name)
        require_canonical(dst, self.name)
        with self._lock:
            file = self._find(src)
            if file is None:
                raise self._missing(src, "file")
            compared = self._files.get(dst, file) if keep else file
            require_match(asked, compared.etag, src, self.name)
            if src == dst:
                return
            self._check_free(dst, overwrite=overwrite)
            self._files[dst] = replace(file, modified_at=datetime.now(UTC))
            if not keep:
                del self._files[src]
