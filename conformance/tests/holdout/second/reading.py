"""Broken backends: reading and streams."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, BinaryIO, ClassVar, Unpack, cast
from weakref import WeakValueDictionary

from sqlite_store import SQLiteBackend

from remote_store.core import LocalBackend, MemoryBackend, RangeReader, ReadOptions, check_range
from remote_store.core.local.system import TypedFile

UNIT = 1 << 16
OPEN_FILES: WeakValueDictionary[tuple[str, str], TypedFile] = WeakValueDictionary()


class ReadsTooFewBlocks(SQLiteBackend):
    """A range is fetched in aligned blocks, but their number is computed from the length alone, without the offset."""

    breaks: ClassVar[str] = "READ-003"

    def read_range(self, path: str, start: int, length: int) -> bytes:
        self._check_open()
        check_range(start, length)
        first, count = start // UNIT, -(-length // UNIT)
        blocks = super().read_range(path, first * UNIT, count * UNIT)
        skipped = start - first * UNIT
        return blocks[skipped : skipped + length]


class LateFile(io.RawIOBase):
    """A file that is opened when it is needed."""

    def __init__(self, opening: Callable[[], Any]) -> None:
        self._opening = opening
        self._file: Any = None

    def _opened(self) -> Any:
        if self._file is None:
            self._file = self._opening()
        return self._file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        return int(self._opened().readinto(buffer))

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return int(self._opened().seek(offset, whence))

    def tell(self) -> int:
        return 0 if self._file is None else int(self._file.tell())

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        super().close()


class OpensTheFileAtTheFirstByte(LocalBackend):
    """The stream of `read` opens its file when the first byte is read, so that is when a missing file is noticed."""

    breaks: ClassVar[str] = "READ-007"

    def read(self, path: str, **options: Unpack[ReadOptions]) -> BinaryIO:
        if options or self.is_folder(path):
            return super().read(path, **options)
        opening = super().read
        return io.BufferedReader(LateFile(lambda: opening(path)))


class SharesADescriptorAmongReaders(LocalBackend):
    """A file that another reader has open is not opened again: the descriptor is duplicated, and shares its offset."""

    breaks: ClassVar[str] = "READ-015"

    def _raw(self, path: str) -> TypedFile:
        file = super()._raw(path)
        other = OPEN_FILES.get((self._root, path))
        with suppress(OSError, ValueError):
            if other is not None and os.path.samestat(os.fstat(other.fileno()), os.fstat(file.fileno())):
                shared = TypedFile(os.dup(other.fileno()), "r", path, self.name)
                file.close()
                file = shared
                file.seek(0)
        OPEN_FILES[self._root, path] = file
        return file


class FindsTheFileAgainAtEachRead(SQLiteBackend):
    """A seekable reader looks its file up by path for each read, so after an overwrite it goes on in the new one."""

    breaks: ClassVar[str] = "SEEK-008"

    def read_seekable(self, path: str) -> BinaryIO:
        size = self.get_file_info(path).size

        def fetch(start: int, length: int) -> bytes:
            return self.read_range(path, start, length)

        return cast("BinaryIO", RangeReader(fetch, size, path=path, backend=self.name))


class ItemReader(RangeReader):
    """A reader with a `readinto` of its own, which saves a copy."""

    def readinto(self, buffer: Any, /) -> int:
        with memoryview(buffer) as view:
            data = self.read(len(view))
            view.cast("B")[: len(data)] = data
        return len(data)


class CountsItemsInReadinto(SQLiteBackend):
    """The `readinto` of a seekable stream takes the number of items of the buffer for its number of bytes."""

    breaks: ClassVar[str] = "SEEK-005"

    def read_seekable(self, path: str) -> BinaryIO:
        reader = self._reader(path)
        return cast("BinaryIO", ItemReader(reader._fetch, reader._size, path=path, backend=self.name))


class SplitReader(io.BufferedReader):
    """A reader that splits all of the rest at once, which is faster than a call per line."""

    def __iter__(self) -> Iterator[bytes]:
        yield from self.read().splitlines(keepends=True)


class SplitsLinesAtCarriageReturns(MemoryBackend):
    """Iteration over a stream uses `bytes.splitlines`, which ends a line at a lone carriage return, too."""

    breaks: ClassVar[str] = "SEEK-006"

    def read(self, path: str, **options: Unpack[ReadOptions]) -> BinaryIO:
        with super().read(path, **options) as file:
            content = io.BytesIO(file.read())
            content.name = path
            reader: Any = SplitReader(content)
            reader.info = cast("Any", file).info
        return cast("BinaryIO", reader)


class FetchesAStartOnlyOnce(SQLiteBackend):
    """Ranges of `read_ranges` that begin at the same offset are fetched once, with the length of the first of them."""

    breaks: ClassVar[str] = "MANY-006"

    def read_ranges(self, path: str, ranges: Sequence[tuple[int, int]], **options: Unpack[ReadOptions]) -> list[bytes]:
        asked = list(ranges)
        if not all(isinstance(each, tuple) and len(each) == 2 for each in asked):
            return super().read_ranges(path, asked, **options)
        first: dict[int, tuple[int, int]] = {}
        for start, length in asked:
            check_range(start, length)
            first.setdefault(start, (start, length))
        contents = super().read_ranges(path, list(first.values()), **options)
        found = dict(zip(first, contents, strict=True))
        return [found[start][:length] for start, length in asked]
