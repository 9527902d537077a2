"""Checks that go through a corpus of metadata, by each way to store, copy, replace and refuse it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from remote_store.conformance.checking.case import AsyncCase
from remote_store.conformance.checking.corpora import LARGE_METADATA, METADATA
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.checking.width import metadata, named, refused
from remote_store.conformance.suite.aio.expectations import expect_content
from remote_store.core import AsyncBackend, Capability, RemoteStoreError

READ, WRITE, COPY = Capability.READ, Capability.WRITE, Capability.COPY
INFO, USER_METADATA = Capability.METADATA, Capability.USER_METADATA
OLD = {"old": "1", "a": "old"}


class AsyncFactSuite:
    """Metadata of every kind."""

    @pytest.mark.parametrize("kind", METADATA)
    @async_check("META-009", "META-010", needs=(WRITE,))
    async def test_meta_metadata_of_each_kind_comes_back(self, case: AsyncCase, kind: str) -> None:
        await case.backend.write(case.path("file"), b"x", metadata=METADATA[kind])
        await expect_metadata(case, "file", METADATA[kind], f"the metadata after a write with {kind}")

    @async_check("META-009", needs=(WRITE,))
    async def test_meta_names_may_differ_in_a_dash_or_an_underscore(self, case: AsyncCase) -> None:
        given = {"a-b": "dash", "a_b": "underscore", "_": "underscore alone"}
        await case.backend.write(case.path("file"), b"x", metadata=given)
        await expect_metadata(case, "file", given, "the metadata")

    @async_check("META-013", needs=(WRITE,))
    async def test_meta_the_result_tells_every_metadata(self, case: AsyncCase) -> None:
        for name, given in metadata(case):
            result = await case.backend.write(case.path("file"), b"x", metadata=given, overwrite=True)
            told = given if result.metadata is None else result.metadata
            case.expect_equal(dict(told), dict(given), f"the metadata in the result of a write with {name}")

    @async_check("META-014", needs=(WRITE,))
    async def test_meta_an_overwrite_replaces_every_metadata(self, case: AsyncCase) -> None:
        for name, given in metadata(case):
            await case.backend.write(case.path("file"), b"x", metadata=OLD, overwrite=True)
            await case.backend.write(case.path("file"), b"x", metadata=given, overwrite=True)
            await expect_metadata(case, "file", given, f"the metadata after an overwrite with {name}")
        await case.backend.write(case.path("file"), b"x", metadata=OLD, overwrite=True)
        await case.backend.write(case.path("file"), b"x", overwrite=True)
        await expect_metadata(case, "file", {}, "the metadata after an overwrite without metadata")

    @async_check("ATOM-001", needs=(INFO, USER_METADATA, WRITE))
    async def test_atomic_write_keeps_every_metadata(self, case: AsyncCase) -> None:
        for name, given in metadata(case):
            await case.backend.write_atomic(case.path("file"), b"x", metadata=given, overwrite=True)
            await expect_metadata(case, "file", given, f"the metadata after write_atomic with {name}")

    @async_check("ATOM-011", needs=(INFO, USER_METADATA, WRITE))
    async def test_atomic_open_keeps_every_metadata(self, case: AsyncCase) -> None:
        for name, given in metadata(case):
            async with case.backend.open_atomic(case.path("file"), metadata=given, overwrite=True) as stream:
                await stream.write(b"x")
            await expect_metadata(case, "file", given, f"the metadata after open_atomic with {name}")

    @async_check("COPY-002", needs=(USER_METADATA, WRITE, INFO))
    async def test_copy_keeps_every_metadata(self, case: AsyncCase) -> None:
        for number, (name, given) in enumerate(metadata(case)):
            await case.backend.write(case.path("source"), b"x", metadata=given, overwrite=True)
            await case.backend.copy(case.path("source"), case.path(f"copy-{number}"))
            await expect_metadata(case, f"copy-{number}", given, f"the metadata of a copy of {name}")
            await expect_metadata(case, "source", given, f"the metadata of the source with {name}")

    @async_check("COPY-004", needs=(USER_METADATA, WRITE, INFO))
    async def test_copy_replaces_every_metadata(self, case: AsyncCase) -> None:
        for name, given in metadata(case):
            await case.backend.write(case.path("source"), b"x", metadata=given, overwrite=True)
            await case.backend.write(case.path("copy"), b"x", metadata=OLD, overwrite=True)
            await case.backend.copy(case.path("source"), case.path("copy"), overwrite=True)
            await expect_metadata(case, "copy", given, f"the metadata after a copy of {name} onto a file")

    @async_check("COPY-015", needs=(USER_METADATA, WRITE, INFO))
    async def test_move_keeps_every_metadata(self, case: AsyncCase) -> None:
        for number, (name, given) in enumerate(metadata(case)):
            await case.backend.write(case.path("source"), b"x", metadata=given)
            await case.backend.move(case.path("source"), case.path(f"moved-{number}"))
            await expect_metadata(case, f"moved-{number}", given, f"the metadata after a move of {name}")

    @async_check("COPY-017", needs=(USER_METADATA, WRITE, INFO))
    async def test_move_replaces_every_metadata(self, case: AsyncCase) -> None:
        for name, given in metadata(case):
            await case.backend.write(case.path("source"), b"x", metadata=given)
            await case.backend.write(case.path("target"), b"x", metadata=OLD, overwrite=True)
            await case.backend.move(case.path("source"), case.path("target"), overwrite=True)
            await expect_metadata(case, "target", given, f"the metadata after a move of {name} onto a file")

    @async_check("META-027", needs=(READ, WRITE))
    async def test_meta_large_metadata_is_stored_or_refused(self, case: AsyncCase) -> None:
        for name, given in named(case, LARGE_METADATA):
            await case.backend.write(case.path("file"), b"old", metadata=OLD, overwrite=True)
            content, expected = b"new", given
            try:
                await case.backend.write(case.path("file"), b"new", metadata=given, overwrite=True)
            except (RemoteStoreError, ValueError):
                content, expected = b"old", OLD
            await expect_content(case, "file", content)
            await expect_metadata(case, "file", expected, f"the metadata after a write with {name}")

    @async_check("META-012", needs=(READ, WRITE))
    async def test_meta_every_way_to_write_refuses_unfit_metadata(self, case: AsyncCase) -> None:
        await case.backend.write(case.path("old"), b"old", metadata=OLD)
        for name, given in refused(case):
            for way, write in WAYS.items():
                if way != "write" and Capability.ATOMIC_WRITE not in case.backend.capabilities:
                    continue
                for file in ("old", "new"):
                    with case.expect_raises((ValueError, TypeError), what=f"{way} with {name} in its metadata"):
                        await write(case.backend, case.path(file), given)
                case.expect_equal(await case.backend.exists(case.path("new")), False, f"exists after {way} with {name}")
        await expect_content(case, "old", b"old")
        await expect_metadata(case, "old", OLD, "the metadata of the file that was not overwritten")


async def _write(backend: AsyncBackend, path: str, given: Mapping[str, str]) -> None:
    await backend.write(path, b"new", metadata=given, overwrite=True)


async def _write_atomic(backend: AsyncBackend, path: str, given: Mapping[str, str]) -> None:
    await backend.write_atomic(path, b"new", metadata=given, overwrite=True)


async def _open_atomic(backend: AsyncBackend, path: str, given: Mapping[str, str]) -> None:
    async with backend.open_atomic(path, metadata=given, overwrite=True) as stream:
        await stream.write(b"new")


WAYS: dict[str, Any] = {"write": _write, "write_atomic": _write_atomic, "open_atomic": _open_atomic}


async def expect_metadata(case: AsyncCase, name: str, expected: Mapping[str, str], what: str) -> None:
    """Fail unless the file has exactly this metadata."""
    info = await case.backend.get_file_info(case.path(name))
    case.expect_equal(dict(info.metadata or {}), dict(expected), what)
