"""Backends whose copies are other files, and whose moves lose some."""

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
    """Renames the source where it should copy it."""

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        super().move(src, dst, overwrite=overwrite)


@broken("COPY-002", "COPY-004", "COPY-015")
class DropsMetadata(ByHand):
    """Copies and moves the bytes of a file without its metadata and content type."""

    def put(self, dst: str, file: Any) -> None:
        super().put(dst, replace(file, metadata={}, content_type=None))


@broken("COPY-004")
class KeepsTheOldFacts(MemoryBackend):
    """Leaves metadata and content type of the file that a copy replaces."""

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        old = self._files.get(dst) if isinstance(dst, str) else None
        super().copy(src, dst, overwrite=overwrite)
        if old is not None:
            self._files[dst] = replace(self._files[dst], metadata=old.metadata, content_type=old.content_type)


@broken("COPY-003")
class CopyOverwrites(MemoryBackend):
    """Replaces the destination of a copy, whatever `overwrite` says."""

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        super().copy(src, dst, overwrite=True)


@broken("COPY-006", "COPY-019")
class ClearsTheWay(MemoryBackend):
    """Deletes the destination that it is to replace before it looks at the source."""

    def _transfer(self, src: str, dst: str, *, overwrite: bool, keep: bool) -> None:
        if overwrite and src != dst:
            self.delete(dst, missing_ok=True)
        super()._transfer(src, dst, overwrite=overwrite, keep=keep)


@broken("COPY-004", "COPY-017")
class NeverReplaces(MemoryBackend):
    """Refuses a destination that exists, whatever `overwrite` says."""

    def _transfer(self, src: str, dst: str, *, overwrite: bool, keep: bool) -> None:
        super()._transfer(src, dst, overwrite=False, keep=keep)


@broken("COPY-005", "COPY-018")
class TouchesItself(MemoryBackend):
    """Writes a file anew that is copied or moved onto itself."""

    def _transfer(self, src: str, dst: str, *, overwrite: bool, keep: bool) -> None:
        super()._transfer(src, dst, overwrite=overwrite, keep=keep)
        if src == dst:
            self.write(dst, self.read_bytes(src), overwrite=True)


@broken("COPY-005")
class RefusesItself(MemoryBackend):
    """Finds that the destination exists where a file is copied onto itself."""

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        super().copy(src, dst, overwrite=overwrite)
        if src == dst:
            self._check_free(dst, overwrite=overwrite)


@broken("COPY-006", "COPY-019")
class NothingOntoItselfIsFine(MemoryBackend):
    """Does not look for the source where source and destination are one path."""

    def _transfer(self, src: str, dst: str, *, overwrite: bool, keep: bool) -> None:
        if src != dst:
            super()._transfer(src, dst, overwrite=overwrite, keep=keep)


@broken("COPY-006", "COPY-019")
class BlamesTheTarget(MemoryBackend):
    """Says of the destination that it is missing where the source is."""

    def _transfer(self, src: str, dst: str, *, overwrite: bool, keep: bool) -> None:
        try:
            super()._transfer(src, dst, overwrite=overwrite, keep=keep)
        except NotFound as error:
            raise NotFound(error.message, path=dst, backend=self.name) from error


@broken("COPY-007", "COPY-020")
class TakesFoldersAlong(MemoryBackend):
    """Copies and moves whole folders where a file is meant."""

    def _transfer(self, src: str, dst: str, *, overwrite: bool, keep: bool) -> None:
        try:
            super()._transfer(src, dst, overwrite=overwrite, keep=keep)
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
    """Takes every file along that the source's path matches as a pattern."""

    def _transfer(self, src: str, dst: str, *, overwrite: bool, keep: bool) -> None:
        matches = [key for key in self._files if key != src and src in self._files and fnmatchcase(key, src)]
        super()._transfer(src, dst, overwrite=overwrite, keep=keep)
        for key in matches:
            self._files[f"{dst}-{key.rpartition('/')[2]}"] = self._files[key]


@broken("COPY-008", "COPY-009", "COPY-021")
class EscapesTheTarget(MemoryBackend):
    """Stores a copy under a key with percent escapes."""

    def _transfer(self, src: str, dst: str, *, overwrite: bool, keep: bool) -> None:
        quoted = quote(dst) if src in self._files and src != dst else dst
        super()._transfer(src, quoted, overwrite=overwrite, keep=keep)


@broken("COPY-010")
class CopiesRace(MemoryBackend):
    """Looks whether the destination of a copy exists, and writes a moment later."""

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        taken = isinstance(dst, str) and dst in self._files
        time.sleep(0.01)
        super().copy(src, dst, overwrite=overwrite or not taken)


@broken("COPY-011")
class CopiesAreLinks(MemoryBackend):
    """Makes a copy that follows its source."""

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        super().copy(src, dst, overwrite=overwrite)
        if src != dst:
            self.__dict__.setdefault("_links", {})[dst] = src

    def _file(self, path: str) -> Any:
        return super()._file(self.__dict__.get("_links", {}).get(path, path))


@broken("COPY-012")
class CopiesOnePart(ByHand):
    """Copies as many bytes as one part has."""

    def put(self, dst: str, file: Any) -> None:
        super().put(dst, replace(file, content=file.content[:PART]))


@broken("COPY-012")
class CannotCopyNothing(MemoryBackend):
    """Raises where an empty file is copied, because it has no part."""

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        super().copy(src, dst, overwrite=overwrite)
        if not self._files[dst].content:
            raise RemoteStoreError("you must specify at least one part", path=src, backend=self.name, status=400)


@broken("COPY-013")
class LeavesTheCopyOfAMove(MemoryBackend):
    """Leaves the file behind over which a move goes."""

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        super().move(src, dst, overwrite=overwrite)
        if src != dst:
            self._files[f"{dst}~"] = self._files[dst]


@broken("COPY-014", "COPY-017", "PATH-013")
class MoveKeepsTheSource(MemoryBackend):
    """Copies where it should move."""

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        super().copy(src, dst, overwrite=overwrite)


@broken("COPY-014")
class MovesTheNameOnly(MemoryBackend):
    """Loses the bytes of a file that is moved."""

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        super().move(src, dst, overwrite=overwrite)
        if src != dst:
            self._files[dst] = replace(self._files[dst], content=b"")


@broken("COPY-016")
class MoveOverwrites(MemoryBackend):
    """Renames over a destination that exists, as `os.rename` does."""

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
    """Copies a file onto itself and deletes the source."""

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        super().move(src, dst, overwrite=overwrite)
        if src == dst and src:
            self.delete(src)


@broken("COPY-019")
class MovesNothing(MemoryBackend):
    """Does nothing, and says nothing, where the source of a move is missing."""

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        with suppress(NotFound):
            super().move(src, dst, overwrite=overwrite)


@broken("COPY-021")
class MovesTheLastMatch(MemoryBackend):
    """Moves the last file that the source's path matches as a pattern."""

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        matches = [key for key in sorted(self._files) if fnmatchcase(key, src)]
        super().move(matches[-1] if matches else src, dst, overwrite=overwrite)


@broken("COPY-022")
class MovesMeetInOneName(MemoryBackend):
    """Moves by way of a name made of the source's, which another move of it cleans up."""

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
    """Copies a file into the folder whose path the destination is, as `cp` does."""

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        inside = isinstance(dst, str) and any(key.startswith(f"{dst}/") for key in self._files) and src != dst
        super().copy(src, f"{dst}/{src.rpartition('/')[2]}" if inside else dst, overwrite=overwrite)


@broken("COPY-024")
class MovesInTwoSteps(MemoryBackend):
    """Copies a file that it moves, and deletes the source a moment later."""

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        super().copy(src, dst, overwrite=overwrite)
        time.sleep(0.002)
        if src != dst:
            self.delete(src)


@broken("COPY-023")
class MovesIntoFolders(MemoryBackend):
    """Moves a file into the folder whose path the destination is, as `mv` does."""

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        inside = any(key.startswith(f"{dst}/") for key in self._files) and src != dst
        super().move(src, f"{dst}/{src.rpartition('/')[2]}" if inside else dst, overwrite=overwrite)


@broken("COPY-017")
class MoveKeepsTheOldFacts(MemoryBackend):
    """Leaves metadata and content type of the file that a move replaces."""

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        old = self._files.get(dst)
        super().move(src, dst, overwrite=overwrite)
        if old is not None and src != dst:
            self._files[dst] = replace(self._files[dst], metadata=old.metadata, content_type=old.content_type)


@broken("COPY-008", "COPY-021")
class TakesTheNamesakeAlong(MemoryBackend):
    """Copies and moves the folder of a file's name together with the file."""

    def _transfer(self, src: str, dst: str, *, overwrite: bool, keep: bool) -> None:
        super()._transfer(src, dst, overwrite=overwrite, keep=keep)
        for key in [key for key in self._files if key.startswith(f"{src}/") and src != dst]:
            self._files[dst + key.removeprefix(src)] = self._files[key] if keep else self._files.pop(key)
