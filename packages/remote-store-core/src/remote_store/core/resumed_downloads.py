"""Downloads that go on where an earlier call stopped: the temporary file, and the record of what it contains."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from remote_store.core.checksums import Running, expected_of, running
from remote_store.core.errors import ChecksumMismatch
from remote_store.core.files import check_complete, put_in_place, target_of
from remote_store.core.io.reader import is_pinned, known_info
from remote_store.core.local.folder import Folder
from remote_store.core.local.kept import Record, hidden_name, open_own
from remote_store.core.local.unfinished import BLOCK, Unfinished, write_all
from remote_store.core.models import ContentDigest, FileInfo, ResolutionPlan
from remote_store.core.progress import Meter, Progress

SMALL, LARGE = 8 * 1024 * 1024, 32 * 1024 * 1024
"""Bytes to read at once. A killed process loses the block that it waits for, so large blocks have to arrive fast."""

FAST_SECONDS = 1.0
BUSY = "another call is downloading to this file; wait until it has ended"


def sum_of(digest: ContentDigest | None) -> tuple[Running, bytes] | None:
    """What computes a checksum of the service, and its value; `None` if there is none that can be computed."""
    try:
        return None if digest is None else (running(digest.algorithm), expected_of(digest))
    except ValueError:
        return None


def identity(plan: ResolutionPlan) -> str:
    """A name for the place of a file that is the same in each lane and each process. It does not show the place."""
    place = [plan.kind, plan.native_path, sorted((name, str(value)) for name, value in plan.details.items())]
    return hashlib.sha256(json.dumps(place).encode()).hexdigest()


class Partial:
    """The temporary file of a download, kept when the download fails.

    A record beside it says which version it belongs to, how many of its bytes are whole, and their SHA-256. Bytes that
    the record does not prove are never used.

    Args:
        folder: Folder of the target.
        name: Name of the target.
        source: `identity` of the file in the store.

    Attributes:
        unfinished: The temporary file.
        claims: Whether there are bytes of an earlier call, not checked yet.
        done: How many bytes are whole.
    """

    def __init__(self, folder: Folder, name: str, source: str) -> None:
        self._name = hidden_name("download", name)
        self._record = Record(folder, f"{self._name}.json", BUSY)
        try:
            self.unfinished = Unfinished(folder, name=self._name, descriptor=open_own(folder, self._name))
        except BaseException:
            self._record.close()
            raise
        self._source = source
        self._version: dict[str, Any] | None = None
        self._known = self._record.read()
        self._sum: Any = hashlib.sha256()
        self._service: tuple[Running, bytes] | None = None
        self._noted = self.done = 0
        self._begun = False
        self._found = size = os.fstat(self.unfinished.descriptor).st_size
        done = self._known.get("done")
        self.claims = self._known.get("source") == source and isinstance(done, int) and 0 < done <= size

    def begin(self, info: FileInfo | None, size: int) -> int:
        """Keep the bytes of an earlier call if they are proven to be of this version; else remove them.

        Args:
            info: The version; `None` if a later call could not require it.
            size: Its length.

        Returns:
            The number of bytes that need not be read again.
        """
        self._begun = True
        digest = None if info is None else info.digest
        if info is not None and info.etag is not None:
            self._version = {"source": self._source, "etag": info.etag, "size": size}
        if not (self.claims and self._is_known(size) and self._hashed(digest)):
            self._hashed(digest, done=0)
        # Bytes behind `done` may be a part of a block.
        os.ftruncate(self.unfinished.descriptor, self.done)
        os.lseek(self.unfinished.descriptor, 0, os.SEEK_END)
        self._note()
        return self.done

    def _is_known(self, size: int) -> bool:
        known = {name: self._known.get(name) for name in ("source", "etag", "size")}
        return self._version is not None and known == self._version and self._known["done"] <= size

    def _hashed(self, digest: ContentDigest | None, done: int | None = None) -> bool:
        """Compute the checksums of the bytes so far. Returns whether they are those of the record."""
        self._sum, self._service = hashlib.sha256(), sum_of(digest)
        self.done = self._known["done"] if done is None else done
        left = self.done
        os.lseek(self.unfinished.descriptor, 0, os.SEEK_SET)
        while left and (block := os.read(self.unfinished.descriptor, min(BLOCK, left))):
            self._update(block)
            left -= len(block)
        return not left and self._sum.hexdigest() == self._known.get("sha256")

    def _update(self, data: Any) -> None:
        self._sum.update(data)
        if self._service is not None:
            self._service[0].update(data)

    def write(self, data: memoryview) -> None:
        """Append bytes."""
        write_all(self.unfinished.descriptor, data)
        self._update(data)
        self.done += len(data)
        if self.done - self._noted >= SMALL:
            self._note()

    def _note(self) -> None:
        """Record how many bytes are whole."""
        self._noted = self.done
        if self._version is not None:
            self._record.write({**self._version, "done": self.done, "sha256": self._sum.hexdigest()})

    def check(self, path: str) -> None:
        """Check the complete file against the checksum of the service, if there is one that can be computed.

        Raises:
            ChecksumMismatch: They differ.
        """
        if self._service is None or self._service[0].digest() == self._service[1]:
            return
        message = "the bytes that arrived do not have the checksum of the file; download it again"
        raise ChecksumMismatch(message, path=path, retryable=True)

    def leave(self, error: BaseException) -> None:
        """Keep the bytes for the next call if it can use them; else remove the file."""
        if self._found and not self._begun:
            # Nothing was read, so the bytes of the earlier call are as good as before.
            self.unfinished.leave()
            return
        if isinstance(error, ChecksumMismatch):
            self._version = None
        with suppress(OSError):
            self._note()
        if self._version is None or not self.done:
            self.unfinished.discard()
            self._record.remove()
            return
        self.unfinished.leave()
        kept = f"{self.done} bytes are kept in {self._name!r} beside the local file"
        error.add_note(f"{kept}; download again with resume=True to go on, or remove that file")

    def remove_record(self) -> None:
        """Remove the record of a file that now has its final name."""
        self._record.remove()

    def close(self) -> None:
        """Close the file, and let other calls use it."""
        self.unfinished.discard()
        self._record.close()


@contextmanager
def resuming(path: str | os.PathLike[str], source: str, *, overwrite: bool) -> Iterator[Partial]:
    """Open the temporary file of a download. It gets the name `path` on a clean exit, and is kept after an exception.

    Symbolic links are followed. A replaced file's mode is kept. Until the exit, only the owner can open the new file.
    It is not synced to disk.

    Args:
        path: The local file.
        source: `identity` of the file in the store.
        overwrite: Replace the local file.

    Raises:
        BlockingIOError: Another call downloads to the same file.
        FileExistsError: The file exists and `overwrite` is `False`.
        IsADirectoryError: The path is a folder.
        OSError: A symbolic link is broken, or the path is a device, a pipe or a socket.
    """
    target = Path(path)
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    with ExitStack() as opened:
        above = opened.enter_context(Folder.at(str(target.parent)))
        folder, name, _ = target_of(opened, above, target, overwrite=overwrite)
        try:
            partial = Partial(folder, name, source)
        except OSError as error:
            error.filename = str(target)
            raise
        opened.callback(partial.close)
        try:
            yield partial
            put_in_place(opened, above, target, partial.unfinished, overwrite=overwrite)
        except BaseException as error:
            partial.leave(error)
            raise
        partial.remove_record()


def next_size(partial: Partial, size: int, seconds: float) -> int:
    """Bytes to read next, by the seconds that the last block took."""
    return min(LARGE if seconds < FAST_SECONDS else SMALL, size - partial.done)


def continue_transfer(source: BinaryIO, partial: Partial, path: str, progress: Progress | None) -> int:
    """Copy the bytes of a store's file that are not there yet, and return the length of the file.

    Raises:
        BackendUnavailable: The stream ended before its size.
        ChecksumMismatch: The bytes do not have the checksum of the file.
    """
    info = known_info(source) if is_pinned(source) else None
    size = source.seek(0, io.SEEK_END)
    source.seek(partial.begin(info, size))
    meter = Meter(progress, size, partial.done)
    buffer = memoryview(bytearray(min(LARGE, size - partial.done)))
    seconds = FAST_SECONDS
    while wanted := next_size(partial, size, seconds):
        began = time.monotonic()
        count: int = source.readinto(buffer[:wanted])  # type: ignore[attr-defined]
        if not count:
            break
        seconds = time.monotonic() - began
        partial.write(buffer[:count])
        meter.add(count)
    check_complete(path, partial.done, size)
    partial.check(path)
    return size
