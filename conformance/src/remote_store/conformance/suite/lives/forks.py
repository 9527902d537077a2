# Generated from conformance/src/remote_store/conformance/suite/aio/lives/forks.py by tools/unasync.py; edit that.
"""Checks of forks: while other calls run, and with every way to write at once."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from remote_store.conformance.checking.case import Case, not_applicable
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.fork import Child, forked, in_fork
from remote_store.conformance.suite.expectations import expect_content
from remote_store.conformance.values.deviation import Deviation
from remote_store.core import Backend, Capability

READ, WRITE, LIST, ATOMIC = Capability.READ, Capability.WRITE, Capability.LIST, Capability.ATOMIC_WRITE
BLOCKS = 2_600_000
"""Bytes that a backend reads in several blocks."""
SIZES: Mapping[str, tuple[int, ...]] = {
    "smoke": (300_000,),
    "quick": (10, 300_000),
    "full": (2, 10, 70_000, 300_000, BLOCKS),
    "soak": (2, 10, 70_000, 300_000, BLOCKS),
}
FORKS: Mapping[str, int] = {"smoke": 1, "quick": 3, "full": 15, "soak": 100}
"""How many children are forked while other calls run."""
CALLERS = 2
EVERY_CHECK = ("*",)
WAYS = {
    "write of an iterable": WRITE,
    "write of a stream": WRITE,
    "write_atomic of an iterable": ATOMIC,
    "write_atomic of a stream": ATOMIC,
    "open_atomic": ATOMIC,
}


class Halfway(io.RawIOBase):
    """A stream that calls a function in its middle.

    Args:
        content: What it has.
        call: Called once, before the second half is read.
    """

    def __init__(self, content: bytes, call: Callable[[], None]) -> None:
        self._halves = [content[: len(content) // 2], content[len(content) // 2 :]]
        self._call = call

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._halves:
            return 0
        if len(self._halves) == 1 and self._call is not None:
            call, self._call = self._call, None  # type: ignore[assignment]
            call()
        half = self._halves[0]
        size = min(len(buffer), len(half))
        buffer[:size] = half[:size]
        self._halves[0] = half[size:]
        if not self._halves[0]:
            self._halves.pop(0)
        return size


class ForkSuite:
    """LIFE-004 and PROC-004: a process and its forks."""

    @check("PROC-004", needs=(WRITE, READ))
    def test_process_and_two_forks_write_at_once(self, case: Case) -> None:
        require_forks(case)
        ways = [way for way, needs in WAYS.items() if needs in case.backend.capabilities]
        if case.tier == "smoke":
            ways = case.rng.sample(ways, 1)
        rows = [(way, size) for way in ways for size in SIZES[case.tier]]
        if case.tier == "quick":
            rows.append(("write of a stream", BLOCKS))
        contents = [{row: case.content(row[1]) for row in rows} for _ in range(3)]
        for number, (way, size) in enumerate(rows):
            write(case.backend, way, case.path(f"first-{number}"), case.content(size), nothing)
        first, second = (partial(self._write_all, case, f"child-{who}", contents[who]) for who in (1, 2))
        with forked(first) as one, forked(second) as two:
            for number, (way, size) in enumerate(rows):
                for child in (one, two):
                    self._paused(case, child, f"{way} of {size:,} bytes in a forked child")
                # Both children have written half, and all have drawn as many random numbers.
                write(case.backend, way, case.path(f"parent-{number}"), contents[0][way, size], nothing)
                two.go_on()
                one.go_on()
            for child in (one, two):
                try:
                    child.result()
                except Exception as error:
                    case.fail("writes in two forked children at once", "no exception", error)
        for who, name in enumerate(("parent", "child-1", "child-2")):
            for number, row in enumerate(rows):
                expect_content(case, f"{name}-{number}", contents[who][row])

    def _paused(self, case: Case, child: Child, what: str) -> None:
        try:
            child.paused()
        except Exception as error:
            case.fail(what, "no exception", error)

    def _write_all(
        self, case: Case, name: str, contents: dict[tuple[str, int], bytes], pause: Callable[[], None]
    ) -> None:
        for number, ((way, _), content) in enumerate(contents.items()):
            write(case.backend, way, case.path(f"{name}-{number}"), content, pause)

    @check("LIFE-004", needs=(WRITE, READ, LIST))
    def test_life_a_fork_while_others_work(self, case: Case) -> None:
        require_forks(case)
        ended = list[bool]()

        def work(number: int) -> int:
            rounds = 0
            while not ended or not rounds:
                used(case.backend, case.path(f"parent-{number}"))
                rounds += 1
            return rounds

        def fork() -> int:
            try:
                # The others begin first.
                used(case.backend, case.path("parent"))
                for number in range(FORKS[case.tier]):
                    in_fork(partial(used, case.backend, case.path(f"child-{number}")))
                    used(case.backend, case.path("parent"))
            finally:
                ended.append(True)
            return 1

        callers: list[Callable[[], Any]] = [fork, *(partial(work, number) for number in range(CALLERS))]
        for result in case.together(callers):
            if isinstance(result, Exception):
                case.fail("work in forked children while others work in their parent", "no exception", result)
        for number in range(FORKS[case.tier]):
            expect_content(case, f"child-{number}/file", b"child")


def require_forks(case: Case) -> None:
    """Skip the check unless instances work after a fork."""
    case.require_profile("the storage ends with its process", not case.profile.in_process)
    case.require_profile("the profile says that instances do not work after a fork", case.profile.forks)
    declared = case.deviations.get("LIFE-004", ())
    rows = (declared,) if isinstance(declared, Deviation) else declared
    # One that names its checks is about forks in a certain state, not about every fork.
    if any(deviation.checks == EVERY_CHECK for deviation in rows):
        not_applicable("a deviation from LIFE-004 says that instances do not work after a fork")


def used(backend: Backend, folder: str) -> None:
    """Use an instance.

    Raises:
        ValueError: It returns something else than what was written.
    """
    path = f"{folder}/file"
    backend.write(path, b"child", overwrite=True)
    read = backend.read_bytes(path)
    with backend.read(path) as stream:
        streamed = stream.read()
    listed = [entry.path for entry in backend.list_files(folder)]
    if (read, streamed, listed) != (b"child", b"child", [path]):
        raise ValueError(f"it reads {read!r} and {streamed!r} and lists {listed}")


def write(backend: Backend, way: str, path: str, content: bytes, halfway: Callable[[], None]) -> None:
    """Write a file in one of the ways, and call a function in the middle of it."""
    half = len(content) // 2

    def pieces() -> Iterator[bytes]:
        yield content[:half]
        halfway()
        yield content[half:]

    method, _, kind = way.partition(" of ")
    if method == "open_atomic":
        with backend.open_atomic(path) as stream:
            for piece in pieces():
                stream.write(piece)
    else:
        source: Any = Halfway(content, halfway) if kind == "a stream" else pieces()
        getattr(backend, method)(path, source)


def nothing() -> None:
    """Do nothing in the middle of a write."""
