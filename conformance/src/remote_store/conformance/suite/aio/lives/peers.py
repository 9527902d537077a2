"""Checks that the backend and other adapters of the same storage see each other's files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from itertools import product
from typing import Any, NamedTuple

from remote_store.conformance.checking.async_trees import found, writable
from remote_store.conformance.checking.case import AsyncCase
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.checking.hostile import KEYS, KIB, ODD_KEYS
from remote_store.core import AlreadyExists, AsyncBackend, Capability, FileInfo, WriteResult

READ, WRITE, DELETE = Capability.READ, Capability.WRITE, Capability.DELETE
LIST, COPY = Capability.LIST, Capability.COPY
METADATA, USER_METADATA = Capability.METADATA, Capability.USER_METADATA
FACTS = ("size", "modified_at", "etag", "digest", "content_type", "metadata")
USERS_FACTS = frozenset({"content_type", "metadata"})


class Side(NamedTuple):
    """One of the two adapters."""

    name: str
    backend: AsyncBackend


class Pair(NamedTuple):
    """The backend and another adapter, in either role."""

    writer: Side
    other: Side

    @property
    def folder(self) -> str:
        """The names of both."""
        return f"{self.writer.name} and {self.other.name}"


class File(NamedTuple):
    """A file that one side writes."""

    path: str
    content: bytes
    metadata: dict[str, str] | None = None
    content_type: str | None = None


class AsyncPeerSuite:
    """PEER: other adapters of the same storage."""

    @async_check("PEER-001", needs=(READ, WRITE, LIST))
    async def test_peer_reads_what_the_backend_writes(self, case: AsyncCase) -> None:
        for peer in peers(case, READ, LIST):
            await expect_readable(case, Pair(subject(case), peer))

    @async_check("PEER-002", needs=(READ, LIST))
    async def test_peer_writes_what_the_backend_reads(self, case: AsyncCase) -> None:
        for peer in peers(case, WRITE):
            await expect_readable(case, Pair(peer, subject(case)))

    @async_check("PEER-003", needs=(WRITE, METADATA, LIST))
    async def test_peer_says_the_same_facts(self, case: AsyncCase) -> None:
        for pair in both_ways(case, WRITE, METADATA, LIST):
            files = files_of(case, pair)
            written = {file.path: await put(pair.writer, file) for file in files}
            found = [{file.path: await side.backend.get_file_info(file.path) for file in files} for side in pair]
            expect_same_facts(case, pair, "read", *found)
            expect_same_facts(case, pair, "written and read", written, found[1])
            listed = [await listed_files(side, case.path(pair.folder)) for side in pair]
            expect_same_facts(case, pair, "listed", *listed)

    @async_check("PEER-004", needs=(WRITE, DELETE, LIST))
    async def test_peer_sees_the_same_tree(self, case: AsyncCase) -> None:
        for pair in both_ways(case, WRITE, DELETE, LIST):
            folder = case.path(pair.folder)
            await expect_tree(case, folder, set(), pair)
            kept, gone = {f"{folder}/{name}" for name in ("a/file", "a b/file")}, f"{folder}/file"
            for path in (*kept, gone):
                await pair.writer.backend.write(path, b"x")
            await expect_tree(case, folder, {*kept, gone}, pair)
            await pair.writer.backend.delete(gone)
            await pair.other.backend.write(f"{folder}/c/file", b"x")
            await expect_tree(case, folder, {*kept, f"{folder}/c/file"}, pair)

    @async_check("PEER-005", needs=(READ, WRITE))
    async def test_peer_keeps_what_exists_and_replaces_it_when_told(self, case: AsyncCase) -> None:
        for pair in both_ways(case, READ, WRITE):
            path = case.path(f"{pair.folder}/file")
            old = File(path, b"older and longer", {"old": "1", "both": "1"}, "text/csv")
            new = File(path, b"new", {"both": "2"}, "text/plain")
            await put(pair.writer, old)
            with case.expect_raises(AlreadyExists, path=path, what=f"a write by {pair.other.name}"):
                await put(pair.other, new)
            await expect_file(case, pair, pair.writer, old)
            await put(pair.other, new, overwrite=True)
            for side in pair:
                await expect_file(case, pair, side, new)

    @async_check("PEER-006", needs=(READ, WRITE))
    async def test_peer_copies_a_file_whole(self, case: AsyncCase) -> None:
        for pair in both_ways(case, READ, WRITE, COPY):
            for file in [*files_of(case, pair), *odd_files(case, pair)]:
                copy = file._replace(path=file.path.replace(pair.folder, f"{pair.folder} copied", 1))
                await put(pair.writer, file)
                await pair.other.backend.copy(file.path, copy.path)
                expect_stored(case, copy)
                await expect_file(case, pair, pair.writer, copy)
                await expect_file(case, pair, pair.other, copy)

    @async_check("PEER-007", needs=(WRITE, LIST))
    async def test_peer_deletes_for_both(self, case: AsyncCase) -> None:
        for pair in both_ways(case, WRITE, DELETE, LIST):
            folder = case.path(pair.folder)
            single, tree = ([f"{folder}/{place}/{key}" for key in odd_keys(case)] for place in ("single", "tree"))
            for path in (*single, *tree):
                await pair.writer.backend.write(path, b"x")
            for path in single:
                await pair.other.backend.delete(path)
            await expect_files(case, folder, tree, pair)
            for side in pair:
                case.expect_equal(await side.backend.exists(single[0]), False, f"exists({single[0]!r}) of {side.name}")
            await pair.other.backend.delete_folder(f"{folder}/tree", recursive=True)
            await expect_files(case, folder, [], pair)

    @async_check("PEER-007", needs=(WRITE, LIST))
    async def test_peer_leaves_no_folder_behind(self, case: AsyncCase) -> None:
        case.require_profile("a folder stays when its last file goes", not case.profile.empty_folders)
        for pair in both_ways(case, WRITE, DELETE, LIST):
            folder = case.path(pair.folder)
            for path in (f"{folder}/alone/file", f"{folder}/tree/file", f"{folder}/tree/deeper/file"):
                await pair.writer.backend.write(path, b"x")
            await pair.other.backend.delete(f"{folder}/alone/file")
            await pair.other.backend.delete_folder(f"{folder}/tree", recursive=True)
            await expect_tree(case, folder, set(), pair)


def subject(case: AsyncCase) -> Side:
    """The backend under test."""
    return Side("the backend", case.backend)


def peers(case: AsyncCase, *capabilities: Capability) -> list[Side]:
    """The other adapters that declare the capabilities."""
    return [Side(name, peer) for name, peer in case.peers(*capabilities).items()]


def both_ways(case: AsyncCase, *capabilities: Capability) -> Iterator[Pair]:
    """Pairs of the backend and each adapter that declares the capabilities, with the backend first and then second."""
    for peer in peers(case, *capabilities):
        yield Pair(subject(case), peer)
        yield Pair(peer, subject(case))


def odd_keys(case: AsyncCase) -> list[str]:
    """Keys that clients often mishandle, as far as the storage accepts them."""
    known = set(writable(case))
    return [KEYS[name] for name in ODD_KEYS if KEYS[name] in known]


def files_of(case: AsyncCase, pair: Pair) -> list[File]:
    """Files of all kinds for two adapters; the last one is larger than a part."""
    large = case.content((case.profile.part_size or 64 * KIB) + 1)
    folder = case.path(pair.folder)
    return [
        File(f"{folder}/empty", b"", {"empty": "yes"}, "text/empty"),
        File(
            f"{folder}/typed.csv", b"day,sum\n", {"author": "ada", "unit": '100% "of"  it'}, "text/csv; charset=utf-8"
        ),
        File(f"{folder}/packed.json.gz", b"not packed at all", {}, "application/json"),
        File(f"{folder}/plain", b"plain"),
        File(f"{folder}/large", large, {"parts": "two"}, "application/x-large"),
    ]


def odd_files(case: AsyncCase, pair: Pair) -> list[File]:
    """Small files under the odd keys."""
    return [File(case.path(f"{pair.folder}/{key}"), key.encode()) for key in odd_keys(case)]


async def put(side: Side, file: File, **options: Any) -> WriteResult:
    """Write a file, with its metadata if the adapter supports it."""
    if USER_METADATA in side.backend.capabilities:
        options |= {"metadata": file.metadata, "content_type": file.content_type}
    return await side.backend.write(file.path, BytesIO(file.content), **options)


async def expect_readable(case: AsyncCase, pair: Pair) -> None:
    """Fail unless the other side finds and reads what the writer writes."""
    folder, reader = case.path(pair.folder), pair.other
    files, odd = files_of(case, pair), odd_files(case, pair)
    for file in (*files, *odd):
        await put(pair.writer, file)
        expect_stored(case, file)
    listed = await found(reader.backend.list_files(folder, recursive=True))
    case.expect_equal(listed, sorted(file.path for file in (*files, *odd)), f"the files that {reader.name} lists")
    for file in (*files, *odd):
        await expect_file(case, pair, reader, file)
    for file in files:
        what = f"{file.path!r} as {reader.name} reads it"
        case.expect_equal(await reader.backend.read_range(file.path, 2, 3), file.content[2:5], f"a range of {what}")
        async with await reader.backend.read(file.path) as stream:
            case.expect_equal(await stream.read(), file.content, what)


async def expect_file(case: AsyncCase, pair: Pair, side: Side, file: File) -> None:
    """Fail if a side reads other bytes of a file, or other metadata if both sides support that."""
    case.expect_equal(
        await side.backend.read_bytes(file.path), file.content, f"the content of {file.path!r} for {side.name}"
    )
    if METADATA in side.backend.capabilities and keep_metadata(pair) and file.metadata is not None:
        info = await side.backend.get_file_info(file.path)
        facts = (dict(info.metadata or {}), info.content_type)
        case.expect_equal(facts, (file.metadata, file.content_type), f"metadata and type of a file for {side.name}")


def expect_stored(case: AsyncCase, file: File) -> None:
    """Fail if the storage itself holds other bytes."""
    oracle = case.harness.oracle
    if oracle is not None:
        case.expect_equal(oracle.raw_get(file.path), file.content, f"the bytes stored under {file.path!r}")


def expect_same_facts(
    case: AsyncCase,
    pair: Pair,
    how: str,
    ours: Mapping[str, FileInfo | WriteResult],
    theirs: Mapping[str, FileInfo],
) -> None:
    """Fail if two adapters return different facts for the same files."""
    users = keep_metadata(pair)
    case.expect_equal(sorted(ours), sorted(theirs), f"the files as {how} by {pair.writer.name} and {pair.other.name}")
    for path, fact in product(ours, FACTS):
        both = getattr(ours[path], fact, None), getattr(theirs[path], fact)
        if None not in both and (users or fact not in USERS_FACTS):
            what = f"{fact} of {path!r} as {how} by {pair.writer.name} and {pair.other.name}"
            case.expect_equal(both[0], both[1], what)


def keep_metadata(pair: Pair) -> bool:
    """Whether both sides store metadata. An adapter that does not may drop what the other one wrote."""
    return all(USER_METADATA in side.backend.capabilities for side in pair)


async def listed_files(side: Side, folder: str) -> dict[str, FileInfo]:
    """The files of a folder in a side's listing, by path."""
    return {info.path: info async for info in side.backend.list_files(folder)}


async def expect_files(case: AsyncCase, folder: str, paths: Iterable[str], pair: Pair) -> None:
    """Fail if a side lists other files than these."""
    for side in pair:
        files = await found(side.backend.list_files(folder, recursive=True))
        case.expect_equal(files, sorted(paths), f"the files that {side.name} sees")


async def expect_tree(case: AsyncCase, folder: str, paths: set[str], pair: Pair) -> None:
    """Fail if a side lists other files or folders than these."""
    await expect_files(case, folder, paths, pair)
    inside = {path[len(folder) + 1 :] for path in paths}
    folders = sorted({f"{folder}/{name.partition('/')[0]}" for name in inside if "/" in name})
    for side in () if case.profile.empty_folders else pair:
        seen = await found(side.backend.list_folders(folder))
        case.expect_equal(seen, folders, f"the folders that {side.name} sees")
