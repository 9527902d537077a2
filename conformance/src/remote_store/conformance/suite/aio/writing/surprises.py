"""Checks of rarely tested cases: large contents, unusual names, nested blocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from remote_store.conformance.checking.async_trees import fill, found, names, walk, writable
from remote_store.conformance.checking.callers import Boom
from remote_store.conformance.checking.case import AsyncCase, untested
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.checking.hostile import ENDINGS, KEYS, MEANT, Failing, Unseekable, stamped
from remote_store.conformance.checking.width import readers_of
from remote_store.conformance.processes.surroundings import another_zone
from remote_store.conformance.suite.aio.expectations import expect_content, expect_facts, require_namesakes
from remote_store.core import Capability, FileInfo, FolderEntry, NotFound

READ, WRITE, DELETE, LIST = Capability.READ, Capability.WRITE, Capability.DELETE, Capability.LIST
METADATA, USER_METADATA, ATOMIC = Capability.METADATA, Capability.USER_METADATA, Capability.ATOMIC_WRITE
MIB = 1 << 20
# Multiples of common piece sizes, one of more than ten pieces, and one byte beside a multiple.
LARGE = {"bytes": 8 * MIB, "stream": 15 * MIB, "short": 4 * MIB - 1, "long": 4 * MIB + 1}
NEAR = timedelta(minutes=10)


class AsyncSurpriseSuite:
    @async_check("WRITE-001", "READ-001")
    async def test_write_of_large_contents(self, case: AsyncCase) -> None:
        content = stamped(max(LARGE.values()))
        for kind, size in LARGE.items():
            path, part = case.path(kind), content[:size]
            source: Any = Unseekable(part) if kind == "stream" else part
            result = await case.backend.write(path, source)
            case.expect_equal(result.size, size, f"the size in the result of a write of {size:,} bytes")
            case.expect_equal(await case.backend.read_bytes(path), part, f"the content after a write of {size:,} bytes")
        for start in (MIB - 5, 8 * MIB - 5, 10 * MIB - 5):
            read = await case.backend.read_range(case.path("stream"), start, 10)
            case.expect_equal(read, content[start : start + 10], f"10 bytes from {start:,}")
        pieces = []
        async with await case.backend.read(case.path("stream")) as stream:
            while piece := await stream.read(MIB + 1):
                pieces.append(piece)
        case.expect_equal(b"".join(pieces), content, "the content read in pieces")

    @async_check("COPY-012", needs=(READ, WRITE))
    async def test_copy_of_large_contents(self, case: AsyncCase) -> None:
        content = stamped(11 * MIB)
        await case.backend.write(case.path("source"), content)
        await case.backend.copy(case.path("source"), case.path("copy"))
        await expect_content(case, "copy", content)
        if Capability.MOVE in case.backend.capabilities:
            await case.backend.move(case.path("copy"), case.path("moved"))
            await expect_content(case, "moved", content)

    @async_check("ATOM-011", needs=(READ, WRITE))
    async def test_atomic_open_of_large_contents(self, case: AsyncCase) -> None:
        content = stamped(11 * MIB)
        async with case.backend.open_atomic(case.path("file")) as stream:
            for start in range(0, len(content), MIB + 1):
                await stream.write(content[start : start + MIB + 1])
        await expect_content(case, "file", content)

    @async_check("PATH-001", "LIST-014", needs=(READ, LIST))
    async def test_path_an_ending_means_nothing(self, case: AsyncCase) -> None:
        # Some tools change line ends or decompress content, depending on the name.
        content = b"\x1f\x8bone\r\ntwo\nthree\r\xef\xbb\xbf\x00"
        expected = await fill(case, *ENDINGS, data=content)
        for path in expected:
            case.expect_equal(await case.backend.read_bytes(path), content, f"the content of {path!r}")
        case.expect_equal(await found(case.backend.list_files(case.folder, recursive=True)), expected, "the files")
        case.expect_equal(await walk(case), expected, "the files by the children of each folder")

    @async_check("ERR-005", needs=(DELETE, METADATA))
    async def test_error_of_a_missing_file_whose_name_means_something(self, case: AsyncCase) -> None:
        for name in MEANT:
            path = case.path(name)
            for call in (case.backend.read_bytes, case.backend.get_file_info, case.backend.delete):
                with case.expect_raises(NotFound, path=path, where=lambda error: bool(str(error))):
                    await call(path)

    @async_check("COPY-008", needs=(READ, WRITE))
    async def test_copy_to_a_name_in_other_case(self, case: AsyncCase) -> None:
        case.require_profile("the storage ignores case", case.profile.case_sensitive)
        await fill(case, "Readme", data=b"content")
        await case.backend.copy(case.path("Readme"), case.path("README"))
        await expect_content(case, "README", b"content")
        await fill(case, "readme", data=b"older")
        await case.backend.copy(case.path("Readme"), case.path("readme"), overwrite=True)
        await expect_content(case, "readme", b"content")

    @async_check("COPY-008", needs=(READ, WRITE))
    async def test_copy_to_a_name_that_looks_alike(self, case: AsyncCase) -> None:
        for source, target in ((KEYS["nfc"], KEYS["nfd"]), ("a b", "a+b")):
            await fill(case, source, data=b"content")
            await case.backend.copy(case.path(source), case.path(target))
            await expect_content(case, target, b"content")
        listed = await found(case.backend.list_files(case.folder))
        expected = sorted(map(case.path, (KEYS["nfc"], KEYS["nfd"], "a b", "a+b")))
        case.expect_equal(listed, expected, "the files")

    @async_check("COPY-021", needs=(READ, WRITE))
    async def test_move_to_a_name_in_other_case(self, case: AsyncCase) -> None:
        case.require_profile("the storage ignores case", case.profile.case_sensitive)
        await fill(case, "Readme", data=b"content")
        await case.backend.move(case.path("Readme"), case.path("README"))
        await expect_content(case, "README", b"content")
        case.expect_equal(await case.backend.exists(case.path("Readme")), False, "exists of the source")

    @async_check("GLOB-001")
    async def test_glob_a_star_matches_line_ends(self, case: AsyncCase) -> None:
        if not {KEYS["newline_end"], KEYS["newline"]} <= set(writable(case)):
            untested("a deviation says that the storage does not accept newlines")
        await fill(case, "a.txt", "b.txt\n", "c\nd.txt")
        matches = await found(case.backend.glob(case.path("*.txt")))
        case.expect_equal(matches, sorted(map(case.path, ("a.txt", "c\nd.txt"))), "the matches of '*.txt'")

    @async_check("META-004", needs=(WRITE,))
    async def test_meta_the_time_is_now(self, case: AsyncCase) -> None:
        with another_zone():
            await fill(case, "file")
            times = [info.modified_at async for info in case.backend.list_files(case.folder)]
            times += [(await case.backend.get_file_info(case.path("file"))).modified_at]
            times += [(await case.backend.get_folder_info(case.folder)).modified_at]
        now = datetime.now(UTC)
        for time in times:
            if time is not None:
                case.expect(abs(time - now) < NEAR, f"the time of a file written just now is about {now}", time)

    @async_check("META-004", needs=(WRITE, Capability.COPY))
    async def test_meta_the_time_of_a_copy_is_its_own(self, case: AsyncCase) -> None:
        await fill(case, "source", "other")
        await fill(case, "between")
        await case.backend.copy(case.path("source"), case.path("copy"))
        await case.backend.copy(case.path("source"), case.path("other"), overwrite=True)
        facts = [await case.backend.get_file_info(case.path(name)) for name in ("between", "copy", "other")]
        between, *copies = [info.modified_at for info in facts]
        for time in copies:
            if time is not None and between is not None:
                case.expect(
                    between <= time, f"the time of a copy is not before {between}, when it did not exist yet", time
                )

    @async_check("META-007", needs=(WRITE,))
    async def test_meta_the_tag_follows_the_last_byte(self, case: AsyncCase) -> None:
        tags = []
        content = bytearray(case.content(1_200_000))
        for place in (0, 600_000, -1):
            content[place] ^= 1
            await fill(case, "file", data=bytes(content))
            tags.append((await case.backend.get_file_info(case.path("file"))).etag)
        case.expect(None in tags or len(set(tags)) == len(tags), f"a change of one byte changes the ETag in {tags}")

    @async_check("COPY-004", needs=(USER_METADATA, WRITE))
    async def test_copy_of_no_facts_leaves_none(self, case: AsyncCase) -> None:
        await case.backend.write(case.path("source"), b"x")
        await case.backend.write(case.path("copy"), b"x", metadata={"old": "1"}, content_type="text/x-old")
        await case.backend.copy(case.path("source"), case.path("copy"), overwrite=True)
        source = await case.backend.get_file_info(case.path("source"))
        await expect_facts(case, "copy", {}, source.content_type)

    @async_check("COPY-002", needs=(USER_METADATA, WRITE))
    async def test_copy_keeps_one_fact_without_the_other(self, case: AsyncCase) -> None:
        await case.backend.write(case.path("typed"), b"x", content_type="text/x-only")
        await case.backend.copy(case.path("typed"), case.path("typed-copy"))
        await expect_facts(case, "typed-copy", {}, "text/x-only")
        await case.backend.write(case.path("told"), b"x", metadata={"only": "1"})
        await case.backend.copy(case.path("told"), case.path("told-copy"))
        info = await case.backend.get_file_info(case.path("told"))
        await expect_facts(case, "told-copy", {"only": "1"}, info.content_type)

    @async_check("COPY-017", needs=(USER_METADATA, WRITE))
    async def test_move_of_no_facts_leaves_none(self, case: AsyncCase) -> None:
        await case.backend.write(case.path("source"), b"x")
        await case.backend.write(case.path("target"), b"x", metadata={"old": "1"}, content_type="text/x-old")
        source = await case.backend.get_file_info(case.path("source"))
        await case.backend.move(case.path("source"), case.path("target"), overwrite=True)
        await expect_facts(case, "target", {}, source.content_type)

    @async_check("LIST-008", needs=(WRITE,))
    async def test_list_a_file_and_a_folder_of_one_name(self, case: AsyncCase) -> None:
        require_namesakes(case)
        # In the other order, some backends refuse the second.
        await fill(case, "name/below", "other")
        await fill(case, "name")
        children = [child async for child in case.backend.iter_children(case.folder)]
        kinds = {kind: sorted(c.name for c in children if isinstance(c, kind)) for kind in (FileInfo, FolderEntry)}
        case.expect_equal(kinds, {FileInfo: ["name", "other"], FolderEntry: ["name"]}, "the children, by their kind")
        case.expect_equal(await names(case.backend.list_files(case.folder)), ["name", "other"], "list_files")
        case.expect_equal(await names(case.backend.list_folders(case.folder)), ["name"], "list_folders")
        listing = case.backend.list_files(case.folder, recursive=True)
        expected = sorted(map(case.path, ("name", "name/below", "other")))
        case.expect_equal(await found(listing), expected, "the files at every depth")

    @async_check("DEL-001", needs=(WRITE, LIST))
    async def test_delete_one_of_two_namesakes(self, case: AsyncCase) -> None:
        require_namesakes(case)
        await fill(case, "name/below", "other")
        await fill(case, "name")
        await case.backend.delete(case.path("name"))
        listing = case.backend.list_files(case.folder, recursive=True)
        case.expect_equal(
            await found(listing), [case.path("name/below"), case.path("other")], "the files that are left"
        )
        await fill(case, "name")
        await case.backend.delete_folder(case.path("name"), recursive=True)
        listing = case.backend.list_files(case.folder, recursive=True)
        case.expect_equal(
            await found(listing), [case.path("name"), case.path("other")], "the files that are left after that"
        )

    @async_check("WRITE-008", needs=(METADATA,))
    async def test_write_that_fails_leaves_no_folder(self, case: AsyncCase) -> None:
        case.require_profile("the storage keeps empty folders", not case.profile.empty_folders)
        source: Any = Failing(100_000, Boom("mine"))
        with case.expect_raises(Boom):
            await case.backend.write(case.path("new/deep/file"), source)
        for name in ("new/deep", "new"):
            case.expect_equal(await case.backend.exists(case.path(name)), False, f"exists of {name!r}")

    @async_check("ATOM-003", needs=(READ, WRITE))
    async def test_atomic_open_in_another_block(self, case: AsyncCase) -> None:
        one, two, backend = case.path("one"), case.path("two"), case.backend
        async with backend.open_atomic(one) as outer:
            await outer.write(b"outer ")
            async with backend.open_atomic(two) as inner:
                await inner.write(b"inner ")
                await outer.write(b"goes on ")
                await inner.write(b"too")
            case.expect_equal(await backend.read_bytes(two), b"inner too", "the inner file, inside the outer block")
            case.expect_equal(await backend.exists(one), False, "exists of the outer file inside its block")
            await outer.write(b"and ends")
        case.expect_equal(await backend.read_bytes(one), b"outer goes on and ends", "the outer file")
        case.expect_equal(await backend.read_bytes(two), b"inner too", "the inner file")

    @async_check("ATOM-003", "LIFE-021", needs=(READ, WRITE, ATOMIC))
    async def test_atomic_open_while_another_instance_begins(self, case: AsyncCase) -> None:
        path, other = case.path("file"), case.path("other")
        content = case.content(300_000)
        async with case.backend.open_atomic(path) as stream:
            await stream.write(content[:200_000])
            fresh = case.make()
            await fresh.write(other, b"other")
            async with fresh.open_atomic(other, overwrite=True) as inner:
                await inner.write(b"another")
            case.expect_equal(await fresh.exists(path), False, "exists inside the block, by another instance")
            await fresh.close()
            await stream.write(content[200_000:])
        case.expect_equal(await case.backend.read_bytes(path), content, "the file after the block")
        case.expect_equal(await case.backend.read_bytes(other), b"another", "the file of the other instance")

    @async_check("ATOM-003", needs=(READ, WRITE))
    async def test_atomic_open_of_one_file_in_its_own_block(self, case: AsyncCase) -> None:
        path = case.path("file")
        async with case.backend.open_atomic(path, overwrite=True) as outer:
            await outer.write(b"outer")
            async with case.backend.open_atomic(path, overwrite=True) as inner:
                await inner.write(b"and inner")
            case.expect_equal(await case.backend.read_bytes(path), b"and inner", "the file inside the outer block")
            await outer.write(b" too")
        case.expect_equal(await case.backend.read_bytes(path), b"outer too", "the file after both")

    @async_check("READ-015", needs=(WRITE,))
    async def test_read_by_many_readers_at_once(self, case: AsyncCase) -> None:
        content = case.content(200_000)
        await fill(case, "file", data=content)
        streams = [await case.backend.read(case.path("file")) for _ in range(readers_of(case))]
        for stream in streams:
            case.expect_equal(await stream.read(10), content[:10], "the first bytes")
        for stream in reversed(streams):
            case.expect_equal(await stream.read(), content[10:], "the remaining bytes")
            await stream.close()
