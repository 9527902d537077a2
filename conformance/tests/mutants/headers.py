"""Backends that lose, change or misread the headers of a file."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mutants.http_port import HttpPort
from mutants.http_s3 import HttpBackend
from mutants.registry import broken
from remote_store.core import FileInfo, LocalBackend, MemoryBackend, WriteResult
from remote_store.core.s3 import Call


class Keeps(MemoryBackend):
    """Files in memory; a subclass changes what a write stores."""

    def kept(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options after the change of the subclass."""
        raise NotImplementedError

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        return super().write(path, content, **self.kept(options))


@broken("HEAD-001")
class LosesExpiry(Keeps):
    """Accepts `expires` and does not store it."""

    def kept(self, options: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in options.items() if name != "expires"}


@broken("HEAD-001")
class ExpiresWithoutZone(MemoryBackend):
    """Returns `expires` without a time zone."""

    def get_file_info(self, path: str, **options: Any) -> FileInfo:
        info = super().get_file_info(path, **options)
        return replace(info, expires=info.expires and info.expires.replace(tzinfo=None))


@broken("HEAD-001")
class InventsCaching(MemoryBackend):
    """Returns `no-cache` for a file without a `Cache-Control` header."""

    def get_file_info(self, path: str, **options: Any) -> FileInfo:
        info = super().get_file_info(path, **options)
        return replace(info, cache_control=info.cache_control or "no-cache")


class BeginsPlainUploads(HttpPort):
    """A port that begins multipart uploads without headers."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        if call.operation == "CreateMultipartUpload":
            call = Call(call.operation, {name: call.params[name] for name in ("Bucket", "Key")})
        return super().perform(call)


@broken("HEAD-001", "VERS-007", "VERS-011")
class LargeFilesHaveNoHeaders(HttpBackend):
    """Sends headers, tags and the storage class with PutObject, but not with a multipart upload."""

    port = BeginsPlainUploads


@broken("HEAD-002")
class CopiesContentOnly(MemoryBackend):
    """Copies and moves the content without the headers."""

    def copy(self, src: str, dst: str, *, overwrite: bool = False, **options: Any) -> None:
        super().copy(src, dst, overwrite=overwrite, **options)
        self._files[dst] = replace(self._files[dst], headers={})

    def move(self, src: str, dst: str, *, overwrite: bool = False, **options: Any) -> None:
        super().move(src, dst, overwrite=overwrite, **options)
        self._files[dst] = replace(self._files[dst], headers={})


@broken("HEAD-003")
class KeepsOldHeaders(MemoryBackend):
    """An overwrite without headers keeps those of the file that it replaces."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        old = self._files.get(path)
        result = super().write(path, content, **options)
        if old is not None:
            file = self._files[path]
            self._files[path] = replace(file, headers={**old.headers, **file.headers})
        return result


@broken("HEAD-004")
class DecodesBodies(MemoryBackend):
    """`read_bytes` unpacks files with the encoding `gzip`, as HTTP clients do."""

    def read_bytes(self, path: str, **options: Any) -> Any:
        content, info = super().read_bytes(path, **options), self.get_file_info(path)
        try:
            return gzip.decompress(content) if info.content_encoding == "gzip" else content
        except OSError:
            return content


@broken("HEAD-005")
class RepairsHeaders(Keeps):
    """Drops headers that are malformed instead of refusing them."""

    def kept(self, options: Mapping[str, Any]) -> dict[str, Any]:
        sound = {name: value for name, value in options.items() if not isinstance(value, str) or value.isprintable()}
        return {name: value for name, value in sound.items() if not isinstance(value, str) or value.isascii()}


@broken("HEAD-005")
class CreatesBeforeItChecks(LocalBackend):
    """Creates an empty file before it refuses a header."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if not options.get("overwrite") and not self.exists(path):
            super().write(path, b"")
        return super().write(path, content, **{**options, "overwrite": True})
