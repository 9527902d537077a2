"""Backends whose atomic writes are not."""

from __future__ import annotations

import hashlib
import json
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, ClassVar
from uuid import uuid4

from sqlite_store import SQLiteBackend
from sqlite_store.backend import WRITING
from sqlite_store.rows import now

from remote_store.core import Content, ContentDigest, MemoryBackend, Source, WriteResult
from remote_store.core.memory.files import Draft, stored
from remote_store.core.options import WriteOptions, check_write_options


class AppendsToTheDraft(SQLiteBackend):
    """The file of `open_atomic` is open for appending, so a write after a seek lands at its end."""

    breaks: ClassVar[str] = "ATOM-007"

    @contextmanager
    def open_atomic(
        self,
        path: str,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> Iterator[BinaryIO]:
        checked = self._check_write(path, metadata, content_type)
        with self._open(path) as db:
            self._check_free(db, path, overwrite=overwrite)
        with tempfile.TemporaryDirectory() as folder, (Path(folder) / "draft").open("a+b") as draft:
            yield draft
            draft.seek(0)
            self.write(path, draft, overwrite=overwrite, metadata=checked, content_type=content_type)


class SweepsDrafts(SQLiteBackend):
    """`close` removes the drafts of crashed processes beside the database, and those of other instances too."""

    breaks: ClassVar[str] = "PROC-005"

    @contextmanager
    def open_atomic(
        self,
        path: str,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> Iterator[BinaryIO]:
        checked = self._check_write(path, metadata, content_type)
        with self._open(path) as db:
            self._check_free(db, path, overwrite=overwrite)
        draft = Path(f"{self._database}-draft-{uuid4().hex}")
        try:
            with draft.open("w+b") as file:
                yield file
            with draft.open("rb") as whole:
                self.write(path, whole, overwrite=overwrite, metadata=checked, content_type=content_type)
        finally:
            draft.unlink(missing_ok=True)

    def close(self) -> None:
        database = Path(self._database)
        with suppress(OSError):
            for file in list(database.parent.iterdir()):
                if file.name.startswith(f"{database.name}-draft-"):
                    file.unlink(missing_ok=True)
        super().close()


class IgnoresTheLoser(SQLiteBackend):
    """A create looks before its transaction and then inserts with OR IGNORE, so a loser is told that it has won."""

    breaks: ClassVar[str] = "ATOM-012"

    def write(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        if overwrite:
            return super().write(path, content, overwrite=True, metadata=metadata, content_type=content_type)
        checked = self._check_write(path, metadata, content_type)
        source = Source(content)
        with self._open(path) as db:
            self._check_free(db, path, overwrite=False)
        data = source.read_rest()
        sha256 = hashlib.sha256(data).hexdigest()
        row = (path, data, now(), sha256, json.dumps(checked), content_type)
        with self._open(path, begin=WRITING) as db:
            columns = "key, content, modified_at, sha256, metadata, content_type"
            version = db.execute(f"INSERT OR IGNORE INTO files ({columns}) VALUES (?, ?, ?, ?, ?, ?)", row).lastrowid
        return WriteResult(path, len(data), str(version), digest=ContentDigest("sha256", sha256), metadata=checked)

    write_atomic = write


class StampsTheBeginning(MemoryBackend):
    """A file of `open_atomic` has the time at which its block began, so it seems older than files written before it."""

    breaks: ClassVar[str] = "META-004"

    @contextmanager
    def open_atomic(
        self,
        path: str,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        **options: Any,
    ) -> Iterator[BinaryIO]:
        checked = self._check_write(path, metadata, content_type)
        check_write_options(options, overwrite=overwrite)
        asked = self._asked(WriteOptions, path, options)
        self._check_target(path, asked, overwrite=overwrite)
        began = datetime.now(UTC)
        with Draft() as draft:
            yield draft
        file = replace(stored(draft.content, checked, content_type, asked), modified_at=began)
        with self._lock:
            self._check_open()
            self._check_target(path, asked, overwrite=overwrite)
            self._files[path] = file


class Current(threading.local):
    """The drafts of the blocks that this thread is in."""

    def __init__(self) -> None:
        self.drafts: list[Draft] = []


CURRENT = Current()


class Block(AbstractContextManager[BinaryIO]):
    """The block of an atomic write."""

    def __init__(self, store: MemoryBackend, *arguments: Any, **asked: Any) -> None:
        self._store = store
        self._arguments = arguments
        self._asked = asked

    def __enter__(self) -> BinaryIO:
        CURRENT.drafts.append(Draft())
        return CURRENT.drafts[-1]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        draft = CURRENT.drafts.pop()
        draft.close()
        if kind is None:
            path, *others = self._arguments
            self._store._commit(path, draft.content, *others, **self._asked)


class KeepsTheDraftInItsThread(MemoryBackend):
    """The draft of `open_atomic` is kept in a variable of the thread, so a block cannot end in another thread."""

    breaks: ClassVar[str] = "PROC-006"

    def open_atomic(
        self,
        path: str,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        **options: Any,
    ) -> Any:
        checked = self._check_write(path, metadata, content_type)
        check_write_options(options, overwrite=overwrite)
        asked = self._asked(WriteOptions, path, options)
        self._check_target(path, asked, overwrite=overwrite)
        return Block(self, path, overwrite, checked, content_type, asked=asked)
