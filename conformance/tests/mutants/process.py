"""Backends that leave something in their process, or go wrong in another process, instance, thread or time."""

from __future__ import annotations

import asyncio
import io
import logging
import os
import random
import secrets
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from mutants.database import DatabaseBackend
from mutants.registry import broken
from remote_store.core import (
    AlreadyExists,
    FileInfo,
    LocalBackend,
    MemoryBackend,
    NotFound,
    ThreadedBackend,
    WriteResult,
)
from remote_store.core.memory.files import StoredFile

LIFE = timedelta(seconds=15)


@broken("PROC-001")
class SetsTheTimeoutOfEverySocket(MemoryBackend):
    """Changes the process's default socket timeout until it is closed."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        socket.setdefaulttimeout(600)
        return super().write(path, content, **options)

    def close(self) -> None:
        socket.setdefaulttimeout(None)
        super().close()


@broken("PROC-001")
class Prints(MemoryBackend):
    """Prints messages to standard output."""

    def read(self, path: str) -> Any:
        print("reading", path)  # noqa: T201 - it is the bug
        return super().read(path)


@broken("PROC-001")
class LogsThroughTheRootLogger(MemoryBackend):
    """Warns by a function of the module `logging`, which configures the root logger if nobody has."""

    def delete(self, path: str, **options: Any) -> None:
        logging.warning("deleting %s", path)  # noqa: LOG015 - it is the bug
        super().delete(path, **options)


@broken("PROC-001")
class SetsTheUmask(LocalBackend):
    """Sets the process's umask with its first copy."""

    before: int | None = None

    def copy(self, src: str, dst: str, **options: Any) -> None:
        if self.before is None:
            self.before = os.umask(0o077)
        super().copy(src, dst, **options)

    def close(self) -> None:
        if self.before is not None:
            os.umask(self.before)
        super().close()


@broken("PROC-001")
class ExportsItsFolder(DatabaseBackend):
    """Sets an environment variable when it deletes a folder."""

    def delete_folder(self, path: str, **options: Any) -> None:
        os.environ["DATABASE_FOLDER"] = path
        super().delete_folder(path, **options)

    def close(self) -> None:
        os.environ.pop("DATABASE_FOLDER", None)
        super().close()


class Keeps(MemoryBackend):
    """Files in memory; a subclass keeps something of each operation until it is closed."""

    def keep(self, thing: Any) -> None:
        """Keep an object, whose `close` is called at the end."""
        self.__dict__.setdefault("kept", []).append(thing)

    def close(self) -> None:
        for thing in self.__dict__.pop("kept", ()):
            thing.close()
        super().close()


@broken("PROC-002")
class KeepsADescriptorOfEachRead(Keeps):
    """Each read leaves a file descriptor open until the backend is closed."""

    def read(self, path: str) -> Any:
        self.keep(tempfile.TemporaryFile())  # noqa: SIM115 - it is the bug
        return super().read(path)


@broken("PROC-002")
class KeepsASocketOfEachFailure(Keeps):
    """Each read of a missing file leaves a socket open until the backend is closed."""

    def read_bytes(self, path: str) -> bytes:
        try:
            return super().read_bytes(path)
        except NotFound:
            self.keep(socket.socket())
            raise


class Worker:
    """A thread that waits."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        threading.Thread(target=self._ended.wait, daemon=True).start()

    def close(self) -> None:
        """End the thread."""
        self._ended.set()


@broken("PROC-002")
class KeepsAThreadOfEachListing(Keeps):
    """Each listing starts a thread, which waits until the backend is closed."""

    def list_files(self, path: str, **options: Any) -> Iterator[FileInfo]:
        self.keep(Worker())
        return super().list_files(path, **options)


class Program:
    """A child process that waits."""

    def __init__(self) -> None:
        self._child = subprocess.Popen(["sleep", "600"])

    def close(self) -> None:
        """End the process."""
        self._child.kill()
        self._child.wait()


@broken("PROC-002")
class KeepsAProcessOfEachHealthCheck(Keeps):
    """Each `check_health` starts a process, which runs until the backend is closed."""

    def check_health(self) -> None:
        self.keep(Program())
        super().check_health()


@broken("PROC-002")
class KeepsAFolderOfEachAtomicWrite(DatabaseBackend):
    """Each `open_atomic` block leaves its temporary folder."""

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[Any]:
        tempfile.mkdtemp()
        with super().open_atomic(path, **options) as stream:
            yield stream


@broken("PROC-002")
class KeepsATaskOfEachProbe(ThreadedBackend):
    """Each `is_folder` leaves an asyncio task that waits."""

    async def is_folder(self, path: str) -> bool:
        self.__dict__.setdefault("tasks", []).append(asyncio.create_task(asyncio.sleep(600)))
        return await super().is_folder(path)


@broken("PROC-003")
class PlacesByHash(LocalBackend):
    """Finds files by `hash()` of their name, which differs between interpreters."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        data = content.read() if hasattr(content, "read") else bytes(content)
        return super().write(path, b"%020d" % hash(path) + data, **options)

    def read_bytes(self, path: str) -> bytes:
        place, content = (stored := super().read_bytes(path))[:20], stored[20:]
        if place != b"%020d" % hash(path):
            raise NotFound("there is no such file", path=path, backend=self.name)
        return content


@broken("PROC-003")
class PicklesARelativePath(LocalBackend):
    """A pickle has the path of the folder relative to the current one."""

    def __reduce__(self) -> Any:
        return type(self), (os.path.relpath(self._root),)


class Renames(LocalBackend):
    """Writes into a file with a temporary name, which it renames at the end."""

    def temporary(self) -> Path:
        """Where the next file is written until its end."""
        return Path(self._root, f"{secrets.token_hex(8)}.part")

    @contextmanager
    def open_atomic(self, path: str, *, overwrite: bool = False, **options: Any) -> Iterator[Any]:
        place, target = self.temporary(), Path(self.native_path(path))
        with place.open("wb") as stream:
            yield stream
        target.parent.mkdir(parents=True, exist_ok=True)
        place.replace(target)


@broken("PROC-004")
class DrawsFromAGeneratorOfItsProcess(Renames):
    """Draws temporary names from a random generator that a fork copies."""

    generator = random.Random()

    def temporary(self) -> Path:
        return Path(self._root, f"{self.generator.getrandbits(64)}.part")


@broken("PROC-004")
class CountsItsWrites(Renames):
    """Numbers its temporary files, and a fork goes on with the same number."""

    count = 0

    def temporary(self) -> Path:
        self.count += 1
        return Path(self._root, f"{id(self)}-{self.count}.part")


@broken("PROC-004")
class CreatesAfterALook(LocalBackend):
    """A create looks whether the file exists, under a lock of its own process, and then writes it."""

    def write(self, path: str, content: Any, *, overwrite: bool = False, **options: Any) -> WriteResult:
        with self._lock:
            if not overwrite and self.is_file(path):
                raise AlreadyExists("the file exists", path=path, backend=self.name)
            return super().write(path, content, overwrite=True, **options)

    _lock: ClassVar[Any] = threading.RLock()


@broken("PROC-005")
class RemovesWhatOthersWrite(Renames):
    """The constructor removes temporary files, which may be another instance's unfinished writes."""

    def __init__(self, root: Any, **options: Any) -> None:
        super().__init__(root, **options)
        for path in Path(root).glob("*.part"):
            path.unlink(missing_ok=True)


@broken("PROC-005")
class EmptiesItsSpoolAtTheEnd(DatabaseBackend):
    """`close` removes the temporary folder that all instances share."""

    spool: ClassVar[str] = ""

    @contextmanager
    def open_atomic(self, path: str, *, overwrite: bool = False, **options: Any) -> Iterator[Any]:
        type(self).spool = self.spool if Path(self.spool or "missing").is_dir() else tempfile.mkdtemp()
        place = Path(self.spool, secrets.token_hex(8))
        with super().open_atomic(path, overwrite=overwrite, **options) as stream:
            with place.open("w+b") as file:
                yield file
            stream.write(place.read_bytes() if place.exists() else b"")
            place.unlink(missing_ok=True)

    def close(self) -> None:
        shutil.rmtree(self.spool or "missing", ignore_errors=True)
        super().close()


class OfItsThread(io.BytesIO):
    """A stream that only its first thread may use."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._owner = threading.get_ident()

    def read(self, size: int | None = -1, /) -> bytes:
        if threading.get_ident() != self._owner:
            raise RuntimeError("the stream belongs to another thread")
        return super().read(size)


@broken("PROC-006")
class StreamsBelongToAThread(MemoryBackend):
    """Only the thread that opened a stream can read it."""

    def read(self, path: str) -> Any:
        return OfItsThread(self.read_bytes(path))


@broken("PROC-006")
class ListingsBelongToAThread(DatabaseBackend):
    """A listing ends when another thread goes on with it."""

    def list_files(self, path: str, **options: Any) -> Iterator[FileInfo]:
        owner = threading.get_ident()
        files = super().list_files(path, **options)
        return (file for file in files if threading.get_ident() == owner)


@broken("PROC-007")
class ForgetsOldFiles(DatabaseBackend):
    """A file can be read for 15 seconds."""

    def _file(self, path: str) -> StoredFile:
        file = super()._file(path)
        if datetime.now(UTC) - file.modified_at > LIFE:
            raise NotFound("the file has expired", path=path, backend=self.name)
        return file


@broken("PROC-007")
class EvictsOldFiles(MemoryBackend):
    """Removes files that it wrote more than 15 seconds ago."""

    def _commit(self, path: str, *rest: Any, **asked: Any) -> WriteResult:
        self.__dict__.setdefault("written", {})[path] = time.monotonic()
        return super()._commit(path, *rest, **asked)

    def list_files(self, path: str, **options: Any) -> Iterator[FileInfo]:
        for written, when in self.__dict__.get("written", {}).items():
            if time.monotonic() - when > LIFE.total_seconds():
                self._files.pop(written, None)
        return super().list_files(path, **options)


@broken("PROC-008")
class WritesToSeeWhetherItCan(MemoryBackend):
    """`check_health` writes a file and does not delete it."""

    def check_health(self) -> None:
        super().check_health()
        self.write(".health", b"", overwrite=True)


@broken("PROC-009")
class HasOneBuffer(MemoryBackend):
    """Collects the pieces of a source in a buffer of the instance."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if not hasattr(content, "__next__"):
            return super().write(path, content, **options)
        self._buffer = bytearray()
        for piece in content:
            self._buffer += piece
        return super().write(path, bytes(self._buffer), **options)


@broken("ASYNC-017")
class WaitsInTheFirstLoop(ThreadedBackend):
    """Has one lock for all instances, which belongs to the event loop in which it was first awaited."""

    turn: ClassVar[asyncio.Lock] = asyncio.Lock()

    async def read_bytes(self, path: str, **options: Any) -> Any:
        async with self.turn:
            return await super().read_bytes(path, **options)
