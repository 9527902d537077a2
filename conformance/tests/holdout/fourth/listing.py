"""Backends that are wrong in listings, globs and totals of folders."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlite_store import SQLiteBackend
from sqlite_store.rows import FACTS, describe, prefix, span

from remote_store.core import (
    FileInfo,
    FolderInfo,
    GlobPattern,
    LocalBackend,
    MemoryBackend,
    NotFound,
    check_max_depth,
    require_text,
)


class DropsTheFirstOfTheNextPage(SQLiteBackend):
    """Each further page begins at the last key of the one before and drops its first row, which may be another key."""

    breaks: ClassVar[str] = "LIST-020"

    def _below(self, path: str) -> Iterator[FileInfo]:
        lower, upper = span(path)
        page: list[FileInfo] = []
        with suppress(NotFound):
            page = self._page(path, lower, upper)
        while page:
            yield from page
            page = self._page(path, page[-1].path, upper)[1:]


class StopsAtAPageWithoutFiles(SQLiteBackend):
    """A listing ends at the first page that has only keys of subfolders, and misses the files after it."""

    breaks: ClassVar[str] = "LIST-001"

    def list_files(self, path: str, *, recursive: bool = False, max_depth: int | None = None) -> Iterator[FileInfo]:
        self._check_open()
        require_text(path, self.name)
        check_max_depth(max_depth)
        return self._fitting(path, max_depth if recursive else 0)

    def _fitting(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        (lower, upper), start = span(path), len(prefix(path))
        page: list[FileInfo] = []
        with suppress(NotFound):
            page = self._page(path, lower, upper)
        while found := [file for file in page if deepest is None or file.path.count("/", start) <= deepest]:
            yield from found
            page = self._page(path, page[-1].path + "\0", upper)


class FindsByTheGlobOfTheDatabase(SQLiteBackend):
    """The rows of a glob are chosen by SQLite's GLOB, which takes the exclamation mark of a set as a member."""

    breaks: ClassVar[str] = "GLOB-003"

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        self._check_open()
        parsed = GlobPattern.parse(pattern, self.name)
        return super().glob(pattern) if "**" in pattern else self._chosen(pattern, parsed)

    def _chosen(self, pattern: str, parsed: GlobPattern) -> Iterator[FileInfo]:
        files: list[FileInfo] = []
        with suppress(NotFound), self._open(pattern) as db:
            rows = db.execute(f"SELECT {FACTS} FROM files WHERE key GLOB ? ORDER BY key", (pattern,))
            files = [describe(row) for row in rows]
        yield from (file for file in files if parsed.matches(file.path))


class RaisesForAGlobThatNamesAFolder(MemoryBackend):
    """A pattern without wildcards that names a folder raises, because only its existence is tested."""

    breaks: ClassVar[str] = "GLOB-008"

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        self._check_open()
        GlobPattern.parse(pattern, self.name)
        if any(character in pattern for character in "*?["):
            return super().glob(pattern)
        return iter([self.get_file_info(pattern)] if self.exists(pattern) else [])


class KeepsATreeWhileItsTopLooksTheSame(LocalBackend):
    """A recursive listing is kept until the folder's own time changes, which it does not for writes further down."""

    breaks: ClassVar[str] = "LIST-022"

    def __init__(self, root: str | os.PathLike[str], *, create: bool = False, on_event: Any = None) -> None:
        super().__init__(root, create=create, on_event=on_event)
        self._trees: dict[tuple[str, int | None], tuple[int, list[FileInfo]]] = {}

    def list_files(self, path: str, *, recursive: bool = False, max_depth: int | None = None) -> Iterator[FileInfo]:
        rows = super().list_files(path, recursive=recursive, max_depth=max_depth)
        return self._kept(path, max_depth, rows) if recursive else rows

    def _kept(self, path: str, deepest: int | None, rows: Iterator[FileInfo]) -> Iterator[FileInfo]:
        self._check_open()
        try:
            changed = os.stat(self.native_path(path)).st_mtime_ns  # noqa: PTH116
        except OSError:
            yield from rows
            return
        known = self._trees.get((path, deepest))
        if known is None or known[0] != changed:
            known = self._trees[path, deepest] = changed, list(rows)
        yield from known[1]


class CountsFoldersOfAnotherCase(SQLiteBackend):
    """`get_folder_info` selects with LIKE, which ignores case, so `data` counts the files of `Data` too."""

    breaks: ClassVar[str] = "META-015"

    def get_folder_info(self, path: str) -> FolderInfo:
        with self._open(path) as db:
            if path:
                self._check_folder(db, path)
            literal = prefix(path).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            totals = "count(*), coalesce(sum(length(content)), 0), max(modified_at)"
            query = f"SELECT {totals} FROM files WHERE key LIKE ? ESCAPE '\\'"
            count, size, latest = db.execute(query, (f"{literal}%",)).fetchone()
        return FolderInfo(path, count, size, None if latest is None else datetime.fromtimestamp(latest, UTC))


class TakesTheTimeOfTheDirectory(LocalBackend):
    """The time in `get_folder_info` is that of the directory, which a write in a subfolder or in place leaves alone."""

    breaks: ClassVar[str] = "META-020"

    def get_folder_info(self, path: str) -> FolderInfo:
        info = super().get_folder_info(path)
        if info.modified_at is None:
            return info
        changed = os.stat(self.native_path(path)).st_mtime  # noqa: PTH116
        return replace(info, modified_at=datetime.fromtimestamp(changed, UTC))
