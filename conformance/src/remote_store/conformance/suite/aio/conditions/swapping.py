"""Checks of conditions: reads, writes, deletes, copies and moves of the version that an ETag names."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from remote_store.conformance.checking.async_trees import fill
from remote_store.conformance.checking.case import AsyncCase
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.checking.wire import (
    THRICE,
    operations,
    part_size,
    require_option,
    require_s3,
    unseekable,
    uploads,
)
from remote_store.conformance.http.faults import LoseResponse
from remote_store.conformance.model.actions import OTHER
from remote_store.conformance.suite.aio.expectations import expect_content, nothing_else
from remote_store.core import Capability, FileInfo, InvalidPath, NotFound, NotModified, PreconditionFailed

READ, WRITE, LIST = Capability.READ, Capability.WRITE, Capability.LIST
SWAP, DELETES = Capability.COMPARE_AND_SWAP, Capability.CONDITIONAL_DELETE
WRITES = ["write", "write_atomic", "open_atomic"]
READS = ["read_bytes", "read_range", "read", "read_seekable", "get_file_info"]
WRONG: dict[str, tuple[Any, type[Exception]]] = {
    "empty": ("", ValueError),
    "quoted": ('"tag"', ValueError),
    "weak": ('W/"tag"', ValueError),
    "star": ("*", ValueError),
    "line_break": ("tag\r\nx-evil: 1", ValueError),
    "bytes": (b"tag", TypeError),
    "number": (7, TypeError),
}
WRITERS = 4
ROUNDS = 4


class AsyncSwapSuite:
    """SWAP: conditions on the version of a file."""

    @pytest.mark.parametrize("method", WRITES)
    @async_check("SWAP-001", needs=(READ, WRITE))
    async def test_swap_replaces_the_version(self, case: AsyncCase, method: str) -> None:
        path = case.path("file")
        tag = (await case.backend.write(path, b"first")).etag
        for content in (b"second", b"third", b""):
            result = await _replace(case, method, path, content, tag)
            info = await case.backend.get_file_info(path)
            case.expect(info.etag != tag, "the new version has another ETag", info)
            if result is not None:
                case.expect_equal(result.etag, info.etag, "the ETag of the result")
            await expect_content(case, "file", content)
            tag = info.etag

    @pytest.mark.parametrize("method", WRITES)
    @async_check("SWAP-002", needs=(READ, WRITE))
    async def test_swap_keeps_another_version(self, case: AsyncCase, method: str) -> None:
        path = case.path("file")
        tag = (await case.backend.write(path, b"first")).etag
        await case.backend.write(path, b"second", overwrite=True)
        for old in (tag, OTHER):
            with case.expect_raises(PreconditionFailed, path=path, what=f"{method} with the ETag of another version"):
                await _replace(case, method, path, b"third", old)
            await expect_content(case, "file", b"second")
        await nothing_else(case, [path])

    @pytest.mark.parametrize("method", WRITES)
    @async_check("SWAP-002", needs=(WRITE,))
    async def test_swap_creates_nothing(self, case: AsyncCase, method: str) -> None:
        path = case.path("deep/file")
        with case.expect_raises(PreconditionFailed, path=path, what=f"{method} with if_match of a missing file"):
            await _replace(case, method, path, b"new", OTHER)
        await nothing_else(case, [])

    @async_check("SWAP-002", needs=(READ, WRITE))
    async def test_swap_of_a_file_that_changes_while_it_is_written(self, case: AsyncCase) -> None:
        path = case.path("file")
        backend: Any = case.backend
        tag = (await backend.write(path, b"first")).etag
        with case.expect_raises(PreconditionFailed, path=path, what="a block during which another writer was faster"):
            async with backend.open_atomic(path, overwrite=True, if_match=tag) as file:
                await file.write(b"third")
                await case.backend.write(path, b"second", overwrite=True)
        await expect_content(case, "file", b"second")
        await nothing_else(case, [path])

    @async_check("SWAP-003", needs=(READ, WRITE))
    async def test_swap_of_parts(self, case: AsyncCase) -> None:
        path, content = case.path("file"), case.content(part_size(case) + 1000)
        backend: Any = case.backend
        first = (await backend.write(path, b"first")).etag
        second = await backend.write(path, unseekable(content), overwrite=True, if_match=first)
        case.expect_equal(second.etag, (await backend.get_file_info(path)).etag, "the ETag of the result")
        with case.expect_raises(PreconditionFailed, path=path, what="a write of parts onto another version"):
            await backend.write(path, unseekable(bytes(len(content))), overwrite=True, if_match=first)
        await expect_content(case, "file", content)
        absent = case.path("absent")
        with case.expect_raises(PreconditionFailed, path=absent, what="a write of parts with if_match, of no file"):
            await backend.write(absent, unseekable(content), overwrite=True, if_match=first)
        await nothing_else(case, [path])

    @async_check("SWAP-004", needs=(READ, WRITE))
    async def test_swap_race_for_one_version(self, case: AsyncCase) -> None:
        path = case.path("file")
        backend: Any = case.backend
        for number in range(ROUNDS):
            tag = (await backend.write(path, b"%d" % number, overwrite=True)).etag
            contents = [b"%d of %d" % (writer, number) for writer in range(WRITERS)]
            writes = [partial(backend.write, path, one, overwrite=True, if_match=tag) for one in contents]
            outcomes = await case.together(writes)
            won = [content for content, one in zip(contents, outcomes, strict=True) if not isinstance(one, Exception)]
            case.expect_equal(len(won), 1, "the number of writers that won")
            case.expect_equal(await backend.read_bytes(path), won[0], "the content after the race")
            for outcome in outcomes:
                if isinstance(outcome, Exception):
                    case.expect_type(outcome, PreconditionFailed, "the error of a writer that lost")

    @async_check("SWAP-004", needs=(READ, WRITE))
    async def test_swap_race_of_counters(self, case: AsyncCase) -> None:
        path = case.path("counter")
        backend: Any = case.backend
        await backend.write(path, b"0")

        async def count() -> None:
            won = 0
            # Each conflict means that another writer made progress.
            for _ in range(WRITERS * WRITERS * ROUNDS * 4):
                with suppress(PreconditionFailed):
                    info = await backend.get_file_info(path)
                    number = int(await backend.read_bytes(path, if_match=info.etag))
                    await backend.write(path, b"%d" % (number + 1), overwrite=True, if_match=info.etag)
                    won += 1
                if won == ROUNDS:
                    break

        case.require(Capability.CONDITIONAL_READ)
        for outcome in await case.together([count] * WRITERS):
            if isinstance(outcome, Exception):
                case.fail("counting", "a result", outcome)
        case.expect_equal(await backend.read_bytes(path), b"%d" % (WRITERS * ROUNDS), "the count at the end")

    @pytest.mark.parametrize("method", READS)
    @async_check("SWAP-005", needs=(READ, WRITE))
    async def test_swap_reads_of_the_version(self, case: AsyncCase, method: str) -> None:
        path = case.path("file")
        tag = (await case.backend.write(path, b"first")).etag
        for known in (tag, (await case.backend.get_file_info(path)).etag):
            found = await _read(case, method, path, if_match=known)
            case.expect_equal(getattr(found, "etag", found), tag if method == "get_file_info" else b"first", method)
        await case.backend.write(path, b"second", overwrite=True)
        with case.expect_raises(PreconditionFailed, path=path, what=f"{method} with the ETag of an old version"):
            await _read(case, method, path, if_match=tag)
        absent = case.path("absent")
        with case.expect_raises(NotFound, path=absent, what=f"{method} with if_match of a missing file"):
            await _read(case, method, absent, if_match=tag)

    @pytest.mark.parametrize("method", ["read_bytes", "get_file_info"])
    @async_check("SWAP-006", needs=(READ, WRITE))
    async def test_swap_of_what_is_not_modified(self, case: AsyncCase, method: str) -> None:
        path = case.path("file")
        tag = (await case.backend.write(path, b"first")).etag
        found = await _read(case, method, path, if_none_match=tag)
        case.expect_equal(found, NotModified(path, tag or ""), f"{method} with if_none_match")
        await case.backend.write(path, b"second", overwrite=True)
        found = await _read(case, method, path, if_none_match=tag)
        content = len(b"second") if isinstance(found, FileInfo) and found.size == len(b"second") else found
        case.expect(content in (b"second", len(b"second")), f"{method} returns the new version", found)
        absent = case.path("absent")
        with case.expect_raises(NotFound, path=absent, what=f"{method} with if_none_match of a missing file"):
            await _read(case, method, absent, if_none_match=tag)

    @async_check("SWAP-007", needs=(READ, WRITE))
    async def test_swap_deletes_the_version(self, case: AsyncCase) -> None:
        path = case.path("file")
        backend: Any = case.backend
        old = (await backend.write(path, b"first")).etag
        tag = (await backend.write(path, b"second", overwrite=True)).etag
        for missing_ok in (False, True):
            with case.expect_raises(PreconditionFailed, path=path, what="delete with the ETag of an old version"):
                await backend.delete(path, missing_ok=missing_ok, if_match=old)
            await expect_content(case, "file", b"second")
        await backend.delete(path, if_match=tag)
        case.expect_equal(await backend.is_file(path), False, "whether the file is there after the delete")

    @async_check("SWAP-008", needs=(WRITE,))
    async def test_swap_deletes_no_missing_file_and_no_folder(self, case: AsyncCase) -> None:
        backend: Any = case.backend
        tag = (await backend.write(case.path("folder/file"), b"first")).etag
        absent, folder = case.path("absent"), case.path("folder")
        with case.expect_raises(NotFound, path=absent, what="delete with if_match of a missing file"):
            await backend.delete(absent, if_match=tag)
        await backend.delete(absent, if_match=tag, missing_ok=True)
        for missing_ok in (False, True):
            with case.expect_raises(InvalidPath, path=folder, what="delete with if_match of a folder"):
                await backend.delete(folder, if_match=tag, missing_ok=missing_ok)
        await nothing_else(case, [case.path("folder/file")])

    @pytest.mark.parametrize("overwrite", [False, True])
    @async_check("SWAP-009", needs=(READ, WRITE, Capability.COPY))
    async def test_swap_copies_the_version(self, case: AsyncCase, overwrite: bool) -> None:
        await _transfers(case, "copy", overwrite)
        await expect_content(case, "source", b"second")

    @pytest.mark.parametrize("overwrite", [False, True])
    @async_check("SWAP-010", needs=(READ, WRITE, Capability.MOVE))
    async def test_swap_moves_the_version(self, case: AsyncCase, overwrite: bool) -> None:
        await _transfers(case, "move", overwrite)
        case.expect_equal(await case.backend.is_file(case.path("source")), False, "whether the source is left")

    @async_check("SWAP-009", needs=(READ, WRITE, Capability.COPY))
    async def test_swap_copies_the_version_onto_itself(self, case: AsyncCase) -> None:
        await _onto_itself(case, "copy")

    @async_check("SWAP-010", needs=(READ, WRITE, Capability.MOVE))
    async def test_swap_moves_the_version_onto_itself(self, case: AsyncCase) -> None:
        await _onto_itself(case, "move")

    @pytest.mark.parametrize("kind", WRONG)
    @async_check("SWAP-011", needs=(READ, WRITE))
    async def test_swap_refuses_what_is_no_tag(self, case: AsyncCase, kind: str) -> None:
        path, (wrong, error) = case.path("file"), WRONG[kind]
        await case.backend.write(path, b"old")
        calls: dict[str, Callable[[], Awaitable[Any]]] = {
            f"{method} with if_match": partial(_read, case, method, path, if_match=wrong) for method in READS
        }
        for method in ("read_bytes", "get_file_info"):
            calls[f"{method} with if_none_match"] = partial(_read, case, method, path, if_none_match=wrong)
        backend: Any = case.backend
        calls["copy"] = partial(backend.copy, path, case.path("copy"), if_match=wrong)
        if SWAP in backend.capabilities:
            calls |= {method: partial(_replace, case, method, path, b"new", wrong) for method in WRITES}
        if DELETES in backend.capabilities:
            calls["delete"] = partial(backend.delete, path, if_match=wrong, missing_ok=True)
            calls["move"] = partial(backend.move, path, case.path("moved"), if_match=wrong)
        for name, call in calls.items():
            with case.expect_no_request(name), case.expect_raises(error, what=f"{name} and {wrong!r}"):
                await call()
        await expect_content(case, "file", b"old")
        await nothing_else(case, [path])

    @pytest.mark.parametrize("method", WRITES)
    @async_check("SWAP-012", needs=(READ, WRITE))
    async def test_swap_is_no_create(self, case: AsyncCase, method: str) -> None:
        path = case.path("file")
        tag = (await case.backend.write(path, b"old")).etag
        for name in ("file", "absent"):
            with case.expect_no_request(method), case.expect_raises(ValueError, what=f"{method} without overwrite"):
                await _replace(case, method, case.path(name), b"new", tag, overwrite=False)
        await expect_content(case, "file", b"old")
        await nothing_else(case, [path])

    @pytest.mark.parametrize("parts", [False, True])
    @async_check("SWAP-013", needs=(READ, WRITE))
    async def test_swap_whose_response_is_lost(self, case: AsyncCase, parts: bool) -> None:
        require_s3(case)
        require_option(case, "conditional_writes")
        path, backend = case.path("file"), case.make(retry=THRICE)
        old = (await backend.write(path, b"old")).etag
        content = case.content(part_size(case) + 1 if parts else 10)
        lost = case.endpoint.inject(LoseResponse(), operation="CompleteMultipartUpload" if parts else "PutObject")
        swapping: Any = backend
        written = await swapping.write(path, content, overwrite=True, if_match=old)
        case.expect_equal(lost.hits, 1, "the lost responses")
        info = await case.backend.get_file_info(path)
        case.expect_equal((written.etag, written.size), (info.etag, len(content)), "ETag and size of the result")
        await expect_content(case, "file", content)
        case.expect_equal(uploads(case), [], "the unfinished uploads")

    @async_check("SWAP-014", needs=(WRITE,))
    async def test_swap_cost_of_writes(self, case: AsyncCase) -> None:
        require_s3(case)
        case.require_profile("every write also checks the ancestors", not case.profile.rejects_file_ancestor)
        path, size = case.path("file"), part_size(case)
        backend: Any = case.backend
        tag = (await backend.write(path, b"old")).etag
        with case.endpoint.recording() as sent:
            tag = (await backend.write(path, b"new", overwrite=True, if_match=tag)).etag
        case.expect_equal(operations(sent), ["PutObject"], "the requests of a small write")
        with case.endpoint.recording() as sent:
            await backend.write(path, unseekable(bytes(size + 1)), overwrite=True, if_match=tag)
        in_parts = ["CreateMultipartUpload", "UploadPart", "UploadPart", "CompleteMultipartUpload"]
        found = operations(sent)
        # A client without conditional uploads sends the whole content in one request.
        case.expect(found in (["PutObject"], in_parts), f"{in_parts} or PutObject for a write of two parts", found)

    @async_check("SWAP-015", needs=(READ, WRITE))
    async def test_swap_cost_of_reads(self, case: AsyncCase) -> None:
        require_s3(case)
        path = case.path("file")
        tag = (await case.backend.write(path, b"old")).etag
        expected = {name: ["GetObject"] for name in READS} | {
            "read_seekable": ["HeadObject", "GetObject"],
            "get_file_info": ["HeadObject"],
        }
        for method, requests in expected.items():
            with case.endpoint.recording() as sent:
                await _read(case, method, path, if_match=tag)
            case.expect_equal(operations(sent), requests, f"the requests of {method} with if_match")
        for method in ("read_bytes", "get_file_info"):
            for known in (tag, OTHER):
                with case.endpoint.recording() as sent:
                    await _read(case, method, path, if_none_match=known)
                case.expect_equal(operations(sent), expected[method], f"the requests of {method} with if_none_match")

    @async_check("SWAP-016", needs=(WRITE,))
    async def test_swap_cost_of_deletes(self, case: AsyncCase) -> None:
        require_s3(case)
        backend: Any = case.backend
        tag = (await backend.write(case.path("file"), b"old")).etag
        with case.endpoint.recording() as sent:
            await backend.delete(case.path("file"), if_match=tag)
        case.expect_equal(operations(sent), ["DeleteObject"], "the requests of a delete")
        case.require(Capability.ATOMIC_CREATE)
        case.require_profile("every write also checks the ancestors", not case.profile.rejects_file_ancestor)
        tag = (await backend.write(case.path("source"), b"old")).etag
        with case.endpoint.recording() as sent:
            await backend.move(case.path("source"), case.path("target"), if_match=tag)
        case.expect_equal(operations(sent), ["HeadObject", "CopyObject", "DeleteObject"], "the requests of a move")


async def _replace(case: AsyncCase, method: str, path: str, content: bytes, tag: Any, *, overwrite: bool = True) -> Any:
    """Write with `if_match`. Returns the result, which `open_atomic` does not have."""
    backend: Any = case.backend
    if method == "open_atomic":
        async with backend.open_atomic(path, overwrite=overwrite, if_match=tag) as file:
            await file.write(content)
        return None
    return await getattr(backend, method)(path, content, overwrite=overwrite, if_match=tag)


async def _read(case: AsyncCase, method: str, path: str, **conditions: Any) -> Any:
    """The result of a read with conditions; the content, if it is a stream."""
    backend: Any = case.backend
    if method == "read_range":
        return await backend.read_range(path, 0, 100, **conditions)
    if method in ("read", "read_seekable"):
        async with await getattr(backend, method)(path, **conditions) as stream:
            return await stream.read()
    return await getattr(backend, method)(path, **conditions)


async def _transfers(case: AsyncCase, method: str, overwrite: bool) -> None:
    """Copy or move an old version, which is refused, and then the current one."""
    source, target = case.path("source"), case.path("target")
    backend: Any = case.backend
    old = (await backend.write(source, b"first")).etag
    tag = (await backend.write(source, b"second", overwrite=True)).etag
    if overwrite:
        await fill(case, "target", data=b"theirs")
    with case.expect_raises(PreconditionFailed, path=source, what=f"{method} with the ETag of an old version"):
        await getattr(backend, method)(source, target, overwrite=overwrite, if_match=old)
    await expect_content(case, "source", b"second")
    await nothing_else(case, [source, target] if overwrite else [source])
    if overwrite:
        await expect_content(case, "target", b"theirs")
    absent = case.path("absent")
    with case.expect_raises(NotFound, path=absent, what=f"{method} with if_match of a missing file"):
        await getattr(backend, method)(absent, target, overwrite=overwrite, if_match=tag)
    await getattr(backend, method)(source, target, overwrite=overwrite, if_match=tag)
    await expect_content(case, "target", b"second")


async def _onto_itself(case: AsyncCase, method: str) -> None:
    """Copy or move a file onto itself: refused with the tag of an old version, allowed with the current one."""
    path, transfer = case.path("file"), getattr(case.backend, method)
    old = (await case.backend.write(path, b"first")).etag
    tag = (await case.backend.write(path, b"second", overwrite=True)).etag
    for overwrite in (False, True):
        with case.expect_raises(PreconditionFailed, path=path, what=f"{method} of an old version onto itself"):
            await transfer(path, path, overwrite=overwrite, if_match=old)
        await transfer(path, path, overwrite=overwrite, if_match=tag)
        await expect_content(case, "file", b"second")
