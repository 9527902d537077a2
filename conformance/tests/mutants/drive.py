"""A correct backend over a client that fails in every way of `StorageFault`, and that counts its calls."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from mutants.memory import MemoryHarness, MemoryOracle
from remote_store.conformance import Harness, Profile, StorageFault
from remote_store.core import (
    BackendUnavailable,
    Capability,
    DelegatingBackend,
    FileInfo,
    FolderEntry,
    FolderInfo,
    MemoryBackend,
    RemoteStoreError,
    WriteResult,
)

ERRORS = {
    StorageFault.UNREACHABLE: ConnectionRefusedError("no route"),
    StorageFault.TIMEOUT: TimeoutError("no answer"),
    StorageFault.LOST_DURING: ConnectionResetError("reset"),
    StorageFault.LOST_AFTER: ConnectionResetError("reset"),
    StorageFault.FULL: OSError("no space left on device"),
}


class DriveBackend(DelegatingBackend):
    """Files of another backend, reached with one call of a client for each operation. This is correct.

    Args:
        inner: The backend that has the files.
        fault: How the client fails, if it does.
        sent: The paths of all calls.
    """

    capabilities = frozenset(
        {
            *(Capability.READ, Capability.WRITE, Capability.DELETE, Capability.LIST, Capability.GLOB, Capability.MOVE),
            *(Capability.COPY, Capability.METADATA, Capability.ATOMIC_WRITE, Capability.SEEKABLE_READ),
        }
    )

    def __init__(self, inner: MemoryBackend, fault: StorageFault | None, sent: list[str]) -> None:
        super().__init__(inner)
        self.fault, self.sent = fault, sent

    @contextmanager
    def call(self, path: str, *, writes: bool = False) -> Iterator[None]:
        """One call of the client."""
        self.sent.append(path)
        if self.fault is StorageFault.FULL and not writes:
            yield
            return
        if self.fault not in (None, StorageFault.LOST_AFTER):
            raise self.typed(path)
        yield
        if self.fault is not None:
            raise self.typed(path)

    def typed(self, path: str) -> Exception:
        """The error of the contract for the client's error."""
        assert self.fault is not None
        away = self.fault is not StorageFault.FULL
        kind = BackendUnavailable if away else RemoteStoreError
        error = kind("the drive failed; try again later", path=path, backend=self.name, retryable=away)
        error.__cause__ = ERRORS[self.fault]
        return error

    def exists(self, path: str) -> bool:
        with self.call(path):
            return super().exists(path)

    def is_file(self, path: str) -> bool:
        with self.call(path):
            return super().is_file(path)

    def is_folder(self, path: str) -> bool:
        with self.call(path):
            return super().is_folder(path)

    def read(self, path: str, **options: Any) -> BinaryIO:
        with self.call(path):
            return super().read(path, **options)

    def read_seekable(self, path: str, **options: Any) -> BinaryIO:
        with self.call(path):
            return super().read_seekable(path, **options)

    def read_bytes(self, path: str, **options: Any) -> Any:
        with self.call(path):
            return super().read_bytes(path, **options)

    def read_range(self, path: str, start: int, length: int, **options: Any) -> bytes:
        with self.call(path):
            return super().read_range(path, start, length, **options)

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        with self.call(path, writes=True):
            return super().write(path, content, **options)

    def write_atomic(self, path: str, content: Any, **options: Any) -> WriteResult:
        with self.call(path, writes=True):
            return super().write_atomic(path, content, **options)

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[BinaryIO]:
        with self.call(path, writes=True), super().open_atomic(path, **options) as stream:
            yield stream

    def delete(self, path: str, **options: Any) -> None:
        with self.call(path):
            super().delete(path, **options)

    def delete_folder(self, path: str, **options: Any) -> None:
        with self.call(path):
            super().delete_folder(path, **options)

    def list_files(self, path: str, **options: Any) -> Iterator[FileInfo]:
        with self.call(path):
            return super().list_files(path, **options)

    def list_folders(self, path: str) -> Iterator[FolderEntry]:
        with self.call(path):
            return super().list_folders(path)

    def iter_children(self, path: str) -> Iterator[FileInfo | FolderEntry]:
        with self.call(path):
            return super().iter_children(path)

    def get_file_info(self, path: str, **options: Any) -> Any:
        with self.call(path):
            return super().get_file_info(path, **options)

    def get_folder_info(self, path: str) -> FolderInfo:
        with self.call(path):
            return super().get_folder_info(path)

    def move(self, src: str, dst: str, **options: Any) -> None:
        with self.call(src):
            super().move(src, dst, **options)

    def copy(self, src: str, dst: str, **options: Any) -> None:
        with self.call(src, writes=True):
            super().copy(src, dst, **options)

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        with self.call(pattern):
            return super().glob(pattern)


class DriveHarness(Harness):
    """Instances of one class over the files of a model.

    Args:
        kind: The class; the correct backend by default.
    """

    profile = Profile(kind="drive", max_key_bytes=None, in_process=True, picklable=False)
    budget = dict.fromkeys(
        [
            "exists",
            "read",
            "read_bytes",
            "read_range",
            "write",
            "delete",
            "copy",
            "move",
            "get_file_info",
            "list_files",
        ],
        1,
    )

    def __init__(self, kind: type[DriveBackend] = DriveBackend) -> None:
        self.kind, self.sent = kind, list[str]()
        self._memory = MemoryHarness()

    def make(self, **_options: Any) -> DriveBackend:
        return self.kind(self._memory.make(), None, self.sent)

    def faulty(self, fault: StorageFault) -> DriveBackend:
        return self.kind(self._memory.make(), fault, self.sent)

    def calls(self) -> int:
        return len(self.sent)

    @property
    def oracle(self) -> MemoryOracle:
        return self._memory.oracle
