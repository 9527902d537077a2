"""Backends that raise the wrong error, raise it too late, or do not raise it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, cast

from mutants.memory import ModestMemory
from mutants.registry import broken
from remote_store.core import (
    BackendUnavailable,
    Capability,
    CapabilityNotSupported,
    DirectoryNotEmpty,
    FileInfo,
    InvalidPath,
    MemoryBackend,
    NotFound,
    RemoteStoreError,
    WriteResult,
)


@broken("ERR-001", "DEL-007")
class RaisesThePlainError(MemoryBackend):
    """Raises the base class RemoteStoreError for a folder that is not empty."""

    def delete_folder(self, path: str, **options: Any) -> None:
        try:
            super().delete_folder(path, **options)
        except DirectoryNotEmpty as error:
            raise RemoteStoreError(error.message, path=path, backend=self.name) from error


@broken("ERR-002", "LIFE-019", "META-024")
class ForgetsWhoItIs(MemoryBackend):
    """Raises errors without the name of the backend."""

    def _missing(self, path: str, what: str) -> NotFound:
        return NotFound(f"there is no {what}", path=path)


@broken("ERR-002", "META-024", "DEL-002")
class ForgetsThePath(MemoryBackend):
    """Raises errors without the path."""

    def _missing(self, path: str, what: str) -> NotFound:
        return NotFound(f"there is no {what}", backend=self.name)


@broken("ERR-003")
class TalksAboutThePath(MemoryBackend):
    """Puts the path into the message, where a scoped store cannot correct it."""

    def _missing(self, path: str, what: str) -> NotFound:
        return NotFound(f"there is no {path}", path=path, backend=self.name)


class WithAHandle(NotFound):
    """An error that unpickles as another error."""

    def __reduce__(self) -> Any:
        return NotFound, ("an error came from a worker",)


@broken("ERR-004")
class RaisesWhatCannotTravel(MemoryBackend):
    """Raises errors that lose their text and path when pickled."""

    def _missing(self, path: str, what: str) -> NotFound:
        return WithAHandle(f"there is no {what}", path=path, backend=self.name)


@broken("ERR-005", "META-002")
class LeaksTheKeyError(MemoryBackend):
    """`get_file_info` raises the exception of the underlying library."""

    def get_file_info(self, path: str) -> FileInfo:
        try:
            return super().get_file_info(path)
        except NotFound as error:
            raise KeyError(path) from error


@broken("ERR-005", "READ-007")
class ReadsNothingFromNothing(MemoryBackend):
    """Returns no bytes for a file that does not exist, instead of raising NotFound."""

    def read_bytes(self, path: str) -> bytes:
        try:
            return super().read_bytes(path)
        except NotFound:
            return b""


@broken("ERR-006", "READ-008", "META-003", "DEL-004", "SEEK-009", "COPY-007", "COPY-020")
class TakesFoldersForNothing(MemoryBackend):
    """Raises NotFound instead of InvalidPath if a folder is read as a file."""

    def _find(self, path: str) -> Any:
        return self._files.get(path)


@broken("ERR-007", "DEL-011", "META-018")
class TakesFilesForNothing(MemoryBackend):
    """Raises NotFound instead of InvalidPath if a file is used as a folder."""

    def _folder(self, path: str) -> list[str]:
        try:
            return super()._folder(path)
        except InvalidPath:
            return []


@broken("ERR-008", "DEL-004")
class ForgivesWrongKinds(MemoryBackend):
    """`delete` of a folder with `missing_ok=True` does nothing instead of raising InvalidPath."""

    def delete(self, path: str, *, missing_ok: bool = False) -> None:
        if not missing_ok or path in self._files or not path:
            super().delete(path, missing_ok=missing_ok)


@broken("ERR-009", "LIFE-006")
class AnswersWhenClosed(MemoryBackend):
    """Returns `False` on a closed backend instead of raising an error."""

    def is_file(self, path: str) -> bool:
        return not self._closed and super().is_file(path)


@broken("ERR-009", "LIFE-006")
class InvitesToTryAgain(MemoryBackend):
    """Marks the error of a closed backend as retryable."""

    def _check_open(self) -> None:
        if self._closed:
            raise BackendUnavailable("there is no connection", backend=self.name, retryable=True)


@broken("ERR-010")
class LooksAtTheSourceFirst(MemoryBackend):
    """Looks for the source of a copy before it validates the paths."""

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        self._file(src)
        super().copy(src, dst, overwrite=overwrite)


@broken("ERR-011", "COPY-006")
class LooksAtTheTargetFirst(MemoryBackend):
    """Raises AlreadyExists for the destination of a copy whose source is missing."""

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        self._check_free(dst, overwrite=overwrite)
        super().copy(src, dst, overwrite=overwrite)


@broken("ERR-012", "ATOM-004")
class WrapsTheCallersErrors(MemoryBackend):
    """Replaces an exception of the caller's stream or block by an error of its own."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        try:
            return super().write(path, content, **options)
        except (RemoteStoreError, TypeError, ValueError):
            raise
        except Exception as error:
            raise RemoteStoreError("the write failed", path=path, backend=self.name) from error

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[BinaryIO]:
        try:
            with super().open_atomic(path, **options) as stream:
                yield stream
        except OSError as error:
            raise RemoteStoreError("the write failed", path=path, backend=self.name) from error


class Quiet(io.BufferedReader):
    """A stream whose `with` block suppresses an OSError."""

    def __exit__(self, *error: object) -> Any:
        self.close()
        return isinstance(error[1], OSError)


@broken("ERR-013")
class SwallowsInTheBlock(MemoryBackend):
    """The stream's context manager suppresses an exception raised inside the block."""

    def read(self, path: str) -> BinaryIO:
        return cast("BinaryIO", Quiet(io.BytesIO(self._file(path).content)))


@broken("ERR-014", "ATOM-001")
class TakesText(MemoryBackend):
    """Encodes text passed to `write` instead of raising TypeError."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        return super().write(path, content.encode() if isinstance(content, str) else content, **options)


@broken("ERR-015")
class ClaimsNothing(ModestMemory):
    """Declares no capabilities but supports all of them."""

    capabilities: frozenset[Capability] = frozenset()


@broken("ERR-015")
class RefusesInWordsOnly(ModestMemory):
    """Raises a CapabilityNotSupported that does not name the missing capability."""

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        raise CapabilityNotSupported("no patterns here", capability="this", backend=self.name)


@broken("ERR-016")
class CallsItTransient(MemoryBackend):
    """Marks NotFound as retryable."""

    def _missing(self, path: str, what: str) -> NotFound:
        return NotFound(f"there is no {what}", path=path, backend=self.name, retryable=True)


@broken("ERR-017", "META-012", "META-023")
class ChecksAfterTheWrite(MemoryBackend):
    """Validates metadata and content type after it has written the content."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        described = {name: options.pop(name) for name in ("metadata", "content_type") if name in options}
        result = super().write(path, content, **options)
        return super().write(path, self._files[path].content, overwrite=True, **described) if described else result


@broken("GLOB-001", "GLOB-004", "GLOB-013", "GLOB-014")
class ClaimsEverything(MemoryBackend):
    """Declares GLOB without implementing it."""

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        raise NotImplementedError


@broken("ERR-005")
class LeaksBelowAFile(MemoryBackend):
    """Raises the file system's NotADirectoryError for a path below a file."""

    def _find(self, path: str) -> Any:
        found = super()._find(path)
        if found is None and path.rpartition("/")[0] in self._files:
            raise NotADirectoryError(20, "Not a directory", path)
        return found
