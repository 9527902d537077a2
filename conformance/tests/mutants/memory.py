"""The correct backend for most mutants: files in this process's memory, with an oracle."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import replace
from typing import Any

from remote_store.conformance import AsyncHarness, Harness, Oracle, Profile, RawHead
from remote_store.core import Capability, CapabilityNotSupported, FileInfo, MemoryBackend, ThreadedBackend

PART = 100_000


class MemoryOracle(Oracle):
    """The files of a model, accessed without the backend under test."""

    def __init__(self, files: MutableMapping[str, Any]) -> None:
        self._files = files

    def raw_put(
        self, key: str, data: bytes = b"", *, metadata: Mapping[str, str] | None = None, content_type: str | None = None
    ) -> None:
        spare = MemoryBackend()
        spare.write("spare", data, metadata=metadata, content_type=content_type)
        self._files[key] = spare._files["spare"]

    def raw_get(self, key: str) -> bytes | None:
        return self._files[key].content if key in self._files else None

    def raw_list(self, prefix: str = "") -> list[str]:
        return [key for key in self._files if key.startswith(prefix)]

    def raw_delete(self, key: str) -> None:
        self._files.pop(key, None)

    def raw_head(self, key: str) -> RawHead | None:
        stored = self._files.get(key)
        return None if stored is None else RawHead(len(stored.content), stored.metadata, stored.content_type)


class ModestMemory(MemoryBackend):
    """Files in memory without GLOB. This is correct: the capability is not declared, and `glob` raises an error."""

    capabilities = MemoryBackend.capabilities - {Capability.GLOB}

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        raise CapabilityNotSupported("list the files and choose", capability=Capability.GLOB.value, backend=self.name)


class PagedMemory(MemoryBackend):
    """Files in memory, listed in pages of 256. This is correct: every page is listed, and the profile says so."""

    page = 256


class MemoryHarness(Harness):
    """Instances of one class that share the files of a model.

    Args:
        kind: The class; the correct backend by default.
    """

    # Memory has no parts; this size tests for bugs beyond the first block of a stream.
    profile = Profile(kind="memory", max_key_bytes=None, in_process=True, part_size=PART)

    def __init__(self, kind: type[MemoryBackend] = MemoryBackend) -> None:
        self.kind, self.model = kind, MemoryBackend()
        if issubclass(kind, PagedMemory):
            self.profile = replace(self.profile, page_size=kind.page)

    def make(self, **options: Any) -> MemoryBackend:
        return self._joined(self.kind(**options))

    def isolated(self) -> MemoryHarness:
        return MemoryHarness(self.kind)

    @property
    def peers(self) -> Mapping[str, Callable[[], MemoryBackend]]:
        return {"memory": self._right}

    @property
    def oracle(self) -> MemoryOracle:
        return MemoryOracle(self.model._files)

    def _right(self) -> MemoryBackend:
        return self._joined(MemoryBackend())

    def _joined(self, backend: MemoryBackend) -> MemoryBackend:
        backend._files, backend._lock = self.model._files, self.model._lock
        return backend


class ThreadedMemoryHarness(AsyncHarness):
    """Instances of one bridge over backends that share the files of a model.

    Args:
        kind: The class; the correct bridge by default.
    """

    profile = MemoryHarness.profile

    def __init__(self, kind: type[ThreadedBackend] = ThreadedBackend) -> None:
        self.kind, self.harness = kind, MemoryHarness()

    def make(self, **options: Any) -> ThreadedBackend:
        return self.kind(self.harness.make(**options))

    def isolated(self) -> ThreadedMemoryHarness:
        return ThreadedMemoryHarness(self.kind)

    @property
    def oracle(self) -> MemoryOracle:
        return self.harness.oracle
