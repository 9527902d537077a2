"""Backends that list and match wrongly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlite_store import SQLiteBackend
from sqlite_store.rows import FACTS, describe, prefix, span

from remote_store.core import (
    Content,
    FileInfo,
    FolderEntry,
    FolderInfo,
    GlobPattern,
    LocalBackend,
    MemoryBackend,
    NotFound,
    WriteResult,
)


class CountsWithLike(SQLiteBackend):
    """`get_folder_info` finds the files with LIKE and does not escape the folder, whose `_` stands for any letter."""

    breaks: ClassVar[str] = "META-015"

    def get_folder_info(self, path: str) -> FolderInfo:
        with self._open(path) as db:
            if path:
                self._check_folder(db, path)
            db.execute("PRAGMA case_sensitive_like = ON")
            totals = "count(*), coalesce(sum(length(content)), 0), max(modified_at)"
            query = f"SELECT {totals} FROM files WHERE key LIKE ? || '%'"
            count, size, latest = db.execute(query, (prefix(path),)).fetchone()
        return FolderInfo(path, count, size, None if latest is None else datetime.fromtimestamp(latest, UTC))


class RemembersFolders(SQLiteBackend):
    """The folders of written files are remembered until a delete, so one whose last file was moved away stays."""

    breaks: ClassVar[str] = "LIST-018"

    def __init__(self, database: str) -> None:
        super().__init__(database)
        self._known: set[str] = set()

    def is_folder(self, path: str) -> bool:
        known = super().is_folder(path) if path not in self._known else True
        self._check_open()
        return known

    def write(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        result = super().write(path, content, overwrite=overwrite, metadata=metadata, content_type=content_type)
        names = path.split("/")[:-1]
        self._known.update("/".join(names[: count + 1]) for count in range(len(names)))
        return result

    write_atomic = write

    def delete(self, path: str, *, missing_ok: bool = False) -> None:
        super().delete(path, missing_ok=missing_ok)
        self._known.clear()

    def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        super().delete_folder(path, recursive=recursive, missing_ok=missing_ok)
        self._known.clear()


class LeavesSetsToTheDatabase(SQLiteBackend):
    """`glob` asks SQLite for candidates, whose sets are negated by `^` and not by `!`, so negated sets find nothing."""

    breaks: ClassVar[str] = "GLOB-003"

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        self._check_open()
        parsed = GlobPattern.parse(pattern, self.name)
        # The database's star crosses slashes, so it finds too much. `matches` has the last word.
        return (file for file in self._candidates(pattern.replace("**/", "*")) if parsed.matches(file.path))

    def _candidates(self, wanted: str) -> Iterator[FileInfo]:
        rows: list[FileInfo] = []
        with suppress(NotFound), self._open("") as db:
            query = f"SELECT {FACTS} FROM files WHERE key GLOB ? ORDER BY key"
            rows = [describe(row) for row in db.execute(query, (wanted,))]
        yield from rows


class SharesItsCursor(SQLiteBackend):
    """The place at which the next page of a listing begins belongs to the backend, not to the listing."""

    breaks: ClassVar[str] = "LIST-025"

    _after = ""

    def _below(self, path: str) -> Iterator[FileInfo]:
        self._after, upper = span(path)
        page: list[FileInfo] = []
        with suppress(NotFound):
            page = self._page(path, self._after, upper)
        while page:
            self._after = page[-1].path + "\0"
            yield from page
            page = self._page(path, self._after, upper)


class ListsOneChildPerName(MemoryBackend):
    """`iter_children` gathers the children by name, so a folder hides the file of the same name."""

    breaks: ClassVar[str] = "LIST-008"

    def iter_children(self, path: str) -> Iterator[FileInfo | FolderEntry]:
        files, folders = self.list_files(path), self.list_folders(path)

        def children() -> Iterator[FileInfo | FolderEntry]:
            named: dict[str, FileInfo | FolderEntry] = {file.name: file for file in files}
            named |= {folder.name: folder for folder in folders}
            yield from named.values()

        return children()


class CountsTheTrailingSlash(MemoryBackend):
    """`max_depth` is counted from the slashes of the folder as it was given, so one at its end adds a level."""

    breaks: ClassVar[str] = "LIST-015"

    def list_files(self, path: str, *, recursive: bool = False, max_depth: int | None = None) -> Iterator[FileInfo]:
        files = super().list_files(path, recursive=recursive)
        if not recursive or max_depth is None:
            return super().list_files(path, recursive=recursive, max_depth=max_depth)
        super().list_files(path, recursive=recursive, max_depth=max_depth)
        level = path.count("/") + 1 if path else 0
        return (file for file in files if file.path.count("/") - level <= max_depth)


class ListsTheLiveFiles(MemoryBackend):
    """A listing takes the names at its start, and each file when it comes to it, so it fails for a deleted one."""

    breaks: ClassVar[str] = "LIST-020"

    def _snapshot(self) -> dict[str, Any]:
        with self._lock:
            self._check_open()
            return self._files


class HidesDotFiles(LocalBackend):
    """A wildcard of `glob` does not match names that begin with a dot, as in a shell."""

    breaks: ClassVar[str] = "GLOB-001"

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        found = super().glob(pattern)
        asked = any(segment.startswith(".") for segment in pattern.split("/"))
        return (file for file in found if asked or not file.name.startswith("."))


class ChecksWhenIterated(LocalBackend):
    """`iter_children` is a generator, so a malformed path raises at the first entry and not at the call."""

    breaks: ClassVar[str] = "LIST-021"

    def iter_children(self, path: str) -> Iterator[FileInfo | FolderEntry]:
        yield from super().iter_children(path)
