"""Backends whose copies differ from their source, and whose moves lose files."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import quote

from mutants.memory import PART
from mutants.registry import broken
from remote_store.core import AlreadyExists, InvalidPath, MemoryBackend, NotFound, RemoteStoreError


class ByHand(MemoryBackend):
    """Files in memory, copied and moved by reading and writing them."""

    def put(self, dst: str, file: Any) -> None:
        """Store a copy of the file."""
        self._files[dst] = replace(file)

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        file = self._files.get(src) if isinstance(src, str) else None
        super().copy(src, dst, overwrite=overwrite)
        if src != dst:
            self.put(dst, file)

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        file = self._files.get(src) if isinstance(src, str) else None
        super().move(src, dst, overwrite=overwrite)
        if src != dst:
            self.put(dst, file)


@broken("COPY-001", "PATH-012")
class CopyTakesTheSource(MemoryBackend):
    """`copy` renames the source."""

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        super().move(src, dst, overwrite=overwrite)


@broken("COPY-002", "COPY-004", "COPY-015")
class DropsMetadata(ByHand):
    """Copies and moves the bytes of a file without its metadata and content type."""

    def put(self, dst: str, file: Any) -> None:
        super().put(dst, replace(file, metadata={}, content_type=None))


@broken("COPY-004")
class KeepsTheOldFacts(MemoryBackend):
    """A copy keeps the metadata and content type of the file that it replaces."""

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        old = self._files.get(dst) if isinstance(dst, str) else None
        super().copy(src, dst, overwrite=overwrite)
        if old is not None:
            self._files[dst] = replace(self._files[dst], metadata=old.metadata, content_type=old.content_type)


@broken("COPY-003")
class CopyOverwrites(MemoryBackend):
    """`copy` replaces the destination even with `overwrite=False`."""

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        super().copy(src, dst, overwrite=True)


@broken("COPY-006", "COPY-019")
class ClearsTheWay(MemoryBackend):
    """Deletes the destination before it checks whether the source exists."""

    def _transfer(self, src: str, dst: str, *, keep: bool, **asked: Any) -> None:
        if asked["overwrite"] and src != dst:
            self.delete(dst, missing_ok=True)
        super()._transfer(src, dst, keep=keep, **asked)


@broken("COPY-004", "COPY-017")
class NeverReplaces(MemoryBackend):
    """`copy` refuses a destination that exists even with `overwrite=True`."""

    def _transfer(self, src: str, dst: str, *, keep: bool, **asked: Any) -> None:
        super()._transfer(src, dst, keep=keep, **{**asked, "overwrite": False})


@broken("COPY-005", "COPY-018")
class TouchesItself(MemoryBackend):
    """Rewrites a file that is copied or moved onto itself."""

    def _transfer(self, src: str, dst: str, *, keep: bool, **asked: Any) -> None:
        super()._transfer(src, dst, keep=keep, **asked)
        if src == dst:
            self.write(dst, self.read_bytes(src), overwrite=True)


@broken("COPY-005")
class RefusesItself(MemoryBackend):
    """Raises AlreadyExists when a file is copied onto itself."""

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        super().copy(src, dst, overwrite=overwrite)
        if src == dst:
            self._check_free(dst, overwrite=overwrite)


@broken("COPY-006", "COPY-019")
class NothingOntoItselfIsFine(MemoryBackend):
    """Does not check whether the source exists if source and destination are the same path."""

    def _transfer(self, src: str, dst: str, *, keep: bool, **asked: Any) -> None:
        if src != dst:
            super()._transfer(src, dst, keep=keep, **asked)


@broken("COPY-006", "COPY-019")
class BlamesTheTarget(MemoryBackend):
    """Names the destination in the NotFound error for a missing source."""

    def _transfer(self, src: str, dst: str, *, keep: bool, **asked: Any) -> None:
        try:
            super()._transfer(src, dst, keep=keep, **asked)
        except NotFound as error:
            raise NotFound(error.message, path=dst, backend=self.name) from error


@broken("COPY-007", "COPY-020")
class TakesFoldersAlong(MemoryBackend):
    """`copy` and `move` accept a folder and copy or move all of it."""

    def _transfer(self, src: str, dst: str, *, keep: bool, **asked: Any) -> None:
        try:
            super()._transfer(src, dst, keep=keep, **asked)
        except InvalidPath:
            below = [key for key in self._files if key.startswith(f"{src}/")]
            if not below or src in ("", dst) or not dst:
                raise
            for key in below:
                self._files[dst + key.removeprefix(src)] = self._files[key]
                if not keep:
                    del self._files[key]


@broken("COPY-008", "COPY-021")
class TakesPatterns(MemoryBackend):
    """Expands wildcards in the source's path and copies every file that matches."""

    def _transfer(self, src: str, dst: str, *, keep: bool, **asked: Any) -> None:
        matches = [key for key in self._files if key != src and src in self._files and fnmatchcase(key, src)]
        super()._transfer(src, dst, keep=keep, **asked)
        for key in matches:
            self._files[f"{dst}-{key.rpartition('/')[2]}"] = self._files[key]


@broken("COPY-008", "COPY-009", "COPY-021")
class EscapesTheTarget(MemoryBackend):
    """Stores a copy under a key with percent escapes."""

    def _transfer(self, src: str, dst: str, *, keep: bool, **asked: Any) -> None:
        quoted = quote(dst) if src in self._files and src != dst else dst
        super()._transfer(src, quoted, keep=keep, **asked)


@broken("COPY-010")
class CopiesRace(MemoryBackend):
    """Checks whether the destination of a copy exists and writes a moment later."""

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        taken = isinstance(dst, str) and dst in self._files
        time.sleep(0.01)
        super().copy(src, dst, overwrite=overwrite or not taken)


@broken("COPY-011")
class CopiesAreLinks(MemoryBackend):
    """Makes a link instead of a copy, so the copy changes with its source."""

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        super().copy(src, dst, overwrite=overwrite)
        if src != dst:
            self.__dict__.setdefault("_links", {})[dst] = src

    def _file(self, path: str) -> Any:
        return super()._file(self.__dict__.get("_links", {}).get(path, path))


@broken("COPY-012")
class CopiesOnePart(ByHand):
    """Copies only the first part of a file."""

    def put(self, dst: str, file: Any) -> None:
        super().put(dst, replace(file, content=file.content[:PART]))


@broken("COPY-012")
class CannotCopyNothing(MemoryBackend):
    """Raises an error when an empty file is copied, because it has no part."""

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        super().copy(src, dst, overwrite=overwrite)
        if not self._files[dst].content:
            raise RemoteStoreError("you must specify at least one part", path=src, backend=self.name, status=400)


@broken("COPY-013")
class LeavesTheCopyOfAMove(MemoryBackend):
    """`move` leaves a second copy of the file beside the destination."""

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        super().move(src, dst, overwrite=overwrite)
        if src != dst:
            self._files[f"{dst}~"] = self._files[dst]


@broken("COPY-014", "COPY-017", "PATH-013")
class MoveKeepsTheSource(MemoryBackend):
    """`move` copies the file and keeps the source."""

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        super().copy(src, dst, overwrite=overwrite)


@broken("COPY-014")
class MovesTheNameOnly(MemoryBackend):
    """`move` leaves an empty file at the destination."""

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        super().move(src, dst, overwrite=overwrite)
        if src != dst:
            self._files[dst] = replace(self._files[dst], content=b"")


@broken("COPY-016")
class MoveOverwrites(MemoryBackend):
    """`move` replaces a destination that exists, as `os.rename` does."""

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        super().move(src, dst, overwrite=True)


@broken("COPY-016")
class MoveLosesTheRefused(MemoryBackend):
    """Deletes the source of a move that is refused."""

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        try:
            super().move(src, dst, overwrite=overwrite)
        except AlreadyExists:
            self.delete(src)
            raise


@broken("COPY-018")
class MoveOntoItselfDestroys(MemoryBackend):
    """Moves a file onto itself by a copy and a delete, which deletes the file."""

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        super().move(src, dst, overwrite=overwrite)
        if src == dst and src:
            self.delete(src)


@broken("COPY-019")
class MovesNothing(MemoryBackend):
    """Does nothing and raises nothing if the source of a move is missing."""

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        with suppress(NotFound):
            super().move(src, dst, overwrite=overwrite)


@broken("COPY-021")
class MovesTheLastMatch(MemoryBackend):
    """Expands wildcards in the source's path and moves the last file that matches."""

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        matches = [key for key in sorted(self._files) if fnmatchcase(key, src)]
        super().move(matches[-1] if matches else src, dst, overwrite=overwrite)


@broken("COPY-022")
class MovesMeetInOneName(MemoryBackend):
    """Moves through a temporary name derived from the source, which a second move of the same source deletes."""

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        between = f"{src}.moving"
        try:
            super().copy(src, between, overwrite=True)
            self.delete(src)
            time.sleep(0.005)
            super().move(between, dst, overwrite=overwrite)
        finally:
            self._files.pop(between, None)


@broken("COPY-023")
class CopiesIntoFolders(MemoryBackend):
    """Copies a file into the destination if that is a folder, as `cp` does."""

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        inside = isinstance(dst, str) and any(key.startswith(f"{dst}/") for key in self._files) and src != dst
        super().copy(src, f"{dst}/{src.rpartition('/')[2]}" if inside else dst, overwrite=overwrite)


@broken("COPY-024")
class MovesInTwoSteps(MemoryBackend):
    """Moves by a copy and, a moment later, a delete, so two moves of one source can both succeed."""

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        super().copy(src, dst, overwrite=overwrite)
        time.sleep(0.002)
        if src != dst:
            self.delete(src)


@broken("COPY-023")
class MovesIntoFolders(MemoryBackend):
    """Moves a file into the destination if that is a folder, as `mv` does."""

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        inside = any(key.startswith(f"{dst}/") for key in self._files) and src != dst
        super().move(src, f"{dst}/{src.rpartition('/')[2]}" if inside else dst, overwrite=overwrite)


@broken("COPY-017")
class MoveKeepsTheOldFacts(MemoryBackend):
    """A move keeps the metadata and content type of the file that it replaces."""

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        old = self._files.get(dst)
        super().move(src, dst, overwrite=overwrite)
        if old is not None and src != dst:
            self._files[dst] = replace(self._files[dst], metadata=old.metadata, content_type=old.content_type)


@broken("COPY-008", "COPY-021")
class TakesTheNamesakeAlong(MemoryBackend):
    """Copies and moves a file together with the folder of the same name."""

    def _transfer(self, src: str, dst: str, *, keep: bool, **asked: Any) -> None:
        super()._transfer(src, dst, keep=keep, **asked)
        for key in [key for key in self._files if key.startswith(f"{src}/") and src != dst]:
            self._files[dst + key.removeprefix(src)] = self._files[key] if keep else self._files.pop(key)
