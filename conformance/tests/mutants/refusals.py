"""Backends that check what they are given in some ways to write only, and that sum other bytes than they store."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, BinaryIO

from mutants.registry import broken
from mutants.swapping import dropping
from remote_store.core import MemoryBackend, WriteResult
from remote_store.core.checksums import digest_of
from remote_store.core.memory.files import Draft

MIB = 1 << 20


class Forgives(MemoryBackend):
    """Files in memory; a subclass writes without an option that is refused.

    Attributes:
        options: The names of the options.
    """

    options: tuple[str, ...] = ()

    def write_atomic(self, path: str, content: Any, **options: Any) -> WriteResult:
        try:
            return super().write_atomic(path, content, **options)
        except (ValueError, TypeError):
            if not options.keys() & {*self.options}:
                raise
            return super().write_atomic(path, content, **dropping(options, *self.options))


@broken("META-023")
class AtomicWritesDropUnfitTypes(Forgives):
    """`write_atomic` drops a content type that it cannot keep."""

    options = ("content_type",)


@broken("HEAD-005")
class AtomicWritesDropUnfitHeaders(Forgives):
    """`write_atomic` drops the headers if it cannot keep one of them."""

    options = ("cache_control", "content_disposition", "content_encoding", "expires")


@broken("VERS-009")
class AtomicWritesDropUnfitTags(Forgives):
    """`write_atomic` drops the tags if it cannot keep one of them."""

    options = ("tags",)


@broken("SUM-002")
class StripsNamesOfChecksums(MemoryBackend):
    """A write of an iterable takes the name of a checksum with spaces around it."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        name = options.get("checksum")
        if isinstance(name, str) and not isinstance(content, bytes):
            options["checksum"] = name.strip()
        return super().write(path, content, **options)


@broken("SUM-001")
class BeginsTheSumAnewForEachBlock(MemoryBackend):
    """The checksum of a content of several blocks of 1 MiB is that of the last one."""

    def _commit(self, path: str, content: bytes, *rest: Any, **options: Any) -> WriteResult:
        result = super()._commit(path, content, *rest, **options)
        asked = options.get("asked", {}).get("checksum")
        if asked and len(content) > MIB:
            digest = digest_of(content[(len(content) - 1) // MIB * MIB :], asked.lower())
            self._files[path] = replace(self._files[path], checksum=digest)
            return replace(result, digest=digest)
        return result


class Tapped(Draft):
    """A draft that keeps what was written to it in the order of the writes."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = io.BytesIO()

    def write(self, data: Any) -> int:
        self.seen.write(data)
        return super().write(data)


@broken("SUM-001")
class SumsWhatIsWrittenToABlock(MemoryBackend):
    """The checksum of `open_atomic` is that of all its writes in a row, also after a seek back."""

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[BinaryIO]:
        with Tapped() as draft:
            yield draft
            content, seen = draft.getvalue(), draft.seen.getvalue()
        self.write(path, content, **options)
        if options.get("checksum"):
            digest = digest_of(seen, options["checksum"].lower())
            self._files[path] = replace(self._files[path], checksum=digest)
