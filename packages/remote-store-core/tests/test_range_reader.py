from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from remote_store.core import PreconditionFailed, RangeReader

CONTENT = bytes(range(256)) * 40


class Ranges:
    """Content that is fetched by ranges, and what was asked of it."""

    def __init__(self, content: bytes = CONTENT) -> None:
        self.content = content
        self.asked: list[tuple[int, int]] = []

    def __call__(self, start: int, length: int) -> bytes:
        self.asked.append((start, length))
        return self.content[start : start + length]


def reader(fetch: Callable[[int, int], bytes], size: int = len(CONTENT)) -> RangeReader:
    return RangeReader(fetch, size, path="folder/file", backend="ranges")


def test_it_gives_the_content_in_pieces_of_any_size() -> None:
    for size in (1000, 4096, len(CONTENT), len(CONTENT) + 1):
        file = reader(Ranges())
        pieces = []
        while piece := file.read(size):
            pieces.append(piece)
        assert b"".join(pieces) == CONTENT


def test_it_asks_for_exactly_what_is_read() -> None:
    ranges = Ranges()
    file = reader(ranges)
    file.seek(100)
    assert file.read(50) == CONTENT[100:150]
    file.seek(-10, io.SEEK_END)
    assert file.read(50) == CONTENT[-10:]
    assert ranges.asked == [(100, 50), (len(CONTENT) - 10, 10)]


def test_it_never_asks_for_nothing_or_beyond_the_end() -> None:
    ranges = Ranges()
    file = reader(ranges)
    assert file.read(0) == b""
    assert file.seek(5, io.SEEK_END) == len(CONTENT) + 5
    assert file.read(10) == b""
    assert reader(ranges, size=0).read(10) == b""
    assert ranges.asked == []


def test_it_fills_a_buffer_of_any_item_and_nothing_behind_it() -> None:
    buffer = bytearray(b"." * 16)
    assert reader(Ranges()).readinto(memoryview(buffer)[:8].cast("I")) == 8
    assert bytes(buffer) == CONTENT[:8] + b"........"


def test_a_buffer_around_it_reads_ahead() -> None:
    ranges = Ranges()
    with io.BufferedReader(reader(ranges), 4096) as file:
        assert [file.read(1000) for _ in range(4)] == [CONTENT[at : at + 1000] for at in range(0, 4000, 1000)]
    assert ranges.asked == [(0, 4096)]


def test_lines_are_fetched_by_the_block() -> None:
    lines = b"first\nsecond\n\n" + b"x" * 20_000 + b"\nlast"
    ranges = Ranges(lines)
    assert list(reader(ranges, len(lines))) == lines.splitlines(keepends=True)
    assert ranges.asked == [(0, 8192), (8192, 8192), (16384, len(lines) - 16384)]


def test_reading_between_lines_stays_exact() -> None:
    lines = b"first\nsecond\nthird"
    ranges = Ranges(lines)
    file = reader(ranges, len(lines))
    assert (file.readline(3), file.readline(), file.read(3), file.readline(None)) == (b"fir", b"st\n", b"sec", b"ond\n")
    assert file.seek(0) == 0
    assert (file.readline(), file.tell(), file.readline(0)) == (b"first\n", 6, b"")
    assert ranges.asked == [(0, len(lines)), (6, 3)]


def test_the_rest_is_one_fetch_and_a_piece_of_it_is_bounded() -> None:
    ranges = Ranges()
    file = reader(ranges)
    assert (file.read1(), file.read1(5)) == (CONTENT[:8192], CONTENT[8192:8197])
    assert file.read(None) == CONTENT[8197:]
    assert ranges.asked == [(0, 8192), (8192, 5), (8197, len(CONTENT) - 8197)]


@pytest.mark.parametrize("offset, whence", [(-1, io.SEEK_SET), (-11, io.SEEK_CUR), (-20_000, io.SEEK_END), (0, 7)])
def test_a_refused_seek_moves_nothing(offset: int, whence: int) -> None:
    file = reader(Ranges())
    file.seek(10)
    with pytest.raises(ValueError, match="position|whence"):
        file.seek(offset, whence)
    assert file.tell() == 10


@pytest.mark.parametrize("change", [-1, 1], ids=["fewer", "more"])
def test_another_number_of_bytes_than_asked_for_is_never_taken(change: int) -> None:
    file = reader(lambda start, length: CONTENT[start : start + length + change])
    with pytest.raises(PreconditionFailed, match="of 100 bytes") as caught:
        file.read(100)
    assert (caught.value.path, caught.value.backend) == ("folder/file", "ranges")
    assert file.tell() == 0


def test_an_error_of_the_fetch_passes_and_moves_nothing() -> None:
    error = ConnectionError("gone")

    def fetch(start: int, length: int) -> bytes:
        raise error

    file = reader(fetch)
    with pytest.raises(ConnectionError) as caught:
        file.read(1)
    assert caught.value is error
    assert file.tell() == 0


def test_a_closed_one_refuses() -> None:
    file = reader(Ranges())
    assert (file.readable(), file.seekable(), file.writable()) == (True, True, False)
    file.close()
    for call in (lambda: file.read(1), lambda: file.seek(0), file.tell, lambda: file.readinto(bytearray(1))):
        with pytest.raises(ValueError, match="closed"):
            call()
