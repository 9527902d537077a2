# Generated from conformance/src/remote_store/conformance/suite/aio/listing/patterns.py by tools/unasync.py; edit that.
"""Checks of patterns that are made at random from the names of files, compared with core's matcher."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from remote_store.conformance.checking.case import Case, untested
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.neighbours import EVERY
from remote_store.conformance.checking.reference import Tree, rows
from remote_store.conformance.suite.listing.levels import LEVELS, is_far, planted
from remote_store.conformance.suite.names.beside import apart
from remote_store.core import Capability, GlobPattern, InvalidPath

WRITE = Capability.WRITE
BELOW = ("", "in/", "in/deep/", "in/deep/er/")
WILD = "*?["


class PatternSuite:
    """GLOB: any pattern over any names."""

    @check("GLOB-001", "GLOB-002", "GLOB-003", needs=(WRITE,))
    def test_glob_any_pattern_of_a_name(self, case: Case) -> None:
        chosen = apart(case, case.rng.sample(EVERY, 12 if is_far(case) else 60))
        tree = planted(case, [f"{case.rng.choice(BELOW)}.{name}" for name in chosen] + chosen)
        compare(case, tree, case.folder, patterns(case, tree))

    @check("GLOB-004", "GLOB-011", "GLOB-013", needs=(WRITE,))
    def test_glob_any_pattern_of_several_levels(self, case: Case) -> None:
        tree = planted(case, LEVELS)
        compare(case, tree, case.folder, patterns(case, tree))

    @check("GLOB-004", "GLOB-005", needs=(WRITE,))
    def test_glob_any_pattern_from_the_root(self, case: Case) -> None:
        with case.isolated() as alone:
            tree = planted(alone, LEVELS)
            compare(alone, tree, "", patterns(alone, tree))


def compare(case: Case, tree: Tree, folder: str, made: Iterator[str]) -> None:
    """Fail unless each pattern matches what core's matcher matches."""
    everything = tree.files(folder)
    for pattern in made:
        try:
            matcher = GlobPattern.parse(pattern)
        except InvalidPath:
            continue
        came, _ = rows([entry for entry in case.backend.glob(pattern)])
        case.expect_equal(came, [row for row in everything if matcher.matches(row[0])], f"the matches of {pattern!r}")


def patterns(case: Case, tree: Tree) -> Iterator[str]:
    """Patterns that match one of the files or nearly do. Their number depends on the tier."""
    if case.tier == "smoke" and is_far(case):
        untested("patterns are made at random in the quick tier")
    number = {"smoke": 10, "quick": 10 if is_far(case) else 25, "full": 60 if is_far(case) else 500}.get(
        case.tier, 2_000
    )
    paths = [path for path, _, _ in tree.files(case.folder)]
    start = len(case.folder) + 1 if case.folder else 0
    for _ in range(number):
        yield case.path(changed(case.rng, case.rng.choice(paths)[start:]))


def changed(rng: random.Random, name: str) -> str:
    """A pattern made from a name by one to three changes."""
    segments = [escaped(rng, segment) for segment in name.split("/")]
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(segments))
        rng.choice(CHANGES)(rng, segments, at)
    return "/".join("".join(pieces) for pieces in segments)


def escaped(rng: random.Random, segment: str) -> list[str]:
    """The characters of a segment, each as a pattern; now and then a wildcard stands as it is."""
    return [f"[{each}]" if each in WILD and rng.random() < 0.8 else each for each in segment]


def _one(rng: random.Random, segments: list[list[str]], at: int) -> None:
    if pieces := segments[at]:
        pieces[rng.randrange(len(pieces))] = "?"


def _run(rng: random.Random, segments: list[list[str]], at: int) -> None:
    start = rng.randrange(len(segments[at]) + 1)
    segments[at][start : start + rng.randrange(4)] = ["*"]


def _set(rng: random.Random, segments: list[list[str]], at: int) -> None:
    if pieces := segments[at]:
        place = rng.randrange(len(pieces))
        each = pieces[place][1 if len(pieces[place]) == 3 else 0]
        low, high = chr(max(ord(each) - 2, 1)), chr(min(ord(each) + 2, 0x10FFFF))
        forms = (
            f"[{each}]",
            f"[!{each}]",
            f"[^{each}]",
            f"[x{each}]",
            f"[{each}-]",
            f"[-{each}]",
            f"[{each.swapcase()}]",
        )
        ranges = (
            f"[{low}-{high}]",
            f"[!{low}-{high}]",
            f"[{low}-{each}]",
            "[a-z]",
            "[!a-z]",
            "[A-Z0-9_]",
            "[]-a]",
            "[!]]",
        )
        pieces[place] = rng.choice((*forms, *ranges))


def _case(rng: random.Random, segments: list[list[str]], at: int) -> None:
    segments[at] = [each.swapcase() for each in segments[at]] if rng.random() < 0.5 else segments[at]


def _more(rng: random.Random, segments: list[list[str]], at: int) -> None:
    segments[at].insert(
        rng.randrange(len(segments[at]) + 1), rng.choice(("a", ".", "*", "?", "**", " ", "\\", "[!", "[]"))
    )


def _span(rng: random.Random, segments: list[list[str]], at: int) -> None:
    segments[at : at + rng.randrange(3)] = [["**"]]


def _star(rng: random.Random, segments: list[list[str]], at: int) -> None:
    segments[at : at + rng.randrange(2)] = [["*"]]


def _cut(_rng: random.Random, segments: list[list[str]], at: int) -> None:
    del segments[at + 1 :]


CHANGES: tuple[Callable[[random.Random, list[list[str]], int], None], ...] = (
    *(_one, _run, _run, _set, _set, _case, _more, _span, _span, _star, _cut),
)
