"""Makes a binary stream of an iterable of bytes."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from remote_store.core.io.source import BUFFERS, Buffer


class Chunks(io.BufferedIOBase):
    """A binary stream over an iterable of bytes. Closing it leaves the iterable as it is.

    Args:
        chunks: The chunks, of any length.

    Raises:
        TypeError: It is a mapping or a set, or a list or tuple with an item that is not bytes.
    """

    def __init__(self, chunks: Iterable[Buffer]) -> None:
        if isinstance(chunks, Mapping | AbstractSet):
            raise TypeError(f"content must be an ordered iterable of bytes, not a {type(chunks).__name__}; pass a list")
        known = isinstance(chunks, list | tuple)
        self._left: int | None = sum(len(as_chunk(chunk)) for chunk in chunks) if known else None
        self._chunks = iter(chunks)
        self._carry = memoryview(b"")

    def bytes_left(self) -> int | None:
        """The number of bytes left; `None` unless the chunks are a list or a tuple."""
        return self._left

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Up to `size` bytes, fewer only at the end.

        Raises:
            TypeError: The iterable yielded something other than bytes.
        """
        most = sys.maxsize if size is None or size < 0 else size
        gathered = bytearray()
        while len(gathered) < most:
            if not self._carry:
                try:
                    self._carry = memoryview(as_chunk(next(self._chunks)))
                except StopIteration:
                    break
            missing = most - len(gathered)
            gathered += self._carry[:missing]
            self._carry = self._carry[missing:]
        if self._left is not None:
            self._left -= len(gathered)
        return bytes(gathered)

    def read1(self, size: int = -1, /) -> bytes:
        """Like `read`."""
        return self.read(size)


def as_chunk(chunk: object) -> bytes:
    """Check an item of an iterable, and return it as bytes.

    Raises:
        TypeError: It is text or another object.
    """
    if not isinstance(chunk, BUFFERS):
        raise TypeError(
            f"the content yielded {type(chunk).__name__} instead of bytes; encode text, e.g. with str.encode"
        )
    return chunk if type(chunk) is bytes else bytes(chunk)
