# Keys are exact text, and `Path` would rewrite them.
# ruff: noqa: PTH103, PTH107, PTH120, PTH123
from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from remote_store.conformance import (
    AsyncBackendConformance,
    BackendConformance,
    Harness,
    Oracle,
    Profile,
    RawHead,
    ThreadedHarness,
)
from remote_store.core import AsyncDelegatingBackend, Capability, DelegatingBackend, LocalBackend, MemoryBackend
from remote_store.core.local.attributes import attach, attached, decoded, encoded
from remote_store.core.local.names import UNFINISHED
from remote_store.core.memory.files import StoredFile


class DictOracle(Oracle):
    def __init__(self, model: MemoryBackend) -> None:
        self.model = model

    def raw_put(
        self, key: str, data: bytes = b"", *, metadata: Mapping[str, str] | None = None, content_type: str | None = None
    ) -> None:
        spare = MemoryBackend()
        spare.write("spare", data)
        stored = spare._files["spare"]
        self.model._files[key] = StoredFile(data, stored.md5, dict(metadata or {}), content_type)

    def raw_get(self, key: str) -> bytes | None:
        stored = self.model._files.get(key)
        return None if stored is None else stored.content

    def raw_list(self, prefix: str = "") -> list[str]:
        return [key for key in self.model._files if key.startswith(prefix)]

    def raw_delete(self, key: str) -> None:
        self.model._files.pop(key, None)

    def raw_head(self, key: str) -> RawHead | None:
        stored = self.model._files.get(key)
        return None if stored is None else RawHead(len(stored.content), stored.metadata, stored.content_type)


class MemoryHarness(Harness):
    profile = Profile(kind="memory", max_key_bytes=None, in_process=True)

    def __init__(self) -> None:
        self._bucket = secrets.token_hex(8)
        self.model = MemoryBackend(self._bucket)

    def make(self, **options: Any) -> MemoryBackend:
        return MemoryBackend(self._bucket, **options)

    def isolated(self) -> MemoryHarness:
        return MemoryHarness()

    @property
    def oracle(self) -> DictOracle:
        return DictOracle(self.model)


class WrappedHarness(MemoryHarness):
    def make(self, **options: Any) -> Any:
        return DelegatingBackend(super().make(**options))

    def isolated(self) -> WrappedHarness:
        return WrappedHarness()


class WrappedThreadedHarness(ThreadedHarness):
    def make(self, **options: Any) -> AsyncDelegatingBackend:
        return AsyncDelegatingBackend(super().make(**options))


class DiskOracle(Oracle):
    def __init__(self, root: str) -> None:
        self.root = root

    def raw_put(
        self, key: str, data: bytes = b"", *, metadata: Mapping[str, str] | None = None, content_type: str | None = None
    ) -> None:
        path = f"{self.root}/{key}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
            attach(file.fileno(), encoded(metadata or {}, content_type))

    def raw_get(self, key: str) -> bytes | None:
        try:
            with open(f"{self.root}/{key}", "rb") as file:
                return file.read()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None

    def raw_head(self, key: str) -> RawHead | None:
        try:
            with open(f"{self.root}/{key}", "rb") as file:
                size, attributes = os.fstat(file.fileno()).st_size, attached(file.fileno())
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        return None if attributes is None else RawHead(size, *decoded(attributes))

    def raw_list(self, prefix: str = "") -> list[str]:
        return [key for key in self._names() if key.startswith(prefix) and UNFINISHED not in key]

    def raw_delete(self, key: str) -> None:
        path = f"{self.root}/{key}"
        with suppress(FileNotFoundError, NotADirectoryError):
            os.remove(path)
        with suppress(OSError):
            os.removedirs(os.path.dirname(path))
        os.makedirs(self.root, exist_ok=True)

    def raw_uploads(self, prefix: str = "") -> list[str]:
        return [key for key in self._names() if UNFINISHED in key]

    def _names(self) -> list[str]:
        return [f"{folder}/{name}"[len(self.root) + 1 :] for folder, _, names in os.walk(self.root) for name in names]


class LocalHarness(Harness):
    profile = Profile(kind="tree", flat=False, foreign_keys=False, max_key_bytes=None, max_segment_bytes=255)

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="conformance-")

    def make(self, **options: Any) -> LocalBackend:
        return LocalBackend(self._folder.name, **options)

    def make_absent(self, **options: Any) -> LocalBackend:
        return LocalBackend(f"{self._folder.name}/absent/root", **options)

    def isolated(self) -> LocalHarness:
        return type(self)()

    @property
    def oracle(self) -> DiskOracle:
        return DiskOracle(self._folder.name)


class WideHarness(LocalHarness):
    """The same; the checks go through all contents, keys and metadata, since the files are on this machine."""

    profile = replace(LocalHarness.profile, endpoint_kind="files")


class PlainHarness(LocalHarness):
    """A file system without extended attributes."""

    def make(self, **options: Any) -> LocalBackend:
        backend = super().make(**options)
        backend.capabilities = backend.capabilities - {Capability.USER_METADATA, Capability.CONTENT_HEADERS}
        return backend


class TestMemory(BackendConformance):
    harness = MemoryHarness()


class TestMemoryInThreads(AsyncBackendConformance):
    harness = ThreadedHarness(MemoryHarness())


class TestMemoryWrapped(BackendConformance):
    harness = WrappedHarness()


class TestMemoryInThreadsWrapped(AsyncBackendConformance):
    harness = WrappedThreadedHarness(MemoryHarness())


class TestLocal(BackendConformance):
    harness = WideHarness()


class TestLocalInThreads(AsyncBackendConformance):
    harness = ThreadedHarness(LocalHarness())


class TestLocalWithoutAttributes(BackendConformance):
    harness = PlainHarness()
