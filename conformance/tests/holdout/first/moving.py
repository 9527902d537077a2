"""Backends that delete, move and copy something else than what was named."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, ClassVar
from urllib.parse import unquote_plus

from sqlite_store import SQLiteBackend
from sqlite_store.backend import WRITING
from sqlite_store.backend import missing as missing_allowed
from sqlite_store.rows import BELOW, prefix, span

from remote_store.core import (
    DirectoryNotEmpty,
    InvalidPath,
    LocalBackend,
    MemoryBackend,
    NotFound,
    require_canonical,
    require_file_path,
    require_text,
)


class TakesSubfoldersForNothing(SQLiteBackend):
    """A folder that contains only folders counts as empty, and is deleted with all files below without `recursive`."""

    breaks: ClassVar[str] = "DEL-007"

    def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        self._check_open()
        if path == "":
            raise InvalidPath("the root cannot be deleted; delete its contents", path=path, backend=self.name)
        with missing_allowed(missing_ok), self._open(path, begin=WRITING) as db:
            self._check_folder(db, path)
            direct = f"SELECT 1 FROM files WHERE {BELOW} AND instr(substr(key, ?), '/') = 0 LIMIT 1"
            if not recursive and db.execute(direct, (*span(path), len(prefix(path)) + 1)).fetchone():
                message = "the folder has content; pass recursive=True to delete it too"
                raise DirectoryNotEmpty(message, path=path, backend=self.name)
            db.execute(f"DELETE FROM files WHERE {BELOW}", span(path))


class DeletesFoldersIgnoringCase(SQLiteBackend):
    """`delete_folder` deletes by LIKE, which ignores the case of ASCII letters: `logs` takes `LOGS` with it."""

    breaks: ClassVar[str] = "PATH-002"

    def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        self._check_open()
        if path == "":
            raise InvalidPath("the root cannot be deleted; delete its contents", path=path, backend=self.name)
        with missing_allowed(missing_ok), self._open(path, begin=WRITING) as db:
            self._check_folder(db, path)
            if not recursive:
                message = "the folder has content; pass recursive=True to delete it too"
                raise DirectoryNotEmpty(message, path=path, backend=self.name)
            literal = prefix(path)
            for special in ("\\", "%", "_"):
                literal = literal.replace(special, f"\\{special}")
            db.execute("DELETE FROM files WHERE key LIKE ? ESCAPE '\\'", (f"{literal}%",))


class DropsTheTargetOfAMoveFirst(SQLiteBackend):
    """A move with `overwrite=True` deletes the destination before it looks for the source."""

    breaks: ClassVar[str] = "COPY-019"

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        self._check_open()
        require_file_path(src, self.name)
        require_canonical(dst, self.name)
        if overwrite and src != dst:
            with suppress(NotFound), self._open(dst, begin=WRITING) as db:
                db.execute("DELETE FROM files WHERE key = ?", (dst,))
        super().move(src, dst, overwrite=overwrite)


class RenamesOfCaseDoNothing(LocalBackend):
    """A move to a name that differs only in case is taken for a move of a file onto itself."""

    breaks: ClassVar[str] = "COPY-014"

    def move(self, src: str, dst: str, *, overwrite: bool = False, **options: Any) -> None:
        if isinstance(src, str) and isinstance(dst, str) and src.casefold() == dst.casefold():
            dst = src
        super().move(src, dst, overwrite=overwrite, **options)


class UnquotesTheSourceOfACopy(MemoryBackend):
    """The source of a copy is decoded like a part of a URL, so a plus sign in its name becomes a space."""

    breaks: ClassVar[str] = "COPY-009"

    def copy(self, src: str, dst: str, *, overwrite: bool = False, **options: Any) -> None:
        self._check_open()
        require_text(src, self.name)
        super().copy(unquote_plus(src), dst, overwrite=overwrite, **options)
