from __future__ import annotations

from typing import Any

import pytest

from remote_store.conformance.model.perform import perform
from remote_store.conformance.model.program import program
from remote_store.conformance.model.steps import KINDS, Body, Boom, Result, Step, TakenStep
from remote_store.core import InvalidPath, MemoryBackend, NotFound

FOLDER = "conformance-1234/0007"
WRITE = Step("write", ("a/b",), {"overwrite": True}, Body("x", 3))
EVERY = [
    Step("write", ("a",), {"metadata": {"name": "value"}}, Body("x", 70_000, "memoryview")),
    *(Step("write", (kind,), {}, Body("y", 2, kind)) for kind in KINDS),
    Step("write_atomic", ("a",), {"overwrite": True}, Body("z", 1, "stream")),
    Step("open_atomic", ("open",), {}, Body("z", 1)),
    Step("open_atomic", ("open",), {"overwrite": True}, Body("z", 1), fails=True),
    Step("read", ("a",), numbers=(5,)),
    Step("read_seekable", ("a",), numbers=(1, 2)),
    Step("read_range", ("a",), numbers=(1, 2)),
    Step("read_bytes", ("a",)),
    Step("exists", ("a",)),
    Step("get_file_info", ("a",)),
    Step("get_folder_info", (".",)),
    Step("list_files", (".",), {"recursive": True, "max_depth": 1}),
    Step("list_folders", (".",)),
    Step("iter_children", (".",)),
    Step("glob", ("**",)),
    Step("copy", ("a", "copy")),
    Step("move", ("copy", "moved")),
    Step("native_path", ("a",)),
    Step("resolve", ("a",)),
    Step("check_health"),
    Step("unwrap"),
    Step("delete", ("nothing",)),
    Step("delete", ("moved",), {"missing_ok": True}),
    Step("delete_folder", (".",), {"recursive": True}),
]


def right(*steps: Step) -> list[TakenStep]:
    """The calls with what a memory backend answers."""
    backend = MemoryBackend()
    outcomes = [(step, perform(backend, step)) for step in (step.below(FOLDER) for step in steps)]
    return [TakenStep(step, (outcome,), outcome) for step, outcome in outcomes]


def run(text: str, *backends: Any) -> None:
    namespace: dict[str, Any] = {}
    exec(text, namespace)
    namespace["reproduce"](*backends)


def test_a_program_says_what_was_called_and_what_should_have_come() -> None:
    calls = [
        *right(WRITE),
        TakenStep(Step("list_files", (FOLDER,)), (Result([(f"{FOLDER}/a", 3)]),), Result([])),
    ]
    assert program(calls, FOLDER) == (
        "\n\n\ndef reproduce(backend):\n"
        "    backend.write('repro/a/b', b'x' * 3, overwrite=True)\n"
        "    assert sorted([(file.path, file.size) for file in backend.list_files('repro')]) == [('repro/a', 3)]\n"
    )


def test_an_error_that_should_have_come_is_expected_and_earlier_ones_are_suppressed() -> None:
    missing = Result(error=NotFound("gone", path=f"{FOLDER}/a"))
    calls = [
        TakenStep(Step("delete", (f"{FOLDER}/a",)), (missing,), missing),
        TakenStep(Step("read_bytes", (f"{FOLDER}/a",)), (missing, Result(error=InvalidPath())), Result(b"")),
    ]
    text = program(calls, FOLDER)
    assert "    with suppress(NotFound):\n        backend.delete('repro/a')\n" in text
    assert "    with pytest.raises((NotFound, InvalidPath)):\n        backend.read_bytes('repro/a')\n" in text
    assert "from remote_store.core import InvalidPath, NotFound\n" in text


def test_of_facts_only_those_that_differ_are_compared() -> None:
    step = Step("get_file_info", (f"{FOLDER}/a",))
    call = TakenStep(step, (Result({"name": "a", "size": 1}),), Result({"name": "a", "size": 2}))
    assert "    assert attrgetter('size')(backend.get_file_info('repro/a')) == 1\n" in program([call], FOLDER)


def test_an_asynchronous_program_awaits() -> None:
    calls = right(WRITE, Step("read", ("a/b",), numbers=(1,)), Step("glob", ("*",)))
    text = program(calls, FOLDER, asynchronous=True)
    assert "async def reproduce(backend):" in text
    assert "await backend.write(" in text
    assert "async with await backend.read('repro/a/b') as stream:" in text
    assert "async for file in backend.glob('repro/*')" in text


def test_a_second_instance_is_an_argument() -> None:
    assert "def reproduce(backend, other):\n    assert other.exists(" in program(
        right(Step("exists", ("a",), instance=1)), FOLDER
    )


@pytest.mark.parametrize("number", range(1, len(EVERY)))
def test_every_call_can_be_pasted_and_holds_of_a_whole_backend(number: int) -> None:
    run(program(right(*EVERY[:number]), FOLDER), MemoryBackend())


def test_a_block_that_should_raise_says_so() -> None:
    step = Step("open_atomic", (f"{FOLDER}/a",), {}, Body("x", 1), fails=True)
    text = program([TakenStep(step, (Result(error=Boom()),), Result(None))], FOLDER)
    assert "with pytest.raises(Boom):" in text
    run(text, MemoryBackend())
