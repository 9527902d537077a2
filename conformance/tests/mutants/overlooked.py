"""Backends whose bugs show only in rarely tested cases: large contents and unusual names."""

from __future__ import annotations

import hashlib
import io
import itertools
import re
import unicodedata
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from mutants.listing import PAGE, Lists
from mutants.registry import broken
from remote_store.core import FileInfo, FolderEntry, LocalBackend, MemoryBackend, NotFound, WriteResult
from remote_store.core.memory.files import Draft, keys_below

MIB = 1 << 20
EASTERN = timedelta(hours=2)


@broken("WRITE-001")
class JoinsPiecesInTextOrder(MemoryBackend):
    """Joins the parts of a large content in alphabetical order of their numbers: 1, 10, 2."""

    def _commit(self, path: str, content: bytes, *rest: Any, **asked: Any) -> WriteResult:
        pieces = {str(start // MIB): content[start : start + MIB] for start in range(0, len(content), MIB)}
        return super()._commit(path, b"".join(pieces[number] for number in sorted(pieces)), *rest, **asked)


@broken("WRITE-001")
class CutsAtMultiples(MemoryBackend):
    """Loses the last byte of a content whose length is a multiple of 4 MiB."""

    def _commit(self, path: str, content: bytes, *rest: Any, **asked: Any) -> WriteResult:
        whole = not content or len(content) % (4 * MIB)
        return super()._commit(path, content if whole else content[:-1], *rest, **asked)


@broken("PATH-001", "LIST-014")
class RewritesLineEndsOfText(MemoryBackend):
    """Changes line ends in files whose name ends like a text file's."""

    def _commit(self, path: str, content: bytes, *rest: Any, **asked: Any) -> WriteResult:
        if path.endswith((".csv", ".txt")):
            content = content.replace(b"\r\n", b"\n")
        return super()._commit(path, content, *rest, **asked)


@broken("LIST-014")
class HidesTemporaryFiles(Lists):
    """Listings leave out files with names of temporary files."""

    def changed(self, files: Iterator[FileInfo], _folder: str) -> Iterator[FileInfo]:
        return (file for file in files if not file.path.endswith((".tmp", "~")))


@broken("ERR-005")
class FormatsItsMessagesTwice(MemoryBackend):
    """Formats its error messages twice, so braces in a path break them."""

    def _missing(self, path: str, what: str) -> NotFound:
        message = ("there is no such {what}: " + path).format(what=what)
        return NotFound(message, path=path, backend=self.name)


@broken("COPY-008", "COPY-021")
class TakesOtherCaseForItself(MemoryBackend):
    """Treats a copy to a name that differs only in case as a copy onto itself."""

    def _transfer(self, src: str, dst: str, **options: Any) -> None:
        if src == dst or src.lower() != dst.lower():
            super()._transfer(src, dst, **options)


@broken("GLOB-001")
class LetsLineEndsFollow(MemoryBackend):
    """Ends its regular expressions with `$`, which also matches before a final newline."""

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        matches = super().glob(pattern)
        folder, _, last = pattern.rpartition("/")
        if not last.startswith("*."):
            return matches
        ending = re.compile(r".*" + re.escape(last[1:]) + "$", re.DOTALL)
        return (file for file in self.list_files(folder) if ending.match(file.name))


@broken("LIST-012")
class PagesByAnotherOrder(Lists):
    """Sorts a page without regard to case but continues after its last key in byte order."""

    def changed(self, files: Iterator[FileInfo], _folder: str) -> Iterator[FileInfo]:
        ordered, last = sorted(files, key=lambda file: file.path.casefold()), ""
        while page := [file for file in ordered if file.path > last][:PAGE]:
            yield from page
            last = page[-1].path
            if len(page) < PAGE:
                return


@broken("META-004")
class TakesLocalTimeForUTC(MemoryBackend):
    """Returns the local time of another time zone, labelled as UTC."""

    def get_file_info(self, path: str) -> FileInfo:
        info = super().get_file_info(path)
        return replace(info, modified_at=info.modified_at and info.modified_at + EASTERN)


@broken("META-004")
class CopiesTheTimeToo(MemoryBackend):
    """A copy keeps the modification time of its source."""

    def _transfer(self, src: str, dst: str, *, keep: bool, **asked: Any) -> None:
        before = self._files.get(src)
        super()._transfer(src, dst, keep=keep, **asked)
        if keep and before is not None:
            self._files[dst] = before


@broken("META-007")
class TagsTheBeginning(MemoryBackend):
    """Computes the ETag from the first 64 KiB only."""

    def get_file_info(self, path: str) -> FileInfo:
        beginning = self._file(path).content[: 64 * 1024]
        return replace(super().get_file_info(path), etag=hashlib.sha256(beginning).hexdigest())


@broken("META-009")
class DropsEmptyValues(MemoryBackend):
    """Drops metadata entries with an empty value."""

    def _commit(
        self, path: str, content: bytes, overwrite: bool, metadata: Mapping[str, str], *rest: Any, **asked: Any
    ) -> WriteResult:
        full = {name: value for name, value in metadata.items() if value}
        return super()._commit(path, content, overwrite, full, *rest, **asked)


@broken("COPY-004", "COPY-017")
class KeepsFactsOfWhatItReplaces(MemoryBackend):
    """A copy of a source without metadata keeps the destination's metadata."""

    def _transfer(self, src: str, dst: str, *, keep: bool, **asked: Any) -> None:
        old = self._files.get(dst)
        super()._transfer(src, dst, keep=keep, **asked)
        if old is not None and not self._files[dst].metadata:
            self._files[dst] = replace(self._files[dst], metadata=old.metadata)


@broken("LIST-008")
class ShowsOneOfTwoNamesakes(MemoryBackend):
    """`iter_children` yields only one of a file and a folder of the same name."""

    def iter_children(self, path: str) -> Iterator[FileInfo | FolderEntry]:
        return iter({child.path: child for child in super().iter_children(path)}.values())


@broken("COPY-013")
class LeavesTheFolderOfWhatItMoved(LocalBackend):
    """A folder still exists after its last file was moved away."""

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        super().move(src, dst, overwrite=overwrite)
        Path(self.native_path(src)).parent.mkdir(parents=True, exist_ok=True)


@broken("LIST-018")
class LeavesTheFolderOfWhatItDeleted(LocalBackend):
    """An emptied folder still exists if its parent has other content."""

    def delete(self, path: str, *, missing_ok: bool = False) -> None:
        super().delete(path, missing_ok=missing_ok)
        folder = Path(self.native_path(path)).parent
        if folder.parent.is_dir():
            folder.mkdir(exist_ok=True)


class Drafts(MemoryBackend):
    """Files in memory; a subclass can access unfinished `open_atomic` blocks."""

    begun: ClassVar[list[Draft]] = []

    def draft(self) -> Draft:
        """The draft that a block writes to."""
        return Draft()

    @contextmanager
    def open_atomic(self, path: str, *, overwrite: bool = False, **options: Any) -> Iterator[Any]:
        with super().open_atomic(path, overwrite=overwrite, **options) as ours:
            draft = self.draft()
            self.begun.append(draft)
            try:
                yield draft
                ours.write(b"" if draft.closed else draft.getvalue())
            finally:
                self.begun.remove(draft)


@broken("ATOM-003")
class HasOneDraft(Drafts):
    """Uses one draft for all `open_atomic` blocks; each new block empties it."""

    def draft(self) -> Draft:
        if not self.begun:
            return super().draft()
        self.begun[0].seek(0)
        self.begun[0].truncate()
        return self.begun[0]


@broken("ATOM-003", "LIFE-021", "PROC-005")
class ClearsWhatOthersBegan(Drafts):
    """Constructing an instance discards unfinished writes of other instances."""

    def __init__(self) -> None:
        super().__init__()
        for draft in self.begun:
            draft.seek(0)
            draft.truncate()


@broken("READ-001")
class StreamsPiecesInTextOrder(MemoryBackend):
    """Streams the parts of a large file in alphabetical order of their numbers: 1, 10, 2."""

    def read(self, path: str) -> Any:
        content = self.read_bytes(path)
        pieces = {str(start // MIB): content[start : start + MIB] for start in range(0, len(content), MIB)}
        return io.BufferedReader(io.BytesIO(b"".join(pieces[number] for number in sorted(pieces))))


@broken("COPY-012")
class CopiesTenPieces(MemoryBackend):
    """Copies at most 10 MiB of a file."""

    def _transfer(self, src: str, dst: str, **options: Any) -> None:
        super()._transfer(src, dst, **options)
        if src != dst:
            copied = self._files[dst]
            self._files[dst] = replace(copied, content=copied.content[: 10 * MIB])


@broken("ATOM-011")
class KeepsTenPieces(Drafts):
    """Keeps at most the last 10 MiB written in an `open_atomic` block."""

    def draft(self) -> Draft:
        return Bounded()


class Bounded(Draft):
    """Keeps the last ten MiB."""

    def getvalue(self) -> bytes:
        return super().getvalue()[-10 * MIB :]


@broken("LIST-012")
class ListsFiveThousand(Lists):
    """Lists at most 5,000 files."""

    def changed(self, files: Iterator[FileInfo], _folder: str) -> Iterator[FileInfo]:
        return itertools.islice(files, 5000)


@broken("COPY-008")
class TakesOtherFormsForItself(MemoryBackend):
    """Treats a copy to a name that differs only in Unicode normalization as a copy onto itself."""

    def _transfer(self, src: str, dst: str, **options: Any) -> None:
        if src == dst or unicodedata.normalize("NFC", src) != unicodedata.normalize("NFC", dst):
            super()._transfer(src, dst, **options)


@broken("META-004")
class LabelsLocalTime(MemoryBackend):
    """Returns the local time, labelled as UTC."""

    def get_file_info(self, path: str) -> FileInfo:
        return replace(super().get_file_info(path), modified_at=datetime.now().replace(tzinfo=UTC))  # noqa: DTZ005


@broken("META-007")
class TagsBothEnds(MemoryBackend):
    """Computes the ETag from the first and the last 64 KiB only."""

    def get_file_info(self, path: str) -> FileInfo:
        content = self._file(path).content
        ends = content[: 64 * 1024] + content[-64 * 1024 :]
        return replace(super().get_file_info(path), etag=hashlib.sha256(ends).hexdigest())


@broken("COPY-002")
class CopiesTypesWithMetadataOnly(MemoryBackend):
    """Copies the content type only if the source also has metadata."""

    def _transfer(self, src: str, dst: str, *, keep: bool, **asked: Any) -> None:
        super()._transfer(src, dst, keep=keep, **asked)
        if src != dst and not self._files[dst].metadata:
            self._files[dst] = replace(self._files[dst], content_type=None)


@broken("DEL-001")
class DeletesTheFolderOfItsName(MemoryBackend):
    """Deletes a file together with everything below it."""

    def delete(self, path: str, *, missing_ok: bool = False) -> None:
        super().delete(path, missing_ok=missing_ok)
        for key in keys_below(self._files, path):
            del self._files[key]


@broken("WRITE-008")
class LeavesTheFolderOfAFailure(LocalBackend):
    """Creates the folder before the file, and leaves it if the write fails."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        try:
            return super().write(path, content, **options)
        except BaseException:
            Path(self.native_path(path)).parent.mkdir(parents=True, exist_ok=True)
            raise


@broken("READ-015")
class HasPlacesForSomeReaders(MemoryBackend):
    """The 33rd reader that is open at the same time reads no bytes."""

    places: ClassVar[weakref.WeakSet[Any]] = weakref.WeakSet()

    def read(self, path: str) -> Any:
        stream = super().read(path)
        if sum(not other.closed for other in self.places) >= 32:
            stream.seek(0, io.SEEK_END)
        self.places.add(stream)
        return stream


@broken("ERR-012")
class ReadsThroughAGenerator(MemoryBackend):
    """Reads the source through a generator, which turns a StopIteration into a RuntimeError."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        return super().write(path, b"".join(self.pieces(content)), **options)

    def pieces(self, content: Any) -> Iterator[bytes]:
        """The blocks of a stream."""
        while piece := content.read(MIB):
            yield piece


@broken("ATOM-004")
class EndsABlockWithTheIteration(MemoryBackend):
    """Treats a StopIteration raised in an `open_atomic` block as the block's normal end."""

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[Any]:
        with super().open_atomic(path, **options) as stream:
            try:
                yield stream
            except StopIteration:
                return
