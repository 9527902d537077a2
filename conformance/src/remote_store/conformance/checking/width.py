"""How much of a corpus a check goes through: what it draws, by tier, by storage and by the seed of the run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from remote_store.conformance.checking.case import AnyCase
from remote_store.conformance.checking.corpora import CONTENTS, LARGE, METADATA, MIB, REFUSED, SMALL, SPECIAL, SUFFIXES
from remote_store.conformance.checking.decorators import deviations

T = TypeVar("T")
ON_DISK = 3
"""Number of endings for each special content, if the storage is not in memory."""
NEARBY = frozenset({"memory", "files"})


@dataclass(frozen=True, slots=True)
class Width:
    """How much a check draws.

    Attributes:
        few: Number of items of a corpus, and of small contents.
        large: Bytes of all contents of more than one MiB together.
    """

    few: int
    large: int


WIDTHS = {"smoke": Width(2, 0), "quick": Width(6, 0), "full": Width(6, 16 * MIB)}
# For storages in this process or on this machine.
QUICK_NEARBY = Width(12, 16 * MIB)
READERS, READERS_IN_PROCESS = 3, 50
"""Number of streams that may be open at once, unless the profile states it."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A content and the path that it is written to.

    Attributes:
        content: The bytes.
        path: The path.
        told: The name of the content and of the file, for messages.
    """

    content: bytes
    path: str
    told: str


def is_near(case: AnyCase[Any]) -> bool:
    """Whether the profile says that the storage is in this process or on this machine."""
    return case.harness.stated and (case.profile.in_process or case.profile.endpoint_kind in NEARBY)


def readers_of(case: AnyCase[Any]) -> int:
    """How many streams may be open at once."""
    many = case.profile.in_process and case.harness.stated
    return case.profile.readers or (READERS_IN_PROCESS if many else READERS)


def width_of(case: AnyCase[Any]) -> Width | None:
    """How much the check draws; `None` for everything.

    Everything is drawn in the soak tier, and in the full tier if the storage is in this process or on this machine.
    """
    near = is_near(case)
    if case.tier == "soak" or (case.tier == "full" and near):
        return None
    return QUICK_NEARBY if near and case.tier == "quick" else WIDTHS[case.tier]


def drawn(case: AnyCase[Any], items: Sequence[T]) -> list[T]:
    """Items of a corpus, in an order that depends on the seed."""
    width = width_of(case)
    return case.rng.sample(items, len(items) if width is None else min(width.few, len(items)))


def named(case: AnyCase[Any], corpus: Mapping[str, T]) -> Iterator[tuple[str, T]]:
    """Names and items of a corpus, in an order that depends on the seed."""
    return ((name, corpus[name]) for name in drawn(case, list(corpus)))


def metadata(case: AnyCase[Any]) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Metadata that must come back unchanged, by name, without what a deviation from a META rule names."""
    return named(case, {name: item for name, item in METADATA.items() if not deviates(case, "META", name)})


def deviates(case: AnyCase[Any], area: str, name: str) -> bool:
    """Whether a deviation from a rule of an area names an item of a corpus as a variant."""
    declared = [
        deviation
        for identifier, value in case.deviations.items()
        if identifier.startswith(f"{area}-")
        for deviation in deviations(value)
    ]
    patterns = {pattern for deviation in declared for pattern in deviation.variants if pattern != "*"}
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def refused(case: AnyCase[Any]) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Metadata that the contract refuses, by name."""
    return named(case, REFUSED)


def samples(case: AnyCase[Any], *, folder: str = "") -> Iterator[Sample]:
    """Contents and paths: pairs of a content and an ending, in an order that depends on the seed.

    If everything is drawn, each content comes once, and each special content also under every ending in memory, and
    under a few on a disk.

    Args:
        case: The case.
        folder: The folder of the files, below the folder of the case.
    """
    for number, (name, suffix) in enumerate(_pairs(case)):
        content = CONTENTS[name]()
        # Large files replace each other, so that they do not fill the storage.
        file = f"{folder}{'large' if name in LARGE else number}{suffix}"
        yield Sample(content, case.path(file), f"{name} in {file!r}")


def _pairs(case: AnyCase[Any]) -> Iterator[tuple[str, str]]:
    width = width_of(case)
    suffixes = case.rng.sample(SUFFIXES, len(SUFFIXES))
    if width is None:
        yield from ((name, suffixes[number % len(suffixes)]) for number, name in enumerate((*SMALL, *LARGE)))
        # A write to a disk may take milliseconds.
        times = len(suffixes) if case.profile.in_process else ON_DISK
        yield from ((name, suffix) for name in SPECIAL for suffix in case.rng.sample(suffixes, times))
        return
    names, left = case.rng.sample(SMALL, width.few), width.large
    for name in case.rng.sample(list(LARGE), len(LARGE)):
        if LARGE[name] <= left:
            names.append(name)
            left -= LARGE[name]
    yield from zip(names, suffixes * 3, strict=False)
