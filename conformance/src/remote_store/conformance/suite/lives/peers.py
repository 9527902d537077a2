# Generated from conformance/src/remote_store/conformance/suite/aio/lives/peers.py by tools/unasync.py; edit that.
"""Checks that the backend and other adapters of the same storage see each other's files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from itertools import product
from typing import Any, NamedTuple

from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.hostile import KEYS, KIB, ODD_KEYS
from remote_store.conformance.checking.trees import found, writable
from remote_store.core import AlreadyExists, Backend, Capability, FileInfo, WriteResult

READ, WRITE, DELETE = Capability.READ, Capability.WRITE, Capability.DELETE
LIST, COPY = Capability.LIST, Capability.COPY
METADATA, USER_METADATA = Capability.METADATA, Capability.USER_METADATA
FACTS = ("size", "modified_at", "etag", "digest", "content_type", "metadata")
USERS_FACTS = frozenset({"content_type", "metadata"})


class Side(NamedTuple):
    """One of the two adapters."""

    name: str
    backend: Backend


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


class PeerSuite:
    """PEER: other adapters of the same storage."""

    @check("PEER-001", needs=(READ, WRITE, LIST))
    def test_peer_reads_what_the_backend_writes(self, case: Case) -> None:
        for peer in peers(case, READ, LIST):
            expect_readable(case, Pair(subject(case), peer))

    @check("PEER-002", needs=(READ, LIST))
    def test_peer_writes_what_the_backend_reads(self, case: Case) -> None:
        for peer in peers(case, WRITE):
            expect_readable(case, Pair(peer, subject(case)))

    @check("PEER-003", needs=(WRITE, METADATA, LIST))
    def test_peer_says_the_same_facts(self, case: Case) -> None:
        for pair in both_ways(case, WRITE, METADATA, LIST):
            files = files_of(case, pair)
            written = {file.path: put(pair.writer, file) for file in files}
            found = [{file.path: side.backend.get_file_info(file.path) for file in files} for side in pair]
            expect_same_facts(case, pair, "read", *found)
            expect_same_facts(case, pair, "written and read", written, found[1])
            listed = [listed_files(side, case.path(pair.folder)) for side in pair]
            expect_same_facts(case, pair, "listed", *listed)

    @check("PEER-004", needs=(WRITE, DELETE, LIST))
    def test_peer_sees_the_same_tree(self, case: Case) -> None:
        for pair in both_ways(case, WRITE, DELETE, LIST):
            folder = case.path(pair.folder)
            expect_tree(case, folder, set(), pair)
            kept, gone = {f"{folder}/{name}" for name in ("a/file", "a b/file")}, f"{folder}/file"
            for path in (*kept, gone):
                pair.writer.backend.write(path, b"x")
            expect_tree(case, folder, {*kept, gone}, pair)
            pair.writer.backend.delete(gone)
            pair.other.backend.write(f"{folder}/c/file", b"x")
            expect_tree(case, folder, {*kept, f"{folder}/c/file"}, pair)

    @check("PEER-005", needs=(READ, WRITE))
    def test_peer_keeps_what_exists_and_replaces_it_when_told(self, case: Case) -> None:
        for pair in both_ways(case, READ, WRITE):
            path = case.path(f"{pair.folder}/file")
            old = File(path, b"older and longer", {"old": "1", "both": "1"}, "text/csv")
            new = File(path, b"new", {"both": "2"}, "text/plain")
            put(pair.writer, old)
            with case.expect_raises(AlreadyExists, path=path, what=f"a write by {pair.other.name}"):
                put(pair.other, new)
            expect_file(case, pair, pair.writer, old)
            put(pair.other, new, overwrite=True)
            for side in pair:
                expect_file(case, pair, side, new)

    @check("PEER-006", needs=(READ, WRITE))
    def test_peer_copies_a_file_whole(self, case: Case) -> None:
        for pair in both_ways(case, READ, WRITE, COPY):
            for file in [*files_of(case, pair), *odd_files(case, pair)]:
                copy = file._replace(path=file.path.replace(pair.folder, f"{pair.folder} copied", 1))
                put(pair.writer, file)
                pair.other.backend.copy(file.path, copy.path)
                expect_stored(case, copy)
                expect_file(case, pair, pair.writer, copy)
                expect_file(case, pair, pair.other, copy)

    @check("PEER-007", needs=(WRITE, LIST))
    def test_peer_deletes_for_both(self, case: Case) -> None:
        for pair in both_ways(case, WRITE, DELETE, LIST):
            folder = case.path(pair.folder)
            single, tree = ([f"{folder}/{place}/{key}" for key in odd_keys(case)] for place in ("single", "tree"))
            for path in (*single, *tree):
                pair.writer.backend.write(path, b"x")
            for path in single:
                pair.other.backend.delete(path)
            expect_files(case, folder, tree, pair)
            for side in pair:
                case.expect_equal(side.backend.exists(single[0]), False, f"exists({single[0]!r}) of {side.name}")
            pair.other.backend.delete_folder(f"{folder}/tree", recursive=True)
            expect_files(case, folder, [], pair)

    @check("PEER-007", needs=(WRITE, LIST))
    def test_peer_leaves_no_folder_behind(self, case: Case) -> None:
        case.require_profile("a folder stays when its last file goes", not case.profile.empty_folders)
        for pair in both_ways(case, WRITE, DELETE, LIST):
            folder = case.path(pair.folder)
            for path in (f"{folder}/alone/file", f"{folder}/tree/file", f"{folder}/tree/deeper/file"):
                pair.writer.backend.write(path, b"x")
            pair.other.backend.delete(f"{folder}/alone/file")
            pair.other.backend.delete_folder(f"{folder}/tree", recursive=True)
            expect_tree(case, folder, set(), pair)


def subject(case: Case) -> Side:
    """The backend under test."""
    return Side("the backend", case.backend)


def peers(case: Case, *capabilities: Capability) -> list[Side]:
    """The other adapters that declare the capabilities."""
    return [Side(name, peer) for name, peer in case.peers(*capabilities).items()]


def both_ways(case: Case, *capabilities: Capability) -> Iterator[Pair]:
    """Pairs of the backend and each adapter that declares the capabilities, with the backend first and then second."""
    for peer in peers(case, *capabilities):
        yield Pair(subject(case), peer)
        yield Pair(peer, subject(case))


def odd_keys(case: Case) -> list[str]:
    """Keys that clients often mishandle, as far as the storage accepts them."""
    known = set(writable(case))
    return [KEYS[name] for name in ODD_KEYS if KEYS[name] in known]


def files_of(case: Case, pair: Pair) -> list[File]:
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


def odd_files(case: Case, pair: Pair) -> list[File]:
    """Small files under the odd keys."""
    return [File(case.path(f"{pair.folder}/{key}"), key.encode()) for key in odd_keys(case)]


def put(side: Side, file: File, **options: Any) -> WriteResult:
    """Write a file, with its metadata if the adapter supports it."""
    if USER_METADATA in side.backend.capabilities:
        options |= {"metadata": file.metadata, "content_type": file.content_type}
    return side.backend.write(file.path, BytesIO(file.content), **options)


def expect_readable(case: Case, pair: Pair) -> None:
    """Fail unless the other side finds and reads what the writer writes."""
    folder, reader = case.path(pair.folder), pair.other
    files, odd = files_of(case, pair), odd_files(case, pair)
    for file in (*files, *odd):
        put(pair.writer, file)
        expect_stored(case, file)
    listed = found(reader.backend.list_files(folder, recursive=True))
    case.expect_equal(listed, sorted(file.path for file in (*files, *odd)), f"the files that {reader.name} lists")
    for file in (*files, *odd):
        expect_file(case, pair, reader, file)
    for file in files:
        what = f"{file.path!r} as {reader.name} reads it"
        case.expect_equal(reader.backend.read_range(file.path, 2, 3), file.content[2:5], f"a range of {what}")
        with reader.backend.read(file.path) as stream:
            case.expect_equal(stream.read(), file.content, what)


def expect_file(case: Case, pair: Pair, side: Side, file: File) -> None:
    """Fail if a side reads other bytes of a file, or other metadata if both sides support that."""
    case.expect_equal(side.backend.read_bytes(file.path), file.content, f"the content of {file.path!r} for {side.name}")
    if METADATA in side.backend.capabilities and keep_metadata(pair) and file.metadata is not None:
        info = side.backend.get_file_info(file.path)
        facts = (dict(info.metadata or {}), info.content_type)
        case.expect_equal(facts, (file.metadata, file.content_type), f"metadata and type of a file for {side.name}")


def expect_stored(case: Case, file: File) -> None:
    """Fail if the storage itself holds other bytes."""
    oracle = case.harness.oracle
    if oracle is not None:
        case.expect_equal(oracle.raw_get(file.path), file.content, f"the bytes stored under {file.path!r}")


def expect_same_facts(
    case: Case,
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


def listed_files(side: Side, folder: str) -> dict[str, FileInfo]:
    """The files of a folder in a side's listing, by path."""
    return {info.path: info for info in side.backend.list_files(folder)}


def expect_files(case: Case, folder: str, paths: Iterable[str], pair: Pair) -> None:
    """Fail if a side lists other files than these."""
    for side in pair:
        files = found(side.backend.list_files(folder, recursive=True))
        case.expect_equal(files, sorted(paths), f"the files that {side.name} sees")


def expect_tree(case: Case, folder: str, paths: set[str], pair: Pair) -> None:
    """Fail if a side lists other files or folders than these."""
    expect_files(case, folder, paths, pair)
    inside = {path[len(folder) + 1 :] for path in paths}
    folders = sorted({f"{folder}/{name.partition('/')[0]}" for name in inside if "/" in name})
    for side in () if case.profile.empty_folders else pair:
        seen = found(side.backend.list_folders(folder))
        case.expect_equal(seen, folders, f"the folders that {side.name} sees")
