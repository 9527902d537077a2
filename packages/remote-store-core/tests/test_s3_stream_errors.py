"""Exceptions of the caller's stream that generators and coroutines use for themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.core import ThreadedBackend
from remote_store.core.s3 import Fault
from uploads import ABORT, PART, THREE_PARTS, Stream, fail, left_nothing

ERRORS: list[type[BaseException]] = [StopIteration, StopAsyncIteration, GeneratorExit]


@pytest.fixture
def lane(open_lane: Any) -> Any:
    return open_lane(endpoint_url="http://s3.test", conditional_writes=True, part_size=PART)


def failure_of(lane: Any, content: Any) -> BaseException:
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - which one it is is asserted by the test
        lane.write("a", content)
    return caught.value


@pytest.mark.parametrize("breaks_at", [0, PART, 2 * PART])
@pytest.mark.parametrize("kind", ERRORS)
def test_an_exception_of_a_stream_passes_and_nothing_is_left(
    lane: Any, s3: FakeS3, kind: type[BaseException], breaks_at: int
) -> None:
    error = kind("mine")
    seen = failure_of(lane, Stream(THREE_PARTS, breaks_at=breaks_at, error=error))
    if lane.is_async and kind is StopIteration:
        # No coroutine can raise a StopIteration.
        assert isinstance(seen, RuntimeError)
        assert seen.__cause__ is error
    else:
        assert seen is error
        assert (seen.__cause__, seen.__context__, str(seen)) == (None, None, "mine")
    left_nothing(s3, None)


@pytest.mark.parametrize("kind", ERRORS)
def test_an_exception_of_a_stream_passes_through_a_bridge(
    open_lane: Any, s3: FakeS3, kind: type[BaseException]
) -> None:
    lane = open_lane(part_size=PART)
    if lane.is_async:
        pytest.skip("only a blocking backend needs a bridge")
    error = kind("mine")

    async def write() -> None:
        async with ThreadedBackend(lane.backend) as bridge:
            await bridge.write("a", Stream(THREE_PARTS, breaks_at=2 * PART, error=error))

    with pytest.raises(BaseException) as caught:  # noqa: PT011 - which one it is is asserted below
        asyncio.run(write())
    assert error in (caught.value, caught.value.__cause__)
    assert (caught.value is error) is (kind is not StopIteration)
    left_nothing(s3, None)


@pytest.mark.parametrize("kind", ERRORS[1:])
def test_an_exception_of_an_awaited_stream_passes_and_nothing_is_left(
    lane: Any, s3: FakeS3, kind: type[BaseException]
) -> None:
    if not lane.is_async:
        pytest.skip("only an async backend takes awaited content")
    error = kind("mine")

    class Awaited:
        def __init__(self) -> None:
            self.left = 2

        async def read(self, size: int = -1) -> bytes:
            if not self.left:
                raise error
            self.left -= 1
            return bytes(size)

    assert failure_of(lane, Awaited()) is error
    left_nothing(s3, None)


def test_the_end_of_an_async_iterator_is_the_end_of_the_content(lane: Any, s3: FakeS3) -> None:
    if not lane.is_async:
        pytest.skip("only an async backend takes awaited content")

    class Chunks:
        def __init__(self) -> None:
            self.left = 3

        def __aiter__(self) -> AsyncIterator[bytes]:
            return self

        async def __anext__(self) -> bytes:
            if not self.left:
                raise StopAsyncIteration
            self.left -= 1
            return bytes(PART)

    lane.write("a", Chunks())
    assert len(s3.objects["a"].data) == 3 * PART


@pytest.mark.parametrize("kind", [GeneratorExit, ValueError])
def test_an_upload_that_cannot_be_aborted_is_noted_on_the_callers_exception(
    lane: Any, s3: FakeS3, kind: type[BaseException]
) -> None:
    fail(s3, ABORT, Fault("AccessDenied", 403))
    error = kind("mine")
    assert failure_of(lane, Stream(THREE_PARTS, breaks_at=2 * PART, error=error)) is error
    assert "could not be aborted" in "".join(error.__notes__)
    s3.uploads.clear()


@pytest.mark.parametrize("kind", ERRORS)
def test_an_exception_of_the_block_of_open_atomic_passes(lane: Any, s3: FakeS3, kind: type[BaseException]) -> None:
    error = kind("mine")
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - which one it is is asserted below
        lane.write_spooled("a", b"x", error=error)
    assert error in (caught.value, caught.value.__cause__)
    left_nothing(s3, None)
