"""Backends that change or swallow an exception of the caller's stream."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from mutants.registry import broken
from remote_store.core import MemoryBackend, WriteResult


@broken("ERR-019")
class ReadsInAGenerator(MemoryBackend):
    """Reads the caller's stream inside a generator, which turns a StopIteration into a RuntimeError."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if not hasattr(content, "read") or isinstance(content, io.TextIOBase):
            return super().write(path, content, **options)
        return super().write(path, b"".join(blocks(content)), **options)


@broken("ERR-019")
class ReadsAsAnIterator(MemoryBackend):
    """Treats a StopIteration raised by the caller's stream as the end of the stream."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if not hasattr(content, "read") or isinstance(content, io.TextIOBase):
            return super().write(path, content, **options)
        return super().write(path, b"".join(iter(lambda: content.read(1 << 20), b"")), **options)


def blocks(stream: Any) -> Iterator[bytes]:
    """The blocks of a stream."""
    while block := stream.read(1 << 20):
        yield block
