"""Checks that go through a corpus of keys: probes, copies, moves, patterns and errors."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator

from remote_store.conformance.checking.async_trees import fill, found, walk, writable
from remote_store.conformance.checking.async_usages import DATA, FILE_USAGES, FOLDER_USAGES
from remote_store.conformance.checking.case import AsyncCase
from remote_store.conformance.checking.corpora import SUFFIXES
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.checking.hostile import CONFUSABLE, MEANT
from remote_store.conformance.checking.width import drawn
from remote_store.conformance.suite.aio.expectations import expect_content
from remote_store.core import AlreadyExists, Capability, DirectoryNotEmpty, InvalidPath, NotFound, RemoteStoreError

READ, WRITE, DELETE, LIST = Capability.READ, Capability.WRITE, Capability.DELETE, Capability.LIST
MOVE, COPY = Capability.MOVE, Capability.COPY
FILE, FOLDER, NOTHING = (True, True, False), (True, False, True), (False, False, False)
SIDE_FILES = (
    *("{}.part", "{}.tmp", "{}.temp", "{}.new", "{}.bak", "{}.lock", "{}.partial", "{}~", "{}.swp", "{}.0", "{}.1"),
    *("{}.meta", "{}.metadata", "{}.json", "{}.info", "{}.md5", "{}.sha256", "{}.etag", "{}.attrs", "{}.gz"),
    *(".{}", ".{}.tmp", ".{}.part", ".{}.swp", "~{}", ".~{}", "_{}", "tmp-{}", ".tmp-{}", "._{}", ".{}.json"),
)
"""Names under which programs keep drafts, locks, metadata and checksums beside a file."""
WILD = re.compile(r"[*?[]")


class AsyncNameSuite:
    """Keys of every kind."""

    @async_check("PATH-001", needs=(WRITE,))
    async def test_path_probes_of_every_key(self, case: AsyncCase) -> None:
        for name in drawn(case, writable(case)):
            below = f"in/{name}/file"
            for path in (name, f"in/{name}", below):
                await expect_kind(case, path, NOTHING, "before the write")
            await fill(case, name, below)
            await expect_kind(case, name, FILE, "a file")
            await expect_kind(case, f"in/{name}", FOLDER, "a folder")
            await expect_kind(case, below, FILE, "a file in a folder of that name")
            if DELETE in case.backend.capabilities:
                await case.backend.delete(case.path(name))
                await case.backend.delete_folder(case.path(f"in/{name}"), recursive=True)
                await expect_kind(case, name, NOTHING, "after the delete")

    @async_check("LIST-014", needs=(WRITE,))
    async def test_list_every_pair_of_names_that_look_alike(self, case: AsyncCase) -> None:
        pairs = [(f"{number}/{one}", f"{number}/{other}") for number, (one, other) in enumerate(alike(case))]
        expected = await fill(case, *(name for pair in pairs for name in pair))
        case.expect_equal(await found(case.backend.list_files(case.folder, recursive=True)), expected, "the paths")
        case.expect_equal(await walk(case), expected, "the paths of a walk")

    @async_check("PATH-002", "DEL-009", needs=(READ, WRITE, DELETE, LIST))
    async def test_delete_every_folder_that_looks_alike(self, case: AsyncCase) -> None:
        for number, (one, other) in enumerate(alike(case)):
            for deleted, kept in ((one, other), (other, one)):
                await fill(case, f"{number}/{deleted}/file", f"{number}/{kept}/file")
                for name in (deleted, kept):
                    path = case.path(f"{number}/{name}")
                    listed = await found(case.backend.list_files(path, recursive=True))
                    case.expect_equal(listed, [f"{path}/file"], f"the files of {name!r}, which looks like another")
                await case.backend.delete_folder(case.path(f"{number}/{deleted}"), recursive=True)
                await expect_files(case, f"{number}", f"{kept}/file")

    @async_check("WRITE-018", needs=(READ, WRITE, LIST))
    async def test_write_beside_names_of_side_files(self, case: AsyncCase) -> None:
        beside = {form.format("file.txt"): form.encode() for form in SIDE_FILES}
        for name, content in beside.items():
            await case.backend.write(case.path(f"dir/{name}"), content)
        for content in (b"first", b"second"):
            await case.backend.write(case.path("dir/file.txt"), content, overwrite=True)
        if Capability.ATOMIC_WRITE in case.backend.capabilities:
            async with case.backend.open_atomic(case.path("dir/file.txt"), overwrite=True) as stream:
                await stream.write(b"third")
        if COPY in case.backend.capabilities:
            await case.backend.copy(case.path("dir/file.txt"), case.path("copy"))
            await case.backend.copy(case.path("copy"), case.path("dir/file.txt"), overwrite=True)
        for name, content in beside.items():
            await expect_content(case, f"dir/{name}", content)
        await expect_files(case, "dir", "file.txt", *beside)
        if DELETE in case.backend.capabilities:
            await case.backend.delete(case.path("dir/file.txt"))
            await expect_files(case, "dir", *beside)

    @async_check("COPY-008", needs=(READ, WRITE))
    async def test_copy_to_every_name_that_looks_alike(self, case: AsyncCase) -> None:
        for number, (one, other) in enumerate(alike(case)):
            await fill(case, f"{number}/{one}", data=b"content")
            await case.backend.copy(case.path(f"{number}/{one}"), case.path(f"{number}/{other}"))
            await expect_content(case, f"{number}/{other}", b"content")
            await expect_files(case, f"{number}", one, other)

    @async_check("COPY-021", needs=(READ, WRITE))
    async def test_move_to_every_name_that_looks_alike(self, case: AsyncCase) -> None:
        for number, (one, other) in enumerate(alike(case)):
            for source, target in ((one, other), (other, one)):
                await fill(case, f"{number}/{source}", data=b"content")
                await case.backend.move(case.path(f"{number}/{source}"), case.path(f"{number}/{target}"))
                await expect_content(case, f"{number}/{target}", b"content")
                await expect_files(case, f"{number}", target)
                await case.backend.move(case.path(f"{number}/{target}"), case.path(f"elsewhere/{number}/{source}"))

    @async_check("COPY-021", needs=(READ, WRITE))
    async def test_move_of_every_key(self, case: AsyncCase) -> None:
        for name in drawn(case, writable(case)):
            data = name.encode()
            await fill(case, "plain", data=data)
            await case.backend.move(case.path("plain"), case.path(f"at/{name}"))
            await expect_content(case, f"at/{name}", data)
            case.expect_equal(
                await case.backend.exists(case.path("plain")), False, f"exists of the source moved to {name!r}"
            )
            await case.backend.move(case.path(f"at/{name}"), case.path(f"to/{name}"))
            await expect_content(case, f"to/{name}", data)
            case.expect_equal(
                await case.backend.exists(case.path(f"at/{name}")), False, f"exists of {name!r}, moved away"
            )

    @async_check("GLOB-005", "GLOB-006", "GLOB-010", needs=(WRITE,))
    async def test_glob_every_key_by_itself(self, case: AsyncCase) -> None:
        names = drawn(case, writable(case))
        await fill(case, *names)
        for name in names:
            pattern = case.path(literal(name))
            case.expect_equal(await found(case.backend.glob(pattern)), [case.path(name)], f"the matches of {pattern!r}")

    @async_check("GLOB-001", "GLOB-002", needs=(WRITE,))
    async def test_glob_stars_match_every_key(self, case: AsyncCase) -> None:
        names = [name for name in drawn(case, writable(case)) if "/" not in name]
        expected = await fill(case, *names, "in/file")
        expected.remove(case.path("in/file"))
        case.expect_equal(await found(case.backend.glob(case.path("*"))), expected, "the matches of '*'")
        for name in names:
            for pattern in patterns(name):
                matches = await found(case.backend.glob(case.path(pattern)))
                case.expect(case.path(name) in matches, f"{pattern!r} matches {name!r}", matches)

    @async_check("GLOB-001", "GLOB-013", needs=(WRITE,))
    async def test_glob_every_ending(self, case: AsyncCase) -> None:
        suffixes = drawn(case, SUFFIXES)
        names = [f"{start}{suffix}" for suffix in suffixes for start in ("a", ".b", "in/c")]
        everything = await fill(case, *names)
        case.expect_equal(await found(case.backend.glob(case.path("**"))), everything, "the matches of '**'")
        for suffix in suffixes:
            expected = sorted(case.path(name) for name in names if name.endswith(suffix) and "/" not in name)
            case.expect_equal(
                await found(case.backend.glob(case.path(f"*{suffix}"))), expected, f"the matches of '*{suffix}'"
            )

    @async_check("ERR-005")
    async def test_error_of_every_missing_key(self, case: AsyncCase) -> None:
        for name in keys(case):
            for operation, row in {**FILE_USAGES, **FOLDER_USAGES}.items():
                if row.capability is None or row.capability in case.backend.capabilities:
                    path = case.path(name)
                    with case.expect_raises(
                        NotFound, path=path, what=f"{operation} of {path!r}, which is missing"
                    ) as caught:
                        await row.run(case.backend, path, case.path("other"))
                    expect_readable(case, caught.error)

    @async_check("ERR-006", needs=(WRITE,))
    async def test_error_of_every_key_that_is_a_folder(self, case: AsyncCase) -> None:
        for name in keys(case):
            path = case.path(f"in/{name}")
            await fill(case, f"in/{name}/file")
            for operation, row in FILE_USAGES.items():
                if row.capability is None or row.capability in case.backend.capabilities:
                    with case.expect_raises(
                        InvalidPath, path=path, what=f"{operation} of the folder {path!r}"
                    ) as caught:
                        await row.run(case.backend, path, case.path("other"))
                    expect_readable(case, caught.error)

    @async_check("ERR-007", needs=(WRITE,))
    async def test_error_of_every_key_that_is_a_file(self, case: AsyncCase) -> None:
        for name in keys(case):
            (path,) = await fill(case, name)
            for operation, row in FOLDER_USAGES.items():
                if row.capability is None or row.capability in case.backend.capabilities:
                    with case.expect_raises(InvalidPath, path=path, what=f"{operation} of the file {path!r}") as caught:
                        await row.run(case.backend, path, case.path("other"))
                    expect_readable(case, caught.error)

    @async_check("WRITE-006")
    async def test_write_overwrites_no_key_unasked(self, case: AsyncCase) -> None:
        for name in keys(case):
            (path,) = await fill(case, name)
            with case.expect_raises(AlreadyExists, path=path, what=f"a write to {path!r}, which exists") as caught:
                await case.backend.write(path, DATA)
            expect_readable(case, caught.error)

    @async_check("DEL-007", needs=(WRITE,))
    async def test_delete_no_folder_of_any_key_with_content(self, case: AsyncCase) -> None:
        for name in keys(case):
            await fill(case, f"in/{name}/file")
            path = case.path(f"in/{name}")
            with case.expect_raises(DirectoryNotEmpty, path=path, what=f"delete_folder({path!r})") as caught:
                await case.backend.delete_folder(path)
            expect_readable(case, caught.error)

    @async_check("COPY-006")
    async def test_copy_of_every_missing_key(self, case: AsyncCase) -> None:
        for name in keys(case):
            path = case.path(name)
            for target in (case.path("new"), path):
                with case.expect_raises(NotFound, path=path, what=f"a copy of {path!r}, which is missing") as caught:
                    await case.backend.copy(path, target)
                expect_readable(case, caught.error)

    @async_check("COPY-019")
    async def test_move_of_every_missing_key(self, case: AsyncCase) -> None:
        for name in keys(case):
            path = case.path(name)
            for target in (case.path("new"), path):
                with case.expect_raises(NotFound, path=path, what=f"a move of {path!r}, which is missing") as caught:
                    await case.backend.move(path, target)
                expect_readable(case, caught.error)


def keys(case: AsyncCase) -> list[str]:
    """Hostile names, and names that mean something in messages, each in a folder of its own."""
    return [f"{number}/{name}" for number, name in enumerate(drawn(case, [*MEANT, *writable(case)]))]


def alike(case: AsyncCase) -> Iterator[tuple[str, str]]:
    """Pairs of names that look alike; those in other case only if the storage tells them apart."""
    for one, other in drawn(case, (*CONFUSABLE, ("Readme", "README"))):
        if case.profile.case_sensitive or one.lower() != other.lower():
            yield one, other


def literal(name: str) -> str:
    """A pattern that matches only this name."""
    return WILD.sub(lambda found: f"[{found[0]}]", name)


def patterns(name: str) -> Iterator[str]:
    """Patterns that match this name: its beginning, its end, its middle, and one character of it."""
    half = len(name) // 2
    yield literal(name[:half]) + "*"
    yield "*" + literal(name[half:])
    yield literal(name[:half]) + "?" + literal(name[half + 1 :])


def expect_readable(case: AsyncCase, error: RemoteStoreError) -> None:
    """Fail unless an error has a text, and pickles."""
    try:
        text = str(error)
        copy = pickle.loads(pickle.dumps(error))
    except Exception as broken:
        case.fail("the text and the pickle of the error", "that they can be made", broken)
    case.expect(repr(error.path) in text, "the text has the path", text)
    case.expect_equal(str(copy), text, "the text of the pickled error")


async def expect_kind(case: AsyncCase, name: str, expected: tuple[bool, bool, bool], what: str) -> None:
    """Fail unless the probes say of a path what it is."""
    path = case.path(name)
    observed = (await case.backend.exists(path), await case.backend.is_file(path), await case.backend.is_folder(path))
    case.expect_equal(observed, expected, f"exists, is_file and is_folder of {path!r}, {what}")


async def expect_files(case: AsyncCase, folder: str, *names: str) -> None:
    """Fail unless the folder has these files, at any depth."""
    if LIST in case.backend.capabilities:
        expected = sorted(case.path(f"{folder}/{name}") for name in names)
        listing = case.backend.list_files(case.path(folder), recursive=True)
        case.expect_equal(await found(listing), expected, f"the files in {folder!r}")
