from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from remote_store.conformance.checking.callers import Boom
from remote_store.conformance.model.actions import (
    CURRENT,
    KINDS,
    NOT_MODIFIED,
    OTHER,
    Action,
    Payload,
    Result,
    Sum,
    TakenAction,
)
from remote_store.conformance.model.perform import perform
from remote_store.conformance.model.program import THREADED, program
from remote_store.core import InvalidPath, MemoryBackend, NotFound, ThreadedBackend
from remote_store.core.checksums import digest_of

FOLDER = "conformance-1234/0007"
WRITE = Action("write", ("a/b",), {"overwrite": True}, Payload("x", 3))
SOON = datetime(2040, 1, 2, 3, 4, 5, tzinfo=UTC)
EVERY = [
    Action("write", ("a",), {"metadata": {"name": "value"}}, Payload("x", 70_000, "memoryview")),
    *(Action("write", (kind,), {}, Payload("y", 2, kind)) for kind in KINDS),
    Action("write_atomic", ("a",), {"overwrite": True}, Payload("z", 1, "stream")),
    Action("open_atomic", ("open",), {}, Payload("z", 1)),
    Action("open_atomic", ("open",), {"overwrite": True}, Payload("z", 1), fails=True),
    Action("read", ("a",), numbers=(5,)),
    Action("read_seekable", ("a",), steps=(("seek", 1), ("read", 2), ("tell",), ("readinto", "H", 4), ("readline",))),
    Action("read_ranges", ("a",), numbers=(1, 2, 0, 80_000)),
    Action("read_bytes", ("a",), {"if_match": CURRENT}),
    Action("read_bytes", ("a",), {"if_none_match": CURRENT}),
    Action("get_file_info", ("a",), {"if_none_match": OTHER}),
    Action("write", ("a",), {"if_match": CURRENT, "overwrite": True, "expires": SOON}, Payload("x", 14)),
    Action("open_atomic", ("a",), {"if_match": CURRENT, "overwrite": True}, Payload("z", 1), (), (("write", b"b"),)),
    Action("set_tags", ("a",), {"tags": {"name": "value"}}),
    Action("get_tags", ("a",)),
    Action("fill", ("many",), numbers=(13,)),
    Action("fill", ("many",), numbers=(2, 1)),
    Action("list_files", ("many",)),
    Action("delete_many", ("a", "b", "many")),
    Action("write", ("a",), {"checksum": "CRC32"}, Payload("x", 70_000)),
    Action("list_files", ("many",), {"max_depth": -1}, wrong="max_depth"),
    Action("read_range", ("a",), numbers=(1, 2)),
    Action("read_bytes", ("a",)),
    Action("exists", ("a",)),
    Action("get_file_info", ("a",)),
    Action("get_folder_info", (".",)),
    Action("list_files", (".",), {"recursive": True, "max_depth": 1}),
    Action("list_folders", (".",)),
    Action("iter_children", (".",)),
    Action("glob", ("**",)),
    Action("copy", ("a", "copy")),
    Action("move", ("copy", "moved")),
    Action("native_path", ("a",)),
    Action("resolve", ("a",)),
    Action("check_health"),
    Action("unwrap"),
    Action("delete", ("nothing",)),
    Action("delete", ("moved",), {"missing_ok": True}),
    Action("delete_folder", (".",), {"recursive": True}),
]


SHORTENED = Action("list_files", (FOLDER,))


def right(*actions: Action) -> list[TakenAction]:
    """The calls with what a memory backend answers."""
    backend = MemoryBackend()
    outcomes = [(action, perform(backend, action)) for action in (action.below(FOLDER) for action in actions)]
    return [TakenAction(action, (outcome,), outcome) for action, outcome in outcomes]


def run(text: str, *backends: Any) -> None:
    namespace: dict[str, Any] = {}
    exec(text, namespace)
    namespace["reproduce"](*backends)


def test_a_program_says_what_was_called_and_what_should_have_come() -> None:
    calls = [
        *right(WRITE),
        TakenAction(Action("list_files", (FOLDER,)), (Result([(f"{FOLDER}/a", 3)]),), Result([])),
    ]
    assert program(calls, FOLDER) == (
        "def reproduce(backend):\n"
        "    backend.write('repro/a/b', b'x01', overwrite=True)\n"
        "    assert sorted([(file.path, file.size) for file in backend.list_files('repro')]) == [('repro/a', 3)]\n"
    )


def test_an_error_that_should_have_come_is_expected_and_earlier_ones_are_suppressed() -> None:
    missing = Result(error=NotFound("gone", path=f"{FOLDER}/a"))
    calls = [
        TakenAction(Action("delete", (f"{FOLDER}/a",)), (missing,), missing),
        TakenAction(Action("read_bytes", (f"{FOLDER}/a",)), (missing, Result(error=InvalidPath())), Result(b"")),
    ]
    text = program(calls, FOLDER)
    assert "    with suppress(NotFound):\n        backend.delete('repro/a')\n" in text
    assert "    with pytest.raises((NotFound, InvalidPath)):\n        backend.read_bytes('repro/a')\n" in text
    assert "from remote_store.core import InvalidPath, NotFound\n" in text


def test_of_facts_only_those_that_differ_are_compared() -> None:
    action = Action("get_file_info", (f"{FOLDER}/a",))
    call = TakenAction(action, (Result({"name": "a", "size": 1}),), Result({"name": "a", "size": 2}))
    assert "    assert attrgetter('size')(backend.get_file_info('repro/a')) == 1\n" in program([call], FOLDER)


def test_an_asynchronous_program_awaits() -> None:
    calls = right(WRITE, Action("read", ("a/b",), numbers=(1,)), Action("glob", ("*",)))
    text = program(calls, FOLDER, asynchronous=True)
    assert "async def reproduce(backend):" in text
    assert "await backend.write(" in text
    assert "async with await backend.read('repro/a/b') as stream:" in text
    assert "async for file in backend.glob('repro/*')" in text


def test_a_second_instance_is_an_argument() -> None:
    assert "def reproduce(backend, other):\n    assert other.exists(" in program(
        right(Action("exists", ("a",), instance=1)), FOLDER
    )


def test_a_call_through_threads_is_awaited_and_the_others_are_not() -> None:
    calls = right(WRITE, replace(Action("read", ("a/b",), numbers=(1,)), instance=THREADED))
    assert program(calls, FOLDER) == (
        "async def reproduce(backend, other, threaded):\n"
        "    backend.write('repro/a/b', b'x01', overwrite=True)\n"
        "    async with await threaded.read('repro/a/b') as stream:\n"
        "        assert await stream.read(1) + await stream.read() == b'x01'\n"
    )


@pytest.mark.parametrize("number", range(1, len(EVERY)))
def test_every_call_can_be_pasted_and_holds_of_a_whole_backend(number: int) -> None:
    run(program(right(*EVERY[:number]), FOLDER), MemoryBackend())


def test_a_block_that_should_raise_says_so() -> None:
    action = Action("open_atomic", (f"{FOLDER}/a",), {}, Payload("x", 1), fails=True)
    text = program([TakenAction(action, (Result(error=Boom()),), Result(None))], FOLDER)
    assert "with pytest.raises(Boom):" in text
    run(text, MemoryBackend())


def test_of_a_long_list_the_place_where_it_differs_is_compared() -> None:
    rows = [(f"{FOLDER}/{number:03}", 0) for number in range(100)]
    text = program([TakenAction(SHORTENED, (Result(rows),), Result([*rows[:50], *rows[51:]]))], FOLDER)
    assert text.endswith("[50:53] == [('repro/050', 0), ('repro/051', 0), ('repro/052', 0)]\n")


def test_a_condition_asks_for_the_etag_and_its_answer_is_compared_by_its_class() -> None:
    action = Action("read_bytes", (f"{FOLDER}/a",), {"if_none_match": CURRENT})
    text = program([*right(WRITE), TakenAction(action, (Result(NOT_MODIFIED),), Result(b"x"))], FOLDER)
    assert text.endswith(
        "    tag = backend.get_file_info('repro/a').etag\n"
        "    assert type(backend.read_bytes('repro/a', if_none_match=tag)).__name__ == 'NotModified'\n"
    )


def test_a_wrong_checksum_is_compared_with_the_right_one() -> None:
    action = Action("get_file_info", (f"{FOLDER}/a",))
    came = Result({"digest": digest_of(b"other", "crc32")})
    text = program([TakenAction(action, (Result({"digest": Sum(b"x01")}),), came)], FOLDER)
    assert f"attrgetter('digest')(backend.get_file_info('repro/a')) == {digest_of(b'x01', 'crc32')!r}" in text
    assert "from remote_store.core import ContentDigest" in text


@pytest.mark.parametrize("number", range(1, len(EVERY)))
def test_every_call_can_be_the_last_and_be_awaited(number: int) -> None:
    text = program(right(*EVERY[:number]), FOLDER, asynchronous=True)
    namespace: dict[str, Any] = {}
    exec(text, namespace)
    asyncio.run(namespace["reproduce"](ThreadedBackend(MemoryBackend())))
