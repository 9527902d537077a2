"""Credentials that a function returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from remote_store.conformance.checking.async_trees import fill
from remote_store.conformance.checking.case import AsyncCase, not_applicable
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.checking.wire import async_settles, require_option, require_s3
from remote_store.core import Capability, PermissionDenied, S3Credentials

LIFE = 0.5
"""Seconds for which credentials are valid."""

SECRET = "hidden-in-the-function"

UNUSABLE: Mapping[str, Callable[[], Any]] = {
    "an exception": lambda: int(SECRET),
    "no secret": lambda: S3Credentials(SECRET, ""),
    "a line break": lambda: S3Credentials("key", f"{SECRET}\n"),
    "a naive time": lambda: S3Credentials("key", SECRET, expires_at=datetime(2200, 1, 1)),  # noqa: DTZ001
    "a past time": lambda: S3Credentials("key", SECRET, expires_at=datetime(2020, 1, 1, tzinfo=UTC)),
    "a tuple": lambda: ("key", SECRET),
}


class AsyncCredentialSuite:
    """LIFE: credentials that a function returns."""

    @async_check("LIFE-026", needs=(Capability.WRITE, Capability.READ))
    async def test_life_credentials_are_asked_for_once(self, case: AsyncCase) -> None:
        usable, calls = credentials_of(case), list[int]()

        def function() -> S3Credentials:
            calls.append(1)
            return usable

        await fill(case, "file", data=b"content")
        backend, path = case.make(credentials=function), case.path("file")
        case.expect_equal(len(calls), 0, "calls of the function by the constructor")
        for result in await case.together([partial(backend.read_bytes, path) for _ in range(8)]):
            case.expect_equal(result, b"content", "a concurrent read")
        await backend.write(path, b"new", overwrite=True)
        case.expect_equal(len(calls), 1, "calls of the function by eight concurrent reads and a write")

    @async_check("LIFE-027", needs=(Capability.WRITE, Capability.READ, Capability.SEEKABLE_READ))
    async def test_life_credentials_are_renewed(self, case: AsyncCase) -> None:
        usable, calls = credentials_of(case), list[int]()

        def function() -> S3Credentials:
            calls.append(1)
            expires_at = datetime.now(UTC) + timedelta(seconds=LIFE)
            return S3Credentials(usable.key, usable.secret, expires_at=expires_at)

        await fill(case, "file", data=b"content")
        backend = case.make(credentials=function)
        async with await backend.read_seekable(case.path("file")) as file:
            case.expect_equal(await file.read(3), b"con", "the first bytes")
            asked = len(calls)
            end = datetime.now(UTC) + timedelta(seconds=LIFE)
            await async_settles(lambda: datetime.now(UTC) > end)
            case.expect_equal(await file.read(4), b"tent", "the rest, after the credentials have expired")
        case.expect_equal(len(calls), asked + 1, "calls of the function after the credentials have expired")

    @pytest.mark.parametrize("name", UNUSABLE)
    @async_check("LIFE-028", needs=(Capability.WRITE, Capability.READ))
    async def test_life_unusable_credentials(self, case: AsyncCase, name: str) -> None:
        usable = credentials_of(case)
        answers: list[Callable[[], Any]] = [UNUSABLE[name]]
        await fill(case, "file", data=b"content")
        backend, path = case.make(credentials=lambda: answers.pop()() if answers else usable), case.path("file")
        with case.expect_no_request("a call without credentials"), case.expect_raises(PermissionDenied) as raised:
            await backend.read_bytes(path)
        error = raised.error
        case.expect(SECRET not in f"{error!r} {error}", "the error shows nothing of what the function said", error)
        case.expect(error.__cause__ is not None, "the error has a cause", error.__cause__)
        case.expect_equal(await backend.read_bytes(path), b"content", "the next call, which asks again")


def credentials_of(case: AsyncCase) -> S3Credentials:
    """Credentials that the storage accepts. The check ends if the backend takes no function for them."""
    require_s3(case)
    require_option(case, "credentials")
    credentials: S3Credentials | None = case.harness.credentials
    return credentials if credentials is not None else not_applicable("the harness has no credentials")
