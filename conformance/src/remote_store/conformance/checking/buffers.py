"""Buffers of every kind that Python has: those that a read fills, and those that a write takes."""

from __future__ import annotations

import ctypes
import io
import mmap
from array import array
from collections.abc import Callable
from typing import Any

FILL = 0xA5
"""Each byte of a buffer before it is filled."""


def _wide(code: str) -> Callable[[int], Any]:
    return lambda size: array(code, bytes(size - size % array(code).itemsize))


def _square(size: int, code: str = "B") -> Any:
    """A view of two dimensions; of one if there is nothing in it."""
    flat = memoryview(bytearray(size - size % 16))
    whole: Any = flat
    return whole.cast(code, [2, flat.nbytes // 2 // array(code).itemsize]) if flat.nbytes else flat


# Buffers of about this many bytes, each of which `io.BytesIO.readinto` fills.
WRITABLE: dict[str, Callable[[int], Any]] = {
    "bytearray": bytearray,
    "part_of_a_view": lambda size: memoryview(bytearray(size + 9))[4 : 4 + size],
    "array_of_H": _wide("H"),
    "array_of_I": _wide("I"),
    "array_of_d": _wide("d"),
    "view_of_q": lambda size: memoryview(bytearray(size - size % 8)).cast("q") if size >= 8 else bytearray(size),
    "ctypes_of_bytes": lambda size: (ctypes.c_ubyte * size)(),
    "ctypes_of_ints": lambda size: (ctypes.c_uint32 * (size // 4))(),
    "mmap": lambda size: mmap.mmap(-1, max(1, size)),
    "two_dimensions": _square,
    "two_dimensions_of_H": lambda size: _square(size, "H"),
}


def bytes_of(buffer: Any) -> bytes:
    """The bytes of a buffer of any kind."""
    with memoryview(buffer) as view:
        return view.tobytes()


def fill(buffer: Any, data: bytes | None = None) -> None:
    """Set the first bytes of a contiguous buffer of any kind; by default all of them to `FILL`."""
    io.BytesIO(bytes([FILL]) * len(bytes_of(buffer)) if data is None else data).readinto(buffer)


def _made(kind: str) -> Callable[[bytes], Any]:
    def make(content: bytes) -> Any:
        buffer = WRITABLE[kind](len(content))
        fill(buffer, content)
        return memoryview(buffer)

    return make


# Views of the start of a content, which a write takes. Their bytes are `bytes_of`.
VIEWS: dict[str, Callable[[bytes], Any]] = {
    **{kind: _made(kind) for kind in WRITABLE},
    "bytes": bytes,
    "reversed": lambda content: memoryview(content)[::-1],
    "every_third": lambda content: memoryview(bytearray(content))[::3],
    "every_second_item": lambda content: memoryview(array("I", content[: len(content) // 4 * 4]))[::2],
    "of_no_dimension": lambda content: memoryview(ctypes.c_uint64(int.from_bytes(content[:8], "little"))),
    "of_a_structure": lambda content: memoryview(_Pair.from_buffer_copy(content[:16].ljust(16, b"."))),
    "of_bools": lambda content: memoryview(bytes(byte % 2 for byte in content)).cast("?"),
    "of_characters": lambda content: memoryview(content).cast("c"),
}


class _Pair(ctypes.Structure):
    _fields_ = (("first", ctypes.c_uint32), ("second", ctypes.c_double))
