"""Checks of declared and undeclared capabilities, beyond their operations."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import pytest

from remote_store.conformance.checking.async_usages import (
    FILE_USAGES,
    FOLDER_USAGES,
    OTHERS,
    TOLERANT_USAGES,
    WRITE_USAGES,
)
from remote_store.conformance.checking.case import AsyncCase, not_applicable, untested
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.checking.wire import is_get
from remote_store.conformance.http.faults import ShortBody
from remote_store.conformance.suite.aio.expectations import distinct, is_honest
from remote_store.core import Capability, RemoteStoreError, WriteResult

if TYPE_CHECKING:
    from remote_store.conformance.http.proxy import Endpoint

READ, WRITE = Capability.READ, Capability.WRITE
MIB = 1024 * 1024
CHANGES = {
    **{name: FILE_USAGES[name] for name in ("delete", "copy_from", "move_from")},
    **TOLERANT_USAGES,
    **WRITE_USAGES,
    "delete_folder": FOLDER_USAGES["delete_folder"],
    "user_metadata": OTHERS["user_metadata"],
}


class AsyncCapabilitySuite:
    """ERR, READ, WRITE: capabilities that are declared, and others."""

    @pytest.mark.parametrize("operation", CHANGES)
    @async_check("ERR-015")
    async def test_capability_that_is_missing_changes_nothing(self, case: AsyncCase, operation: str) -> None:
        row, oracle = CHANGES[operation], case.oracle
        if row.capability is None or row.capability in case.backend.capabilities:
            not_applicable("the backend declares the capability that the operation needs")
        before = {case.path(name): name.encode() for name in ("file", "folder/file")}
        for path, content in before.items():
            oracle.raw_put(path, content)
        for path in (case.path("file"), case.path("folder"), case.path("new")):
            for other in (case.path("other"), case.path("file")):
                with suppress(RemoteStoreError):
                    await row.run(case.backend, path, other)
        after = {path: oracle.raw_get(path) for path in oracle.raw_list(f"{case.folder}/")}
        case.expect_equal(after, before, f"the files after {operation}, which is not declared")

    @async_check("READ-018", needs=(READ, WRITE))
    async def test_capability_of_lazy_reads(self, case: AsyncCase) -> None:
        endpoint, path, content = counting(case), case.path("file"), case.content(16 * MIB)
        await case.backend.write(path, content)
        endpoint.inject(ShortBody(after_bytes=12 * MIB), times=None, match=is_get)
        with endpoint.recording() as sent:
            stream = await case.backend.read(path)
            case.expect_equal(await stream.read(10), content[:10], "the first bytes")
            await stream.close()
        case.expect_equal(len(list(filter(is_get, sent))), 1, "the GETs, of which one was cut after 12 MiB")

    @async_check("READ-019", needs=(READ, WRITE))
    async def test_capability_of_range_reads(self, case: AsyncCase) -> None:
        endpoint, path, content = counting(case), case.path("file"), case.content(4 * MIB)
        await case.backend.write(path, content)
        endpoint.inject(ShortBody(after_bytes=MIB), times=None, match=is_get)
        for start in (0, MIB - 5, 3 * MIB):
            with endpoint.recording() as sent:
                data = await case.backend.read_range(path, start, 10)
            case.expect_equal(data, content[start : start + 10], "the bytes of the range")
            case.expect_equal(len(list(filter(is_get, sent))), 1, "the GETs, each cut after 1 MiB")

    @async_check("WRITE-019", needs=(READ, WRITE, Capability.METADATA))
    async def test_capability_of_native_results(self, case: AsyncCase) -> None:
        path, contents = case.path("file"), distinct(4, 50_000)
        for _ in range(3):
            writes = [partial(case.backend.write, path, content, overwrite=True) for content in contents]
            results = await case.together(writes)
            left, info = await case.backend.read_bytes(path), await case.backend.get_file_info(path)
            for content, result in zip(contents, results, strict=True):
                if not isinstance(result, WriteResult):
                    case.fail("one of several that overwrite one key", "a result", result)
                facts = (result.etag, result.version_id, result.digest)
                case.expect(
                    any(fact is not None for fact in facts), "the result contains a fact from the service", result
                )
                honest = result.digest is None or is_honest(result.digest, content)
                case.expect(honest, "the digest is that of this writer's content", result.digest)
                if content == left and None not in (result.etag, info.etag):
                    case.expect_equal(result.etag, info.etag, "the ETag in the last writer's result")


def counting(case: AsyncCase) -> Endpoint:
    """The endpoint; without one, transfers cannot be counted."""
    return case.endpoint if case.harness.endpoint is not None else untested("the harness has no endpoint that counts")
