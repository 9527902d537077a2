"""Broken backends: deleting, moving, and conditions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext, suppress
from typing import Any, ClassVar, Unpack

from sqlite_store import SQLiteBackend
from sqlite_store.rows import prefix

from remote_store.core import (
    DeleteOptions,
    LocalBackend,
    MemoryBackend,
    MoveOptions,
    NotFound,
    Outcome,
    PreconditionFailed,
    WriteResult,
)
from remote_store.core.options import NOTHING


class DeletesAFolderInAnyCase(SQLiteBackend):
    """`delete_folder` finds the keys by an escaped LIKE, which does not tell upper from lower case."""

    breaks: ClassVar[str] = "PATH-002"

    def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        if path == "" or not recursive:
            return super().delete_folder(path, recursive=recursive, missing_ok=missing_ok)
        with suppress(NotFound) if missing_ok else nullcontext(), self._open(path, begin="BEGIN IMMEDIATE") as db:
            self._check_folder(db, path)
            literal = prefix(path)
            for character in "\\%_":
                literal = literal.replace(character, "\\" + character)
            db.execute("DELETE FROM files WHERE key LIKE ? ESCAPE '\\'", (literal + "%",))
        return None


class LooksOnlyForDirectFiles(SQLiteBackend):
    """`delete_folder` without `recursive` takes a folder that has only subfolders for an empty one, and removes it."""

    breaks: ClassVar[str] = "DEL-007"

    def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        if not recursive and path and next(self.list_files(path), None) is None:
            recursive = True
        super().delete_folder(path, recursive=recursive, missing_ok=missing_ok)


class YieldsOneOutcomeForARepeatedPath(SQLiteBackend):
    """`delete_many` leaves out a path that it has seen before, and yields no second outcome for it."""

    breaks: ClassVar[str] = "MANY-001"

    def delete_many(self, paths: Iterable[str]) -> Iterator[Outcome[None]]:
        seen: set[str] = set()
        for path in paths:
            if isinstance(path, str):
                if path in seen:
                    continue
                seen.add(path)
            yield from super().delete_many([path])


class MakesRoomBeforeAMove(MemoryBackend):
    """A move with `overwrite=True` deletes its destination first, which may be the file that it moves."""

    breaks: ClassVar[str] = "COPY-018"

    def move(self, src: str, dst: str, *, overwrite: bool = False, **options: Unpack[MoveOptions]) -> None:
        if overwrite and not options and self.is_file(src) and self.is_file(dst):
            self.delete(dst)
        super().move(src, dst, overwrite=overwrite, **options)


class ComparesOnlyBeforeTheContent(MemoryBackend):
    """A write with `if_match` compares the ETag before it reads its content, and not again when it commits."""

    breaks: ClassVar[str] = "SWAP-004"

    def _commit(
        self,
        path: str,
        content: bytes,
        overwrite: bool,
        metadata: Mapping[str, str],
        content_type: str | None,
        *,
        asked: Mapping[str, Any] = NOTHING,
    ) -> WriteResult:
        rest = {name: value for name, value in asked.items() if name != "if_match"}
        return super()._commit(path, content, overwrite, metadata, content_type, asked=rest)


class HidesAConflictWithMissingOk(LocalBackend):
    """`delete` with `if_match` and `missing_ok=True` takes another version for a missing file, and raises nothing."""

    breaks: ClassVar[str] = "SWAP-007"

    def delete(self, path: str, *, missing_ok: bool = False, **options: Unpack[DeleteOptions]) -> None:
        with suppress(PreconditionFailed) if missing_ok else nullcontext():
            super().delete(path, missing_ok=missing_ok, **options)
