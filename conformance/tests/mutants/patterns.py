"""Backends whose patterns match something else."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from mutants.registry import broken
from remote_store.core import FileInfo, InvalidPath, MemoryBackend, NotFound


class Matches(MemoryBackend):
    """Files in memory, matched by a function of the subclass."""

    def matches(self, pattern: str, path: str) -> bool:
        """Whether the path matches."""
        raise NotImplementedError

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        super().glob(pattern)
        return (file for file in self.list_files("", recursive=True) if self.matches(pattern, file.path))


class Rewrites(MemoryBackend):
    """Files in memory, whose patterns a subclass rewrites."""

    def rewritten(self, pattern: str) -> str:
        """The pattern that is matched instead."""
        raise NotImplementedError

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        super().glob(pattern)
        return super().glob(self.rewritten(pattern))


@broken("GLOB-001", "GLOB-002", "GLOB-011")
class MatchesAcrossSlashes(Matches):
    """Matches the whole path by `fnmatch`, whose wildcards match a slash."""

    def matches(self, pattern: str, path: str) -> bool:
        return fnmatchcase(path, pattern)


@broken("GLOB-002")
class QuestionMayBeNothing(Matches):
    """Lets a question mark match no character."""

    def matches(self, pattern: str, path: str) -> bool:
        expression = re.escape(pattern).replace(r"\*", "[^/]*").replace(r"\?", "[^/]?")
        return re.fullmatch(expression, path) is not None


@broken("GLOB-003")
class NegatesByCaret(Rewrites):
    """Negates a set by a caret, as regular expressions do."""

    def rewritten(self, pattern: str) -> str:
        return pattern.replace("[^", "[!") if "[^]" not in pattern else pattern.replace("[^]", "?")


@broken("GLOB-004", "GLOB-013")
class TwoStarsAreOne(Rewrites):
    """Takes two stars for one."""

    def rewritten(self, pattern: str) -> str:
        return pattern.replace("**", "*")


@broken("GLOB-004")
class TwoStarsAreOneOrMore(Matches):
    """Lets two stars span one segment or more, but not none."""

    def matches(self, pattern: str, path: str) -> bool:
        expression = re.escape(pattern).replace(r"\*\*", ".+").replace(r"\*", "[^/]*")
        return re.fullmatch(expression, path) is not None


@broken("GLOB-005")
class LiteralsAreBeginnings(MemoryBackend):
    """Matches every path that begins with a pattern without wildcards."""

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        files = super().glob(pattern)
        if any(character in pattern for character in "*?["):
            return files
        return (file for file in self.list_files("", recursive=True) if file.path.startswith(pattern))


@broken("GLOB-005")
class LiteralsAreFolders(MemoryBackend):
    """Lists the folder whose path a pattern without wildcards is."""

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        files = super().glob(pattern)
        wild = any(character in pattern for character in "*?[")
        return files if wild else itertools.chain(files, self.list_files(pattern))


@broken("GLOB-006")
class UnpacksBrackets(Rewrites):
    """Takes the brackets off a wildcard before it matches."""

    def rewritten(self, pattern: str) -> str:
        return pattern.replace("[*]", "*").replace("[?]", "?")


@broken("GLOB-007")
class MatchesBySiblings(Matches):
    """Matches what lies below every folder whose name begins like that of the pattern."""

    def matches(self, pattern: str, path: str) -> bool:
        folder, _, rest = pattern.rpartition("/")
        return path.startswith(folder.removesuffix("/**")) and fnmatchcase(path.rpartition("/")[2], rest)


@broken("GLOB-008")
class NoMatchRaises(MemoryBackend):
    """Raises NotFound where nothing matches."""

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        files = list(super().glob(pattern))
        if not files:
            raise NotFound("nothing matches", path=pattern, backend=self.name)
        return iter(files)


@broken("GLOB-009")
class TakesImpossiblePatterns(MemoryBackend):
    """Matches nothing by a pattern that can match nothing, where it should refuse it."""

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        with suppress(InvalidPath):
            return super().glob(pattern)
        return iter(())


@broken("GLOB-009", "GLOB-015")
class LooksAtPatternsLate(MemoryBackend):
    """Looks at a pattern when the first match is asked for."""

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        yield from super().glob(pattern)


@broken("GLOB-010")
class HandsOnToExpressions(Matches):
    """Makes an expression of a pattern without quoting what means something in one."""

    def matches(self, pattern: str, path: str) -> bool:
        with suppress(re.error):
            return re.fullmatch(pattern.replace("*", "[^/]*"), path) is not None
        return False


@broken("GLOB-011")
class WildcardsComeLast(Matches):
    """Takes a wildcard for itself in every segment but the last."""

    def matches(self, pattern: str, path: str) -> bool:
        folder, _, rest = pattern.rpartition("/")
        return path.rpartition("/")[0] == folder and fnmatchcase(path.rpartition("/")[2], rest)


@broken("GLOB-012")
class MatchesHaveNoFacts(MemoryBackend):
    """Yields matches without their sizes."""

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        return (replace(file, size=0) for file in super().glob(pattern))


@broken("GLOB-012")
class YieldsFoldersToo(MemoryBackend):
    """Yields the folders that match beside the files."""

    def glob(self, pattern: str) -> Iterator[Any]:
        files = super().glob(pattern)
        return itertools.chain(files, self.list_folders(pattern.rpartition("/")[0])) if "*" in pattern else files


@broken("GLOB-013")
class TwoStarsEndOneLevelDown(MemoryBackend):
    """Goes one level down where a pattern ends in two stars."""

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        depth = pattern.count("/") + 1
        return (file for file in super().glob(pattern) if not pattern.endswith("**") or file.path.count("/") <= depth)


@broken("GLOB-014")
class MatchesInOnePage(MemoryBackend):
    """Looks for matches in the first page of the service and no other."""

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        matches = list(super().glob(pattern))
        return (file for file in itertools.islice(self.list_files("", recursive=True), 1000) if file in matches)


@broken("GLOB-015")
class TakesNothingForEverything(MemoryBackend):
    """Takes `None` for a pattern that matches everything."""

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        return super().glob("**" if pattern is None else pattern)


@broken("GLOB-001")
class FoldsCaseInPatterns(Matches):
    """Matches without regard to case, as `fnmatch` does on some systems."""

    def matches(self, pattern: str, path: str) -> bool:
        folder, _, rest = pattern.rpartition("/")
        return path.rpartition("/")[0] == folder and fnmatchcase(path.rpartition("/")[2].lower(), rest.lower())


@broken("GLOB-004")
class SkipsHiddenFolders(MemoryBackend):
    """Lets two stars skip folders whose names begin with a dot, as shells do."""

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        return (file for file in super().glob(pattern) if "/." not in file.path.rpartition("/")[0])
