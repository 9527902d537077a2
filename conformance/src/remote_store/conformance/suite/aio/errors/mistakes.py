"""Checks of the errors of every operation, each of which is about another path, and of calls about many paths."""

from __future__ import annotations

import copy
import pickle
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple

from remote_store.conformance.checking.async_trees import fill, found
from remote_store.conformance.checking.async_usages import FILE_USAGES, FOLDER_USAGES, WRITE_USAGES, AsyncUsage
from remote_store.conformance.checking.case import AsyncCase
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.checking.width import is_near
from remote_store.conformance.model.actions import OTHER
from remote_store.conformance.suite.aio.errors.plain import NUMBERS
from remote_store.conformance.suite.aio.expectations import expect_content
from remote_store.core import (
    AsyncBackend,
    AsyncStore,
    Capability,
    InvalidPath,
    NotFound,
    RemoteStoreError,
)

READ, WRITE, DELETE, LIST = Capability.READ, Capability.WRITE, Capability.DELETE, Capability.LIST
CONDITIONAL, TAGS = Capability.CONDITIONAL_READ, Capability.TAGS
FACTS = ("path", "paths", "backend", "code", "status", "request_id", "retryable", "message", "http_status")
BATCH = 1_000
CREATES = {"copy_to": "COPY-003", "move_to": "COPY-016"}


async def _read_ranges(backend: AsyncBackend, path: str, _other: str) -> object:
    return await backend.read_ranges(path, [(0, 1), (5, 2)])


async def _get_tags(backend: AsyncBackend, path: str, _other: str) -> object:
    return await backend.get_tags(path)


async def _set_tags(backend: AsyncBackend, path: str, _other: str) -> None:
    await backend.set_tags(path, {"name": "value"})


async def _read_version(backend: Any, path: str, _other: str) -> object:
    return await backend.read_bytes(path, if_match=OTHER)


async def _look_at_version(backend: Any, path: str, _other: str) -> object:
    return await backend.get_file_info(path, if_match=OTHER)


async def _copy_version(backend: Any, path: str, other: str) -> None:
    await backend.copy(path, other, if_match=OTHER)


VERSION_USAGES = {
    "read_bytes with if_match": AsyncUsage(_read_version, CONDITIONAL),
    "get_file_info with if_match": AsyncUsage(_look_at_version, CONDITIONAL),
    "copy with if_match": AsyncUsage(_copy_version, CONDITIONAL),
}
NEEDS_A_FILE = {
    **FILE_USAGES,
    **VERSION_USAGES,
    "read_ranges": AsyncUsage(_read_ranges, Capability.SEEKABLE_READ),
    "get_tags": AsyncUsage(_get_tags, TAGS),
    "set_tags": AsyncUsage(_set_tags, TAGS),
}


class Mistake(NamedTuple):
    """A call that must fail.

    Attributes:
        operation: The name of the operation.
        row: How it is called.
        path: The path that its error must be about.
        other: The other path.
    """

    operation: str
    row: AsyncUsage
    path: str
    other: str


class AsyncMistakeSuite:
    """ERR, MANY: the errors of every operation."""

    @async_check("ERR-002", needs=(READ, WRITE))
    async def test_error_of_each_operation_says_who_and_where(self, case: AsyncCase) -> None:
        async for what, error, path in _errors(case):
            case.expect_equal((error.path, error.backend), (path, case.backend.name), f"path and backend after {what}")
            case.expect(repr(path) in str(error), f"the text of the error of {what} shows its path", str(error))

    @async_check("ERR-003", needs=(READ, WRITE))
    async def test_error_of_each_operation_has_a_message(self, case: AsyncCase) -> None:
        async for what, error, path in _errors(case):
            case.expect(error.message, f"the error of {what} has a message", error)
            shown = not path or path not in error.message
            case.expect(shown, f"the message of the error of {what} does not repeat the path", error.message)

    @async_check("ERR-004", needs=(READ, WRITE))
    async def test_error_of_each_operation_pickles(self, case: AsyncCase) -> None:
        async for what, error, _ in _errors(case):
            for again in [*_travelled(case, error, what), copy.copy(error)]:
                case.expect_equal((type(again), str(again)), (type(error), str(error)), f"the copied error of {what}")
                for fact in FACTS:
                    case.expect_equal(getattr(again, fact), getattr(error, fact), f"the {fact} of that of {what}")

    @async_check("ERR-016", needs=(READ, WRITE))
    async def test_error_of_each_operation_is_not_retryable(self, case: AsyncCase) -> None:
        async for what, error, _ in _errors(case):
            case.expect_equal(error.retryable, False, f"retryable of the error of {what}")

    @async_check("ERR-018", needs=(READ, WRITE))
    async def test_error_of_each_operation_has_the_facts_of_an_os_error(self, case: AsyncCase) -> None:
        async for what, error, path in _errors(case):
            for number in [NUMBERS[kind] for kind in NUMBERS if isinstance(error, kind)]:
                for each in (error, *_travelled(case, error, what)):
                    facts = getattr(each, "errno", None), getattr(each, "filename", None)
                    case.expect_equal(facts, (number, path), f"errno and filename of the error of {what}")

    @async_check("ERR-017", needs=(LIST, READ))
    async def test_error_of_each_operation_changes_nothing(self, case: AsyncCase) -> None:
        async for what, _, _ in _errors(case):
            listed = await found(case.backend.list_files(case.folder, recursive=True))
            case.expect_equal(listed, [case.path("file"), case.path("folder/file")], f"the files after {what}")
        await expect_content(case, "file", b"content")
        await expect_content(case, "folder/file", b"content")

    @async_check("ERR-005", needs=(WRITE,))
    async def test_error_of_each_operation_on_what_is_gone(self, case: AsyncCase) -> None:
        path = case.path("folder/file")
        for operation, row in _able(case, NEEDS_A_FILE).items():
            for how in _ways_to_go(case):
                await case.backend.write(path, b"content", overwrite=True)
                await how(path)
                with case.expect_raises(NotFound, path=path, what=f"{operation} of a file that is gone"):
                    await row.run(case.backend, path, case.path("unused"))
            if not is_near(case):
                break

    @async_check("MANY-001", "MANY-002", needs=(LIST, WRITE))
    async def test_many_deletes_of_mixed_paths(self, case: AsyncCase) -> None:
        names = [f"d{number % 3}/f{number}" for number in range(9)]
        paths = await fill(case, *names)
        kept = set(case.rng.sample(paths, 3))
        bad = ["", case.path("nul\0"), case.path("d1/nul\0")]
        asked = [path for path in paths if path not in kept] + bad + [case.path("none"), case.path("d0/none")]
        asked += case.rng.choices(asked, k=10)
        case.rng.shuffle(asked)
        if is_near(case) and case.tier not in ("smoke", "quick"):
            # A path again, in another batch.
            asked = [*asked, *(case.path(f"none-{number}") for number in range(BATCH)), *asked]
        outcomes = [outcome async for outcome in case.backend.delete_many(iter(asked))]
        case.expect_same([outcome.path for outcome in outcomes], asked, "the paths of the outcomes")
        for outcome in outcomes:
            if outcome.path in bad:
                case.expect_type(outcome.error, InvalidPath, f"the error of {outcome.path!r}")
                _expect_error(case, outcome.error, outcome.path)
            else:
                case.expect_equal(outcome.error, None, f"the error of {outcome.path!r}")
        listed = await found(case.backend.list_files(case.folder, recursive=True))
        case.expect_equal(listed, sorted(kept), "the files that are left")

    @async_check("MANY-009", needs=(Capability.METADATA, WRITE))
    async def test_many_reads_of_mixed_paths(self, case: AsyncCase) -> None:
        case.require_profile("only one thread at a time may use an instance", case.profile.threads)
        store = AsyncStore(case.backend, owns_backend=False)
        paths = [case.path(f"d{number % 2}/f{number}") for number in range(5)]
        for path in paths:
            await case.backend.write(path, path.encode())
        wrong = {"": InvalidPath, case.path("none"): NotFound, case.path("d0"): InvalidPath}
        wrong |= {case.path("d0/none"): NotFound, case.path("nul\0"): InvalidPath}
        asked = case.rng.choices([*paths, *wrong], k=20 if is_near(case) else 6)
        for call in (store.read_many, store.head_many):
            outcomes = [outcome async for outcome in call(iter(asked))]
            case.expect_same([outcome.path for outcome in outcomes], asked, "the paths of the outcomes")
            for outcome in outcomes:
                if outcome.path in wrong:
                    case.expect_type(outcome.error, wrong[outcome.path], f"the error of {outcome.path!r}")
                    _expect_error(case, outcome.error, outcome.path)
                else:
                    value = outcome.result()
                    told = value if isinstance(value, bytes) else getattr(value, "path", "").encode()
                    case.expect_equal(told, outcome.path.encode(), f"what {outcome.path!r} has")

    @async_check("MANY-006", needs=(WRITE,))
    async def test_many_ranges_that_share_a_start_or_an_end(self, case: AsyncCase) -> None:
        for size in (0, 1, 1_000, 200_001) if is_near(case) else (1_000,):
            path, content = case.path("file"), case.content(size)
            await case.backend.write(path, content, overwrite=True)
            places = sorted({0, 1, size // 3, size // 2, max(size - 1, 0), size, size + 7})
            for number in range(1 if not is_near(case) else 12):
                pairs = [sorted(case.rng.choices(places, k=2)) for _ in range(case.rng.choice((2, 5, 12)))]
                ranges = [(start, end - start) for start, end in pairs]
                # One start with several lengths, also the same one twice, and none.
                ranges += [(places[2], length) for length in (5, 0, 70_000, 5, 1)]
                case.rng.shuffle(ranges)
                asked: Any = (lambda given: given, tuple, iter)[number % 3](ranges)
                got = await case.backend.read_ranges(path, asked)
                expected = [content[start : start + length] for start, length in ranges]
                case.expect(list(got) == expected, f"each range of {size:,} bytes has its bytes: {ranges}", _sizes(got))


def _sizes(got: Any) -> str:
    return f"ranges of {[len(each) for each in got]} bytes, or other bytes"


def _expect_error(case: AsyncCase, error: Any, path: str) -> None:
    """Fail unless an error says which path it is about, and can travel."""
    # A store refuses a malformed path by itself.
    names = (case.backend.name, None) if "\0" in path or not path else (case.backend.name,)
    case.expect(error.path == path and error.backend in names, f"path and backend of the error of {path!r}", error)
    for again in _travelled(case, error, repr(path)):
        case.expect_equal((type(again), str(again)), (type(error), str(error)), f"the pickled error of {path!r}")


def _travelled(case: AsyncCase, error: RemoteStoreError, what: str) -> list[Any]:
    """Copies of an error by each protocol of pickle."""
    try:
        pickled = [pickle.dumps(error, protocol) for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)]
        return list(map(pickle.loads, pickled))
    except Exception as failed:
        case.fail(f"the error of {what} can be pickled", "a copy of it", failed)


def _able(case: AsyncCase, rows: dict[str, AsyncUsage]) -> dict[str, AsyncUsage]:
    able = case.backend.capabilities
    return {name: row for name, row in rows.items() if row.capability is None or row.capability in able}


def _ways_to_go(case: AsyncCase) -> list[Callable[[str], Any]]:
    async def moved(path: str) -> None:
        await case.backend.move(path, case.path("elsewhere"), overwrite=True)

    able = case.backend.capabilities
    ways: list[Callable[[str], Any]] = [case.backend.delete] if DELETE in able else []
    return [*ways, moved] if Capability.MOVE in able else ways


async def _errors(case: AsyncCase) -> AsyncIterator[tuple[str, RemoteStoreError, str]]:
    """The errors of calls that must fail, each with the call in words and the path that it is about."""
    file, folder, unused = map(case.path, ("file", "folder", "unused"))
    await case.backend.write(file, b"content")
    await case.backend.write(case.path("folder/file"), b"content")
    wrong = (case.path("missing"), folder, "", case.path("a\0b"), case.path("folder/missing"))
    mistakes = [Mistake(name, row, path, unused) for name, row in _able(case, NEEDS_A_FILE).items() for path in wrong]
    mistakes += [Mistake(name, row, file, unused) for name, row in _able(case, VERSION_USAGES).items()]
    for name, row in _able(case, WRITE_USAGES).items():
        # What a server does not refuse is the matter of the rule that the harness says it breaks.
        refused = name != "overwrite" and CREATES.get(name) not in case.deviations
        taken = [case.path("folder/file")] if refused else []
        mistakes += [Mistake(name, row, path, file) for path in ("", case.path("a//b"), case.path("a\0b"), *taken)]
    for name, row in _able(case, FOLDER_USAGES).items():
        mistakes += [Mistake(name, row, path, unused) for path in (case.path("missing"), file, case.path("a\0b"))]
    if DELETE in case.backend.capabilities:
        mistakes.append(Mistake("delete_folder of files", AsyncUsage(_delete_folder, DELETE), folder, unused))
    few = {"smoke": 2, "quick": 6}.get(case.tier, 24)
    chosen = mistakes if is_near(case) else case.rng.sample(mistakes, min(few, len(mistakes)))
    for mistake in chosen:
        what = f"{mistake.operation} of {mistake.path!r}"
        with case.expect_raises(RemoteStoreError, what=what) as caught:
            await mistake.row.run(case.backend, mistake.path, mistake.other)
        yield what, caught.error, mistake.path


async def _delete_folder(backend: AsyncBackend, path: str, _other: str) -> None:
    await backend.delete_folder(path)
