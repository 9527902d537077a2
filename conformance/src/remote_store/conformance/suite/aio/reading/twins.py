"""A stream under test beside a file in memory: both get the same calls, and must give the same."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Sequence
from typing import Any

from remote_store.conformance.checking.buffers import FILL, WRITABLE, bytes_of, fill
from remote_store.conformance.checking.case import AsyncCase

SIZES = (0, 1, 2, 3, 7, 100, 511, 512, 513, 4096, 8191, 8192, 8193, 65535, 65536, 65537, 100_000, 1 << 20, 10_000_000)
LINES = (0, 0, 1, 2, 60, 61, 4095, 8190, 8191, 8192, 65535, 70_000)
SIZES_OF_FILES = (0, 1, 2, 17, 4096, 8192, 8193, 65536, 100_001, 524_288, 600_000, 1_048_577, 2_500_000)
SHOWN = 8
FORWARD = ("read", "read", "readinto", "tell")
LINEWISE = ("readline", "readline_up_to", "lines", "lines", "readlines", "read", "tell")
SEEKING = ("seek", "seek", "edge", "edge", "read", "read", "tell", "far")
FILLING = ("readinto", "readinto", "readinto", "seek", "read")
EVERYTHING = (*FORWARD, *LINEWISE, *SEEKING, *FILLING, "read1", "peek", "readall", "rest")


def text(case: AsyncCase, size: int) -> bytes:
    """This many bytes, which are lines of odd lengths and have the ends of lines of other systems in them."""
    lines = bytearray()
    while len(lines) < size:
        line = bytearray(case.content(case.rng.choice(LINES)).replace(b"\n", b"\r"))
        lines += line + case.rng.choice((b"\n", b"\n", b"\r\n", b"\r", b"\x0b\n", b"\x85\x1c\n"))
    return bytes(lines[:size])


class Twin:
    """A stream and a file in memory with the same bytes.

    Args:
        case: The case.
        stream: The stream under test, at its start.
        content: The bytes that it must have.
        told: What the stream is, for messages.
        strict: Whether it returns fewer bytes than asked only at the end.
    """

    def __init__(self, case: AsyncCase, stream: Any, content: bytes, told: str, *, strict: bool = False) -> None:
        self.case = case
        self.stream = stream
        self.told = told
        self._file = io.BytesIO(content)
        self._end = len(content)
        self._strict = strict
        self._iterator: AsyncIterator[bytes] | None = None
        self._done: list[str] = []

    async def run(self, calls: Sequence[str], count: int) -> None:
        """Make this many calls, drawn from their names."""
        for _ in range(count):
            await self.step(self.case.rng.choice(calls))

    async def step(self, call: str) -> None:
        """Make one call of this name, with arguments that are drawn."""
        await getattr(self, f"_{call}")()
        if self.case.rng.random() < 0.4:
            await self._tell()

    def _size(self) -> int:
        rng = self.case.rng
        return rng.choice((rng.choice(SIZES), rng.randrange(self._end + 2), rng.randrange(200)))

    def _expect(self, observed: object, expected: object, call: str) -> None:
        after = f", after {', '.join(self._done[-SHOWN:])}" if self._done else ""
        self.case.expect_equal(observed, expected, f"{call} of {self.told} of {self._end:,} bytes{after}")
        self._done.append(call)

    def _expect_next(self, observed: bytes, most: int, call: str, *, exactly: bool | None = None) -> None:
        """Fail unless these are the next bytes, and at least one of them if there are any."""
        here = self._file.tell()
        expected = self._file.read(most)
        if not (self._strict if exactly is None else exactly) and 0 < len(observed) < len(expected):
            expected = expected[: len(observed)]
            self._file.seek(here + len(observed))
        self._expect(observed, expected, call)

    async def _read(self) -> None:
        size = self._size()
        self._expect_next(await self.stream.read(size), size, f"read({size})")

    async def _rest(self) -> None:
        self._expect_next(await self.stream.read(-1), -1, "read(-1)", exactly=True)

    async def _readall(self) -> None:
        if hasattr(self.stream, "readall"):
            self._expect_next(await self.stream.readall(), -1, "readall()", exactly=True)

    async def _read1(self) -> None:
        if hasattr(self.stream, "read1"):
            size = max(1, self._size())
            self._expect_next(await self.stream.read1(size), size, f"read1({size})", exactly=False)

    async def _peek(self) -> None:
        if hasattr(self.stream, "peek"):
            data, here = await self.stream.peek(1), self._file.tell()
            expected = self._file.read(max(1, len(data)))
            self._file.seek(here)
            self._expect(data, expected, "peek(1)")

    async def _readinto(self) -> None:
        kind = self.case.rng.choice(list(WRITABLE))
        buffer = WRITABLE[kind](self._size() % 3_000_000)
        fill(buffer)
        most = len(bytes_of(buffer))
        call = f"readinto({kind} of {most} bytes)"
        count = await self.stream.readinto(buffer)
        self.case.expect(
            type(count) is int and 0 <= count <= most, f"{call} of {self.told} returns a number of bytes", count
        )
        filled = bytes_of(buffer)
        self._expect_next(filled[:count], most, f"the bytes of {call}, which returned {count},")
        self._expect(
            filled[count:], bytes([FILL]) * (most - count), f"the bytes that {call} left, which returned {count},"
        )

    async def _readline(self) -> None:
        self._expect(await self.stream.readline(), self._file.readline(), "readline()")

    async def _readline_up_to(self) -> None:
        here, size = self._file.tell(), self._size()
        line = len(self._file.readline())
        self._file.seek(here)
        # Limits at the newline and one byte beside it, which a random number seldom is.
        size = self.case.rng.choice((size, line, max(0, line - 1), line + 1))
        self._expect(await self.stream.readline(size), self._file.readline(size), f"readline({size})")

    async def _readlines(self) -> None:
        if not hasattr(self.stream, "readlines"):
            return
        hint = max(1, self._size())
        lines = await self.stream.readlines(hint)
        expected = [self._file.readline() for _ in lines]
        self._expect(lines, expected, f"readlines({hint})")
        if sum(map(len, lines)) < hint:
            self._expect(b"", self._file.read(), f"the bytes that are left after readlines({hint}), which ended early,")

    async def _lines(self) -> None:
        if self._iterator is None or self.case.rng.random() < 0.5:
            self._iterator = aiter(self.stream)
        for _ in range(self.case.rng.choice((1, 1, 2, 5))):
            expected = self._file.readline()
            try:
                observed = await anext(self._iterator)
            except StopAsyncIteration:
                self._iterator, observed = None, b""
            self._expect(observed, expected, "next()")
            if self._iterator is None:
                return

    async def _tell(self) -> None:
        self._expect(self.stream.tell(), self._file.tell(), "tell()")

    async def _seek(self) -> None:
        rng, here = self.case.rng, self._file.tell()
        anywhere = rng.randrange(self._end + 1)
        # Often at the start of a block.
        block = anywhere - anywhere % rng.choice((512, 4096, 8192, 65536))
        target = rng.choice((0, anywhere, block, block, self._end, here))
        # Close to where it stands, where a buffer may have the bytes.
        near = here + rng.choice((-1, -1, 1, -100, 100, -8192, 8192, -65536, 65536))
        target = near if rng.random() < 0.4 and 0 <= near <= self._end else target
        await self._to(target)

    async def _far(self) -> None:
        await self._to(self._end + self.case.rng.choice((1, 5, 8192, 1 << 20)))

    async def _edge(self) -> None:
        """Read a few bytes at the edge of a block, after a step of a few bytes from there in either direction."""
        rng = self.case.rng
        anywhere = rng.randrange(self._end + 1)
        edge = anywhere - anywhere % rng.choice((512, 4096, 8192, 65536))
        await self._to(edge)
        await self._to(min(self._end, max(0, edge + rng.choice((-3, -1, 0, 1, 100)))), rng.choice((io.SEEK_CUR, None)))
        self._expect_next(await self.stream.read(5), 5, "read(5)")

    async def _to(self, target: int, whence: int | None = None) -> None:
        if whence is None:
            whence = self.case.rng.choice((io.SEEK_SET, io.SEEK_CUR, io.SEEK_END))
        offset = target - (0, self._file.tell(), self._end)[whence]
        call = f"seek({offset}, {whence})" if whence or self.case.rng.random() < 0.5 else f"seek({offset})"
        seek = self.stream.seek
        observed = await seek(offset, whence) if "," in call else await seek(offset)
        self._expect(observed, self._file.seek(target), call)
