"""Mutants that do not cope with a storage that fails, or that send it calls that nobody asked for."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO

from mutants.drive import ERRORS, DriveBackend
from mutants.registry import broken
from remote_store.conformance import StorageFault
from remote_store.core import BackendUnavailable, RemoteStoreError, WriteResult


@broken("ERR-020")
class TimeoutIsFinal(DriveBackend):
    """Calls a timeout an error that another attempt does not help."""

    def typed(self, path: str) -> Exception:
        if self.fault is StorageFault.TIMEOUT:
            return RemoteStoreError("the drive did not answer", path=path, backend=self.name)
        return super().typed(path)


@broken("ERR-020")
class NothingIsThere(DriveBackend):
    """Takes a drive that cannot be reached for an empty one."""

    def exists(self, path: str) -> bool:
        with suppress(BackendUnavailable):
            return super().exists(path)
        return False


@broken("ERR-021")
class FullIsForeign(DriveBackend):
    """Lets the client's error of a full drive pass."""

    def typed(self, path: str) -> Exception:
        return ERRORS[StorageFault.FULL] if self.fault is StorageFault.FULL else super().typed(path)


@broken("READ-024")
class HalfIsEnough(DriveBackend):
    """Returns what had arrived when the connection was lost."""

    def read_bytes(self, path: str, **options: Any) -> Any:
        try:
            return super().read_bytes(path, **options)
        except BackendUnavailable:
            return self.inner.read_bytes(path)[:1000]


@broken("WRITE-022")
class EmptiesTheOldFileFirst(DriveBackend):
    """Empties the file before it sends the content."""

    def write(self, path: str, content: Any, *, overwrite: bool = False, **options: Any) -> WriteResult:
        if overwrite:
            self.inner.write(path, b"", overwrite=True)
        return super().write(path, content, overwrite=overwrite, **options)


@broken("WRITE-023")
class TidiesTheNewFile(DriveBackend):
    """Deletes the file after every write that ends with an error."""

    def write(self, path: str, content: Any, *, overwrite: bool = False, **options: Any) -> WriteResult:
        try:
            return super().write(path, content, overwrite=overwrite, **options)
        except BackendUnavailable:
            if overwrite:
                self.inner.delete(path, missing_ok=True)
            raise


@broken("ATOM-018")
class CommitsInSilence(DriveBackend):
    """Swallows the error of a commit."""

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[BinaryIO]:
        stream = io.BytesIO()
        yield stream
        with suppress(RemoteStoreError):
            self.write_atomic(path, stream.getvalue(), **options)


@broken("COPY-026")
class DeletesBeforeItCopies(DriveBackend):
    """Moves by taking the content, deleting the source and writing the target."""

    def move(self, src: str, dst: str, **options: Any) -> None:
        content = self.inner.read_bytes(src)
        self.inner.delete(src)
        self.write(dst, content, **options)


@broken("COST-021")
class CallsTwiceToRead(DriveBackend):
    """Asks whether a file exists before it reads it."""

    def read_bytes(self, path: str, **options: Any) -> Any:
        self.exists(path)
        return super().read_bytes(path, **options)


@broken("COST-022")
class AsksForItsName(DriveBackend):
    """Asks the drive for the name of a file."""

    def native_path(self, key: str) -> str:
        with self.call(key):
            return super().native_path(key)
