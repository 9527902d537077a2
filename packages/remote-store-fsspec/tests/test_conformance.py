"""The contract, kept by filesystems that fsspec has built in."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Mapping
from typing import Any

from fsspec.implementations.dirfs import DirFileSystem
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from remote_store.conformance import (
    AsyncBackendConformance,
    BackendConformance,
    Harness,
    Oracle,
    Profile,
    ThreadedHarness,
    load_deviations,
)
from remote_store.core import Backend, LocalBackend
from remote_store.fsspec import FsspecBackend


class MemoryOracle(Oracle):
    """The files of fsspec's memory."""

    def __init__(self, root: str) -> None:
        self._fs = MemoryFileSystem()
        self._root = f"{root}/"

    def raw_put(
        self, key: str, data: bytes = b"", *, metadata: Mapping[str, str] | None = None, content_type: str | None = None
    ) -> None:
        self._fs.pipe_file(self._root + key, data)

    def raw_get(self, key: str) -> bytes | None:
        file = self._fs.store.get(self._root + key)
        return None if file is None else file.getvalue()

    def raw_list(self, prefix: str = "") -> list[str]:
        start = self._root + prefix
        return [name.removeprefix(self._root) for name in list(self._fs.store) if name.startswith(start)]

    def raw_delete(self, key: str) -> None:
        self._fs.store.pop(self._root + key, None)


class MemoryHarness(Harness):
    """A folder in fsspec's memory."""

    profile = Profile(
        kind="tree", flat=False, foreign_keys=False, in_process=True, max_key_bytes=None, rejects_file_ancestor=True
    )

    def __init__(self) -> None:
        self._root = f"/conformance-{secrets.token_hex(8)}"

    def make(self, **_options: Any) -> FsspecBackend:
        return FsspecBackend(MemoryFileSystem(), self._root)

    def make_absent(self, **_options: Any) -> FsspecBackend:
        return FsspecBackend(MemoryFileSystem(), f"{self._root}-absent", create=False)

    def isolated(self) -> MemoryHarness:
        return MemoryHarness()

    @property
    def oracle(self) -> MemoryOracle:
        return MemoryOracle(self._root)


class LocalHarness(Harness):
    """A temporary folder on disk."""

    profile = Profile(
        kind="tree",
        flat=False,
        foreign_keys=False,
        rejects_file_ancestor=True,
        max_key_bytes=None,
        max_segment_bytes=255,
        endpoint_kind="files",
    )

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="fsspec-backend-")
        file = self.make().deviations_file
        assert file is not None
        self.deviations = load_deviations(file)

    def make(self, **_options: Any) -> FsspecBackend:
        return FsspecBackend(LocalFileSystem(), self._folder.name)

    def make_absent(self, **_options: Any) -> FsspecBackend:
        return FsspecBackend(LocalFileSystem(), f"{self._folder.name}/absent/root", create=False)

    @property
    def peers(self) -> dict[str, Callable[[], Backend]]:
        return {"local": lambda: LocalBackend(self._folder.name)}

    def isolated(self) -> LocalHarness:
        return type(self)()


class DirHarness(LocalHarness):
    """The whole of a filesystem that is a folder of another one, so that no path has a slash in front."""

    def make(self, **_options: Any) -> FsspecBackend:
        return FsspecBackend(DirFileSystem(self._folder.name, LocalFileSystem()))

    def make_absent(self, **_options: Any) -> FsspecBackend:
        return FsspecBackend(DirFileSystem(self._folder.name, LocalFileSystem()), "absent", create=False)


class TestMemory(BackendConformance):
    harness = MemoryHarness()


class TestMemoryInThreads(AsyncBackendConformance):
    harness = ThreadedHarness(MemoryHarness())


class TestLocal(BackendConformance):
    harness = LocalHarness()


class TestDir(BackendConformance):
    harness = DirHarness()
