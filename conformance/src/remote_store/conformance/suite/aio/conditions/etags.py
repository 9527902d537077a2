"""Checks of conditions with every reported ETag, with ETags of other files and versions, and with other writers."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from functools import partial
from typing import Any

from remote_store.conformance.checking.async_trees import fill
from remote_store.conformance.checking.attributes import steps
from remote_store.conformance.checking.case import AsyncCase, not_applicable
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.checking.width import is_near
from remote_store.conformance.model.actions import OTHER
from remote_store.conformance.suite.aio.expectations import expect_content
from remote_store.conformance.suite.aio.ways import WAYS, able, taking, told
from remote_store.core import Capability, FileInfo, NotFound, NotModified, PreconditionFailed

READ, WRITE, INFO = Capability.READ, Capability.WRITE, Capability.METADATA
DELETE, COPY, MOVE = Capability.DELETE, Capability.COPY, Capability.MOVE
SWAP, ATOMIC = Capability.COMPARE_AND_SWAP, Capability.ATOMIC_WRITE
FILE, BESIDE = "folder/file", "folder/file2"
Call = Callable[..., Any]
PAUSE = 0.005


async def _read_stream(method: str, backend: Any, path: str, **conditions: Any) -> bytes:
    async with await getattr(backend, method)(path, **conditions) as stream:
        content: bytes = await stream.read()
        return content


async def _read_range(backend: Any, path: str, **conditions: Any) -> Any:
    return await backend.read_range(path, 0, 1 << 20, **conditions)


async def _read_bytes(backend: Any, path: str, **conditions: Any) -> Any:
    return await backend.read_bytes(path, **conditions)


async def _info(backend: Any, path: str, **conditions: Any) -> Any:
    return await backend.get_file_info(path, **conditions)


async def _block(backend: Any, path: str, content: bytes, **conditions: Any) -> None:
    async with backend.open_atomic(path, overwrite=True, **conditions) as stream:
        await stream.write(content)


async def _method(method: str, backend: Any, path: str, content: Any, **conditions: Any) -> Any:
    return await getattr(backend, method)(path, content, overwrite=True, **conditions)


READS: dict[str, Call] = {
    "read_bytes": _read_bytes,
    "read_range": _read_range,
    "read": partial(_read_stream, "read"),
    "read_seekable": partial(_read_stream, "read_seekable"),
    "get_file_info": _info,
}
WRITES: dict[str, Call] = {
    "write": partial(_method, "write"),
    "write_atomic": partial(_method, "write_atomic"),
    "open_atomic": _block,
}


class AsyncConditionSuite:
    """SWAP: every tag with every call."""

    @async_check("SWAP-005", "SWAP-006", needs=(INFO, READ, WRITE))
    async def test_swap_each_tag_that_is_told_names_the_version(self, case: AsyncCase) -> None:
        path = case.path(FILE)
        ways = [step.way for step in steps(case, "content", able(case, WAYS))]
        for way in dict.fromkeys(ways if is_near(case) else ways[:1]):
            content = case.content(70_001)
            result = await WAYS[way].write(case, path, content, {})
            tags = {what: info.etag for what, info in (await told(case, path)).items()}
            tags |= {"the result": result.etag} if result is not None else {}
            for what, tag in tags.items():
                if tag is None:
                    continue
                for method in _some(case, _reads(case)):
                    found = await READS[method](case.backend, path, if_match=tag)
                    same = found == content or (isinstance(found, FileInfo) and found.size == len(content))
                    case.expect(same, f"{method} with the ETag by {what} after {way} returns the file", found)
                for method in ("read_bytes", "get_file_info"):
                    found = await READS[method](case.backend, path, if_none_match=tag)
                    expected = NotModified(path, tag)
                    case.expect_equal(found, expected, f"{method} unless it has the ETag by {what} after {way}")

    @async_check("SWAP-002", needs=(INFO, READ, WRITE))
    async def test_swap_writes_refuse_each_tag_of_another(self, case: AsyncCase) -> None:
        path = case.path(FILE)
        async for state, tags in _replaced(case):
            for tag, method in _pairs(case, tags, _writes(case)):
                with case.expect_raises(PreconditionFailed, path=path, what=f"{method} with {tags[tag]!r}, {tag}"):
                    await WRITES[method](case.backend, path, b"lost", if_match=tag)
            await expect_content(case, FILE, state)

    @async_check("SWAP-005", needs=(INFO, READ, WRITE))
    async def test_swap_reads_refuse_each_tag_of_another(self, case: AsyncCase) -> None:
        path = case.path(FILE)
        async for state, tags in _replaced(case):
            for tag, method in _pairs(case, tags, _reads(case)):
                with case.expect_raises(PreconditionFailed, path=path, what=f"{method} with {tags[tag]!r}, {tag}"):
                    await READS[method](case.backend, path, if_match=tag)
            await expect_content(case, FILE, state)

    @async_check("SWAP-006", needs=(INFO, READ, WRITE))
    async def test_swap_each_tag_of_another_is_modified(self, case: AsyncCase) -> None:
        path = case.path(FILE)
        async for state, tags in _replaced(case):
            for tag, method in _pairs(case, tags, ("read_bytes", "get_file_info")):
                found = await READS[method](case.backend, path, if_none_match=tag)
                same = found == state or (isinstance(found, FileInfo) and found.size == len(state))
                case.expect(same, f"{method} unless it has {tag!r}, {tags[tag]}, returns the file", found)

    @async_check("SWAP-007", needs=(INFO, READ, WRITE))
    async def test_swap_deletes_refuse_each_tag_of_another(self, case: AsyncCase) -> None:
        path = case.path(FILE)
        async for state, tags in _replaced(case):
            for tag, missing_ok in _pairs(case, tags, (False, True)):
                with case.expect_raises(PreconditionFailed, path=path, what=f"delete with {tags[tag]!r}, {tag}"):
                    await taking(case).delete(path, missing_ok=missing_ok, if_match=tag)
            await expect_content(case, FILE, state)
            await expect_content(case, BESIDE, b"beside")

    @async_check("SWAP-009", needs=(COPY, INFO, READ, WRITE))
    async def test_swap_copies_refuse_each_tag_of_another(self, case: AsyncCase) -> None:
        await _refuse_transfers(case, "copy")

    @async_check("SWAP-010", needs=(MOVE, INFO, READ, WRITE))
    async def test_swap_moves_refuse_each_tag_of_another(self, case: AsyncCase) -> None:
        await _refuse_transfers(case, "move")

    @async_check("SWAP-002", needs=(INFO, READ, WRITE))
    async def test_swap_writes_refuse_the_tag_of_a_file_that_is_gone(self, case: AsyncCase) -> None:
        path = case.path(FILE)
        async for how, tag in _gone(case):
            for method in _some(case, _writes(case)):
                with case.expect_raises(PreconditionFailed, path=path, what=f"{method} with if_match after {how}"):
                    await WRITES[method](case.backend, path, b"new", if_match=tag)
            case.expect_equal(await case.backend.exists(path), False, f"exists after {how} and a refused write")

    @async_check("SWAP-005", "SWAP-006", needs=(INFO, READ, WRITE))
    async def test_swap_reads_of_a_file_that_is_gone_find_nothing(self, case: AsyncCase) -> None:
        path = case.path(FILE)
        async for how, tag in _gone(case):
            for method in _some(case, _reads(case)):
                with case.expect_raises(NotFound, path=path, what=f"{method} with if_match after {how}"):
                    await READS[method](case.backend, path, if_match=tag)
            for method in ("read_bytes", "get_file_info"):
                with case.expect_raises(NotFound, path=path, what=f"{method} with if_none_match after {how}"):
                    await READS[method](case.backend, path, if_none_match=tag)

    @async_check("SWAP-008", needs=(INFO, READ, WRITE))
    async def test_swap_deletes_of_a_file_that_is_gone_find_nothing(self, case: AsyncCase) -> None:
        path = case.path(FILE)
        async for how, tag in _gone(case):
            with case.expect_raises(NotFound, path=path, what=f"delete with if_match after {how}"):
                await taking(case).delete(path, if_match=tag)
            await taking(case).delete(path, if_match=tag, missing_ok=True)

    @async_check("SWAP-002", needs=(INFO, READ, WRITE))
    async def test_swap_each_write_that_another_overtakes_is_refused(self, case: AsyncCase) -> None:
        path = case.path(FILE)
        for method, how in _pairs(case, _writes(case), _interferences(case)):
            await case.backend.write(path, b"first", overwrite=True)
            tag = (await case.backend.get_file_info(path)).etag
            interfere, left = INTERFERENCES[how][1], INTERFERENCES[how][2]
            what = f"{method} with if_match, during which there is {how}"
            with case.expect_raises(PreconditionFailed, path=path, what=what):
                await _overtaken(case, method, path, interfere, tag)
            if left is None:
                case.expect_equal(await case.backend.exists(path), False, f"exists after {what}")
            else:
                await expect_content(case, FILE, left)
            if (oracle := case.harness.oracle) is not None:
                case.expect_equal(oracle.raw_uploads(case.folder + "/") or [], [], "unfinished uploads in the storage")

    @async_check("SWAP-004", needs=(INFO, READ, WRITE))
    async def test_swap_race_of_several_methods(self, case: AsyncCase) -> None:
        path, methods = case.path(FILE), _writes(case)
        # Of one method alone, since a slow one never wins against a fast one, and of all of them.
        for number, among in enumerate([*([method] * 4 for method in methods), methods * 2]):
            await case.backend.write(path, b"%d" % number, overwrite=True)
            tag = (await case.backend.get_file_info(path)).etag
            contents = {f"{method} {again}": b"%d" % again + method.encode() for again, method in enumerate(among)}
            writes: list[Call] = [
                partial(WRITES[name.split()[0]], case.backend, path, content, if_match=tag)
                for name, content in contents.items()
            ]
            outcomes = dict(zip(contents, await case.together(writes), strict=True))
            _expect_one_winner(case, outcomes, PreconditionFailed)
            winner = next(name for name, outcome in outcomes.items() if not isinstance(outcome, Exception))
            await expect_content(case, FILE, contents[winner])

    @async_check("SWAP-007", needs=(INFO, READ, SWAP, WRITE))
    async def test_swap_race_of_deletes_and_writes(self, case: AsyncCase) -> None:
        path, backend = case.path(FILE), taking(case)
        for number, among in enumerate((("delete",) * 4, ("delete", "write") * 2)):
            await backend.write(path, b"%d" % number, overwrite=True)
            tag = (await backend.get_file_info(path)).etag
            calls: dict[str, Call] = {
                f"{kind} {again}": partial(backend.delete, path, if_match=tag)
                if kind == "delete"
                else partial(backend.write, path, _slow(), overwrite=True, if_match=tag)
                for again, kind in enumerate(among)
            }
            outcomes = dict(zip(calls, await case.together(list(calls.values())), strict=True))
            _expect_one_winner(case, outcomes, (NotFound, PreconditionFailed))
            winner = next(name for name, outcome in outcomes.items() if not isinstance(outcome, Exception))
            case.expect_equal(await backend.is_file(path), winner.startswith("write"), f"is_file after {winner} won")


def _expect_one_winner(
    case: AsyncCase, outcomes: dict[str, Any], lost: type[Exception] | tuple[type[Exception], ...]
) -> None:
    won = [name for name, outcome in outcomes.items() if not isinstance(outcome, Exception)]
    case.expect_equal(len(won), 1, f"the number of calls that won, of {list(outcomes)}: {won}")
    for name, outcome in outcomes.items():
        if name not in won:
            case.expect_type(outcome, lost, f"the error of {name}, which lost")


def _slow() -> Iterator[bytes]:
    """A content whose last byte comes after the other calls have begun."""
    yield b"some"
    time.sleep(PAUSE)
    yield b" more"


def _reads(case: AsyncCase) -> list[str]:
    return [name for name in READS if name != "read_seekable" or Capability.SEEKABLE_READ in case.backend.capabilities]


def _writes(case: AsyncCase) -> list[str]:
    return [name for name in WRITES if name == "write" or ATOMIC in case.backend.capabilities]


def _some(case: AsyncCase, methods: Iterable[Any]) -> list[Any]:
    """All of the methods, or one of them on a storage that is far."""
    every = list(methods)
    return every if is_near(case) else case.rng.sample(every, 1)


def _pairs(case: AsyncCase, first: Iterable[Any], second: Iterable[Any]) -> list[tuple[Any, Any]]:
    """Each pair, or some of them on a storage that is far."""
    every = [(one, other) for one in first for other in list(second)]
    few = {"smoke": 2, "quick": 4}.get(case.tier, 16)
    return every if is_near(case) else case.rng.sample(every, min(len(every), few))


async def _replaced(case: AsyncCase) -> AsyncIterator[tuple[bytes, dict[str, str]]]:
    """A file that was replaced: its content, and tags that are not its own, with what they are."""
    path, beside = case.path(FILE), case.path(BESIDE)
    await case.backend.write(beside, b"beside")
    neighbour = (await case.backend.get_file_info(beside)).etag
    ways = list(dict.fromkeys(step.way for step in steps(case, "content", able(case, WAYS))))
    for way in ways if is_near(case) else ways[:1]:
        await case.backend.write(path, case.content(1_000), overwrite=True)
        former, content = (await case.backend.get_file_info(path)).etag, case.content(1_000)
        await WAYS[way].write(case, path, content, {})
        tag = (await case.backend.get_file_info(path)).etag or OTHER
        tags = {
            former: f"of the version before {way}",
            neighbour: "of the neighbour",
            tag.swapcase(): "its own in the other case",
            tag[:-1]: "its own without the last character",
            f"{tag}0": "its own with another character",
            "%": "a pattern of SQL",
            "_" * len(tag): "a pattern of SQL",
            OTHER: "that no file has",
        }
        yield content, {wrong: what for wrong, what in tags.items() if wrong and wrong != tag}


async def _gone(case: AsyncCase) -> AsyncIterator[tuple[str, str]]:
    """Ways in which a file went, each with its last tag."""
    path = case.path(FILE)
    ways: dict[str, tuple[Capability, Call]] = {
        "a delete": (DELETE, lambda: case.backend.delete(path)),
        "a move": (MOVE, lambda: case.backend.move(path, case.path("elsewhere"), overwrite=True)),
        "delete_folder": (DELETE, lambda: case.backend.delete_folder(case.path("folder"), recursive=True)),
    }
    able = [how for how, (needed, _) in ways.items() if needed in case.backend.capabilities]
    if not able:
        not_applicable("the backend declares no DELETE and no MOVE")
    for how in _some(case, able):
        await case.backend.write(path, b"content", overwrite=True)
        tag = (await case.backend.get_file_info(path)).etag
        await ways[how][1]()
        yield how, tag or OTHER


async def _refuse_transfers(case: AsyncCase, method: str) -> None:
    path, target = case.path(FILE), case.path("target")
    await fill(case, "taken", data=b"theirs")
    async for state, tags in _replaced(case):
        for tag, (to, overwrite) in _pairs(case, tags, ((target, False), (case.path("taken"), True))):
            with case.expect_raises(PreconditionFailed, path=path, what=f"{method} with {tags[tag]!r}, {tag}"):
                await getattr(case.backend, method)(path, to, overwrite=overwrite, if_match=tag)
        case.expect_equal(await case.backend.exists(target), False, f"exists of the target of a refused {method}")
        await expect_content(case, "taken", b"theirs")
        await expect_content(case, FILE, state)


async def _overwrite(case: AsyncCase) -> None:
    await case.backend.write(case.path(FILE), b"later", overwrite=True)


async def _delete(case: AsyncCase) -> None:
    await case.backend.delete(case.path(FILE))


async def _create_again(case: AsyncCase) -> None:
    await case.backend.delete(case.path(FILE))
    await case.backend.write(case.path(FILE), b"later")


async def _move_away(case: AsyncCase) -> None:
    await case.backend.move(case.path(FILE), case.path("elsewhere"), overwrite=True)


async def _move_onto(case: AsyncCase) -> None:
    await fill(case, "source", data=b"later")
    await case.backend.move(case.path("source"), case.path(FILE), overwrite=True)


async def _copy_onto(case: AsyncCase) -> None:
    await fill(case, "source", data=b"later")
    await case.backend.copy(case.path("source"), case.path(FILE), overwrite=True)


# What another writer does meanwhile, the capability that it needs, and the content of the file after it.
INTERFERENCES: dict[str, tuple[Capability, Call, bytes | None]] = {
    "an overwrite": (WRITE, _overwrite, b"later"),
    "a delete": (DELETE, _delete, None),
    "a delete and a write": (DELETE, _create_again, b"later"),
    "a move of the file": (MOVE, _move_away, None),
    "a move onto the file": (MOVE, _move_onto, b"later"),
    "a copy onto the file": (COPY, _copy_onto, b"later"),
}


def _interferences(case: AsyncCase) -> list[str]:
    return [how for how, (needed, _, _) in INTERFERENCES.items() if needed in case.backend.capabilities]


async def _overtaken(case: AsyncCase, method: str, path: str, interfere: Call, tag: str | None) -> None:
    """Write a file, with another writer before the last byte."""
    if method == "open_atomic":
        async with taking(case).open_atomic(path, overwrite=True, if_match=tag) as stream:
            await stream.write(b"some")
            await interfere(case)
            await stream.write(b" more")
        return

    async def content() -> AsyncIterator[bytes]:
        yield b"some"
        await interfere(case)
        yield b" more"

    await WRITES[method](case.backend, path, content(), if_match=tag)
