# Generated from conformance/src/remote_store/conformance/suite/aio/reading/slices.py by tools/unasync.py; edit that.
"""Checks that ranges of files, and reads of versions, are slices of their content, whatever is drawn."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.corpora import MIB
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.width import is_near
from remote_store.conformance.suite.facts.versions import taking
from remote_store.conformance.suite.reading.programs import programs
from remote_store.conformance.suite.reading.twins import EVERYTHING, SIZES_OF_FILES, Twin, text
from remote_store.core import Capability

WRITE = (Capability.WRITE,)
Ranges = list[tuple[int, int]]
ROUNDS = {"smoke": 3, "quick": 8, "full": 40, "soak": 200}
FILES = {"smoke": 1, "quick": 2, "full": 5, "soak": 20}
FAR = 6
"""Rounds of the full tier, if each is several requests."""
VERSION_SIZES = (300_007, 1, 300_007, 70_000)


def rounds(case: Case) -> int:
    """How many ranges, or lists of ranges, the case reads."""
    return ROUNDS[case.tier] if is_near(case) or case.tier in ("smoke", "soak") else FAR


def position(rng: Random, size: int) -> int:
    """An offset, often at an edge of a block or of the file."""
    # The last block of a file is shorter than the others.
    last = size - size % rng.choice((512, 4096, 8192, 65536, 524_288))
    edge = rng.choice((0, 4096, 8192, 65536, 524_288, MIB, last, last, size // 2, size - 1, size, size + 1))
    return max(0, rng.choice((edge + rng.choice((-1, 0, 1)), rng.randrange(size + 1))))


def length(rng: Random, size: int) -> int:
    """A length, seldom of the whole file."""
    return rng.choice((0, 1, 2, 9, 100, 511, 512, 4096, 8193, 65536, 70_000, rng.randrange(size + 2), size))


def _equal_starts(rng: Random, size: int) -> Ranges:
    start = position(rng, size)
    return [(start, length(rng, size)) for _ in range(4)]


def _equal_ends(rng: Random, size: int) -> Ranges:
    end = position(rng, size)
    return [(max(0, end - count), min(end, count)) for count in (length(rng, size) for _ in range(4))]


def _nested(rng: Random, size: int) -> Ranges:
    start, count = position(rng, size), length(rng, size)
    inner = [(start + count // part, count // part // 2) for part in (2, 3, 7)]
    return [(start, count), *inner, (start + count + 3, 5)]


def _touching(rng: Random, size: int) -> Ranges:
    start, step = position(rng, size), rng.choice((1, 10, 4096))
    return [(start + number * step, step) for number in range(5)]


def _overlapping(rng: Random, size: int) -> Ranges:
    start, step = position(rng, size), rng.choice((2, 10, 4096))
    return [(start + number * step, 2 * step) for number in range(5)]


def _repeated(rng: Random, size: int) -> Ranges:
    return [(position(rng, size), length(rng, size))] * 3


def _empty(rng: Random, size: int) -> Ranges:
    start = position(rng, size)
    return [(start, 0), (start, 3), (start, 0), (start + 1, 0), (size, 0)]


def _beyond(rng: Random, size: int) -> Ranges:
    return [(size + 5, 3), (max(0, size - 2), 10), (size, 1), (size + 2 * MIB, length(rng, size)), (0, size + 7)]


def _spread(rng: Random, size: int) -> Ranges:
    return [(position(rng, size), length(rng, size) % 9000) for _ in range(12)]


SHAPES: dict[str, Callable[[Random, int], Ranges]] = {
    "equal_starts": _equal_starts,
    "equal_ends": _equal_ends,
    "nested": _nested,
    "touching": _touching,
    "overlapping": _overlapping,
    "repeated": _repeated,
    "empty": _empty,
    "beyond": _beyond,
    "spread": _spread,
}


def arranged(rng: Random, ranges: Ranges) -> Ranges:
    """The ranges in an order that is drawn: as they are, in either direction, by length, or in none."""
    orders: list[Callable[[Ranges], Ranges]] = [
        list,
        sorted,
        lambda given: sorted(given, reverse=True),
        lambda given: sorted(given, key=lambda each: each[1]),
        lambda given: rng.sample(given, len(given)),
    ]
    return rng.choice(orders)(ranges)


class SliceSuite:
    """Ranges and versions, compared with slices."""

    @check("READ-003", needs=WRITE)
    def test_slice_of_one_range(self, case: Case) -> None:
        for _ in range(FILES[case.tier]):
            content = self._file(case)
            for _ in range(rounds(case)):
                start, count = position(case.rng, len(content)), length(case.rng, len(content))
                observed = case.backend.read_range(case.path("file"), start, count)
                what = f"read_range({start}, {count}) of {len(content):,} bytes"
                case.expect_equal(observed, content[start : start + count], what)

    @pytest.mark.parametrize("shape", SHAPES)
    @check("MANY-006", needs=WRITE)
    def test_slice_of_many_ranges(self, case: Case, shape: str) -> None:
        content = self._file(case)
        for _ in range(max(1, rounds(case) // 4)):
            self._read_ranges(case, content, arranged(case.rng, SHAPES[shape](case.rng, len(content))))

    @check("MANY-006", needs=WRITE)
    def test_slice_of_ranges_of_every_shape(self, case: Case) -> None:
        for _ in range(FILES[case.tier]):
            content = self._file(case)
            for _ in range(max(1, rounds(case) // 2)):
                shapes = case.rng.choices(list(SHAPES.values()), k=3)
                ranges = [each for shape in shapes for each in shape(case.rng, len(content))]
                self._read_ranges(case, content, arranged(case.rng, ranges))
        if is_near(case):
            content = self._file(case)
            ranges = [(position(case.rng, len(content)), case.rng.randrange(20)) for _ in range(2_000)]
            self._read_ranges(case, content, ranges)

    @pytest.mark.parametrize("method", ["read", "read_seekable"])
    @check("VERS-002", needs=(Capability.WRITE, Capability.READ))
    def test_slice_of_a_stream_of_a_version(self, case: Case, method: str) -> None:
        count, steps = programs(case)
        with case.isolated(versions=True) as alone:
            versions = self._versions(alone)
            for version, content in (list(versions.items()) * count)[: max(4, count)]:
                stream = getattr(taking(alone), method)(alone.path("file"), version_id=version)
                with stream:
                    twin = Twin(alone, stream, content, f"a stream of {method} of a version")
                    twin.run(EVERYTHING, max(2, steps // 4))
                    twin.step("rest")

    @check("VERS-002", needs=(Capability.WRITE, Capability.READ))
    def test_slice_of_a_version(self, case: Case) -> None:
        with case.isolated(versions=True) as alone:
            path = alone.path("file")
            for version, content in (self._versions(alone)).items():
                told = f"of a version of {len(content):,} bytes"
                observed = taking(alone).read_bytes(path, version_id=version)
                alone.expect_equal(observed, content, f"read_bytes {told}")
                for _ in range(3):
                    start, count = position(case.rng, len(content)), length(case.rng, len(content))
                    observed = taking(alone).read_range(path, start, count, version_id=version)
                    alone.expect_equal(observed, content[start : start + count], f"read_range({start}, {count}) {told}")
                ranges = _overlapping(case.rng, len(content)) + _spread(case.rng, len(content))
                observed = taking(alone).read_ranges(path, ranges, version_id=version)
                expected = [content[start : start + count] for start, count in ranges]
                alone.expect_equal(observed, expected, f"read_ranges({ranges}) {told}")

    def _file(self, case: Case) -> bytes:
        """Write the file anew, of a size that is drawn, and return its content."""
        sizes = [size for size in SIZES_OF_FILES if size > 1 and (case.tier != "smoke" or size < MIB)]
        content = text(case, case.rng.choice(sizes))
        case.backend.write(case.path("file"), content, overwrite=True)
        return content

    def _versions(self, case: Case) -> dict[str, bytes]:
        """The ids and contents of versions of a file, which is deleted at last."""
        versions = {}
        for size in VERSION_SIZES:
            content = text(case, size)
            result = case.backend.write(case.path("file"), content, overwrite=True)
            versions[result.version_id or ""] = content
        case.backend.delete(case.path("file"))
        return versions

    def _read_ranges(self, case: Case, content: bytes, ranges: Ranges) -> None:
        given = list(ranges)
        observed = case.backend.read_ranges(case.path("file"), given)
        what = f"of read_ranges({ranges[:30]}) of {len(content):,} bytes"
        case.expect_equal(list(map(len, observed)), [len(content[s : s + n]) for s, n in ranges], f"the lengths {what}")
        for (start, count), data in zip(ranges, observed, strict=True):
            case.expect_equal(data, content[start : start + count], f"({start}, {count}) {what}")
        case.expect_equal(given, ranges, f"the caller's list {what}")
