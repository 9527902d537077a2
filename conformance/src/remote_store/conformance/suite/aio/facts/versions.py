"""Checks of versions, tags, and options that say how a file is stored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from remote_store.conformance.checking.async_trees import fill
from remote_store.conformance.checking.case import AsyncCase, not_applicable
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.checking.wire import operations, require_s3
from remote_store.core import Capability, FileVersion, InvalidPath, NotFound

TAGS = {"project": "apollo", "Größe a+b": "1 = 2/3:@_-.", "empty": ""}
UNFIT_TAGS: tuple[dict[Any, Any], ...] = (
    {str(number): "x" for number in range(11)},
    {"": "x"},
    {"n" * 129: "x"},
    {"name": "v" * 257},
    {"name": "line\nbreak"},
    {"name": "a&b"},
    {"aws:name": "x"},
)
MISTYPED_TAGS: tuple[Any, ...] = ({"name": 1}, {1: "value"}, [("name", "value")])
UNFIT_OPTIONS: tuple[tuple[type[Exception], dict[str, Any]], ...] = (
    (ValueError, {"storage_class": ""}),
    (ValueError, {"storage_class": "STANDARD IA"}),
    (TypeError, {"storage_class": 1}),
    (ValueError, {"kms_key_id": "key"}),
    (ValueError, {"kms_key_id": "key", "server_side_encryption": "AES256"}),
    (ValueError, {"server_side_encryption": "ROT13"}),
    (ValueError, {"object_lock_mode": "GOVERNANCE"}),
    (ValueError, {"object_lock_until": datetime(2200, 1, 1, tzinfo=UTC)}),
    (ValueError, {"object_lock_mode": "GOVERNANCE", "object_lock_until": datetime(2200, 1, 1)}),  # noqa: DTZ001
    (ValueError, {"object_lock_mode": "GOVERNANCE", "object_lock_until": datetime(2020, 1, 1, tzinfo=UTC)}),
    (ValueError, {"object_lock_mode": "FOREVER", "object_lock_until": datetime(2200, 1, 1, tzinfo=UTC)}),
    (TypeError, {"legal_hold": "ON"}),
)
NEIGHBOURS = ("file-1", "file.txt", "file/below", "file!", "fil")
WRITE = (Capability.WRITE, Capability.READ)


def taking(case: AsyncCase) -> Any:
    """The backend of a case. Its class states no options, because a backend of contract 0.1 has none."""
    return case.backend


async def written(case: AsyncCase, *contents: bytes) -> list[str]:
    """Write versions of a file, and return their ids."""
    ids = []
    for content in contents:
        result = await taking(case).write(case.path("file"), content, overwrite=True, metadata={"as": content.decode()})
        case.expect_type(result.version_id, str, "the version_id of a WriteResult")
        ids.append(result.version_id or "")
    return ids


async def listed(case: AsyncCase) -> list[FileVersion]:
    """The versions of the file."""
    return [version async for version in case.backend.list_versions(case.path("file"))]


READS: dict[str, Callable[..., Any]] = {
    "read_bytes": lambda backend, path, **options: backend.read_bytes(path, **options),
    "read_range": lambda backend, path, **options: backend.read_range(path, 0, 100, **options),
    "read": lambda backend, path, **options: whole(backend.read, path, options),
    "read_seekable": lambda backend, path, **options: whole(backend.read_seekable, path, options),
}


async def whole(method: Callable[..., Any], path: str, options: dict[str, Any]) -> Any:
    """The content of a stream."""
    async with await method(path, **options) as stream:
        return await stream.read()


class AsyncVersionSuite:
    """VERS: versions."""

    @async_check("VERS-001", needs=WRITE)
    async def test_vers_every_version_is_listed(self, case: AsyncCase) -> None:
        async with case.isolated(versions=True) as alone:
            case.expect_equal(await listed(alone), [], "the versions of a file that never was")
            await fill(alone, *NEIGHBOURS)
            first, second = await written(alone, b"one", b"second")
            await alone.backend.delete(alone.path("file"))
            found = await listed(alone)
            facts = [(version.size, version.is_latest, version.is_deleted) for version in found]
            expected = [(0, True, True), (6, False, False), (3, False, False)]
            case.expect_equal(facts, expected, "size, is_latest and is_deleted of each version")
            case.expect_equal([version.version_id for version in found[1:]], [second, first], "the ids")
            case.expect_equal({version.path for version in found}, {alone.path("file")}, "the paths")
            for version in found:
                at = version.modified_at
                case.expect(at is not None and at.utcoffset() == timedelta(0), f"{at!r} is aware and in UTC")
            info = await taking(alone).get_file_info(alone.path("file"), version_id=first)
            case.expect_equal(found[2].etag, info.etag, "the ETag of the first version")
            case.expect_equal(await alone.backend.is_file(alone.path("file")), False, "is_file of the deleted file")

    @pytest.mark.parametrize("method", READS)
    @async_check("VERS-002", needs=WRITE)
    async def test_vers_a_version_is_read(self, case: AsyncCase, method: str) -> None:
        async with case.isolated(versions=True) as alone:
            read, path = READS[method], alone.path("file")
            ids = await written(alone, b"one", b"second")
            for _ in range(2):
                found = [await read(alone.backend, path, version_id=version_id) for version_id in ids]
                case.expect_equal(found, [b"one", b"second"], f"{method} of each version")
                infos = [await taking(alone).get_file_info(path, version_id=version_id) for version_id in ids]
                told = [(info.size, info.version_id, dict(info.metadata or {})) for info in infos]
                expected = [(3, ids[0], {"as": "one"}), (6, ids[1], {"as": "second"})]
                case.expect_equal(told, expected, "the facts of each version")
                await alone.backend.delete(path, missing_ok=True)

    @async_check("VERS-003", needs=WRITE)
    async def test_vers_a_version_that_does_not_exist(self, case: AsyncCase) -> None:
        async with case.isolated(versions=True) as alone:
            backend, path = taking(alone), alone.path("file")
            (gone,) = await written(alone, b"one")
            await backend.delete(path, version_id=gone)
            await written(alone, b"two")
            await backend.delete(path)
            marker = (await listed(alone))[0].version_id
            await written(alone, b"three")
            for version_id in (gone, "no-such-version", "null", marker):
                named = {"version_id": version_id}
                calls: list[Any] = [partial(read, backend, path, **named) for read in READS.values()]
                calls.append(partial(backend.get_file_info, path, **named))
                calls.append(partial(backend.copy, path, alone.path("other"), **named))
                calls.append(partial(backend.restore_version, path, version_id))
                if version_id != marker:
                    calls.append(partial(backend.delete, path, **named))
                for call in calls:
                    with case.expect_raises(NotFound, path=path, what=f"a call for the version {version_id!r}"):
                        await call()
            case.expect_equal(await backend.read_bytes(path), b"three", "the current version")
            case.expect_equal(len(await listed(alone)), 3, "the number of versions")
            case.expect_equal(await backend.exists(alone.path("other")), False, "the copy exists")

    @async_check("VERS-004", needs=WRITE)
    async def test_vers_a_version_is_deleted_for_good(self, case: AsyncCase) -> None:
        async with case.isolated(versions=True) as alone:
            backend, path = taking(alone), alone.path("file")
            first, second, third = await written(alone, b"one", b"second", b"three")
            await backend.delete(path, version_id=second)
            case.expect_equal([version.version_id for version in await listed(alone)], [third, first], "those left")
            await backend.delete(path, version_id=second, missing_ok=True)
            await backend.delete(path)
            marker = (await listed(alone))[0].version_id
            await backend.delete(path, version_id=marker)
            case.expect_equal(await backend.read_bytes(path), b"three", "the content without the marker")
            await backend.delete(path, version_id=third)
            case.expect_equal(await backend.read_bytes(path), b"one", "the content without the latest version")
            case.expect_equal([version.version_id for version in await listed(alone)], [first], "those left")

    @async_check("VERS-005", needs=WRITE)
    async def test_vers_a_version_is_copied(self, case: AsyncCase) -> None:
        async with case.isolated(versions=True) as alone:
            first, _ = await written(alone, b"one", b"second")
            await taking(alone).copy(alone.path("file"), alone.path("other"), version_id=first)
            await alone.backend.delete(alone.path("file"))
            await taking(alone).copy(alone.path("file"), alone.path("third"), version_id=first)
            for name in ("other", "third"):
                case.expect_equal(await alone.backend.read_bytes(alone.path(name)), b"one", f"the content of {name}")
                info = await alone.backend.get_file_info(alone.path(name))
                case.expect_equal(dict(info.metadata or {}), {"as": "one"}, f"the metadata of {name}")

    @async_check("VERS-006", needs=WRITE)
    async def test_vers_a_version_is_restored(self, case: AsyncCase) -> None:
        async with case.isolated(versions=True) as alone:
            backend, path = taking(alone), alone.path("file")
            first, _ = await written(alone, b"one", b"second")
            await self._restore(alone, first)
            await backend.delete(path)
            await self._restore(alone, first)
            info, before = await backend.get_file_info(path), await listed(alone)
            again = await backend.restore_version(path, info.version_id)
            case.expect_equal(again.version_id, info.version_id, "the version after the current one was restored")
            case.expect_equal(await listed(alone), before, "the versions after the current one was restored")

    async def _restore(self, case: AsyncCase, version_id: str) -> None:
        backend, path = taking(case), case.path("file")
        before = {version.version_id for version in await listed(case)}
        result = await backend.restore_version(path, version_id)
        case.expect_equal(await backend.read_bytes(path), b"one", "the content")
        info = await backend.get_file_info(path)
        facts = info.version_id, info.etag, info.size, dict(info.metadata or {})
        told = result.version_id, result.etag, result.size, {"as": "one"}
        case.expect_equal(facts, told, "the facts of the file, and those of the result")
        after = {version.version_id for version in await listed(case)}
        case.expect(before < after, "every version is kept, and there is a new one", after)

    @pytest.mark.parametrize("method", ["write", "write_atomic", "open_atomic", "set_tags"])
    @async_check("VERS-007", needs=WRITE)
    async def test_vers_tags_come_back(self, case: AsyncCase, method: str) -> None:
        backend, path = taking(case), case.path("file")
        if method == "set_tags":
            await fill(case, "file")
            case.expect_equal(await backend.get_tags(path), {}, "the tags of a file without tags")
            await backend.set_tags(path, TAGS)
        elif method == "open_atomic":
            async with backend.open_atomic(path, tags=TAGS) as file:
                await file.write(b"content")
        else:
            await getattr(backend, method)(path, b"content", tags=TAGS)
        case.expect_equal(await backend.get_tags(path), TAGS, "the tags")
        before = await backend.get_file_info(path)
        for tags in ({"other": "1"}, {}):
            await backend.set_tags(path, tags)
            case.expect_equal(await backend.get_tags(path), tags, f"the tags after set_tags({tags!r})")
        after = await backend.get_file_info(path)
        case.expect_equal((after.etag, after.size), (before.etag, before.size), "ETag and size after set_tags")

    @async_check("VERS-007", needs=WRITE)
    async def test_vers_tags_of_a_large_file_come_back(self, case: AsyncCase) -> None:
        content = case.content((case.profile.part_size or 100_000) + 1)
        await taking(case).write(case.path("file"), content, tags=TAGS)
        case.expect_equal(await case.backend.get_tags(case.path("file")), TAGS, "the tags of a file with two parts")

    @pytest.mark.parametrize("method", ["copy", "move"])
    @async_check("VERS-008", needs=WRITE)
    async def test_vers_tags_are_kept(self, case: AsyncCase, method: str) -> None:
        case.require(Capability.COPY if method == "copy" else Capability.MOVE)
        await taking(case).write(case.path("file"), b"content", tags=TAGS)
        await getattr(case.backend, method)(case.path("file"), case.path("other"))
        case.expect_equal(await case.backend.get_tags(case.path("other")), TAGS, f"the tags after a {method}")
        await case.backend.write(case.path("other"), b"content", overwrite=True)
        case.expect_equal(await case.backend.get_tags(case.path("other")), {}, "the tags after an overwrite")

    @async_check("VERS-008", needs=WRITE)
    async def test_vers_tags_of_a_copy_are_its_own(self, case: AsyncCase) -> None:
        case.require(Capability.COPY)
        await taking(case).write(case.path("file"), b"content", tags=TAGS)
        await case.backend.copy(case.path("file"), case.path("copy"))
        await case.backend.set_tags(case.path("copy"), {"own": "1"})
        case.expect_equal(await case.backend.get_tags(case.path("file")), TAGS, "the tags of the source")
        await case.backend.set_tags(case.path("file"), {})
        case.expect_equal(await case.backend.get_tags(case.path("copy")), {"own": "1"}, "the tags of the copy")

    @pytest.mark.parametrize("method", ["copy", "move"])
    @async_check("VERS-008", needs=WRITE)
    async def test_vers_tags_of_the_target_are_replaced(self, case: AsyncCase, method: str) -> None:
        case.require(Capability.COPY if method == "copy" else Capability.MOVE)
        for tags in ({}, {"new": "1"}):
            await taking(case).write(case.path("target"), b"old", tags=TAGS, overwrite=True)
            await taking(case).write(case.path("source"), b"content", tags=tags, overwrite=True)
            await getattr(case.backend, method)(case.path("source"), case.path("target"), overwrite=True)
            case.expect_equal(await case.backend.get_tags(case.path("target")), tags, f"the tags after a {method}")

    @async_check("VERS-008", needs=WRITE)
    async def test_vers_tags_end_with_their_file(self, case: AsyncCase) -> None:
        case.require(Capability.DELETE)
        await taking(case).write(case.path("file"), b"content", tags=TAGS)
        await case.backend.delete(case.path("file"))
        await case.backend.write(case.path("file"), b"content")
        case.expect_equal(await case.backend.get_tags(case.path("file")), {}, "the tags of a file made after a delete")

    @async_check("VERS-009", needs=WRITE)
    async def test_vers_unfit_tags_are_refused(self, case: AsyncCase) -> None:
        await taking(case).write(case.path("file"), b"content", tags={"old": "1"})
        wrong: list[tuple[type[Exception], Any]] = [(ValueError, tags) for tags in UNFIT_TAGS]
        for kind, tags in wrong + [(TypeError, tags) for tags in MISTYPED_TAGS]:
            with case.expect_no_request(f"calls with the tags {tags!r}"):
                with case.expect_raises(kind, what=f"set_tags with {tags!r}"):
                    await case.backend.set_tags(case.path("file"), tags)
                with case.expect_raises(kind, what=f"a write with the tags {tags!r}"):
                    await taking(case).write(case.path("new"), b"x", tags=tags)
        case.expect_equal(await case.backend.exists(case.path("new")), False, "exists after the refused writes")
        case.expect_equal(await case.backend.get_tags(case.path("file")), {"old": "1"}, "the tags after all")

    @async_check("VERS-010", needs=WRITE)
    async def test_vers_tags_of_what_is_no_file(self, case: AsyncCase) -> None:
        for path, kind in ((case.path("absent"), NotFound), ("", InvalidPath)):
            await self._expect_no_tags(case, path, kind)

    @async_check("VERS-010", needs=WRITE)
    async def test_vers_tags_of_a_folder(self, case: AsyncCase) -> None:
        await fill(case, "folder/file")
        await self._expect_no_tags(case, case.path("folder"), InvalidPath)

    async def _expect_no_tags(self, case: AsyncCase, path: str, kind: type[Exception]) -> None:
        with case.expect_raises(kind, path=path):
            await case.backend.get_tags(path)
        for tags in ({"a": "b"}, {}):
            with case.expect_raises(kind, path=path):
                await case.backend.set_tags(path, tags)

    @async_check("VERS-011", needs=WRITE)
    async def test_vers_a_storage_class_is_stored(self, case: AsyncCase) -> None:
        storage_class = case.profile.storage_class
        if storage_class is None:
            not_applicable("the storage has only one storage class")
        for name, size in (("small", 10), ("large", (case.profile.part_size or 100_000) + 1)):
            await taking(case).write(case.path(name), case.content(size), storage_class=storage_class)
            info = await case.backend.get_file_info(case.path(name))
            case.expect_equal(info.storage_class, storage_class, f"the storage class of the {name} file")
        listing = [info.storage_class async for info in case.backend.list_files(case.folder)]
        case.expect_equal(listing, [storage_class] * 2, "the storage classes in a listing")

    @async_check("VERS-012", needs=WRITE)
    async def test_vers_unfit_storage_options_are_refused(self, case: AsyncCase) -> None:
        for kind, options in UNFIT_OPTIONS:
            with case.expect_no_request(f"a write with {options!r}"):
                with case.expect_raises(kind, what=f"a write with {options!r}"):
                    await taking(case).write(case.path("file"), b"x", **options)
            case.expect_equal(await case.backend.exists(case.path("file")), False, f"exists after {options!r}")

    @async_check("VERS-013", needs=WRITE)
    async def test_vers_tags_cost_one_request(self, case: AsyncCase) -> None:
        require_s3(case)
        case.require_profile("every write also checks the ancestors", not case.profile.rejects_file_ancestor)
        await fill(case, "file")
        path = case.path("file")
        with case.endpoint.recording() as sent:
            await case.backend.set_tags(path, TAGS)
            await case.backend.get_tags(path)
        case.expect_equal(operations(sent), ["PutObjectTagging", "GetObjectTagging"], "the requests")
        with case.endpoint.recording() as sent:
            await taking(case).write(path, b"x", overwrite=True, tags=TAGS, cache_control="no-cache")
        case.expect_equal(operations(sent), ["PutObject"], "the requests of a write with tags and headers")
