"""Checks of concurrent calls: writers, readers, listings and deletes at the same time."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from remote_store.conformance.checking.async_trees import fill, fill_many, found
from remote_store.conformance.checking.case import AsyncCase
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.checking.fork import in_fork
from remote_store.conformance.checking.hostile import Unseekable
from remote_store.conformance.checking.width import is_near
from remote_store.conformance.suite.aio.expectations import distinct
from remote_store.core import AlreadyExists, AsyncBackend, Capability, PreconditionFailed

READ, WRITE, DELETE = Capability.READ, Capability.WRITE, Capability.DELETE
WORKERS = 6
ROUNDS = 8
FORKS = 3
# A bound for waiting; a backend that never awaits would block the event loop.
MANY = 100_000


class AsyncRaceSuite:
    """ATOM, READ, WRITE, LIST, COPY, LIFE: guarantees during concurrent calls."""

    @async_check("ATOM-016", needs=(READ, WRITE))
    async def test_race_for_the_next_number(self, case: AsyncCase) -> None:
        every = range(1, WORKERS * ROUNDS + 1)

        async def count(worker: int) -> None:
            won = 0
            for number in every:
                with suppress(AlreadyExists):
                    await case.backend.write(case.path(f"counter/{number:04}"), b"%d" % worker)
                    won += 1
                if won == ROUNDS:
                    break

        expect_results(case, await case.together([partial(count, worker) for worker in range(WORKERS)]), "counting")
        taken = [number for number in every if await case.backend.is_file(case.path(f"counter/{number:04}"))]
        case.expect_equal(len(taken), len(every), "the numbers that were counted")
        owners = [int(await case.backend.read_bytes(case.path(f"counter/{number:04}"))) for number in every]
        counts = [owners.count(worker) for worker in range(WORKERS)]
        case.expect_equal(counts, [ROUNDS] * WORKERS, "the final count of each worker")

    @pytest.mark.parametrize("method", ["read", "read_bytes", "read_range", "read_seekable"])
    @async_check("READ-013", needs=(WRITE,))
    async def test_race_of_readers_and_overwriters(self, case: AsyncCase, method: str) -> None:
        if method == "read_seekable":
            case.require(Capability.SEEKABLE_READ)
        path, contents = case.path("file"), distinct(4, 300_000)
        await case.backend.write(path, contents[0])
        torn, written = list[int](), list[int]()

        async def write(content: bytes) -> None:
            try:
                for _ in range(ROUNDS):
                    await case.backend.write(path, content, overwrite=True)
            finally:
                written.append(1)

        async def read() -> None:
            for _ in range(MANY):
                if len(written) == 2:
                    break
                try:
                    data = await whole(case.backend, method, path)
                except PreconditionFailed:
                    continue
                if data not in contents:
                    torn.append(len(data))

        tasks: list[Any] = [partial(write, contents[1]), partial(write, contents[2]), read, read]
        expect_results(case, await case.together(tasks), f"{method} during overwrites")
        case.expect_equal(torn, [], "the sizes of contents that were never written")

    @async_check("WRITE-015", needs=(READ,))
    async def test_race_of_large_overwrites(self, case: AsyncCase) -> None:
        path, contents = case.path("file"), distinct(2, (case.profile.part_size or 1_000_000) + 1_000)
        await fill(case, "file", data=b"old")
        for _ in range(ROUNDS if is_near(case) else 2):
            sources: list[Any] = [Unseekable(content) for content in contents]
            writes = [partial(case.backend.write, path, source, overwrite=True) for source in sources]
            expect_results(case, await case.together(writes), "one of two concurrent overwrites")
            left = await case.backend.read_bytes(path)
            case.expect(left in contents, "the file is the content of one of them", f"{len(left):,} bytes")
        oracle = case.harness.oracle
        if oracle is not None:
            case.expect_equal(oracle.raw_uploads(f"{case.folder}/") or [], [], "the unfinished uploads")

    @async_check("WRITE-016", needs=(READ, DELETE))
    async def test_race_of_neighbours_that_come_and_go(self, case: AsyncCase) -> None:
        async def live(worker: int) -> list[bytes]:
            path, seen = case.path(f"shared/deep/{worker}"), list[bytes]()
            for number in range(ROUNDS):
                await case.backend.write(path, b"%d-%d" % (worker, number))
                seen.append(await case.backend.read_bytes(path))
                await case.backend.delete(path)
            return seen

        lives = await case.together([partial(live, worker) for worker in range(WORKERS)])
        expect_results(case, lives, "concurrent writes, reads and deletes")
        expected = [[b"%d-%d" % (worker, number) for number in range(ROUNDS)] for worker in range(WORKERS)]
        case.expect_equal(lives, expected, "the content that each worker read")

    @async_check("LIST-019", "LIST-020", needs=(WRITE, DELETE))
    async def test_race_of_listings_and_changes(self, case: AsyncCase) -> None:
        every = await fill_many(case, [f"{number:05}" for number in range(1100)])
        doomed = set(every[::40])
        listings = {
            "list_files": case.backend.list_files(case.folder),
            "list_files, recursive": case.backend.list_files(case.folder, recursive=True),
            "iter_children": case.backend.iter_children(case.folder),
        }
        if Capability.GLOB in case.backend.capabilities:
            listings["glob"] = case.backend.glob(case.path("*"))
        seen = {name: [(await anext(listing)).path] for name, listing in listings.items()}
        for path in sorted(doomed):
            await case.backend.delete(path)
        for name, listing in listings.items():
            async for entry in listing:
                seen[name].append(entry.path)
                if len(seen[name]) % 300 == 2:
                    await fill(case, f"{len(seen[name]):05}-added", f"{2 * len(seen[name]):05}-added", "00000-added")
        steady = [path for path in every if path not in doomed]
        for name, paths in seen.items():
            kept = [path for path in paths if path not in doomed and not path.endswith("-added")]
            case.expect_same(kept, steady, f"the files that existed all the time, by {name}")
            case.expect_equal(len(paths), len(set(paths)), f"the number of paths by {name}")

    @async_check("COPY-024", needs=(Capability.LIST, WRITE))
    async def test_race_of_a_move_and_those_who_look(self, case: AsyncCase) -> None:
        count, half = 10 * ROUNDS, list[str]()

        async def move() -> None:
            for number in range(count):
                await case.backend.move(case.path(f"from/{number}"), case.path(f"to/{number}"))

        async def look() -> None:
            number = 0
            for _ in range(MANY):
                source, target = case.path(f"from/{number}"), case.path(f"to/{number}")
                gone = not await case.backend.is_file(source)
                there = await case.backend.is_file(target)
                if gone and not there:
                    half.append(f"{number} is in neither place")
                if there and await case.backend.is_file(source):
                    half.append(f"{number} is in both places")
                number += 1 if gone else 0
                if number == count:
                    break

        await fill(case, *[f"from/{number}" for number in range(count)], data=b"content")
        expect_results(case, await case.together([move, look, look]), "a move during lookups")
        case.expect_equal(half, [], "the moves that were seen half done")
        left = await found(case.backend.list_files(case.folder, recursive=True))
        case.expect_equal(left, sorted(case.path(f"to/{number}") for number in range(count)), "the files at the end")

    @async_check("LIFE-004", needs=(WRITE, READ))
    async def test_race_of_a_fork_and_busy_callers(self, case: AsyncCase) -> None:
        case.require_profile("the profile says that instances do not work after a fork", case.profile.forks)
        case.require_profile("the storage ends with its process", not case.profile.in_process)
        path, ended = case.path("file"), list[int]()
        await fill(case, "file", data=b"content")

        async def work() -> bytes:
            data = b""
            for _ in range(MANY):
                data = await case.backend.read_bytes(path)
                if ended:
                    break
            return data

        async def fork() -> set[object]:
            try:
                contents = set[object]()
                for _ in range(FORKS):
                    # After a read of its own, the others are in the middle of theirs.
                    await case.backend.read_bytes(path)
                    contents.add(in_fork(partial(case.backend.read_bytes, path)))
                return contents
            finally:
                ended.append(1)

        results = await case.together([fork, work, work, work])
        expect_results(case, results, "a read during a fork")
        case.expect_equal(results[0], {b"content"}, "the contents that the children read")
        case.expect_equal(await case.backend.read_bytes(path), b"content", "the content that the parent reads")


def expect_results(case: AsyncCase, outcomes: Sequence[object], what: str) -> None:
    """Fail if one of the concurrent calls raised an exception."""
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            case.fail(what, "a result", outcome)


async def whole(backend: AsyncBackend, method: str, path: str) -> bytes:
    """The content of a file by one of the methods for reading."""
    if method == "read_bytes":
        return await backend.read_bytes(path)
    if method == "read_range":
        return await backend.read_range(path, 0, 1_000_000)
    data = b""
    async with await getattr(backend, method)(path) as stream:
        while piece := await stream.read(64 * 1024):
            data += piece
    return data
