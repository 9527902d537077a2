"""Checks that go through a corpus of contents and of endings of names, by each way to write and to read them."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from remote_store.conformance.checking.case import AsyncCase
from remote_store.conformance.checking.corpora import KIB, LARGEST, MIB, SUFFIXES
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.checking.hostile import SOURCES
from remote_store.conformance.checking.width import Sample, samples, width_of
from remote_store.core import AsyncStore, Capability

READ, WRITE = Capability.READ, Capability.WRITE
STEPS = (KIB, 64 * KIB, MIB, MIB + 1)
# Where pieces of common sizes meet.
EDGES = (1, KIB, 64 * KIB, MIB, 4 * MIB, 5 * MIB, 8 * MIB, 12 * MIB)


class AsyncContentSuite:
    """Contents of every size and kind, in files of every ending."""

    @async_check("WRITE-001", needs=(READ,))
    async def test_write_of_every_content(self, case: AsyncCase) -> None:
        oracle = case.harness.oracle
        for sample in samples(case):
            result = await case.backend.write(sample.path, sample.content, overwrite=True)
            case.expect_equal(result.size, len(sample.content), f"the size in the result of a write of {sample.told}")
            await expect_sample(case, sample, "write")
            if oracle is not None:
                case.expect_equal(
                    oracle.raw_get(sample.path), sample.content, f"the bytes in the storage of {sample.told}"
                )

    @async_check("WRITE-003", needs=(READ,))
    async def test_write_of_every_content_from_a_stream(self, case: AsyncCase) -> None:
        for sample in samples(case):
            kinds = list(SOURCES) if len(sample.content) == LARGEST else [case.rng.choice(list(SOURCES))]
            for kind in kinds:
                with closing(SOURCES[kind](sample.content)) as source:
                    result = await case.backend.write(sample.path, source, overwrite=True)
                what = f"the size in the result of a write of {sample.told} from {kind}"
                case.expect_equal(result.size, len(sample.content), what)
                await expect_sample(case, sample, f"write from {kind}")

    @async_check("WRITE-021", needs=(READ,))
    async def test_write_of_every_content_in_chunks(self, case: AsyncCase) -> None:
        for sample in samples(case):
            chunks = list(pieces(sample.content, case.rng.choice(STEPS)))
            result = await case.backend.write(sample.path, chunks, overwrite=True)
            case.expect_equal(result.size, len(sample.content), f"the size in the result of a write of {sample.told}")
            await expect_sample(case, sample, f"write of {len(chunks):,} chunks")

    @async_check("ATOM-001", needs=(READ, WRITE))
    async def test_atomic_write_of_every_content(self, case: AsyncCase) -> None:
        for sample in samples(case):
            source: Any = io.BytesIO(sample.content) if case.rng.random() < 0.5 else sample.content
            result = await case.backend.write_atomic(sample.path, source, overwrite=True)
            case.expect_equal(result.size, len(sample.content), f"the size in the result of {sample.told}")
            await expect_sample(case, sample, "write_atomic")

    @async_check("ATOM-011", needs=(READ, WRITE))
    async def test_atomic_open_of_every_content(self, case: AsyncCase) -> None:
        for sample in samples(case):
            step = case.rng.choice(STEPS)
            async with case.backend.open_atomic(sample.path, overwrite=True) as stream:
                for piece in pieces(sample.content, step):
                    await stream.write(piece)
            await expect_sample(case, sample, f"open_atomic, written in pieces of {step:,} bytes")

    @async_check("READ-001", needs=(WRITE,))
    async def test_read_of_every_content(self, case: AsyncCase) -> None:
        for sample in samples(case):
            await case.backend.write(sample.path, sample.content, overwrite=True)
            async with await case.backend.read(sample.path) as stream:
                case.expect_equal(await stream.read(), sample.content, f"read() of {sample.told}")
            step, read = case.rng.choice(STEPS), []
            async with await case.backend.read(sample.path) as stream:
                while piece := await stream.read(step):
                    read.append(piece)
            case.expect_equal(b"".join(read), sample.content, f"the pieces of read({step:,}) of {sample.told}")

    @async_check("READ-002", needs=(WRITE,))
    async def test_read_bytes_of_every_content(self, case: AsyncCase) -> None:
        for sample in samples(case):
            await case.backend.write(sample.path, sample.content, overwrite=True)
            await expect_sample(case, sample, "read_bytes")

    @async_check("READ-003", needs=(WRITE,))
    async def test_read_range_of_every_content(self, case: AsyncCase) -> None:
        for sample in samples(case):
            await case.backend.write(sample.path, sample.content, overwrite=True)
            for start, length in ranges(case, len(sample.content)):
                expected = sample.content[start : start + length]
                observed = await case.backend.read_range(sample.path, start, length)
                case.expect_equal(observed, expected, f"read_range({start:,}, {length:,}) of {sample.told}")

    @async_check("SEEK-001", needs=(WRITE,))
    async def test_seek_in_every_content(self, case: AsyncCase) -> None:
        for sample in samples(case):
            await case.backend.write(sample.path, sample.content, overwrite=True)
            async with await case.backend.read_seekable(sample.path) as stream:
                for start, length in ranges(case, len(sample.content)):
                    await stream.seek(start)
                    observed = await stream.read(length)
                    expected = sample.content[start : start + length]
                    case.expect_equal(observed, expected, f"read({length:,}) at {start:,} of {sample.told}")
                await stream.seek(0)
                case.expect_equal(await stream.read(), sample.content, f"the stream from its start, of {sample.told}")

    @async_check("MANY-006", needs=(WRITE,))
    async def test_many_ranges_of_every_content(self, case: AsyncCase) -> None:
        for sample in samples(case):
            await case.backend.write(sample.path, sample.content, overwrite=True)
            asked = list(ranges(case, len(sample.content)))
            expected = [sample.content[start : start + length] for start, length in asked]
            observed = await case.backend.read_ranges(sample.path, asked)
            case.expect_equal(list(observed), expected, f"read_ranges({asked}) of {sample.told}")

    @async_check("COPY-012", needs=(READ, WRITE))
    async def test_copy_of_every_content(self, case: AsyncCase) -> None:
        for sample in samples(case, folder="to/"):
            source = case.path(f"source{case.rng.choice(SUFFIXES)}")
            await case.backend.write(source, sample.content, overwrite=True)
            await case.backend.copy(source, sample.path, overwrite=True)
            await expect_sample(case, sample, f"copy from {source!r}")

    @async_check("COPY-014", needs=(READ, WRITE))
    async def test_move_of_every_content(self, case: AsyncCase) -> None:
        for sample in samples(case, folder="to/"):
            source = case.path(f"source{case.rng.choice(SUFFIXES)}")
            await case.backend.write(source, sample.content)
            await case.backend.move(source, sample.path, overwrite=True)
            await expect_sample(case, sample, f"move from {source!r}")
            case.expect_equal(await case.backend.exists(source), False, f"exists of {source!r}, which was moved")

    @async_check("PART-006", needs=(READ, WRITE))
    async def test_part_upload_of_every_content(self, case: AsyncCase) -> None:
        for sample in samples(case):
            await case.backend.resume_upload(
                sample.path, io.BytesIO(sample.content), record={}, keep=len, overwrite=True
            )
            await expect_sample(case, sample, "resume_upload")

    @async_check("PART-009", needs=(READ, WRITE))
    async def test_part_download_of_every_content(self, case: AsyncCase) -> None:
        store = AsyncStore(case.backend, owns_backend=False)
        with tempfile.TemporaryDirectory() as folder:
            local = Path(folder, "file")
            for sample in samples(case):
                await case.backend.write(sample.path, sample.content, overwrite=True)
                await store.download(sample.path, local, overwrite=True)
                case.expect_equal(local.read_bytes(), sample.content, f"the download of {sample.told}")


async def expect_sample(case: AsyncCase, sample: Sample, way: str) -> None:
    """Fail unless the file has the bytes of the sample."""
    case.expect_equal(
        await case.backend.read_bytes(sample.path), sample.content, f"the content after {way} of {sample.told}"
    )


def pieces(content: bytes, size: int) -> Iterator[bytes]:
    """The content in pieces of this size, at most a thousand."""
    size = max(size, len(content) // 1000 + 1)
    return (content[start : start + size] for start in range(0, len(content), size))


def ranges(case: AsyncCase, size: int) -> Iterator[tuple[int, int]]:
    """Ranges across the edges of common pieces: a few where requests are counted, and all of them elsewhere."""
    edges = [edge for edge in EDGES if edge < size]
    if width_of(case) is not None:
        edges = case.rng.sample(edges, min(2, len(edges)))
    for edge in edges:
        yield edge - 1, case.rng.choice((2, 700, 70_000))
    yield max(0, size - 3), 10
