# Generated from conformance/src/remote_store/conformance/suite/aio/lives/middle.py by tools/unasync.py; edit that.
"""Checks that open streams, listings, blocks and writes survive a fork, a closed copy, a failure or a pause."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

from remote_store.conformance.checking.any_case import SERVED
from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.fork import in_fork
from remote_store.conformance.checking.trees import fill, found, taken
from remote_store.conformance.checking.width import readers_of
from remote_store.conformance.processes.later import later
from remote_store.conformance.suite.endings import endings
from remote_store.conformance.suite.expectations import expect_content
from remote_store.conformance.suite.lives.forks import BLOCKS, require_forks, used
from remote_store.conformance.suite.lives.process import DAY, SIGNED, SIZE, write
from remote_store.core import Backend, BackendUnavailable, Capability

READ, WRITE, LIST, ATOMIC = Capability.READ, Capability.WRITE, Capability.LIST, Capability.ATOMIC_WRITE
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
FAILED = {"smoke": 2, "quick": 8, "full": 60, "soak": 200}
"""How many operations fail in the middle of others."""


class MiddleSuite:
    """LIFE, PROC: what has begun goes on, whatever happens meanwhile."""

    def _everything(self, case: Case, event: Callable[[], Any], what: str) -> None:
        """Begin a stream of each kind, a listing, a block and a write; let the event happen; and finish them.

        The event happens twice: in the source of the write, and after it.
        """
        able = case.backend.capabilities
        content = case.content(SIZE if case.tier == "smoke" else BLOCKS)
        paths, half = fill(case, "dir/a", "dir/b", "dir/c", data=content), len(content) // 2
        with ExitStack() as opened:
            methods = ["read", *(["read_seekable"] if Capability.SEEKABLE_READ in able else [])]
            # The event may open one more.
            methods = methods[: readers_of(case) - 1]
            streams = [
                opened.enter_context(getattr(case.backend, method)(path))
                for method, path in zip(methods, paths, strict=False)
            ]
            begun = [stream.read(half) for stream in streams]
            listing = case.backend.list_files(case.path("dir"))
            entry = taken(case, listing)
            writer: Any = None
            if ATOMIC in able:
                writer = opened.enter_context(case.backend.open_atomic(case.path("block")))
                writer.write(content[:half])
            write(case.backend, "write", case.path("written"), content, event)
            event()
            for method, stream, piece in zip(methods, streams, begun, strict=True):
                rest = stream.read()
                case.expect(piece + rest == content, f"the content of a stream of {method} during {what}", len(rest))
            listed = sorted([entry.path, *found(listing)])
            case.expect_equal(listed, paths, f"a listing during {what}")
            if writer is not None:
                writer.write(content[half:])
        for name in ("written", *(["block"] if ATOMIC in able else [])):
            expect_content(case, name, content)

    @check("LIFE-004", needs=(WRITE, READ, LIST))
    def test_life_a_fork_in_the_middle_of_everything(self, case: Case) -> None:
        require_forks(case)

        def fork() -> None:
            try:
                in_fork(partial(used_and_closed, case.backend, case.path("child")))
            except Exception as error:
                case.fail("work in a child that was forked in the middle of other work", "no exception", error)

        self._everything(case, fork, "a fork")
        expect_content(case, "child/file", b"child")

    @check("LIFE-021", "PROC-005", needs=(WRITE, READ, LIST))
    def test_life_another_instance_closes_in_the_middle_of_everything(self, case: Case) -> None:
        case.require_profile("two instances do not share a storage", case.profile.shared)

        def use() -> None:
            used_and_closed(case.make(), case.path("other"))

        self._everything(case, use, "the work and the end of another instance")

    @check("LIFE-022", "LIFE-003", needs=(WRITE, READ, LIST))
    def test_life_a_copy_closes_in_the_middle_of_everything(self, case: Case) -> None:
        case.require_profile("the profile says that instances cannot be pickled", case.profile.picklable)

        def use() -> None:
            try:
                twin = pickle.loads(pickle.dumps(case.backend))
            except Exception as error:
                case.fail("a pickle of a backend that is in use", "a copy", error)
            used_and_closed(twin, case.path("copy"))

        self._everything(case, use, "the work and the end of a copy")

    @check("LIFE-003", "LIFE-022", needs=(WRITE, READ, LIST))
    def test_life_copies_by_every_protocol(self, case: Case) -> None:
        case.require_profile("the profile says that instances cannot be pickled", case.profile.picklable)
        used(case.backend, case.path("dir"))
        backend, told = case.backend, description(case.backend, case.path("dir/file"))
        ways: dict[str, Callable[[], Any]] = {
            f"a pickle of protocol {number}": partial(self._pickled, backend, number)
            for number in range(2, pickle.HIGHEST_PROTOCOL + 1)
        }
        ways["deepcopy"] = partial(copy.deepcopy, backend)
        ways["a pickle of a pickle"] = lambda: self._pickled(self._pickled(backend, 4), 4)
        for what in case.rng.sample(list(ways), 2) if case.tier == "smoke" else ways:
            make = ways[what]
            try:
                twin = make()
            except Exception as error:
                case.fail(f"{what} of the backend", "a copy", error)
            case.expect_equal(description(twin, case.path("dir/file")), told, f"the description of {what}")
            used_and_closed(twin, case.path("dir"))
            used(backend, case.path("dir"))

    def _pickled(self, backend: Backend, protocol: int) -> Backend:
        twin: Backend = pickle.loads(pickle.dumps(backend, protocol))
        return twin

    @check("PROC-009", needs=(WRITE, READ, LIST))
    def test_process_meets_failures_in_the_middle_of_everything(self, case: Case) -> None:
        ends = endings(case, "ends", FAILED[case.tier])
        half = len(ends) // 2
        rounds = iter((ends[:half], ends[half:]))

        def fail() -> None:
            for end in next(rounds):
                end.run()

        self._everything(case, fail, f"what fails: {', '.join(end.name for end in ends[:8])}")

    @check("PROC-007", needs=(WRITE, READ, LIST))
    def test_process_goes_on_later_with_what_it_began(self, case: Case) -> None:
        local = case.harness.endpoint is None and case.kind not in SERVED
        age = DAY if local else SIGNED
        ages = iter((age / 2, age))
        with ExitStack() as moved:

            def wait() -> None:
                # A clock that was moved is not found again.
                moved.close()
                moved.enter_context(later(next(ages), type(case.backend)))

            self._everything(case, wait, "a long pause")

    @check("ERR-009", "LIFE-006", needs=(WRITE, READ, LIST))
    def test_life_a_closed_backend_refuses_whatever_is_wrong(self, case: Case) -> None:
        ends = [end for end in endings(case, "dir") if not end.name.endswith(("before it begins", "': True}"))]
        case.backend.close()
        for end in ends:
            with case.expect_raises(BackendUnavailable, what=end.name, where=lambda error: not error.retryable):
                end.attempt()


def used_and_closed(backend: Backend, folder: str) -> None:
    """Use an instance, and close it."""
    used(backend, folder)
    backend.close()


def description(backend: Backend, path: str) -> list[object]:
    """What a copy has in common with its original."""
    native = backend.native_path(path)
    # The default text of an object has its address.
    text = ADDRESS.sub("", repr(backend))
    return [type(backend), backend.name, backend.capabilities, text, native, backend.resolve(path)]
