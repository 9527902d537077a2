"""Broken backends: listings and patterns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext, suppress
from typing import ClassVar

from sqlite_store import SQLiteBackend
from sqlite_store.rows import BELOW, FACTS, describe, prefix, span

from remote_store.core import FileInfo, FolderEntry, LocalBackend, MemoryBackend, NotFound

PAGE = 1000


class PagesByOffset(SQLiteBackend):
    """A listing asks for each page by the number of rows before it, which is wrong once earlier ones are deleted."""

    breaks: ClassVar[str] = "LIST-020"

    def _below(self, path: str) -> Iterator[FileInfo]:
        query = f"SELECT {FACTS} FROM files WHERE {BELOW} ORDER BY key LIMIT {PAGE} OFFSET ?"
        offset = 0
        while True:
            page: list[FileInfo] = []
            with nullcontext() if offset else suppress(NotFound), self._open(path) as db:
                page = [describe(row) for row in db.execute(query, (*span(path), offset))]
            yield from page
            if len(page) < PAGE:
                return
            offset += PAGE


class RepeatsAFolderOnEachPage(SQLiteBackend):
    """`list_folders` yields a folder once for each page of keys, so one with more than a page of files comes again."""

    breaks: ClassVar[str] = "LIST-007"

    def _folders(self, path: str) -> Iterator[FolderEntry]:
        lower, upper = span(path)
        start = len(prefix(path))
        while True:
            page: list[FileInfo] = []
            with suppress(NotFound):
                page = self._page(path, lower, upper)
            if not page:
                return
            names = (file.path[start:].partition("/") for file in page)
            for name in dict.fromkeys(name for name, slash, _ in names if slash):
                yield FolderEntry(page[0].path[:start] + (name or "/"), name)
            lower = page[-1].path + "\0"


class CountsATrailingSlashAsALevel(MemoryBackend):
    """The depth of a file is counted from the slashes of the folder's path, so one that ends in a slash is deeper."""

    breaks: ClassVar[str] = "LIST-015"

    def list_files(self, path: str, *, recursive: bool = False, max_depth: int | None = None) -> Iterator[FileInfo]:
        files = super().list_files(path, recursive=recursive, max_depth=max_depth)
        if not recursive or max_depth is None:
            return files
        deepest = max_depth + (path.count("/") + 1 if path else 0)
        return (file for file in super()._list_files(path, None) if file.path.count("/") <= deepest)


class FailsIfAListedFileIsGone(LocalBackend):
    """A listing collects the names first and then describes each, and raises if one was deleted meanwhile."""

    breaks: ClassVar[str] = "LIST-020"

    def list_files(self, path: str, *, recursive: bool = False, max_depth: int | None = None) -> Iterator[FileInfo]:
        return self._described(super().list_files(path, recursive=recursive, max_depth=max_depth))

    def _described(self, found: Iterator[FileInfo]) -> Iterator[FileInfo]:
        for path in [file.path for file in found]:
            yield self.get_file_info(path)


class HidesDotFilesFromStars(LocalBackend):
    """As in a shell, the wildcards of a pattern do not match a name that begins with a dot."""

    breaks: ClassVar[str] = "GLOB-001"

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        found = super().glob(pattern)
        if pattern.rpartition("/")[2].startswith("."):
            return found
        return (file for file in found if not file.name.startswith("."))
