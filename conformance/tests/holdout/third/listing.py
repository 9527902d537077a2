"""Broken backends: listings and patterns."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import suppress
from typing import ClassVar

from sqlite_store import SQLiteBackend
from sqlite_store.rows import BELOW, FACTS, describe, prefix, span

from remote_store.core import FileInfo, FolderEntry, LocalBackend, MemoryBackend, NotFound

PAGE = 1000


class KeepsItsConnectionForAListing(SQLiteBackend):
    """A listing keeps the connection of its first page for all pages, which no other thread may then use."""

    breaks: ClassVar[str] = "PROC-006"

    def _below(self, path: str) -> Iterator[FileInfo]:
        lower, upper = span(path)
        query = f"SELECT {FACTS} FROM files WHERE {BELOW} ORDER BY key LIMIT {PAGE}"
        # Without a transaction, so that others can write between two pages.
        with suppress(NotFound), self._open(path, begin="SELECT 1") as db:
            while page := [describe(row) for row in db.execute(query, (lower, upper))]:
                yield from page
                lower = page[-1].path + "\0"


class GoesOnAfterTheSuccessorOfAKey(SQLiteBackend):
    """The next page begins after the last key with its last character raised, so keys that continue it are skipped."""

    breaks: ClassVar[str] = "LIST-012"

    def _below(self, path: str) -> Iterator[FileInfo]:
        lower, upper = span(path)
        page: list[FileInfo] = []
        with suppress(NotFound):
            page = self._page(path, lower, upper)
        while page:
            yield from page
            last = page[-1].path
            page = self._page(path, last[:-1] + chr(ord(last[-1]) + 1), upper)


class SuspendsTheCollectorForAListing(SQLiteBackend):
    """The garbage collector is off while a listing makes its entries, and stays off if the listing is abandoned."""

    breaks: ClassVar[str] = "PROC-001"

    def _below(self, path: str) -> Iterator[FileInfo]:
        collects = gc.isenabled()
        gc.disable()
        yield from super()._below(path)
        if collects:
            gc.enable()


class ListsAFolderPerRun(MemoryBackend):
    """A folder is listed again if files of another folder were written between two of its own."""

    breaks: ClassVar[str] = "LIST-007"

    def _list_folders(self, path: str) -> Iterator[FolderEntry]:
        start, last = len(prefix(path)), None
        for file in self._list_files(path, None):
            name, slash, _ = file.path[start:].partition("/")
            folder = file.path[:start] + (name or "/")
            if slash and folder != last:
                yield FolderEntry(folder, name)
                last = folder


class CountsDepthFromTheRoot(MemoryBackend):
    """A recursive listing counts `max_depth` from the root of the storage instead of from the folder."""

    breaks: ClassVar[str] = "LIST-004"

    def _list_files(self, path: str, deepest: int | None) -> Iterator[FileInfo]:
        if not deepest:
            return super()._list_files(path, deepest)
        return (file for file in super()._list_files(path, None) if file.path.count("/") <= deepest)


class HidesDotFilesFromPatterns(LocalBackend):
    """A wildcard does not match a name that begins with a dot, as in a shell."""

    breaks: ClassVar[str] = "GLOB-001"

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        found = super().glob(pattern)
        if any(segment.startswith(".") for segment in pattern.split("/")):
            return found
        return (file for file in found if not any(segment.startswith(".") for segment in file.path.split("/")))
