"""The contract, kept by filesystems that fsspec has built in."""

from __future__ import annotations

import errno
import io
import secrets
import tempfile
from collections.abc import Callable, Mapping
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.implementations.dirfs import DirFileSystem
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from remote_store.conformance import (
    AsyncBackendConformance,
    BackendConformance,
    Harness,
    Oracle,
    Profile,
    StorageFault,
    ThreadedHarness,
    load_deviations,
)
from remote_store.core import Backend, LocalBackend
from remote_store.fsspec import FsspecBackend


class Failing(AbstractFileSystem):
    """A filesystem each of whose calls meets a fault. What writes in place has written a half by then."""

    cachable = False
    fault: StorageFault

    def info(self, path: Any, **kwargs: Any) -> Any:
        self._arrive()
        return super().info(path, **kwargs)

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> Any:
        self._arrive()
        return super().ls(path, detail=detail, **kwargs)

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **kwargs: Any) -> Any:
        self._arrive()
        content = super().cat_file(path, start, end, **kwargs)
        # The end of a connection may look like the end of the file.
        return content[: len(content) // 2] if self.fault is StorageFault.LOST_DURING else content

    def cp_file(self, path1: str, path2: str, **kwargs: Any) -> None:
        self._commit(lambda: super(Failing, self).cp_file(path1, path2, **kwargs), stores=True)

    def rm_file(self, path: str) -> None:
        self._commit(lambda: super(Failing, self).rm_file(path))

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        self._arrive()
        super().makedirs(path, exist_ok=exist_ok)

    def rmdir(self, path: str) -> None:
        self._arrive()
        super().rmdir(path)

    def _arrive(self) -> None:
        if self.fault in (StorageFault.UNREACHABLE, StorageFault.TIMEOUT):
            raise failure(self.fault)

    def _commit(self, change: Callable[[], object], *, stores: bool = False) -> None:
        self._arrive()
        if self.fault is StorageFault.LOST_DURING or (stores and self.fault is StorageFault.FULL):
            raise failure(self.fault)
        change()
        if self.fault is StorageFault.LOST_AFTER:
            raise failure(self.fault)


class FailingMemory(Failing, MemoryFileSystem):
    """A file is stored as a whole or not at all."""

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **kwargs: Any) -> None:
        self._commit(lambda: super(Failing, self).pipe_file(path, value, mode=mode, **kwargs), stores=True)


class FailingDisk(Failing, LocalFileSystem):
    def open(self, path: str, mode: str = "rb", **kwargs: Any) -> Any:
        self._arrive()
        return FailingFile(path, self.fault) if mode == "wb" else super().open(path, mode, **kwargs)


class FailingFile(io.FileIO):
    def __init__(self, path: str, fault: StorageFault) -> None:
        super().__init__(path, "wb")
        self._fault = fault

    def write(self, data: Any) -> int:
        is_whole = self._fault is StorageFault.LOST_AFTER
        super().write(data if is_whole else data[: len(data) // 2])
        raise failure(self._fault)


def failure(fault: StorageFault) -> OSError:
    """What a filesystem raises."""
    if fault is StorageFault.FULL:
        return OSError(errno.ENOSPC, "No space left on device")
    return TimeoutError() if fault is StorageFault.TIMEOUT else ConnectionResetError()


def failing(fs: Failing, fault: StorageFault) -> Failing:
    fs.fault = fault
    return fs


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

    def faulty(self, fault: StorageFault) -> FsspecBackend:
        return FsspecBackend(failing(FailingMemory(), fault), self._root)

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

    def faulty(self, fault: StorageFault) -> FsspecBackend:
        return FsspecBackend(failing(FailingDisk(), fault), self._folder.name)

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

    def faulty(self, fault: StorageFault) -> FsspecBackend:
        return FsspecBackend(DirFileSystem(self._folder.name, failing(FailingDisk(), fault)))


class TestMemory(BackendConformance):
    harness = MemoryHarness()


class TestMemoryInThreads(AsyncBackendConformance):
    harness = ThreadedHarness(MemoryHarness())


class TestLocal(BackendConformance):
    harness = LocalHarness()


class TestDir(BackendConformance):
    harness = DirHarness()
