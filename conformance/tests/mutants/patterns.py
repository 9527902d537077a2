"""Backends whose patterns match too much or too little."""

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
    """Files in memory; a subclass decides what a pattern matches."""

    def matches(self, pattern: str, path: str) -> bool:
        """Whether the path matches."""
        raise NotImplementedError

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        super().glob(pattern)
        return (file for file in self.list_files("", recursive=True) if self.matches(pattern, file.path))


class Rewrites(MemoryBackend):
    """Files in memory; a subclass rewrites patterns."""

    def rewritten(self, pattern: str) -> str:
        """The pattern to match instead."""
        raise NotImplementedError

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        super().glob(pattern)
        return super().glob(self.rewritten(pattern))


@broken("GLOB-001", "GLOB-002", "GLOB-011")
class MatchesAcrossSlashes(Matches):
    """Matches the whole path with `fnmatch`, whose wildcards also match a slash."""

    def matches(self, pattern: str, path: str) -> bool:
        return fnmatchcase(path, pattern)


@broken("GLOB-003")
class CaretNegates(Rewrites):
    """Negates a set that begins with a caret, as a regular expression does."""

    def rewritten(self, pattern: str) -> str:
        return re.sub(r"\[\^(?!\])", "[!", pattern)


@broken("GLOB-002")
class QuestionMayBeNothing(Matches):
    """`?` also matches no character."""

    def matches(self, pattern: str, path: str) -> bool:
        expression = re.escape(pattern).replace(r"\*", "[^/]*").replace(r"\?", "[^/]?")
        return re.fullmatch(expression, path) is not None


@broken("GLOB-003")
class NegatesByCaret(Rewrites):
    """`^` negates a set, as in regular expressions."""

    def rewritten(self, pattern: str) -> str:
        return pattern.replace("[^", "[!") if "[^]" not in pattern else pattern.replace("[^]", "?")


@broken("GLOB-004", "GLOB-013")
class TwoStarsAreOne(Rewrites):
    """Treats `**` as `*`."""

    def rewritten(self, pattern: str) -> str:
        return pattern.replace("**", "*")


@broken("GLOB-004")
class TwoStarsAreOneOrMore(Matches):
    """`**` matches one or more segments, but not zero."""

    def matches(self, pattern: str, path: str) -> bool:
        expression = re.escape(pattern).replace(r"\*\*", ".+").replace(r"\*", "[^/]*")
        return re.fullmatch(expression, path) is not None


@broken("GLOB-005")
class LiteralsAreBeginnings(MemoryBackend):
    """A pattern without wildcards matches every path that begins with it."""

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        files = super().glob(pattern)
        if any(character in pattern for character in "*?["):
            return files
        return (file for file in self.list_files("", recursive=True) if file.path.startswith(pattern))


@broken("GLOB-005")
class LiteralsAreFolders(MemoryBackend):
    """A pattern that is a folder's path matches the files in the folder."""

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        files = super().glob(pattern)
        wild = any(character in pattern for character in "*?[")
        return files if wild else itertools.chain(files, self.list_files(pattern))


@broken("GLOB-006")
class UnpacksBrackets(Rewrites):
    """Treats the escaped wildcards `[*]` and `[?]` as wildcards."""

    def rewritten(self, pattern: str) -> str:
        return pattern.replace("[*]", "*").replace("[?]", "?")


@broken("GLOB-007")
class MatchesBySiblings(Matches):
    """Also matches below sibling folders whose names begin with the pattern's folder."""

    def matches(self, pattern: str, path: str) -> bool:
        folder, _, rest = pattern.rpartition("/")
        return path.startswith(folder.removesuffix("/**")) and fnmatchcase(path.rpartition("/")[2], rest)


@broken("GLOB-008")
class NoMatchRaises(MemoryBackend):
    """Raises NotFound if nothing matches."""

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        files = list(super().glob(pattern))
        if not files:
            raise NotFound("nothing matches", path=pattern, backend=self.name)
        return iter(files)


@broken("GLOB-009")
class TakesImpossiblePatterns(MemoryBackend):
    """A malformed pattern matches nothing instead of raising an error."""

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        with suppress(InvalidPath):
            return super().glob(pattern)
        return iter(())


@broken("GLOB-009", "GLOB-015")
class LooksAtPatternsLate(MemoryBackend):
    """Validates a pattern when the matches are iterated instead of when `glob` is called."""

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        yield from super().glob(pattern)


@broken("GLOB-010")
class HandsOnToExpressions(Matches):
    """Translates a pattern to a regular expression without escaping special characters."""

    def matches(self, pattern: str, path: str) -> bool:
        with suppress(re.error):
            return re.fullmatch(pattern.replace("*", "[^/]*"), path) is not None
        return False


@broken("GLOB-011")
class WildcardsComeLast(Matches):
    """Treats wildcards literally in every segment but the last."""

    def matches(self, pattern: str, path: str) -> bool:
        folder, _, rest = pattern.rpartition("/")
        return path.rpartition("/")[0] == folder and fnmatchcase(path.rpartition("/")[2], rest)


@broken("GLOB-012")
class MatchesHaveNoFacts(MemoryBackend):
    """Matches have no size."""

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        return (replace(file, size=0) for file in super().glob(pattern))


@broken("GLOB-012")
class YieldsFoldersToo(MemoryBackend):
    """Yields folders as well as files."""

    def glob(self, pattern: str) -> Iterator[Any]:
        files = super().glob(pattern)
        return itertools.chain(files, self.list_folders(pattern.rpartition("/")[0])) if "*" in pattern else files


@broken("GLOB-013")
class TwoStarsEndOneLevelDown(MemoryBackend):
    """A trailing `**` matches only one level."""

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        depth = pattern.count("/") + 1
        return (file for file in super().glob(pattern) if not pattern.endswith("**") or file.path.count("/") <= depth)


@broken("GLOB-014")
class MatchesInOnePage(MemoryBackend):
    """Matches only files on the first page of the listing."""

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        matches = list(super().glob(pattern))
        return (file for file in itertools.islice(self.list_files("", recursive=True), 1000) if file in matches)


@broken("GLOB-015")
class TakesNothingForEverything(MemoryBackend):
    """Accepts `None` as a pattern that matches everything."""

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        return super().glob("**" if pattern is None else pattern)


@broken("GLOB-001")
class FoldsCaseInPatterns(Matches):
    """Ignores case, as `fnmatch` does on some systems."""

    def matches(self, pattern: str, path: str) -> bool:
        folder, _, rest = pattern.rpartition("/")
        return path.rpartition("/")[0] == folder and fnmatchcase(path.rpartition("/")[2].lower(), rest.lower())


@broken("GLOB-004")
class SkipsHiddenFolders(MemoryBackend):
    """`**` skips folders whose names begin with a dot, as shells do."""

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        return (file for file in super().glob(pattern) if "/." not in file.path.rpartition("/")[0])
