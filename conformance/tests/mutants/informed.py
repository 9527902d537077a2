"""Backends whose streams describe another file than they read, or undo the blocks of a store."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import partial
from typing import Any, BinaryIO, cast

from mutants.http_s3 import HttpBackend
from mutants.registry import broken
from remote_store.core import FileInfo, MemoryBackend, RangeReader


class Described(io.BytesIO):
    """The content of a file, with an `info`."""

    def __init__(self, content: bytes, info: FileInfo) -> None:
        super().__init__(content)
        self.info = info


@broken("READ-022")
class DescribesTheLink(MemoryBackend):
    """The `info` of a stream has the length of the path in place of the size of the file."""

    def read(self, path: str) -> BinaryIO:
        return Described(self._file(path).content, replace(self.get_file_info(path), size=len(path)))


@broken("READ-022")
class ForgetsTheFolder(MemoryBackend):
    """The `info` of a stream has the name of the file in place of its path."""

    def read(self, path: str) -> BinaryIO:
        info = self.get_file_info(path)
        return Described(self._file(path).content, replace(info, path=info.name))


@broken("READ-022")
class InventsAType(MemoryBackend):
    """The `info` of a stream has a content type that is guessed from nothing."""

    def read(self, path: str) -> BinaryIO:
        info = replace(self.get_file_info(path), content_type="application/octet-stream")
        return Described(self._file(path).content, info)


class Newest(io.BytesIO):
    """A stream that looks the file up whenever it is asked for its `info`."""

    def __init__(self, content: bytes, backend: MemoryBackend, path: str) -> None:
        super().__init__(content)
        self.look = partial(backend.get_file_info, path)

    @property
    def info(self) -> FileInfo:
        return self.look()


@broken("READ-022")
class DescribesTheNewest(MemoryBackend):
    """The `info` of a stream describes the newest version of the file, not the one that is read."""

    def read(self, path: str) -> BinaryIO:
        return Newest(self._file(path).content, self, path)


class Looking(io.BufferedReader):
    """A stream that sends a HEAD for its `info`."""

    def __init__(self, file: Any, backend: HttpBackend, path: str) -> None:
        super().__init__(file)
        self.look = partial(backend.get_file_info, path)

    @property
    def info(self) -> FileInfo:
        return self.look()


@broken("READ-023")
class LooksForTheInfo(HttpBackend):
    """The `info` of a stream sends a HEAD."""

    def read(self, path: str) -> BinaryIO:
        return Looking(super().read(path), self, path)


@broken("READ-023")
class LooksBeforeItOpens(HttpBackend):
    """`read` sends a HEAD for the `info` of its stream."""

    def read(self, path: str) -> BinaryIO:
        info = self.get_file_info(path)
        file = io.BufferedReader(cast("Any", super().read(path)))
        file.info = info  # type: ignore[attr-defined]
        return file


@broken("SEEK-015")
class SplitsReads(HttpBackend):
    """A seekable stream requests at most 64 KiB at once."""

    def read_seekable(self, path: str) -> BinaryIO:
        size, most = self.get_file_info(path).size, 1 << 16

        def fetch(start: int, length: int) -> bytes:
            starts = range(start, start + length, most)
            return b"".join(self.read_range(path, first, min(most, start + length - first)) for first in starts)

        return cast("BinaryIO", RangeReader(fetch, size, path=path, backend=self.name))
