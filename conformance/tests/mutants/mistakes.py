"""Backends whose errors are wrong in one operation, and calls about many paths that mix up those that repeat."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mutants.registry import broken
from remote_store.core import (
    AlreadyExists,
    FolderInfo,
    InvalidPath,
    MemoryBackend,
    NotFound,
    Outcome,
    PreconditionFailed,
)


@broken("ERR-002")
class ForgetsItsNameInFolders(MemoryBackend):
    """The error of `get_folder_info` does not name the backend."""

    def get_folder_info(self, path: str) -> FolderInfo:
        try:
            return super().get_folder_info(path)
        except NotFound as error:
            error.backend = None
            raise


@broken("ERR-003")
class TellsThePathOfACopy(MemoryBackend):
    """The message of the error of a copy onto a file contains its path."""

    def copy(self, src: str, dst: str, **options: Any) -> None:
        try:
            super().copy(src, dst, **options)
        except AlreadyExists as error:
            raise AlreadyExists(f"{dst} exists", path=dst, backend=self.name) from error


@broken("ERR-004")
class KeepsALockInConditions(MemoryBackend):
    """The error of a read with `if_match` has a lock, which cannot be pickled."""

    def read_bytes(self, path: str, **options: Any) -> Any:
        try:
            return super().read_bytes(path, **options)
        except PreconditionFailed as error:
            error.lock = threading.Lock()  # type: ignore[attr-defined]
            raise


@broken("ERR-016")
class InvitesToMoveAgain(MemoryBackend):
    """The error of a move onto a file says that another try may succeed."""

    def move(self, src: str, dst: str, **options: Any) -> None:
        try:
            super().move(src, dst, **options)
        except AlreadyExists as error:
            error.retryable = True
            raise


@broken("ERR-018")
class InfosOfNothingHaveNoNumber(MemoryBackend):
    """The error of `get_file_info` of a missing file has no number."""

    def get_file_info(self, path: str, **options: Any) -> Any:
        try:
            return super().get_file_info(path, **options)
        except NotFound as error:
            error.errno = None  # type: ignore[assignment]
            raise


@broken("ERR-017")
class TagsMakeFiles(MemoryBackend):
    """`set_tags` of a missing file raises NotFound, and leaves an empty file."""

    def set_tags(self, path: str, tags: Mapping[str, str], **options: Any) -> None:
        try:
            super().set_tags(path, tags, **options)
        except NotFound:
            self.write(path, b"")
            raise


@broken("ERR-005")
class KeepsTagsOfWhatIsGone(MemoryBackend):
    """`get_tags` of a file that was deleted or moved away returns its last tags."""

    def get_tags(self, path: str, **options: Any) -> dict[str, str]:
        try:
            return super().get_tags(path, **options)
        except NotFound:
            if path in self.__dict__.get("gone", ()):
                return {}
            raise

    def delete(self, path: str, **options: Any) -> None:
        super().delete(path, **options)
        self.__dict__.setdefault("gone", set()).add(path)

    def move(self, src: str, dst: str, **options: Any) -> None:
        super().move(src, dst, **options)
        self.__dict__.setdefault("gone", set()).add(src)


@broken("MANY-001")
class AnswersOnceInAllBatches(MemoryBackend):
    """`delete_many` has no outcome for a path that was in an earlier batch of 1,000."""

    def delete_many(self, paths: Iterable[str]) -> Iterator[Outcome[None]]:
        seen: dict[str, int] = {}
        for number, outcome in enumerate(super().delete_many(paths)):
            if seen.setdefault(outcome.path, number // 1000) == number // 1000:
                yield outcome


@broken("MANY-002")
class BlamesTheFirstBadPath(MemoryBackend):
    """`delete_many` reports one error for all malformed paths, about the first of them."""

    def delete_many(self, paths: Iterable[str]) -> Iterator[Outcome[None]]:
        first: InvalidPath | None = None
        for outcome in super().delete_many(paths):
            if isinstance(outcome.error, InvalidPath) and "\0" in outcome.path:
                first = first or outcome.error
                yield Outcome(outcome.path, error=first)
            else:
                yield outcome


@broken("MANY-009")
class BlamesTheFirstFileOfAFolder(MemoryBackend):
    """`get_file_info` of a folder raises an error about its first file."""

    def get_file_info(self, path: str, **options: Any) -> Any:
        try:
            return super().get_file_info(path, **options)
        except InvalidPath as error:
            below = [key for key in self._files if key.startswith(f"{path}/")]
            if path and below:
                error.path = below[0]
            raise


@broken("MANY-006")
class ReadsEachStartOnce(MemoryBackend):
    """`read_ranges` keeps one length for each start."""

    def read_ranges(self, path: str, ranges: Any, **options: Any) -> list[bytes]:
        asked = list(ranges)
        lengths = dict(reversed(asked))
        return super().read_ranges(path, [(start, lengths[start]) for start, _ in asked], **options)
