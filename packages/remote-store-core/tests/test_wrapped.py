from __future__ import annotations

import io
from typing import Any

import pytest

from remote_store.core.aio.pulled import GuardedStream, WriteStopped
from remote_store.core.files import Counted
from remote_store.core.io.streams import bytes_left, check_content
from uploads import Report, Reports


def test_a_counted_stream_is_a_file_that_says_what_it_read() -> None:
    seen = Reports()
    stream = Counted(io.BytesIO(b"0123456789"), seen, 10)
    assert isinstance(stream, io.BufferedIOBase)
    assert (stream.readable(), stream.seekable(), stream.tell(), bytes_left(stream)) == (True, True, 0, 10)
    assert [stream.read(4), stream.read(None), stream.read(1)] == [b"0123", b"456789", b""]
    assert seen == [Report(0, 10, 0), Report(4, 10, 4), Report(10, 10, 6)]
    assert (stream.seek(2), stream.tell(), stream.read1(3), list(stream)) == (2, 2, b"234", [b"56789"])


def test_closing_it_leaves_the_callers_stream_open() -> None:
    theirs = io.BytesIO(b"0123456789")
    Counted(theirs, print, None).close()
    assert not theirs.closed


def test_a_stream_that_only_reads_is_enough() -> None:
    class Reads:
        def read(self, _size: int = -1) -> bytes:
            return b""

    stream = GuardedStream(Reads())  # type: ignore[arg-type]
    assert (stream.seekable(), stream.bytes_left(), stream.read(1)) == (False, None, b"")


@pytest.mark.parametrize("wrap", [lambda text: Counted(text, print, None), GuardedStream])
def test_text_is_still_found_behind_it(wrap: Any) -> None:
    with pytest.raises(TypeError, match="text stream"):
        check_content(wrap(io.StringIO("text")))


def test_a_stopped_stream_fails_however_it_is_read() -> None:
    stream = GuardedStream(io.BytesIO(b"0123456789"))
    assert stream.read(1) == b"0"
    stream.stop()
    for act in (stream.read, stream.readline, stream.read1, lambda: stream.readinto(bytearray(1))):
        with pytest.raises(WriteStopped):
            act()
