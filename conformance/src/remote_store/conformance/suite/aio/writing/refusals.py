"""Checks that each way to write refuses what cannot be kept, and that its checksum is of whatever it was given."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from remote_store.conformance.checking.attributes import ALGORITHMS, STATES, Options
from remote_store.conformance.checking.case import AsyncCase
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.checking.hostile import BUFFERS, SOURCES
from remote_store.conformance.checking.width import is_near
from remote_store.conformance.suite.aio.expectations import nothing_else
from remote_store.conformance.suite.aio.facts import headers, versions
from remote_store.conformance.suite.aio.facts.attributes import NEIGHBOURS
from remote_store.conformance.suite.aio.ways import WAYS, WRITES, able, taking, told
from remote_store.core import Capability, ContentDigest
from remote_store.core.checksums import digest_of

INFO, LIST, READ, WRITE = Capability.METADATA, Capability.LIST, Capability.READ, Capability.WRITE
PLAIN = ("write", "write of chunks", "write_atomic", "open_atomic", "write with if_match", "resume_upload")
TYPES: tuple[Any, ...] = (" text/plain", "text/plain ", "text/\tplain", "text/plain\n", "text/é", "nul\0", 3, b"a/b")
SUMS: tuple[Any, ...] = ("MD4", "crc32", "", 32, "CRC32 ", b"CRC32")
EXPIRIES: tuple[Any, ...] = (2_000_000_000, datetime(2040, 1, 1), "Mon, 02 Jan 2040 13:04:05 GMT")  # noqa: DTZ001
COUNTED = (0, 1, 65_536, 65_537, 1_048_576, 1_048_577, 2_700_001, 8_388_609, 25_165_825)
FAR = (0, 1_000, 70_001)
LARGE, SEVERAL_BLOCKS = 1_000_000, 2_700_001
QUICK = ("CRC32", "SHA1", "SHA256")


class AsyncRefusalSuite:
    """META, HEAD, VERS, SUM: options of each way to write."""

    @async_check("META-023", needs=(INFO, READ, WRITE))
    async def test_meta_each_way_to_write_refuses_unfit_content_types(self, case: AsyncCase) -> None:
        await _refuse(case, "metadata", [{"content_type": value} for value in TYPES])

    @async_check("HEAD-005", needs=(INFO, READ, WRITE))
    async def test_head_each_way_to_write_refuses_unfit_headers(self, case: AsyncCase) -> None:
        wrong = [*headers.UNFIT, *headers.MISTYPED, *({"expires": value} for value in EXPIRIES)]
        await _refuse(case, "headers", wrong)

    @async_check("VERS-009", needs=(INFO, READ, WRITE))
    async def test_vers_each_way_to_write_refuses_unfit_tags(self, case: AsyncCase) -> None:
        await _refuse(case, "tags", [{"tags": tags} for tags in (*versions.UNFIT_TAGS, *versions.MISTYPED_TAGS)])

    @async_check("SUM-002", needs=(INFO, READ, WRITE))
    async def test_sum_each_way_to_write_refuses_unknown_checksums(self, case: AsyncCase) -> None:
        await _refuse(case, "checksum", [{"checksum": value} for value in SUMS])

    @async_check("SUM-001", needs=(WRITE,))
    async def test_sum_of_each_kind_of_content(self, case: AsyncCase) -> None:
        kinds: dict[str, Any] = {**BUFFERS, **SOURCES, "chunks": _chunks, "a stream after its header": _after_a_header}
        # Sizes need not be multiples of an item.
        del kinds["wide_items"]
        for size in _counted(case):
            content = case.content(size)
            for kind in case.rng.sample(list(kinds), 3 if case.tier in ("full", "soak") and is_near(case) else 1):
                # The other checksums of a large content take a while in Python.
                algorithm = case.rng.choice(ALGORITHMS if size < LARGE or case.tier in ("full", "soak") else QUICK)
                source = kinds[kind](content)
                written = await taking(case).write(case.path("file"), source, overwrite=True, checksum=algorithm)
                what = f"{algorithm} of {size:,} bytes from {kind}"
                await _expect_sum(case, content, algorithm, what, written.digest)

    @async_check("SUM-001", needs=(Capability.ATOMIC_WRITE, WRITE))
    async def test_sum_of_a_block_is_that_of_its_content(self, case: AsyncCase) -> None:
        for algorithm in case.rng.sample(ALGORITHMS, 5 if is_near(case) and case.tier == "full" else 1):
            model = io.BytesIO()
            first, again = case.content(70_001), case.content(100)
            async with taking(case).open_atomic(case.path("file"), overwrite=True, checksum=algorithm) as stream:
                for position in (None, 10, 69_990, 0):
                    if position is not None:
                        await stream.seek(position)
                        model.seek(position)
                    data = first if position is None else again
                    await stream.write(data)
                    model.write(data)
            await _expect_sum(case, model.getvalue(), algorithm, f"{algorithm} of a block that seeks back")


async def _expect_sum(
    case: AsyncCase, content: bytes, algorithm: str, what: str, digest: ContentDigest | None = None
) -> None:
    """Fail unless the file, and the result of its write if there is one, have the checksum of the content."""
    expected, in_parts = digest_of(content, algorithm.lower()), len(content) > (case.profile.part_size or len(content))
    found: list[ContentDigest | None] = [digest] if digest is not None else []
    if INFO in case.backend.capabilities:
        found.append((await case.backend.get_file_info(case.path("file"))).digest)
    for each in found:
        # A checksum of the checksums of parts says that it is one.
        if not in_parts or (each is not None and each.full_object):
            case.expect_equal(each, expected, f"the digest of a file with {what}")


def _counted(case: AsyncCase) -> list[int]:
    """The sizes of the contents to sum."""
    if not is_near(case) or case.tier == "smoke":
        return case.rng.sample(FAR, 1)
    return [*COUNTED] if case.tier in ("full", "soak") else [*case.rng.sample(FAR, 2), SEVERAL_BLOCKS]


def _chunks(content: bytes) -> Iterator[bytes]:
    yield b""
    for start in range(0, len(content), 50_001):
        yield content[start : start + 50_001]
        yield b""


def _after_a_header(content: bytes) -> io.BytesIO:
    stream = io.BytesIO(b"header" + content)
    stream.seek(6)
    return stream


async def _refuse(case: AsyncCase, kind: str, wrong: Iterable[Options]) -> None:
    """Fail unless each way to write refuses the options, and leaves the file and its facts as they are."""
    path, new = case.path("folder/file"), case.path("folder/new")
    kept = case.path(NEIGHBOURS[1])
    options = dict(STATES[kind][0])
    await taking(case).write(path, b"old", **options)
    await taking(case).write(kept, b"beside", **options)
    before = (await told(case, path))["get_file_info"]
    ways = [name for name in able(case, WRITES) if name in PLAIN and (kind != "checksum" or name != "resume_upload")]
    every = [(way, each) for way in ways for each in wrong]
    few = {"smoke": 2, "quick": 6}.get(case.tier, 30)
    for way, each in every if is_near(case) else case.rng.sample(every, min(few, len(every))):
        # A swap asks for the tag of the file, which a new one does not have.
        for target in (path, new) if way != "write with if_match" else (path,):
            with case.expect_raises((ValueError, TypeError), what=f"{way} with {each!r}"):
                await WAYS[way].write(case, target, b"new", {**options, **each})
        if is_near(case):
            case.expect_equal(await case.backend.exists(new), False, f"exists after {way} with {each!r}")
    after = (await told(case, path))["get_file_info"]
    case.expect_equal(after, before, "the facts of a file after writes that were refused")
    case.expect_equal(await case.backend.read_bytes(path), b"old", "the content after writes that were refused")
    if kind == "tags":
        case.expect_equal(await case.backend.get_tags(path), options["tags"], "the tags after writes that were refused")
    await nothing_else(case, [path, kept])
