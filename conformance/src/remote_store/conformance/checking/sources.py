"""Sources of a write of every kind: streams of the standard library, objects that mislead, iterables."""

from __future__ import annotations

import bz2
import gzip
import io
import itertools
import lzma
import mmap
import os
import socket
import tarfile
import tempfile
import threading
import zipfile
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import Any

MASK = bytes(byte ^ 0x5A for byte in range(256))


class Own(bytes):
    """Bytes of a class of the caller's."""


class Odd:
    """A stream with only `read` and `close`, whose reads are of odd lengths.

    Args:
        content: The bytes of the stream.
        result: Makes the result of a read.
    """

    def __init__(self, content: bytes, result: Callable[[bytes], Any] = bytes) -> None:
        self._content = io.BytesIO(content)
        self._rng = Random(len(content))
        self._result = result
        self.closed = False

    def read(self, size: int = -1) -> Any:
        most = size if size < 0 else self._rng.choice((size, min(size, 7), min(size, 60_001), (size + 1) // 2))
        return self._result(self._content.read(most))

    def close(self) -> None:
        self.closed = True


class Falsy(Odd):
    """A stream whose truth value is false, because `__len__` returns 0."""

    def __len__(self) -> int:
        return 0


class Sized(Odd):
    """A stream of a decoder: it has the sizes and the name of what it decodes, and not its position."""

    size = length = len = 5
    name = __file__

    def __len__(self) -> int:
        return 5

    def getvalue(self) -> bytes:
        """What it decodes."""
        return b"coded"

    def tell(self) -> int:
        """The position in what it decodes."""
        return 3

    def seekable(self) -> bool:
        """It can only go on."""
        return False

    def seek(self, _offset: int, _whence: int = 0) -> int:
        raise io.UnsupportedOperation("seek")

    def fileno(self) -> int:
        raise io.UnsupportedOperation("fileno")


class Masked(io.BytesIO):
    """A stream in memory that decodes what it reads."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content.translate(MASK))

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(size).translate(MASK)

    def read1(self, size: int | None = -1, /) -> bytes:
        return self.read(size)

    def readinto(self, buffer: Any, /) -> int:
        with memoryview(buffer) as view:
            data = self.read(view.nbytes)
        return io.BytesIO(data).readinto(buffer)

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        return line.translate(MASK)

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self.read(100), b"")


class Section(io.BufferedIOBase):
    """The middle of a larger file, with positions in the whole of it."""

    def __init__(self, content: bytes) -> None:
        self._whole = io.BytesIO(b"before" * 100 + content + b"after" * 100)
        self._end = 600 + len(content)
        self._whole.seek(600)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        left = self._end - self._whole.tell()
        return self._whole.read(left if size is None or size < 0 else min(left, size))

    def tell(self) -> int:
        return self._whole.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._whole.seek(self._end + offset if whence == io.SEEK_END else offset, whence % 2)


class Fed:
    """What a thread writes to a pipe or to a socket.

    Args:
        file: Reads from it.
        send: Writes all of the content, and then ends it.
    """

    def __init__(self, file: Any, send: Callable[[], None]) -> None:
        self.read = file.read
        self._file = file
        self._thread = threading.Thread(target=send, daemon=True)
        self._thread.start()

    @property
    def closed(self) -> bool:
        """Whether the caller has closed it."""
        return bool(self._file.closed)

    def close(self) -> None:
        self._file.close()
        self._thread.join()


def _piped(content: bytes) -> Fed:
    read, write = os.pipe()

    def send() -> None:
        with io.FileIO(write, "wb") as file:
            sent = 0
            while sent < len(content):
                sent += file.write(content[sent:]) or 0

    return Fed(io.FileIO(read, "rb"), send)


def _socket(content: bytes) -> Fed:
    near, far = socket.socketpair()

    def send() -> None:
        with far:
            far.sendall(content)

    with near:
        return Fed(near.makefile("rb"), send)


def _zipped(content: bytes) -> Any:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("member", content)
    return zipfile.ZipFile(packed).open("member")


def _taped(content: bytes) -> Any:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        entry = tarfile.TarInfo("member")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    packed.seek(0)
    return tarfile.open(fileobj=packed).extractfile("member")


def _spooled(content: bytes, most: int) -> Any:
    file = tempfile.SpooledTemporaryFile(max_size=most)  # noqa: SIM115 - the check closes it
    file.write(content)
    file.seek(0)
    return file


def _on_disk(content: bytes, buffering: int) -> Any:
    file: Any = tempfile.TemporaryFile(buffering=buffering)  # noqa: SIM115 - the check closes it
    view = memoryview(content)
    # A file without a buffer may write a part.
    while view:
        view = view[file.write(view) :]
    file.seek(0)
    return file


def _for_reading(content: bytes) -> Any:
    with _on_disk(content, 0) as file:
        # Both share the position, which is at the beginning.
        return os.fdopen(os.dup(file.fileno()), "rb")


def _mapped(content: bytes) -> Any:
    file = mmap.mmap(-1, max(1, len(content)))
    file.write(content or b"\0")
    file.seek(0 if content else 1)
    return file


# Streams, each of which has exactly the content from where it stands.
STREAMS: dict[str, Callable[[bytes], Any]] = {
    "odd": Odd,
    "of_bytearrays": lambda content: Odd(content, bytearray),
    "of_views": lambda content: Odd(content, memoryview),
    "of_own_bytes": lambda content: Odd(content, Own),
    "false": Falsy,
    "sized": Sized,
    "masked": Masked,
    "section": Section,
    "gzip": lambda content: gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(content, 1))),
    "bz2": lambda content: bz2.BZ2File(io.BytesIO(bz2.compress(content, 1))),
    "lzma": lambda content: lzma.LZMAFile(io.BytesIO(lzma.compress(content, preset=0))),  # noqa: SIM115
    "zip_member": _zipped,
    "tar_member": _taped,
    "spooled_in_memory": lambda content: _spooled(content, 1 << 30),
    "spooled_on_disk": lambda content: _spooled(content, 1),
    "random": lambda content: io.BufferedRandom(io.BytesIO(content)),  # type: ignore[arg-type]
    "buffered_twice": lambda content: io.BufferedReader(io.BufferedReader(io.BytesIO(content), 7)),
    "without_a_buffer": lambda content: _on_disk(content, 0),
    "for_reading": _for_reading,
    "mmap": _mapped,
    "pipe": _piped,
    "socket": _socket,
}


def _pieces(content: bytes) -> Iterator[bytes]:
    """The content in pieces of odd lengths; some are empty, also the first and the last one."""
    rng, start = Random(len(content)), 0
    yield b""
    while start < len(content):
        size = rng.choice((0, 1, 1, 60, 8192, 100_003))
        yield content[start : start + size]
        start += size
    yield b""


def _reused(content: bytes) -> Iterator[bytearray]:
    """Pieces in buffers that the caller overwrites as soon as it has the next turn."""
    for piece in _pieces(content):
        buffer = bytearray(piece)
        yield buffer
        # Its length must stay, as the backend may still have a view of it.
        buffer[:] = b"#" * len(buffer)


def _window(content: bytes) -> Iterator[memoryview]:
    """Views of one buffer, which the caller fills again for each."""
    buffer = bytearray(100_003)
    for piece in _pieces(content):
        buffer[: len(piece)] = piece
        yield memoryview(buffer)[: len(piece)]
        buffer[:] = bytes(len(buffer))


def _wide(content: bytes) -> Iterator[memoryview]:
    whole = len(content) // 4 * 4
    yield memoryview(array("I", content[:whole]))
    yield memoryview(content[whole:])[::1]


class Again:
    """An iterable that is no iterator, and can be iterated more than once.

    Args:
        content: The bytes of its items.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        return _pieces(self._content)


# Iterables of bytes, whose items have exactly the content.
ITERABLES: dict[str, Callable[[bytes], Iterable[Any]]] = {
    "pieces": _pieces,
    "reused": _reused,
    "window": _window,
    "wide": _wide,
    "again": Again,
    "list_of_views": lambda content: [memoryview(piece) for piece in _pieces(content)],
    "list_of_bytearrays": lambda content: list(map(bytearray, _pieces(content))),
    "tuple_of_own_bytes": lambda content: tuple(map(Own, _pieces(content))),
    "deque": lambda content: deque(_pieces(content)),
    "values": lambda content: dict(enumerate(_pieces(content))).values(),
    "map": lambda content: map(bytes, _pieces(content)),
    "chain": lambda content: itertools.chain(_pieces(content[:70_000]), _pieces(content[70_000:])),
    "tiny": lambda content: itertools.chain((content[at : at + 1] for at in range(5_000)), (content[5_000:],)),
}
