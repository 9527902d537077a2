"""Backends that leave something behind only when an operation ends in one of the ways that are seldom tried."""

from __future__ import annotations

import atexit
import decimal
import http.client
import mimetypes
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from mutants.registry import broken
from remote_store.core import AlreadyExists, FileInfo, InvalidPath, LocalBackend, MemoryBackend, NotFound, WriteResult


@broken("PROC-001")
class KeepsItsMaskAfterARefusal(LocalBackend):
    """A write sets the umask, and does not set it back if it raises."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        before = os.umask(0o077)
        self.__dict__.setdefault("before", before)
        result = super().write(path, content, **options)
        os.umask(before)
        return result

    def close(self) -> None:
        if "before" in self.__dict__:
            os.umask(self.__dict__["before"])
        super().close()


class Restores(MemoryBackend):
    """Files in memory; a subclass changes the process, which its `close` undoes for the sake of the other tests."""

    def undo(self, call: Any) -> None:
        """Call a function at the end."""
        self.__dict__.setdefault("undone", []).append(call)

    def close(self) -> None:
        for call in reversed(self.__dict__.pop("undone", [])):
            call()
        super().close()


@broken("PROC-001")
class SilencesWarnings(Restores):
    """Switches off all warnings when it closes a stream that was not read."""

    def read(self, path: str) -> Any:
        backend, stream = self, super().read(path)
        kind: Any = type(stream)

        class Quiet(kind):  # type: ignore[misc]
            def close(self) -> None:
                if not self.tell():
                    caught = warnings.catch_warnings()
                    caught.__enter__()
                    backend.undo(lambda: caught.__exit__(None, None, None))
                    warnings.simplefilter("ignore")
                super().close()

        stream.__class__ = Quiet
        return stream


@broken("PROC-001")
class SetsThePrecision(Restores):
    """Sets the precision of decimal numbers when it looks for a missing folder."""

    def get_folder_info(self, path: str) -> Any:
        try:
            return super().get_folder_info(path)
        except NotFound:
            before = decimal.getcontext().prec
            self.undo(lambda: setattr(decimal.getcontext(), "prec", before))
            decimal.getcontext().prec = 60
            raise


@broken("PROC-001")
class TeachesTypes(Restores):
    """Adds a type to those that the process knows for names of files."""

    def get_file_info(self, path: str, **options: Any) -> Any:
        mimetypes.add_type("application/vnd.lives", ".lives")
        self.undo(lambda: mimetypes.types_map.pop(".lives", None))
        return super().get_file_info(path, **options)


@broken("PROC-001")
class RaisesTheLimitOfHeaders(Restores):
    """Raises the number of headers that `http.client` accepts, for the whole process, with its first listing."""

    def list_files(self, path: str, **options: Any) -> Iterator[FileInfo]:
        before = http.client._MAXHEADERS  # type: ignore[attr-defined]
        self.undo(lambda: setattr(http.client, "_MAXHEADERS", before))
        http.client._MAXHEADERS = 1000  # type: ignore[attr-defined]
        return super().list_files(path, **options)


@broken("PROC-002")
class RegistersAnExitHandlerForEachBlock(Restores):
    """Each `open_atomic` block that fails registers an exit handler."""

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[BinaryIO]:
        try:
            with super().open_atomic(path, **options) as stream:
                yield stream
        except BaseException:
            self.undo(lambda: atexit.unregister(self._flush))
            atexit.register(self._flush)
            raise

    def _flush(self) -> None:
        pass


@broken("PROC-002")
class KeepsADescriptorOfARefusedRange(Restores):
    """A range that is refused leaves the file open."""

    def read_range(self, path: str, start: int, length: int, **options: Any) -> bytes:
        descriptor = os.open(os.devnull, os.O_RDONLY)
        try:
            data = super().read_range(path, start, length, **options)
        except (ValueError, TypeError):
            self.undo(lambda: os.close(descriptor))
            raise
        os.close(descriptor)
        return data


class Locked(MemoryBackend):
    """Files in memory with a lock that each write holds."""

    lock: Any = None

    def taken(self) -> Any:
        """The lock of the instance."""
        return self.__dict__.setdefault("guard", threading.RLock())


@broken("PROC-002")
class KeepsTheLockOfARefusal(Locked):
    """A write that is refused does not release a lock, which only the same thread may take again."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if not self.taken().acquire(timeout=0.3):
            raise TimeoutError("the lock was not released")
        try:
            result = super().write(path, content, **options)
        except (InvalidPath, TypeError):
            raise
        except BaseException:
            self.taken().release()
            raise
        self.taken().release()
        return result


@broken("PROC-002")
class CountsBlocksThatFail(Locked):
    """Accepts no more than ten `open_atomic` blocks at once, and counts those that failed as open."""

    blocks = 0

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[BinaryIO]:
        if self.blocks >= 10:
            raise TimeoutError("ten blocks are open")
        self.blocks += 1
        with super().open_atomic(path, **options) as stream:
            yield stream
        self.blocks -= 1


@broken("PROC-002")
class StaysInATransaction(MemoryBackend):
    """A move onto a file that exists leaves a transaction open, in which later changes of the instance remain."""

    def move(self, src: str, dst: str, **options: Any) -> None:
        try:
            super().move(src, dst, **options)
        except AlreadyExists:
            if src != dst:
                self._files = dict(self._files)
            raise
