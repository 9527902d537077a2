"""Backends that handle iterables of bytes wrongly."""

from __future__ import annotations

from typing import Any

from mutants.registry import broken
from remote_store.core import MemoryBackend, WriteResult


@broken("WRITE-021")
class TakesStreamsOnly(MemoryBackend):
    """Refuses an iterable of bytes."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if not isinstance(content, bytes | bytearray | memoryview) and not hasattr(content, "read"):
            raise TypeError("content must be bytes or a stream")
        return super().write(path, content, **options)


@broken("WRITE-021")
class EndsAtAnEmptyChunk(MemoryBackend):
    """Treats an empty item of an iterable as its end."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if isinstance(content, list | tuple):
            content = iter(content)
        if hasattr(content, "__next__") and not hasattr(content, "read"):
            content = iter(content.__next__, b"")
        return super().write(path, content, **options)


@broken("WRITE-021")
class EncodesTextOfIterables(MemoryBackend):
    """Encodes the text that an iterable yields, in an encoding that nobody chose."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if not isinstance(content, str | bytes | bytearray | memoryview) and hasattr(content, "__iter__"):
            content = [item.encode() if isinstance(item, str) else item for item in content]
        return super().write(path, content, **options)
