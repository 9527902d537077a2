"""Bugs that the width of a check finds, as they are made over a database."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar

from mutants.database import DatabaseBackend, Table
from mutants.registry import broken
from remote_store.core import FileInfo, FolderEntry, NotFound, WriteResult
from remote_store.core.memory.files import Draft, StoredFile

KIB, MIB = 1 << 10, 1 << 20


class PiecesByText(Table):
    """Joins the pieces in the order of their numbers as text."""

    ordered = "CAST(number AS TEXT)"


@broken("WRITE-001")
class SelectsPiecesInTextOrder(DatabaseBackend):
    """Joins the pieces of a content in the order of their numbers as text: 1, 10, 2."""

    table = PiecesByText


class AnyCase(Table):
    """Compares keys without regard to case."""

    compared = "COLLATE NOCASE"


@broken("PATH-002", "LIST-026")
class ComparesWithoutCase(DatabaseBackend):
    """Finds keys without regard to case, the collation of its column."""

    table = AnyCase

    def _commit(self, path: str, *rest: Any, **options: Any) -> WriteResult:
        same = next((key for key in self._files if key.lower() == path.lower()), path)
        return replace(super()._commit(same, *rest, **options), path=path)


@broken("PATH-001")
class DropsCarriageReturns(DatabaseBackend):
    """Normalises line ends of text that it stores in `*.csv` files."""

    def _commit(self, path: str, content: bytes, *rest: Any, **options: Any) -> WriteResult:
        plain = content.replace(b"\r\n", b"\n") if path.endswith(".csv") else content
        return super()._commit(path, plain, *rest, **options)


@broken("ERR-005")
class FormatsItsQueries(DatabaseBackend):
    """Formats its queries twice, so a `%` in a key raises a TypeError."""

    def _missing(self, path: str, what: str) -> NotFound:
        message = f"SELECT * FROM files WHERE key = '{path}'"
        return super()._missing(path, what if message % () else "row")


@broken("LIST-012")
class PagesByCollation(DatabaseBackend):
    """Sorts a page without regard to case and continues after its last key in the order of bytes."""

    order = "ORDER BY key COLLATE NOCASE"


@broken("LIST-012")
class SelectsTenThousand(DatabaseBackend):
    """Selects at most 10,000 rows."""

    def _rows(self, path: str) -> Iterator[tuple[str, datetime, int, dict[str, Any]]]:
        return (row for _, row in zip(range(10_000), super()._rows(path), strict=False))


@broken("LIST-012")
class EndsWithAFullPage(DatabaseBackend):
    """Takes a second page that is exactly full for the last but one, and loses its last row."""

    def _rows(self, path: str) -> Iterator[tuple[str, datetime, int, dict[str, Any]]]:
        rows = list(super()._rows(path))
        return iter(rows[:-1] if len(rows) == 500 else rows)


@broken("META-004")
class ReadsUtcAsLocal(DatabaseBackend):
    """Stores UTC without a zone and reads it as local time."""

    def get_file_info(self, path: str, **options: Any) -> Any:
        info = super().get_file_info(path, **options)
        assert info.modified_at is not None
        plain = info.modified_at.replace(tzinfo=None)
        return replace(info, modified_at=plain.astimezone(UTC))


@broken("META-004")
class CopiesTheWholeRow(DatabaseBackend):
    """`copy` copies the row with its time."""

    def _transfer(self, src: str, dst: str, *, keep: bool, **options: Any) -> None:
        before = self._files.get(src)
        super()._transfer(src, dst, keep=keep, **options)
        if keep and src != dst and before is not None:
            self._files[dst] = replace(self._files[dst], modified_at=before.modified_at)


@broken("META-007")
class TagsTheFirstPiece(DatabaseBackend):
    """Computes the ETag from the first MiB."""

    def get_file_info(self, path: str, **options: Any) -> Any:
        tag = hashlib.sha256(self._file(path).content[:MIB]).hexdigest()
        return replace(super().get_file_info(path, **options), etag=tag)


class EmptyIsNull(Table):
    """Stores an empty text as NULL, as Oracle does."""

    def __setitem__(self, key: str, file: StoredFile) -> None:
        super().__setitem__(
            key, replace(file, metadata={name: value for name, value in file.metadata.items() if value})
        )


@broken("META-009", "COPY-002", "ATOM-001")
class StoresEmptyAsNull(DatabaseBackend):
    """Loses entries of metadata with an empty value, which the database takes for NULL."""

    table = EmptyIsNull


@broken("LIST-008")
class GroupsByName(DatabaseBackend):
    """`iter_children` groups its rows by name, so a file hides the folder of its name."""

    def iter_children(self, path: str) -> Iterator[FileInfo | FolderEntry]:
        files = {file.name: file for file in self.list_files(path)}
        return iter([*files.values(), *(each for each in self.list_folders(path) if each.name not in files)])


@broken("LIST-018")
class KeepsRowsOfFolders(DatabaseBackend):
    """Keeps a row for each folder, which nothing deletes."""

    folders: ClassVar[set[str]] = set()

    def _commit(self, path: str, *rest: Any, **options: Any) -> WriteResult:
        result = super()._commit(path, *rest, **options)
        for depth in range(2, path.count("/") + 1):
            self.folders.add("/".join(path.split("/")[:depth]))
        return result

    def is_folder(self, path: str) -> bool:
        return super().is_folder(path) or path in self.folders


@broken("ATOM-003")
class HasOneRowForDrafts(DatabaseBackend):
    """Writes the drafts of all `open_atomic` blocks to one row."""

    row: ClassVar[list[bytes]] = [b""]

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[Any]:
        with super().open_atomic(path, **options) as stream:
            draft = OfOneRow(self.row)
            yield draft
            stream.write(self.row[0])


class OfOneRow(Draft):
    """Keeps what it has in the row."""

    def __init__(self, row: list[bytes]) -> None:
        super().__init__()
        self.row = row

    def write(self, data: Any) -> int:
        written = super().write(data)
        self.row[0] = self.getvalue()
        return written


@broken("ERR-012")
class InsertsFromAGenerator(DatabaseBackend):
    """Reads the source in a generator for `executemany`, which turns a StopIteration into a RuntimeError."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        return super().write(path, b"".join(pieces(content)) if hasattr(content, "read") else content, **options)


def pieces(content: Any) -> Iterator[bytes]:
    """The pieces of a stream."""
    while piece := content.read(MIB):
        yield piece
