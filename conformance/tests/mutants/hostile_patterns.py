"""Backends that match a pattern too slowly, or accept a malformed one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

from mutants.patterns import Matches, Rewrites
from mutants.registry import broken
from remote_store.core import FileInfo, GlobPattern, InvalidPath, MemoryBackend

STARS = 6


@broken("GLOB-016")
class ReversedRangesMatchNothing(MemoryBackend):
    """Accepts a reversed range such as `[z-a]`, which matches nothing, instead of raising an error."""

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        with suppress(InvalidPath):
            return super().glob(pattern)
        if re.search(r"\[[^\]]*-", pattern):
            return iter(())
        return super().glob(pattern)


@broken("GLOB-016")
class EmptySetsMatchAnything(Rewrites):
    """Accepts an empty negated set, which then matches any character."""

    def rewritten(self, pattern: str) -> str:
        return pattern.replace("[!]", "?") if pattern.endswith("[!]") else pattern


@broken("GLOB-017")
class Backtracks(Matches):
    """Matches stars by backtracking: six stars take exponential time."""

    def matches(self, pattern: str, path: str) -> bool:
        if pattern.count("a*") > STARS:
            # More stars, or a longer name, would take hours.
            re.match("a[^/]*" * STARS + "b", path.rpartition("/")[2][:100])
        return GlobPattern.parse(pattern).matches(path)
