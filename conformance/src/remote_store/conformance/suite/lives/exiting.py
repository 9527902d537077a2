# Generated from conformance/src/remote_store/conformance/suite/aio/lives/exiting.py by tools/unasync.py; edit that.
"""Checks of a backend while its interpreter exits: every operation, with content of one block and of many."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from remote_store.conformance.checking.case import Case, untested
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.trees import fill
from remote_store.conformance.processes.exiting import at_exit
from remote_store.core import Capability

READ, WRITE, LIST, SEEK = Capability.READ, Capability.WRITE, Capability.LIST, Capability.SEEKABLE_READ
ATOMIC, METADATA = Capability.ATOMIC_WRITE, Capability.METADATA
MOMENTS = ("in_a_handler", "in_a_thread_that_is_left", "in_a_daemon")
SMALL, LARGE, LARGEST = 10, 2_600_000, 9_500_000


class Step(NamedTuple):
    """One call, and what it returns.

    Attributes:
        needs: The capability that it needs; `None` for no capability.
        call: Its name, arguments and options.
        seen: What a result becomes before it is compared; `None` if it is not compared.
        expected: What it must be.
    """

    needs: Capability | None
    call: tuple[str, tuple[Any, ...], dict[str, Any]]
    seen: Callable[[Any], Any] | None = None
    expected: Any = None


class ExitingSuite:
    """LIFE-023: work while the interpreter exits."""

    @check("LIFE-023", needs=(WRITE, READ, Capability.DELETE, LIST))
    def test_life_work_while_the_interpreter_exits(self, case: Case) -> None:
        case.require_profile("the storage ends with its process", not case.profile.in_process)
        case.require_profile("the profile says that instances cannot be pickled", case.profile.picklable)
        if case.tier == "smoke":
            untested("work while the interpreter exits is tried in the quick tier")
        moments = case.rng.sample(MOMENTS, 1) if case.tier == "quick" else MOMENTS
        for moment in moments:
            fill(case, f"{moment}/a", f"{moment}/below/b")
            steps = [
                step
                for step in self._steps(case, moment)
                if step.needs is None or step.needs in case.backend.capabilities
            ]
            try:
                results = at_exit(case.backend, [step.call for step in steps], moment)
            except Exception as error:
                case.fail(f"work while the interpreter exits, {moment}", "no exception", error)
            for step, result in zip(steps, results, strict=True):
                if step.seen is not None:
                    seen, what = step.seen(result), f"the result of {step.call[0]}, {moment}"
                    case.expect(seen == step.expected, f"{what} is that of an ordinary call", shortened(seen))

    def _steps(self, case: Case, moment: str) -> Iterator[Step]:
        folder = case.path(moment)
        largest = case.tier in ("full", "soak") and moment == MOMENTS[0]
        sizes = [SMALL, LARGE, *([LARGEST] if largest else [])]
        for size in sizes:
            yield from self._steps_of_files(case, folder, size)
        yield Step(None, ("is_folder", (folder,), {}), bool, True)
        yield Step(None, ("check_health", (), {}))
        names = ["a", *(f"write-{size}" for size in sizes)]
        listed = sorted([f"{folder}/{name}" for name in names] + [f"{folder}/below/b"])
        yield Step(LIST, ("list_files", (folder,), {"recursive": True}), paths_of, listed)
        yield Step(LIST, ("list_folders", (folder,), {}), paths_of, [f"{folder}/below"])
        yield Step(LIST, ("iter_children", (folder,), {}), len, len(names) + 1)
        yield Step(Capability.GLOB, ("glob", (f"{folder}/*",), {}), len, len(names))
        yield Step(METADATA, ("get_folder_info", (folder,), {}))
        yield Step(None, ("delete_many", ([f"{folder}/write-{SMALL}"],), {}), len, 1)
        yield Step(None, ("exists", (f"{folder}/write-{SMALL}",), {}), bool, False)
        yield Step(None, ("delete_folder", (folder,), {"recursive": True}))
        yield Step(LIST, ("list_files", (folder,), {"recursive": True}), paths_of, [])

    def _steps_of_files(self, case: Case, folder: str, size: int) -> Iterator[Step]:
        content, other = case.content(size), f"{folder}/other-{size}"
        path, half = f"{folder}/write-{size}", size // 2
        yield Step(WRITE, ("write", (path, io.BytesIO(content)), {}))
        yield Step(READ, ("read_bytes", (path,), {}), bytes, content)
        yield Step(READ, ("read", (path,), {}), bytes, content)
        yield Step(SEEK, ("read_seekable", (path,), {}), bytes, content)
        yield Step(READ, ("read_range", (path, 1, size), {}), bytes, content[1:])
        ranges = [(half, size), (0, half)]
        yield Step(SEEK, ("read_ranges", (path, ranges), {}), list, [content[half:], content[:half]])
        yield Step(METADATA, ("get_file_info", (path,), {}), size_of, size)
        for needs, call in {
            WRITE: ("write", (other, content), {}),
            ATOMIC: ("write_atomic", (other, io.BytesIO(content)), {"overwrite": True}),
            Capability.COPY: ("copy", (path, other), {"overwrite": True}),
            Capability.MOVE: ("move", (other, path), {"overwrite": True}),
        }.items():
            yield Step(needs, call)
            changed = path if needs is Capability.MOVE else other
            yield Step(needs, ("read_bytes", (changed,), {}), bytes, content)
        # The file is written in pieces, and replaces what a move may have left.
        yield Step(ATOMIC, ("open_atomic", (path, content[::-1]), {"overwrite": True}))
        yield Step(ATOMIC, ("read_bytes", (path,), {}), bytes, content[::-1])
        yield Step(None, ("delete", (other,), {"missing_ok": True}))


def paths_of(listed: list[Any]) -> list[str]:
    """The sorted paths of a listing."""
    return sorted(entry.path for entry in listed)


def size_of(info: Any) -> int:
    """The size of a file."""
    size: int = info.size
    return size


def shortened(value: Any) -> Any:
    """A result for a message."""
    return f"{len(value):,} bytes" if isinstance(value, bytes) and len(value) > SMALL else value
