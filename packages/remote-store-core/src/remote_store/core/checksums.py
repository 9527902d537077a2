"""Checksums of content: computed block by block, compared, and written as S3 writes them."""

from __future__ import annotations

import hashlib
import zlib
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Final, Protocol, Self, TypeAlias

from remote_store.core.crc import CRC32, CRC32C, CRC64NVME, Crc
from remote_store.core.models import ContentDigest

Update: TypeAlias = Callable[[bytes | memoryview, int], int]

HASHES: Final[Mapping[str, int]] = {"md5": 16, "sha1": 20, "sha256": 32, "sha512": 64}
CRCS: Final[Mapping[str, Crc]] = {"crc32": CRC32, "crc32c": CRC32C, "crc64nvme": CRC64NVME}
SIZES: Final[Mapping[str, int]] = {**HASHES, **{name: crc.width // 8 for name, crc in CRCS.items()}}
"""The algorithms that can be computed, under the names of a `ContentDigest`, and the bytes of their results."""

PIECE = 1024 * 1024
"""Bytes to sum at once."""


class Running(Protocol):
    """A checksum of content that arrives in blocks."""

    def update(self, content: bytes | memoryview, /) -> object:
        """Add the next bytes."""

    def digest(self) -> bytes:
        """The checksum of the bytes so far."""

    def copy(self) -> Self:
        """A checksum that goes on from here on its own."""


class RunningCrc:
    """A CRC of content that arrives in blocks.

    Args:
        name: The algorithm.
        value: The CRC of the content so far.
    """

    __slots__ = ("_name", "_update", "value")

    def __init__(self, name: str, value: int = 0) -> None:
        self._name = name
        self._update = update_of(name)
        self.value = value

    def update(self, content: bytes | memoryview, /) -> None:
        """Add the next bytes."""
        for piece in pieces(content):
            self.value = self._update(piece, self.value)

    def digest(self) -> bytes:
        """The checksum of the bytes so far."""
        return self.value.to_bytes(SIZES[self._name], "big")

    def copy(self) -> Self:
        """A checksum that goes on from here on its own."""
        return type(self)(self._name, self.value)


def running(algorithm: str) -> Running:
    """A checksum of nothing yet.

    Args:
        algorithm: One of the `SIZES`.

    Raises:
        ValueError: The algorithm is unknown, or the OpenSSL of this Python does not have it.
    """
    if algorithm in CRCS:
        return RunningCrc(algorithm)
    if algorithm not in HASHES:
        raise ValueError(f"unknown algorithm {algorithm!r}; known algorithms: {', '.join(SIZES)}")
    return hashlib.new(algorithm, usedforsecurity=False)


@cache
def update_of(name: str) -> Update:
    """The function that computes a CRC: zlib's, that of awscrt if it is installed, or core's own."""
    if name == "crc32":
        return zlib.crc32
    try:
        found: Update | None = getattr(import_module("awscrt.checksums"), name, None)
    except Exception:  # noqa: BLE001 - a broken installation of an optional package
        found = None
    return CRCS[name].update if found is None else found


def pieces(content: bytes | memoryview) -> Iterator[bytes | memoryview]:
    """Some content in pieces that take a few milliseconds to sum."""
    if len(content) <= PIECE:
        yield content
        return
    with memoryview(content) as view:
        for start in range(0, len(view), PIECE):
            yield view[start : start + PIECE]


def encoded(value: bytes) -> str:
    """A checksum as S3 writes it."""
    return b64encode(value).decode()


def digest_of(content: bytes, algorithm: str) -> ContentDigest:
    """The checksum of some content.

    Args:
        content: The whole content.
        algorithm: One of the `SIZES`.
    """
    checksum = running(algorithm)
    checksum.update(content)
    return ContentDigest(algorithm, encoded(checksum.digest()))


def joined(algorithm: str, parts: list[tuple[bytes, int]]) -> bytes:
    """The CRC of the whole content from those of its parts.

    Args:
        algorithm: One of the `CRCS`.
        parts: CRC and size of each part, in order.
    """
    crc, whole = CRCS[algorithm], 0
    for value, size in parts:
        whole = crc.joined(whole, int.from_bytes(value, "big"), size)
    return whole.to_bytes(SIZES[algorithm], "big")


def expected_of(digest: ContentDigest) -> bytes:
    """The bytes of a checksum that covers the whole content.

    Args:
        digest: The checksum. Its value is in base64, as S3 has it, or hexadecimal.

    Raises:
        TypeError: It is not a `ContentDigest`.
        ValueError: It cannot be computed from the content, or its value is not one of its algorithm.
    """
    if not isinstance(digest, ContentDigest):
        raise TypeError(f"digest must be a ContentDigest, not {type(digest).__name__}")
    if not digest.full_object:
        raise ValueError("the digest is a checksum of part checksums, which depends on how the file was uploaded")
    size = SIZES.get(digest.algorithm.lower())
    if size is None:
        raise ValueError(f"unknown algorithm {digest.algorithm!r}; known algorithms: {', '.join(SIZES)}")
    try:
        # A CRC of 32 bits has 8 characters in both; only its base64 ends with an equals sign.
        is_hex = len(digest.value) == 2 * size and not digest.value.endswith("=")
        value = bytes.fromhex(digest.value) if is_hex else b64decode(digest.value, validate=True)
    except (NotBase64, ValueError):
        value = b""
    if len(value) != size:
        raise ValueError(f"the value of a {digest.algorithm} digest must be {size} bytes in base64 or hexadecimal")
    return value


def comparable(digest: ContentDigest | None) -> bytes | None:
    """The bytes of a checksum that a service reported; `None` if it cannot be compared with the content.

    Args:
        digest: The checksum, if there is one.
    """
    try:
        return None if digest is None else expected_of(digest)
    except ValueError:
        return None


class InOrder:
    """Sums the bytes of one file as they are read in order, and compares the checksum at the end.

    It checks reads from the start to the end. If bytes are skipped, it waits for the next read from the start.

    Args:
        digest: The checksum that the service reported, if any.
        size: Bytes of the file.
    """

    __slots__ = ("_algorithm", "_expected", "_next", "_size", "_sum")

    def __init__(self, digest: ContentDigest | None, size: int) -> None:
        self._algorithm = "" if digest is None else digest.algorithm.lower()
        self._expected = comparable(digest)
        self._size = size
        self._next = 0
        self._sum: Running | None = None

    @property
    def state(self) -> tuple[int, Running | None]:
        """What has been summed. Take it before a read that may fail, and restore it then."""
        return self._next, self._sum and self._sum.copy()

    @state.setter
    def state(self, before: tuple[int, Running | None]) -> None:
        self._next, self._sum = before

    def saw(self, position: int, content: bytes | memoryview) -> bool:
        """Add bytes that were read. Returns `False` if the file ends with them and is not what was written.

        Args:
            position: Offset of the first of them.
            content: The bytes.
        """
        if self._expected is None or not len(content):
            return True
        if position == 0:
            self._next, self._sum = 0, running(self._algorithm)
        if self._sum is None:
            return True
        if position != self._next:
            self._sum = None
            return True
        self._sum.update(content)
        self._next += len(content)
        return self._next != self._size or self._sum.digest() == self._expected
