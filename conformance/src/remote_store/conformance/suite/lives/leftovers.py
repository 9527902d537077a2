# Generated from conformance/src/remote_store/conformance/suite/aio/lives/leftovers.py by tools/unasync.py; edit that.
"""Checks of what an operation leaves in its process and in its instance, however it ends."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.trees import found
from remote_store.conformance.processes.held import held, held_after_collection, own_temporary_folder
from remote_store.conformance.processes.surroundings import changes, no_root_handlers, overheard, surroundings
from remote_store.conformance.suite.endings import Ending, endings, files_of
from remote_store.conformance.suite.lives.process import elsewhere
from remote_store.conformance.suite.operations import operations
from remote_store.core import Backend, Capability

READ, WRITE, LIST = Capability.READ, Capability.WRITE, Capability.LIST
ROUNDS, MORE_ROUNDS = 2, 6
"""Rounds of all operations, and those that follow if something was left, since a pool may still grow."""
PATIENCE = 3.0
"""Seconds that threads and connections have to end."""
POLL = 0.25
SEEN: Mapping[str, int | None] = {"smoke": 15, "quick": 45, "full": None, "soak": None}
"""How many ends the process is compared after."""
ROUNDS_OF: Mapping[str, int | None] = {"smoke": 8, "quick": 18, "full": None, "soak": None}
"""How many ends are repeated to see what they keep."""
PROBED: Mapping[str, int | None] = {"smoke": 1, "quick": 9, "full": 60, "soak": None}
"""How many ends every other operation is tried after."""
AGAIN = 6
"""How often each stream is closed early."""


class LeftoverSuite:
    """PROC-001 and PROC-002: what is left of an operation."""

    @check("PROC-001", needs=(READ, WRITE, LIST))
    def test_process_is_left_as_it_was(self, case: Case) -> None:
        for what, (earlier, was, now) in case.traces.first.items():
            case.expect_equal(now, was, f"{what} after {earlier}")
        self._compared(case, operations(case, "dir"))

    @check("PROC-001", needs=(READ, WRITE, LIST))
    def test_process_is_left_as_it_was_by_what_fails(self, case: Case) -> None:
        self._compared(case, each_of(endings(case, "dir", SEEN[case.tier])))

    def _compared(self, case: Case, steps: Iterator[Any]) -> None:
        with overheard() as printed, no_root_handlers():
            before = surroundings()
            for step in steps:
                step.run()
                for what, was, now in changes(before, surroundings()):
                    case.expect_equal(now, was, f"{what} after {step.name}")
                case.expect_equal(printed.getvalue(), "", f"the text that was printed until the end of {step.name}")

    @check("PROC-002", needs=(READ, WRITE, LIST))
    def test_process_keeps_nothing_of_an_operation(self, case: Case) -> None:
        folders = [f"dir-{number}" for number in range(1 + ROUNDS + MORE_ROUNDS)]
        self._expect_nothing_kept(case, [partial(operations, case, folder) for folder in folders], "all operations")

    @check("PROC-002", needs=(READ, WRITE, LIST))
    def test_process_keeps_nothing_of_what_fails(self, case: Case) -> None:
        ends = endings(case, "dir", ROUNDS_OF[case.tier])
        self._expect_nothing_kept(case, [partial(each_of, ends)] * (1 + ROUNDS + MORE_ROUNDS), "calls that fail")

    def _expect_nothing_kept(self, case: Case, rounds: list[Any], what: str) -> None:
        with own_temporary_folder() as folder:
            # Pools and caches fill in a first round.
            for step in rounds[0]():
                step.run()
            kept = self._kept(case, folder, rounds[1 : 1 + ROUNDS], 0)
            if kept:
                kept = self._kept(case, folder, rounds[1 + ROUNDS :], PATIENCE)
            for resource, (count, name) in kept.items():
                case.fail(
                    f"{resource} after {MORE_ROUNDS} rounds of {what}",
                    "no more than before",
                    f"{count} more, most of them after {name}",
                )
            case.backend.close()

    def _kept(self, case: Case, folder: Path, rounds: list[Any], seconds: float) -> Mapping[str, tuple[int, str]]:
        """The resources of which each round kept one or more: how many, and the operation that kept the most."""
        # What earlier checks have left for the garbage collection must not be closed during this one.
        start = held_after_collection(folder)
        kept = {resource: Counter[str]() for resource in start}
        for steps in rounds:
            for step in steps():
                before = held(folder)
                step.run()
                for resource, count in held(folder).items():
                    kept[resource][step.name] += count - before[resource]
        deadline = monotonic() + seconds
        end = held(folder)
        while any(end[resource] - count >= len(rounds) for resource, count in start.items()):
            end = held_after_collection(folder)
            if monotonic() >= deadline:
                break
            # What is being closed may need a turn of the event loop.
            sleep(POLL)
            case.backend.exists(case.path("missing"))
        grown = {resource: end[resource] - count for resource, count in start.items()}
        return {
            resource: (count, kept[resource].most_common(1)[0][0])
            for resource, count in grown.items()
            if count >= len(rounds)
        }

    @check("READ-017", needs=(READ, WRITE, LIST))
    def test_read_streams_that_end_early_again_and_again(self, case: Case) -> None:
        # A pool or a limit of 50 is reached by the 51st.
        ends = [end for end in endings(case, "dir") if end.name.startswith("read") and "is closed" in end.name]
        for end in case.rng.sample(ends, 4) if case.tier == "smoke" else ends * AGAIN:
            end.run()
        expect_work(case, case.backend, case.backend, "end", "many streams that were closed early")

    @check("LIFE-003", needs=(READ, WRITE, LIST))
    def test_life_a_pickle_after_each_operation(self, case: Case) -> None:
        case.require_profile("the profile says that instances cannot be pickled", case.profile.picklable)
        for operation in operations(case, "dir"):
            operation.run()
            try:
                pickle.loads(pickle.dumps(case.backend))
            except Exception as error:
                case.fail(f"a pickle of the backend after {operation.name}", "a copy", error)

    @check("PROC-002", needs=(READ, WRITE, LIST))
    def test_process_finds_an_instance_as_good_as_new(self, case: Case) -> None:
        ends = endings(case, "dir", PROBED[case.tier])
        others = [case.make()] if case.profile.shared else []
        for number, end in enumerate(ends):
            end.run()
            turn = None if case.tier == "soak" else number % 3
            # A transaction that is still open shows to another instance only.
            other = others[0] if others else case.backend
            if turn in (None, 0):
                expect_work(case, case.backend, other, f"{number}", end.name)
            # A lock that a thread may take twice shows to another thread only.
            if turn in (None, 1):
                again = partial(expect_work, case, case.backend, case.backend)
                call = partial(again, f"{number}-elsewhere", f"{end.name}, elsewhere")
                (elsewhere(case, call) if case.profile.threads else call())
            if turn in (None, 2):
                name = f"{end.name}, in another instance"
                expect_work(case, other, case.backend, f"{number}-other", name)
        kept = found(case.backend.list_files(case.path("dir"), recursive=True))
        case.expect_equal(kept, files_of(case, "dir"), "the files after everything")


def expect_work(case: Case, backend: Backend, reader: Backend, name: str, after: str) -> None:
    """Fail unless every operation that the backend declares works after another one has ended.

    Args:
        case: The case.
        backend: The instance that changes files.
        reader: The instance that sees the changes.
        name: A name for the folder.
        after: What has ended, for messages.
    """
    folder, able, what = case.path(f"new-{name}"), backend.capabilities, f"after {after}"
    one, two, expected = f"{folder}/one", f"{folder}/below/two", dict[str, bytes]()
    backend.write(one, iter([b"first ", b"content"]))
    backend.write(two, b"second", overwrite=True)
    expected |= {one: b"first content", two: b"second"}
    if Capability.ATOMIC_WRITE in able:
        backend.write_atomic(one, b"atomic", overwrite=True)
        with backend.open_atomic(f"{folder}/three") as stream:
            stream.write(b"third")
        expected |= {one: b"atomic", f"{folder}/three": b"third"}
    if Capability.COPY in able:
        backend.copy(one, f"{folder}/copy")
        expected[f"{folder}/copy"] = expected[one]
    if Capability.MOVE in able:
        backend.move(one, f"{folder}/moved")
        expected[f"{folder}/moved"] = expected.pop(one)
    listed = found(reader.list_files(folder, recursive=True))
    case.expect_equal(listed, sorted(expected), f"the files {what}")
    for path, content in expected.items():
        with reader.read(path) as stream:
            case.expect_equal(stream.read(), content, f"the content of a file {what}")
    if Capability.METADATA in able:
        case.expect_equal((reader.get_file_info(two)).size, len(b"second"), f"the size of a file {what}")
    if Capability.DELETE in able:
        backend.delete(two)
        case.expect_equal(reader.exists(two), False, f"exists of a deleted file {what}")
        backend.delete_folder(folder, recursive=True)
        case.expect_equal(found(reader.list_files(folder, recursive=True)), [], f"the files {what}")


def each_of(steps: list[Ending]) -> Iterator[Ending]:
    """The steps, one after the other."""
    left = list(steps)
    while left:
        yield left.pop(0)
