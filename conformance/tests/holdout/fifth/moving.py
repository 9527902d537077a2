"""Backends that copy, move and delete wrongly, or compare the wrong version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from sqlite_store import SQLiteBackend
from sqlite_store.backend import WRITING
from sqlite_store.rows import now

from remote_store.core import (
    CopyOptions,
    LocalBackend,
    MemoryBackend,
    Outcome,
    PreconditionFailed,
    WriteResult,
    require_canonical,
)


class KeepsTheAttributesOfTheTarget(SQLiteBackend):
    """A copy onto a file that exists replaces its content, and keeps its metadata and its content type."""

    breaks: ClassVar[str] = "COPY-004"

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        with self._transfer(src, dst, overwrite=overwrite) as (db, version):
            if src != dst:
                db.execute(
                    "REPLACE INTO files (key, modified_at, content, sha256, metadata, content_type) "
                    "SELECT ?, ?, old.content, old.sha256, coalesce(new.metadata, old.metadata), "
                    "CASE WHEN new.key IS NULL THEN old.content_type ELSE new.content_type END "
                    "FROM files AS old LEFT JOIN files AS new ON new.key = ? WHERE old.version = ?",
                    (dst, now(), dst, version),
                )


class TakesAwayBeforeItPuts(SQLiteBackend):
    """A move reads the file and deletes it in one transaction, and inserts it under its new name in the next one."""

    breaks: ClassVar[str] = "COPY-026"

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        columns = "content, modified_at, sha256, metadata, content_type"
        with self._transfer(src, dst, overwrite=overwrite) as (db, version):
            if src == dst:
                return
            row = tuple(db.execute(f"SELECT {columns} FROM files WHERE version = ?", (version,)).fetchone())
            db.execute("DELETE FROM files WHERE version = ?", (version,))
        with self._open(dst, begin=WRITING) as db:
            db.execute(f"REPLACE INTO files (key, {columns}) VALUES (?, ?, ?, ?, ?, ?)", (dst, *row))


class ComparesBeforeItReads(MemoryBackend):
    """`if_match` is compared before the content is read, and not again when the file is replaced."""

    breaks: ClassVar[str] = "SWAP-004"

    def _commit(self, *arguments: Any, asked: Mapping[str, Any] = {}) -> WriteResult:
        kept = {name: value for name, value in asked.items() if name != "if_match"}
        return super()._commit(*arguments, asked=kept)


class CopiesOntoItselfUnseen(MemoryBackend):
    """A copy of a file onto itself returns before `if_match` is compared."""

    breaks: ClassVar[str] = "SWAP-009"

    def copy(self, src: str, dst: str, *, overwrite: bool = False, **options: Any) -> None:
        self._check_open()
        self._asked(CopyOptions, src, options)
        if src == dst and self.is_file(src):
            require_canonical(dst, self.name)
            return
        super().copy(src, dst, overwrite=overwrite, **options)


class ForgivesAnotherVersion(LocalBackend):
    """`delete` with `missing_ok` takes a file that is another version than that of `if_match` for a missing one."""

    breaks: ClassVar[str] = "SWAP-007"

    def delete(self, path: str, *, missing_ok: bool = False, **options: Any) -> None:
        try:
            super().delete(path, missing_ok=missing_ok, **options)
        except PreconditionFailed:
            if not missing_ok:
                raise


class AnswersARepeatedPathOnce(LocalBackend):
    """`delete_many` leaves out a path that it has had, so there are fewer outcomes than paths."""

    breaks: ClassVar[str] = "MANY-001"

    def delete_many(self, paths: Iterable[str]) -> Iterator[Outcome[None]]:
        yield from super().delete_many(unique(paths))


def unique(paths: Iterable[str]) -> Iterator[str]:
    """The paths, each once."""
    seen = set()
    for path in paths:
        if isinstance(path, str):
            if path in seen:
                continue
            seen.add(path)
        yield path
