"""Backends whose listings and patterns leave files out, repeat them, or show old ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from sqlite_store import SQLiteBackend
from sqlite_store.backend import PAGE
from sqlite_store.rows import BELOW, FACTS, describe, span

from remote_store.core import FileInfo, LocalBackend, MemoryBackend, NotFound


class PagesByOffset(SQLiteBackend):
    """A page begins at the number of rows seen so far, so files deleted during a listing hide others."""

    breaks: ClassVar[str] = "LIST-020"

    def _below(self, path: str) -> Iterator[FileInfo]:
        seen = 0
        page: list[FileInfo] = []
        with suppress(NotFound):
            page = self._rows(path, seen)
        while page:
            yield from page
            seen += len(page)
            page = self._rows(path, seen)

    def _rows(self, path: str, seen: int) -> list[FileInfo]:
        query = f"SELECT {FACTS} FROM files WHERE {BELOW} ORDER BY key LIMIT {PAGE} OFFSET ?"
        with self._open(path) as db:
            return [describe(row) for row in db.execute(query, (*span(path), seen))]


class KeepsItsPlaceOnTheBackend(SQLiteBackend):
    """The key after which the next page begins is an attribute of the backend, which all its listings share."""

    breaks: ClassVar[str] = "LIST-025"

    _next = ""

    def _below(self, path: str) -> Iterator[FileInfo]:
        self._next, upper = span(path)
        page: list[FileInfo] = []
        with suppress(NotFound):
            page = self._page(path, self._next, upper)
        while page:
            self._next = page[-1].path + "\0"
            yield from page
            page = self._page(path, self._next, upper)


class ChecksAListingTooLate(MemoryBackend):
    """`list_files` is a generator, so a malformed path raises at the first row and not at the call."""

    breaks: ClassVar[str] = "LIST-021"

    def list_files(self, path: str, *, recursive: bool = False, max_depth: int | None = None) -> Iterator[FileInfo]:
        yield from super().list_files(path, recursive=recursive, max_depth=max_depth)


class TrustsTheTimeOfTheFolder(LocalBackend):
    """A recursive listing is kept until the time of its folder changes, which a write in a subfolder leaves alone."""

    breaks: ClassVar[str] = "LIST-022"

    def __init__(self, root: Any, *, create: bool = False, on_event: Any = None) -> None:
        super().__init__(root, create=create, on_event=on_event)
        self._listings: dict[tuple[str, int | None], tuple[int, list[FileInfo]]] = {}

    def list_files(self, path: str, *, recursive: bool = False, max_depth: int | None = None) -> Iterator[FileInfo]:
        files = super().list_files(path, recursive=recursive, max_depth=max_depth)
        return self._kept(path.removesuffix("/"), max_depth, files) if recursive else files

    def _kept(self, folder: str, max_depth: int | None, files: Iterator[FileInfo]) -> Iterator[FileInfo]:
        try:
            changed = Path(self.native_path(folder)).stat().st_mtime_ns
        except OSError:
            yield from files
            return
        kept = self._listings.get((folder, max_depth))
        if kept is None or kept[0] != changed:
            kept = self._listings[folder, max_depth] = (changed, list(files))
        yield from kept[1]


class StarSkipsHiddenFiles(LocalBackend):
    """A wildcard matches no name that begins with a dot, as in a shell."""

    breaks: ClassVar[str] = "GLOB-001"

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        matches = super().glob(pattern)
        return (file for file in matches if "/." not in f"/{file.path}" or "/." in f"/{pattern}")


class CaretNegatesASet(SQLiteBackend):
    """A set in a pattern that begins with a caret is negated, as in a regular expression."""

    breaks: ClassVar[str] = "GLOB-003"

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        self._check_open()
        return super().glob(re.sub(r"\[\^(?!\])", "[!", pattern))
