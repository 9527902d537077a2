"""Broken backends: deletes, moves and copies."""

from __future__ import annotations

import re
from contextlib import ExitStack
from functools import partial
from typing import Any, ClassVar

from sqlite_store import SQLiteBackend
from sqlite_store.rows import prefix

from remote_store.core import LocalBackend, NotFound
from remote_store.core.local.locking import locked
from remote_store.core.local.tree import prune
from remote_store.core.options import MoveOptions


class DeletesFoldersOfAnyCase(SQLiteBackend):
    """A folder is deleted with LIKE, which does not tell `Data/` from `data/`."""

    breaks: ClassVar[str] = "PATH-002"

    def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        self._check_open()
        if path == "" or not recursive or not self.is_folder(path):
            super().delete_folder(path, recursive=recursive, missing_ok=missing_ok)
            return
        pattern = re.sub(r"([%_\\])", r"\\\1", prefix(path)) + "%"
        with self._open(path, begin="BEGIN IMMEDIATE") as db:
            db.execute(r"DELETE FROM files WHERE key LIKE ? ESCAPE '\'", (pattern,))


class UnlinksAfterALook(LocalBackend):
    """A delete passes on the OSError of its unlink, such as FileNotFoundError if another caller was faster."""

    breaks: ClassVar[str] = "DEL-018"

    def delete(self, path: str, *, missing_ok: bool = False, **options: Any) -> None:
        if options:
            super().delete(path, missing_ok=missing_ok, **options)
            return
        self._check_open()
        with ExitStack() as opened:
            try:
                spot = self._file(opened, path)
            except NotFound:
                if missing_ok:
                    return
                raise
            if spot.linked:
                super().delete(path, missing_ok=missing_ok)
                return
            with locked(spot.position.here, spot.name):
                spot.position.here.unlink(spot.name)
            prune(spot.position)


class MoveLeavesEmptyFolders(LocalBackend):
    """A move leaves the folder of its source behind, even if it is empty now."""

    breaks: ClassVar[str] = "LIST-018"

    def move(self, src: str, dst: str, *, overwrite: bool = False, **options: Any) -> None:
        self._check_open()
        asked = self._asked(MoveOptions, src, options)
        with ExitStack() as opened:
            source = self._source(opened, src, dst, asked)
            if src == dst:
                return
            rename = partial(self._rename_locked, source, src=src, dst=dst, check=self._check_of_source(src, asked))
            if source.linked or not self._keys.place(dst, rename, overwrite=overwrite):
                self._move_by_copy(src, dst, source, asked, overwrite=overwrite)


class ClearsTheDestinationFirst(SQLiteBackend):
    """A move deletes what is at its destination before it renames the source, which may be the same file."""

    breaks: ClassVar[str] = "COPY-018"

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        with self._transfer(src, dst, overwrite=overwrite) as (db, version):
            db.execute("DELETE FROM files WHERE key = ?", (dst,))
            db.execute("UPDATE files SET key = ? WHERE version = ?", (dst, version))
