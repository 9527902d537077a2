"""Checks of what happens across processes, instances, threads and time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from remote_store.conformance.checking.any_case import SERVED
from remote_store.conformance.checking.async_trees import fill, found, names, taken, writable
from remote_store.conformance.checking.case import AsyncCase, untested
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.checking.expect import with_note
from remote_store.conformance.checking.fork import forked
from remote_store.conformance.checking.width import is_near
from remote_store.conformance.processes.elsewhere import NotImportable, use_elsewhere
from remote_store.conformance.processes.later import later
from remote_store.conformance.suite.aio.expectations import expect_content
from remote_store.conformance.suite.aio.lives.forks import BLOCKS, require_forks
from remote_store.core import AlreadyExists, AsyncBackend, Capability

READ, WRITE, LIST, ATOMIC = Capability.READ, Capability.WRITE, Capability.LIST, Capability.ATOMIC_WRITE
NEAR = timedelta(minutes=10)
CONTESTED = {"smoke": 10, "quick": 30, "full": 100, "soak": 1000}
"""How many files two processes create at once."""
ROOM = {"smoke": (1_000, 5), "quick": (300_000, 10), "full": (2_000_000, 150), "soak": (4_000_000, 300)}
"""The size of files and their number: together more than a cache in memory would keep."""
ROOM_ON_DISK = {"smoke": (1_000, 5), "quick": (300_000, 10), "full": (2_000_000, 20), "soak": (2_000_000, 20)}
DAY = timedelta(days=1)
# Servers refuse requests whose signature is a quarter of an hour old.
SIGNED = timedelta(minutes=10)
SIZE = 300_000
WAYS = {"write": WRITE, "write_atomic": ATOMIC, "open_atomic": ATOMIC}


class AsyncProcessSuite:
    """PROC: processes, instances and time."""

    @async_check("PROC-003", "LIFE-003", needs=(WRITE, READ))
    async def test_process_with_other_settings_reads_the_files(self, case: AsyncCase) -> None:
        case.require_profile("the storage ends with its process", not case.profile.in_process)
        case.require_profile("the profile says that instances cannot be pickled", case.profile.picklable)
        keys = ["here", *case.rng.sample(writable(case), 5)]
        sources = {case.path(f"{number}/{key}"): f"from here {number}".encode() for number, key in enumerate(keys)}
        for path, content in sources.items():
            await case.backend.write(path, content)
        use = partial(use_elsewhere, case.backend, case.path("new"), list(sources), case.path("new/there"), b"there")
        try:
            seen = use()
        except NotImportable as error:
            untested(f"another interpreter cannot import the backend: {error}")
        except Exception as error:
            case.fail("reading and writing in another interpreter", "no exception", error)
        now = datetime.now(UTC)
        for path, content in zip(sources, seen.contents, strict=True):
            case.expect_equal(content, sources[path], f"the content of {path!r} that the other interpreter reads")
        await expect_content(case, "new/there", b"there")
        if seen.paths is not None:
            case.expect_equal(list(seen.paths), [case.path("new/there")], "the files that it lists")
        if seen.modified_at is not None:
            time = seen.modified_at
            case.expect(abs(time - now) < NEAR, f"the time that it returns, in another time zone, is about {now}", time)

    @async_check("PROC-004", needs=(WRITE, READ))
    async def test_process_and_its_fork_write_at_once(self, case: AsyncCase) -> None:
        require_forks(case)
        ways = [way for way, capability in WAYS.items() if capability in case.backend.capabilities]
        ours, theirs = case.content(BLOCKS), case.content(BLOCKS)
        for way in ways:
            await write(case.backend, way, case.path(f"first-{way}"), ours, nothing)
        with forked(partial(self._written_in_the_child, case, ways, theirs)) as child:
            for way in ways:
                try:
                    child.paused()
                except Exception as error:
                    case.fail(f"{way} in a forked child", "no exception", error)
                # The child has written half of its file, and has drawn as many random numbers as this process.
                await write(case.backend, way, case.path(f"ours-{way}"), ours, nothing)
                child.go_on()
            try:
                child.result()
            except Exception as error:
                case.fail("writes in a forked child while its parent writes", "no exception", error)
        for way in ways:
            await expect_content(case, f"ours-{way}", ours)
            await expect_content(case, f"theirs-{way}", theirs)

    @async_check("PROC-004", "ATOM-012", needs=(WRITE, READ, Capability.ATOMIC_CREATE))
    async def test_process_and_its_fork_create_the_same_files(self, case: AsyncCase) -> None:
        require_forks(case)
        paths = [case.path(f"file-{number}") for number in range(CONTESTED[case.tier])]
        with forked(partial(self._created_in_the_child, case, paths)) as child:
            try:
                child.paused()
                child.go_on()
                ours = await self._created(case, paths, b"ours")
                theirs = child.result()
            except Exception as error:
                case.fail("creating files in a process and its fork", "a file, or AlreadyExists", error)
        for path in paths:
            winners = [b"ours"] * (path in ours) + [b"theirs"] * (path in theirs)
            case.expect_equal(len(winners), 1, f"how many of two processes have created {path!r}")
            case.expect_equal(await case.backend.read_bytes(path), winners[0], "the file, which is that of the winner")

    async def _created_in_the_child(self, case: AsyncCase, paths: list[str], pause: Callable[[], None]) -> set[str]:
        pause()
        return await self._created(case, paths, b"theirs")

    async def _created(self, case: AsyncCase, paths: list[str], content: bytes) -> set[str]:
        """Create files that another process creates too, and return those that this one has created."""
        created = set[str]()
        for path in paths:
            with suppress(AlreadyExists):
                await case.backend.write(path, content)
                created.add(path)
        return created

    async def _written_in_the_child(
        self, case: AsyncCase, ways: list[str], content: bytes, pause: Callable[[], None]
    ) -> None:
        async def paused() -> None:
            pause()

        for way in ways:
            await write(case.backend, way, case.path(f"theirs-{way}"), content, paused)

    @async_check("PROC-005", needs=(WRITE, READ))
    async def test_process_makes_an_instance_during_a_write(self, case: AsyncCase) -> None:
        case.require_profile("two instances do not share a storage", case.profile.shared)
        content, fresh = case.content(SIZE), list[AsyncBackend]()

        async def begin() -> None:
            fresh.append(case.make())
            await fresh[-1].check_health()

        ways = [way for way, capability in WAYS.items() if capability in case.backend.capabilities]
        for way in case.rng.sample(ways, 1 if case.tier == "smoke" else len(ways)):
            await write(case.backend, way, case.path(way), content, begin)
            case.expect_equal(await fresh[-1].read_bytes(case.path(way)), content, f"the file of {way}")
            await expect_content(case, way, content)

    @async_check("PROC-005", needs=(WRITE, READ, ATOMIC, LIST))
    async def test_process_uses_another_instance_during_writes(self, case: AsyncCase) -> None:
        first, second = case.content(SIZE), case.content(SIZE)
        other = case.make()
        async with case.backend.open_atomic(case.path("one")) as one:
            await one.write(first[:1000])
            async with other.open_atomic(case.path("two")) as two:
                await two.write(second[:200_000])
                third = case.make()
                await third.check_health()
                await third.write(case.path("three"), b"three")
                listed = await found(third.list_files(case.folder, recursive=True))
                case.expect_equal(listed, [case.path("three")], "the files during two writes")
                await third.close()
                await one.write(first[1000:])
                await two.write(second[200_000:])
            await other.close()
        for name, content in {"one": first, "two": second, "three": b"three"}.items():
            await expect_content(case, name, content)

    @async_check("PROC-006", needs=(WRITE, READ))
    async def test_process_passes_streams_to_another_thread(self, case: AsyncCase) -> None:
        content = case.content(BLOCKS if is_near(case) else SIZE)
        await fill(case, "file", data=content)
        for method, capability in {"read": READ, "read_seekable": Capability.SEEKABLE_READ}.items():
            if capability not in case.backend.capabilities:
                continue
            async with await getattr(case.backend, method)(case.path("file")) as stream:
                pieces = [await stream.read(1000)]
                pieces += await elsewhere(case, partial(stream.read, 100_000))
                pieces += [await stream.read(1000)]
                pieces += await elsewhere(case, stream.read)
            case.expect_equal(b"".join(pieces), content, f"the content, by {method} in two threads or tasks")
        stream = await case.backend.read(case.path("file"))
        case.expect_equal(await elsewhere(case, stream.read), [content], "the content, read in another thread or task")
        await elsewhere(case, stream.close)
        if ATOMIC in case.backend.capabilities:
            async with case.backend.open_atomic(case.path("new")) as writer:
                await writer.write(content[:1000])
                await elsewhere(case, partial(writer.write, content[1000:200_000]))
                await writer.write(content[200_000:])
            await expect_content(case, "new", content)

    @async_check("PROC-006", needs=(WRITE, READ, ATOMIC))
    async def test_process_ends_a_block_in_another_thread(self, case: AsyncCase) -> None:
        for key, content in {"small": b"content", "large": case.content(SIZE)}.items():
            block = case.backend.open_atomic(case.path(key))
            writer = await block.__aenter__()
            try:
                await writer.write(content)
            except BaseException as error:
                await block.__aexit__(type(error), error, error.__traceback__)
                raise
            await elsewhere(case, partial(block.__aexit__, None, None, None))
            await expect_content(case, key, content)

    @async_check("PROC-006", needs=(WRITE, LIST))
    async def test_process_passes_a_listing_to_another_thread(self, case: AsyncCase) -> None:
        paths = await fill(case, "a", "b", "c")
        listing = case.backend.list_files(case.folder)
        first = await taken(case, listing)
        (rest,) = await elsewhere(case, partial(found, listing))
        case.expect_equal(sorted([first.path, *rest]), paths, "the files, listed in two threads or tasks")

    @async_check("PROC-007", needs=(WRITE, READ))
    async def test_process_finds_its_files_later(self, case: AsyncCase) -> None:
        content = case.content(SIZE)
        ways = [way for way, capability in WAYS.items() if capability in case.backend.capabilities]
        for way in ways:
            await write(case.backend, way, case.path(way), content, nothing)
        local = case.harness.endpoint is None and case.kind not in SERVED
        age = DAY if local else SIGNED
        with with_note(f"the clocks of the process were moved by {age}"), later(age, type(case.backend)):
            for way in ways:
                await expect_content(case, way, content)
                case.expect_equal(await case.backend.exists(case.path(way)), True, f"exists({way!r}) later")
            if LIST in case.backend.capabilities:
                case.expect_equal(await names(case.backend.list_files(case.folder)), sorted(ways), "the files later")
            if case.profile.shared:
                seen = await case.make().read_bytes(case.path(ways[0]))
                case.expect_equal(seen, content, "the content that a new instance reads later")
        for way in ways:
            await expect_content(case, way, content)

    @async_check("PROC-007", needs=(WRITE, READ))
    async def test_process_finds_its_first_files_after_many(self, case: AsyncCase) -> None:
        size, number = (ROOM if case.profile.in_process else ROOM_ON_DISK)[case.tier] if is_near(case) else (SIZE, 3)
        contents = {case.path(f"{each}"): case.content(size + each) for each in range(4)}
        for path, content in contents.items():
            await case.backend.write(path, content)
        filler = case.content(size)
        for each in range(number):
            await case.backend.write(case.path(f"more/{each}"), filler)
        for path, content in contents.items():
            kept = await case.backend.read_bytes(path)
            case.expect(kept == content, f"the content of {path!r} after {number} other files", f"{len(kept):,} bytes")

    @async_check("PROC-008", needs=(LIST,))
    async def test_process_leaves_nothing_of_a_look_at_health(self, case: AsyncCase) -> None:
        async with case.isolated() as alone:
            await alone.backend.check_health()
            case.expect_equal(await names(alone.backend.iter_children("")), [], "the entries in the root")
            if alone.harness.oracle is not None:
                case.expect_equal(alone.harness.oracle.raw_list(""), [], "the keys of the storage")

    @async_check("PROC-009", needs=(WRITE, READ, LIST))
    async def test_process_uses_an_instance_in_the_middle_of_its_write(self, case: AsyncCase) -> None:
        content, other = case.content(SIZE), case.content(SIZE)
        (old,) = await fill(case, "old", data=other)
        for way, capability in WAYS.items():
            if capability in case.backend.capabilities:

                async def use(folder: str = case.path(f"in-{way}")) -> None:
                    for inner in (b"first", iter([other])):
                        await case.backend.write(f"{folder}/file", inner, overwrite=True)
                    case.expect_equal(await case.backend.read_bytes(old), other, "another file during a write")
                    listed = await found(case.backend.list_files(folder))
                    case.expect_equal(listed, [f"{folder}/file"], "the files of another folder during a write")

                await write(case.backend, way, case.path(way), content, use)
                await expect_content(case, way, content)
                await expect_content(case, f"in-{way}/file", other)

    @async_check("PROC-009", needs=(WRITE, READ))
    async def test_process_writes_what_the_same_instance_reads(self, case: AsyncCase) -> None:
        content = case.content(SIZE)
        (old,) = await fill(case, "old", data=content)
        async with await case.backend.read(old) as stream:
            await case.backend.write(case.path("new"), stream)
        await expect_content(case, "new", content)


async def write(backend: AsyncBackend, way: str, path: str, content: bytes, halfway: Callable[[], Any]) -> None:
    """Write a file in one of three ways, and call a function in the middle of it."""
    half = len(content) // 2

    async def pieces() -> AsyncIterator[bytes]:
        yield content[:half]
        await halfway()
        yield content[half:]

    if way == "open_atomic":
        async with backend.open_atomic(path) as stream:
            async for piece in pieces():
                await stream.write(piece)
    elif way == "write_atomic":
        await backend.write_atomic(path, pieces())
    else:
        await backend.write(path, pieces())


async def elsewhere(case: AsyncCase, call: Callable[[], Any]) -> list[Any]:
    """The result of a call in another thread or task, as a list of one."""
    results = await case.together([call])
    for result in results:
        if isinstance(result, Exception):
            raise result
    return results


async def nothing() -> None:
    """Do nothing in the middle of a write."""
