"""Backends that are wrong about some metadata, times and tags only, and that share what writers must not share."""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from mutants.overlooked import Drafts
from mutants.registry import broken
from remote_store.core import FileInfo, MemoryBackend, NotFound, WriteResult
from remote_store.core.memory.files import Draft

KIB, MIB = 1 << 10, 1 << 20


class Keeps(MemoryBackend):
    """Files in memory; a subclass changes the metadata of every write."""

    def changed(self, metadata: Mapping[str, str]) -> Mapping[str, str]:
        """The metadata after the change of the subclass."""
        return metadata

    def _check_write(self, path: str, metadata: Mapping[str, str] | None, content_type: str | None) -> Any:
        return self.changed(super()._check_write(path, metadata, content_type))


@broken("META-009")
class CutsLongValues(Keeps):
    """Cuts values of metadata after 255 characters."""

    def changed(self, metadata: Mapping[str, str]) -> Mapping[str, str]:
        return {name: value[:255] for name, value in metadata.items()}


@broken("META-009")
class KeepsTenNames(Keeps):
    """Keeps the first ten entries of metadata."""

    def changed(self, metadata: Mapping[str, str]) -> Mapping[str, str]:
        return dict(list(metadata.items())[:10])


@broken("META-009")
class DropsNamesOfItsOwn(Keeps):
    """Drops entries of metadata with a name of its own fields: `size`, `etag`, `content-type`."""

    def changed(self, metadata: Mapping[str, str]) -> Mapping[str, str]:
        return {name: value for name, value in metadata.items() if name not in ("size", "etag", "content-type")}


@broken("META-009")
class MergesNamesThatLookAlike(Keeps):
    """Keeps one of two entries of metadata whose names differ in a dash and an underscore."""

    def changed(self, metadata: Mapping[str, str]) -> Mapping[str, str]:
        return {kept: metadata[kept] for kept in {name.replace("_", "-"): name for name in metadata}.values()}


@broken("META-010")
class SquashesSpaces(Keeps):
    """Turns several spaces in a value of metadata into one."""

    def changed(self, metadata: Mapping[str, str]) -> Mapping[str, str]:
        return {
            name: " ".join(value.split(" ")) and " ".join(filter(None, value.split(" ")))
            for name, value in metadata.items()
        }


@broken("META-010")
class SplitsListsOfValues(Keeps):
    """Keeps the first of several values that a comma separates."""

    def changed(self, metadata: Mapping[str, str]) -> Mapping[str, str]:
        return {
            name: value.split(", ")[0] if value.count(", ") and '"' not in value else value
            for name, value in metadata.items()
        }


@broken("ATOM-001")
class AtomicDropsEmptyValues(MemoryBackend):
    """`write_atomic` drops entries of metadata with an empty value."""

    def write_atomic(self, path: str, content: Any, *, metadata: Any = None, **options: Any) -> WriteResult:
        full = {name: value for name, value in (metadata or {}).items() if value}
        return super().write_atomic(path, content, metadata=full, **options)


@broken("ATOM-011")
class BlocksDropEmptyValues(MemoryBackend):
    """`open_atomic` drops entries of metadata with an empty value."""

    def open_atomic(self, path: str, *, metadata: Any = None, **options: Any) -> Any:
        full = {name: value for name, value in (metadata or {}).items() if value}
        return super().open_atomic(path, metadata=full, **options)


@broken("COPY-002")
class CopiesDropEmptyValues(MemoryBackend):
    """`copy` drops entries of metadata with an empty value."""

    def _transfer(self, src: str, dst: str, *, keep: bool, **options: Any) -> None:
        super()._transfer(src, dst, keep=keep, **options)
        copied = self._files[dst]
        if keep and src != dst:
            full = {name: value for name, value in copied.metadata.items() if value}
            self._files[dst] = replace(copied, metadata=full)


@broken("COPY-015")
class MovesKeepShortValues(MemoryBackend):
    """`move` cuts values of metadata after 256 characters."""

    def _transfer(self, src: str, dst: str, *, keep: bool, **options: Any) -> None:
        super()._transfer(src, dst, keep=keep, **options)
        moved = self._files[dst]
        if not keep:
            self._files[dst] = replace(moved, metadata={name: value[:256] for name, value in moved.metadata.items()})


@broken("META-014")
class MergesOnOverwrite(MemoryBackend):
    """An overwrite keeps the old entries of metadata if the new ones have other names."""

    def _commit(
        self, path: str, content: bytes, overwrite: bool, metadata: Mapping[str, str], *rest: Any, **options: Any
    ) -> WriteResult:
        before = self._files.get(path)
        old = {} if before is None or not metadata or set(before.metadata) & set(metadata) else dict(before.metadata)
        return super()._commit(path, content, overwrite, {**old, **metadata}, *rest, **options)


@broken("META-004")
class IgnoresSummerTime(MemoryBackend):
    """Computes UTC from local time without regard to daylight saving time."""

    def get_file_info(self, path: str, **options: Any) -> Any:
        info = super().get_file_info(path, **options)
        assert info.modified_at is not None
        moment = info.modified_at.timestamp()
        shift = time.localtime(moment).tm_gmtoff + time.timezone
        return replace(info, modified_at=datetime.fromtimestamp(moment + shift, UTC))


@broken("META-004")
class StampsBlocksAtTheirBeginning(MemoryBackend):
    """A file of `open_atomic` has the time of the beginning of its block."""

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[Any]:
        begun = datetime.now(UTC)
        with super().open_atomic(path, **options) as stream:
            yield stream
        self._files[path] = replace(self._files[path], modified_at=begun)


@broken("META-004")
class KeepsTheTimeOfTheFirstCopy(MemoryBackend):
    """A copy over a file keeps the time of the file that it replaces."""

    def _transfer(self, src: str, dst: str, *, keep: bool, **options: Any) -> None:
        before = self._files.get(dst)
        super()._transfer(src, dst, keep=keep, **options)
        if keep and src != dst and before is not None:
            self._files[dst] = replace(self._files[dst], modified_at=before.modified_at)


@broken("META-004")
class ListsLocalTime(MemoryBackend):
    """`glob` shows local time, labelled as UTC."""

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        for info in super().glob(pattern):
            assert info.modified_at is not None
            local = datetime.fromtimestamp(info.modified_at.timestamp()).replace(tzinfo=UTC)  # noqa: DTZ006 - the bug
            yield replace(info, modified_at=local)


class Tags(MemoryBackend):
    """Files in memory; a subclass computes their tags."""

    def tagged(self, content: bytes) -> bytes:
        """The part of a content that the tag is computed from."""
        return content

    def _commit(self, path: str, content: bytes, *rest: Any, **options: Any) -> WriteResult:
        result = super()._commit(path, content, *rest, **options)
        tag = hashlib.md5(self.tagged(content), usedforsecurity=False).digest()
        self._files[path] = replace(self._files[path], md5=tag)
        return replace(result, etag=tag.hex())


@broken("META-007")
class TagsAllButTheFirstByte(Tags):
    """Computes the ETag from the second byte on."""

    def tagged(self, content: bytes) -> bytes:
        return content[1:]


@broken("META-007")
class TagsBlocksOfOneKibibyte(Tags):
    """Computes the ETag from the first 64 blocks of one KiB and the length."""

    def tagged(self, content: bytes) -> bytes:
        return b"%d" % len(content) + content[: 64 * KIB]


@broken("META-007")
class ListsTagsOfTheSize(MemoryBackend):
    """Listings show an ETag that is made of name and size."""

    def list_files(self, path: str, **options: Any) -> Iterator[FileInfo]:
        return (replace(file, etag=f"{file.name}-{file.size}") for file in super().list_files(path, **options))


@broken("META-006")
class ResultsTagTheBeginning(MemoryBackend):
    """The result of a write has the ETag of the first 64 KiB."""

    def _commit(self, path: str, content: bytes, *rest: Any, **options: Any) -> WriteResult:
        result = super()._commit(path, content, *rest, **options)
        return replace(result, etag=hashlib.md5(content[: 64 * KIB], usedforsecurity=False).hexdigest())


@broken("ATOM-003")
class HasTwoDrafts(Drafts):
    """Has two drafts for `open_atomic`; a third block takes the first one's."""

    def draft(self) -> Draft:
        if len(self.begun) < 2:
            return super().draft()
        self.begun[0].seek(0)
        self.begun[0].truncate()
        return self.begun[0]


@broken("ATOM-003")
class FailsWithItsNeighbour(Drafts):
    """A block that raises empties the drafts of the other blocks too."""

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[Any]:
        with super().open_atomic(path, **options) as stream:
            try:
                yield stream
            except BaseException:
                for draft in self.begun:
                    draft.seek(0)
                    draft.truncate()
                raise


@broken("ATOM-003")
class SharesLargeDrafts(Drafts):
    """Drafts of more than 1 MiB share one file on disk."""

    def draft(self) -> Draft:
        return Spilled(self)


class Spilled(Draft):
    """Writes what exceeds one MiB where all others do."""

    def __init__(self, owner: Drafts) -> None:
        super().__init__()
        self.owner = owner

    def getvalue(self) -> bytes:
        last = self.owner.__dict__.get("spilled", b"")
        whole = super().getvalue()
        return whole[:MIB] + last[MIB : len(whole)] if len(whole) > MIB else whole

    def write(self, data: Any) -> int:
        written = super().write(data)
        if self.tell() > MIB:
            self.owner.__dict__["spilled"] = super().getvalue()
        return written


@broken("ERR-012")
class TakesAnEndOfFileForTheEnd(MemoryBackend):
    """Takes an EOFError of the caller's stream for its end."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        return super().write(path, Forgiving(content, EOFError) if hasattr(content, "read") else content, **options)


@broken("ERR-012")
class TakesTheCallersKeyErrorForItsOwn(MemoryBackend):
    """Takes a KeyError of the caller's stream for its own, about a missing file."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        try:
            return super().write(path, content, **options)
        except KeyError as error:
            raise NotFound("there is no such file", path=path, backend=self.name) from error


class Forgiving:
    """A stream that ends where another one raises."""

    def __init__(self, stream: io.RawIOBase, kind: type[Exception]) -> None:
        self.stream, self.kind = stream, kind

    def read(self, size: int = -1) -> bytes:
        """The next bytes, or none."""
        try:
            return self.stream.read(size) or b""
        except self.kind:
            return b""
