"""Backends that are wrong for some contents only: of one size, of one beginning, written or read one way."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from mutants.registry import broken
from remote_store.core import MemoryBackend, Source, WriteResult

KIB, MIB = 1 << 10, 1 << 20


class Commits(MemoryBackend):
    """Files in memory; a subclass changes the content of every write."""

    def changed(self, path: str, content: bytes) -> bytes:
        """The content after the change of the subclass."""
        return content

    def _commit(self, path: str, content: bytes, *rest: Any, **options: Any) -> WriteResult:
        return super()._commit(path, self.changed(path, content), *rest, **options)


class Reads(MemoryBackend):
    """Files in memory; a subclass changes the content of every whole read."""

    def changed(self, path: str, content: bytes) -> bytes:
        """The content after the change of the subclass."""
        return content

    def read_bytes(self, path: str, **options: Any) -> Any:
        return self.changed(path, super().read_bytes(path, **options))


@broken("WRITE-001")
class LosesAContentOfOneSize(Commits):
    """Writes nothing if the content has exactly 32,768 bytes, which overflows a signed 16-bit number."""

    def changed(self, path: str, content: bytes) -> bytes:
        return b"" if len(content) == 32 * KIB else content


@broken("WRITE-001")
class CutsSixteenMebibytes(Commits):
    """Loses the last byte of a content of exactly 16 MiB."""

    def changed(self, path: str, content: bytes) -> bytes:
        return content[:-1] if len(content) == 16 * MIB else content


@broken("WRITE-001")
class StoresRepeatedBlocksOnce(Commits):
    """Stores equal neighbouring blocks of 64 KiB once and does not count them."""

    def changed(self, path: str, content: bytes) -> bytes:
        blocks = [content[start : start + 64 * KIB] for start in range(0, len(content), 64 * KIB)]
        return b"".join(block for before, block in zip([None, *blocks], blocks, strict=False) if block != before)


@broken("WRITE-001")
class DropsZerosAtTheEnd(Commits):
    """Takes zeros at the end of a content for padding and drops them, unless it is zeros only."""

    def changed(self, path: str, content: bytes) -> bytes:
        return content.rstrip(b"\0") or content


@broken("WRITE-003")
class TakesEightMebibytesOfAStream(MemoryBackend):
    """Reads a stream up to 15 MiB and ignores the rest."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        data = content.read(15 * MIB) if isinstance(content, io.BytesIO) else content
        if data is not content:
            content.seek(0, io.SEEK_END)
        return super().write(path, data, **options)


@broken("WRITE-021")
class MergesLongIterables(MemoryBackend):
    """Reads an iterable in blocks of 64 KiB and loses one that ends exactly at 1 MiB."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if isinstance(content, list):
            data = b"".join(content)
            content = data[: -64 * KIB] if len(data) == MIB else data
        return super().write(path, content, **options)


@broken("ATOM-001")
class CutsAtomicWritesAtMultiples(MemoryBackend):
    """`write_atomic` loses the last byte of a content that is a multiple of 4 MiB."""

    def write_atomic(self, path: str, content: Any, **options: Any) -> WriteResult:
        data = Source(content).read_rest()
        return super().write_atomic(path, data[:-1] if data and len(data) % (4 * MIB) == 0 else data, **options)


@broken("ATOM-011")
class LosesWhatItRollsOver(MemoryBackend):
    """`open_atomic` loses the first MiB of a content of more than 12 MiB."""

    def _commit(self, path: str, content: bytes, *rest: Any, **options: Any) -> WriteResult:
        drafted = self.__dict__.pop("drafted", False)
        return super()._commit(
            path, content[MIB:] if drafted and len(content) > 12 * MIB else content, *rest, **options
        )

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[Any]:
        with super().open_atomic(path, **options) as stream:
            yield stream
            self.__dict__["drafted"] = True


@broken("READ-002")
class InflatesWhatLooksDeflated(Reads):
    """`read_bytes` inflates every content that is a zlib stream."""

    def changed(self, path: str, content: bytes) -> bytes:
        try:
            return zlib.decompress(content)
        except zlib.error:
            return content


@broken("READ-001")
class UnpacksByName(MemoryBackend):
    """`read` unpacks the content of `*.gz` files if it is gzip, and `read_bytes` does not."""

    def read(self, path: str, **options: Any) -> Any:
        stream = super().read(path, **options)
        content = self.read_bytes(path)
        if not path.endswith(".gz") or not content.startswith(b"\x1f\x8b\x08"):
            return stream
        try:
            return io.BufferedReader(io.BytesIO(gzip.decompress(content)))
        except (OSError, EOFError, zlib.error):
            return stream


@broken("READ-002")
class StripsByteOrderMarks(Reads):
    """`read_bytes` of `*.json` files strips a byte order mark."""

    def changed(self, path: str, content: bytes) -> bytes:
        return content.removeprefix(b"\xef\xbb\xbf") if path.endswith(".json") else content


@broken("READ-003")
class LosesRangesBehindFourMebibytes(MemoryBackend):
    """`read_range` returns other bytes if the range crosses 4 MiB."""

    def read_range(self, path: str, start: int, length: int, **options: Any) -> bytes:
        data = super().read_range(path, start, length, **options)
        inside = 4 * MIB - start
        return data[:inside] + data[:-inside] if 0 < inside < len(data) else data


@broken("SEEK-001")
class SeeksInText(MemoryBackend):
    """`read_seekable` of `*.csv` files translates line ends."""

    def read_seekable(self, path: str, **options: Any) -> Any:
        stream = super().read_seekable(path, **options)
        if not path.endswith(".csv"):
            return stream
        return io.BufferedReader(io.BytesIO(self.read_bytes(path).replace(b"\r\n", b"\n")))


@broken("COPY-012")
class CopiesCutAtMultiples(MemoryBackend):
    """`copy` loses the last byte of a file that is a multiple of 4 MiB."""

    def _transfer(self, src: str, dst: str, *, keep: bool, **options: Any) -> None:
        super()._transfer(src, dst, keep=keep, **options)
        copied = self._files[dst]
        if keep and src != dst and copied.content and len(copied.content) % (4 * MIB) == 0:
            self._files[dst] = replace(copied, content=copied.content[:-1])


@broken("COPY-014")
class MovesSwapHalves(MemoryBackend):
    """`move` of a file of more than 12 MiB joins its parts in the wrong order."""

    def _transfer(self, src: str, dst: str, *, keep: bool, **options: Any) -> None:
        super()._transfer(src, dst, keep=keep, **options)
        moved = self._files[dst]
        if not keep and len(moved.content) > 12 * MIB:
            self._files[dst] = replace(moved, content=moved.content[MIB:] + moved.content[:MIB])


@broken("COPY-012")
class RewritesLineEndsOfCopies(MemoryBackend):
    """`copy` to a `*.csv` file translates line ends."""

    def _transfer(self, src: str, dst: str, *, keep: bool, **options: Any) -> None:
        super()._transfer(src, dst, keep=keep, **options)
        copied = self._files[dst]
        if keep and src != dst and dst.endswith(".csv"):
            self._files[dst] = replace(copied, content=copied.content.replace(b"\r\n", b"\n"))


@broken("META-009")
class ParsesJson(MemoryBackend):
    """Takes a value of metadata that is JSON for a value and writes it anew."""

    def _check_write(self, path: str, metadata: Mapping[str, str] | None, content_type: str | None) -> Any:
        checked = super()._check_write(path, metadata, content_type)
        return {name: value.replace('": ', '":') if value.startswith("{") else value for name, value in checked.items()}
