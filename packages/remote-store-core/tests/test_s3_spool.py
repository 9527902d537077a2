from __future__ import annotations

import asyncio
import inspect
import io
from typing import Any

import pytest

from remote_store.core.s3.engine.aio_spool import AsyncSpool
from remote_store.core.s3.engine.spool import Spool


class File:
    """A spool of either kind, whose methods are called alike."""

    def __init__(self, kind: type, loop: asyncio.Runner) -> None:
        self.raw = kind(10)
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any) -> Any:
            value = getattr(self.raw, name)(*args)
            return self._loop.run(value) if inspect.iscoroutine(value) else value

        return call


@pytest.fixture(params=[Spool, AsyncSpool])
def spool(request: pytest.FixtureRequest) -> Any:
    with asyncio.Runner() as loop:
        file = File(request.param, loop)
        yield file
        file.release()
        file.release()


@pytest.mark.parametrize("pieces", [[], [b"small"], [b"0123456789"], [b"01234", b"56789", b"on disk"]])
def test_what_was_written_is_handed_out_from_its_start(pieces: list[bytes], spool: File) -> None:
    for piece in pieces:
        assert spool.write(piece) == len(piece)
    assert spool.tell() == sum(map(len, pieces))
    assert spool.content().read() == b"".join(pieces)


def test_the_gap_behind_a_far_seek_takes_no_memory(spool: File) -> None:
    spool.write(b"a")
    spool.seek(1 << 40)
    spool.write(b"b")
    assert spool.content().seek(0, io.SEEK_END) == (1 << 40) + 1


@pytest.mark.parametrize("piece", [bytearray(b"abc"), memoryview(b"abc")])
def test_every_buffer_is_taken(piece: Any, spool: File) -> None:
    assert spool.write(piece) == 3
    assert spool.content().read() == b"abc"


def test_the_place_can_be_changed(spool: File) -> None:
    spool.write(b"0123456789 and more")
    assert spool.seek(2) == 2
    spool.write(b"ab")
    assert spool.seek(-4, io.SEEK_END) == 15
    spool.write(b"MORE")
    assert spool.content().read() == b"01ab456789 and MORE"


def test_it_can_be_cut_at_the_place_or_anywhere(spool: File) -> None:
    if isinstance(spool.raw, AsyncSpool):
        pytest.skip("an awaited file has no truncate")
    spool.write(b"0123456789 and more")
    spool.seek(12)
    assert spool.truncate() == 12
    assert spool.truncate(3) == 3
    assert spool.content().read() == b"012"


def test_closing_says_that_it_is_complete_and_keeps_the_bytes(spool: File) -> None:
    spool.write(b"kept")
    spool.close()
    spool.close()
    assert spool.raw.closed
    for act in (lambda: spool.write(b"x"), lambda: spool.seek(0), spool.tell):
        with pytest.raises(ValueError, match="closed"):
            act()
    assert spool.content().read() == b"kept"


def test_it_is_only_written(spool: File) -> None:
    assert (spool.readable(), spool.writable(), spool.seekable()) == (False, True, True)
    for act in (spool.read, spool.readline, lambda: spool.readinto(bytearray(1)), lambda: list(spool.raw)):
        with pytest.raises((io.UnsupportedOperation, TypeError)):
            act()


def test_text_is_refused(spool: File) -> None:
    with pytest.raises(TypeError):
        spool.write("text")


def test_a_text_wrapper_writes_into_it() -> None:
    spool = Spool(10)
    with io.TextIOWrapper(spool, encoding="utf-8") as file:
        file.write("é" * 20)
    assert spool.content().read() == "é".encode() * 20
    spool.release()


def test_an_awaited_spool_closes_itself() -> None:
    async def write() -> AsyncSpool:
        async with AsyncSpool(10) as file:
            await file.write(b"x")
        return file

    spool = asyncio.run(write())
    assert spool.closed
    spool.release()


def test_the_twins_have_the_same_methods() -> None:
    blocking = {name for name in vars(Spool) if not name.startswith("_")}
    awaited = {name for name in vars(AsyncSpool) if not name.startswith("_")}
    assert blocking - awaited == {"truncate"}
    # A blocking spool has these from `io`.
    assert awaited - blocking == {"closed", "close"}
    for name in (blocking & awaited) | {"__init__"}:
        assert parameters(Spool, name) == parameters(AsyncSpool, name), name


def parameters(of: type, name: str) -> list[tuple[str, Any, Any]]:
    signature = inspect.signature(getattr(of, name))
    return [(item.name, item.kind, item.default) for item in signature.parameters.values()]
