"""Backends over S3 that read a version, or resume an upload, rightly if the content is small or plain."""

from __future__ import annotations

from typing import Any, BinaryIO

from mutants.http_s3 import HttpBackend
from mutants.reading import Stream
from mutants.registry import broken
from remote_store.core import WriteResult

BLOCK = 100_000


class Blocks(Stream):
    """A stream that has the first block of a version, and only the length of the rest."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content[:BLOCK] + bytes(max(0, len(content) - BLOCK)))


@broken("VERS-002")
class StreamsTheFirstBlockOfAVersion(HttpBackend):
    """A stream of `read` of a version has the bytes of its first block, and zeros after them."""

    def read(self, path: str, **options: Any) -> BinaryIO:
        if options.get("version_id") is None:
            return super().read(path, **options)
        return Blocks(self.read_bytes(path, **options))


@broken("VERS-002")
class ReadsRangesOfTheLatestVersion(HttpBackend):
    """`read_ranges` of a version takes the ranges after the first from the latest version of the same size."""

    def read_ranges(self, path: str, ranges: Any, **options: Any) -> list[bytes]:
        version = options.pop("version_id", None)
        if version is None:
            return super().read_ranges(path, ranges, **options)
        first = super().read_ranges(path, ranges[:1], version_id=version, **options)
        size = len(self.read_bytes(path, version_id=version))
        others = (found for found in self.list_versions(path) if found.size == size)
        latest = next(others).version_id
        return [*first, *super().read_ranges(path, ranges[1:], version_id=latest, **options)]


@broken("PART-006")
class ResumesTheFirstRowOfAView(HttpBackend):
    """`resume_upload` of a view of two dimensions writes its first row."""

    def resume_upload(self, path: str, content: Any, **options: Any) -> WriteResult:
        if isinstance(content, memoryview) and content.ndim > 1:
            content = bytes(content)[: content.nbytes // len(content)]
        return super().resume_upload(path, content, **options)
