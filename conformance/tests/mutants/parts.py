"""Backends that confuse unfinished uploads, or go on with the wrong bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, BinaryIO

from mutants.http_s3 import HttpBackend
from mutants.registry import broken
from remote_store.core import Content, MemoryBackend, UnfinishedUpload, WriteResult
from remote_store.core.s3.operations import resuming, unfinished
from remote_store.core.s3.operations.unfinished import UploadCursor


@broken("PART-001")
class ListsUploadsByPrefix(HttpBackend):
    """Lists the uploads of all files whose names begin like the path."""

    def list_uploads(self, path: str) -> Iterator[UnfinishedUpload]:
        cursor = UploadCursor(path, path)
        while not cursor.done:
            yield from self._run(unfinished.next_uploads(self._bucket, cursor), path).entries


@broken("PART-002")
class IgnoresTheAge(HttpBackend):
    """Aborts uploads however young they are."""

    def abort_uploads(self, path: str, *, older_than: timedelta) -> int:
        super().abort_uploads(path, older_than=older_than)
        return super().abort_uploads(path, older_than=timedelta())


@broken("PART-002")
class CountsInVain(HttpBackend):
    """Says that it aborts uploads and aborts none."""

    def abort_uploads(self, path: str, *, older_than: timedelta) -> int:
        super().abort_uploads(path, older_than=older_than + timedelta(days=1))
        return len(list(self.list_uploads(path))) if not older_than else 0


@broken("PART-003")
class TakesSeconds(HttpBackend):
    """Takes a number for an age in seconds."""

    def abort_uploads(self, path: str, *, older_than: Any) -> int:
        age = older_than if isinstance(older_than, timedelta) else timedelta(seconds=older_than)
        return super().abort_uploads(path, older_than=age)


@broken("PART-004")
class TakesOnePage(HttpBackend):
    """Lists only the first page of uploads."""

    def list_uploads(self, path: str) -> Iterator[UnfinishedUpload]:
        cursor = unfinished.uploads_in(self._bucket, path)
        page = self._run(unfinished.next_uploads(self._bucket, cursor), path)
        return iter(list(cursor.below(page)))


class Resumes(HttpBackend):
    """A backend whose subclasses change a call that goes on."""

    def resume_upload(
        self,
        path: str,
        content: Content,
        *,
        record: Mapping[str, str],
        keep: Callable[[Mapping[str, str]], object],
        **options: Any,
    ) -> WriteResult:
        return super().resume_upload(path, content, record=self.changed(path, record), keep=keep, **options)

    def changed(self, path: str, record: Mapping[str, str]) -> Mapping[str, str]:
        """The record to use."""
        raise NotImplementedError


@broken("PART-005")
class BeginsAnew(Resumes):
    """Ignores the record and sends everything again."""

    def changed(self, path: str, record: Mapping[str, str]) -> Mapping[str, str]:
        del path, record
        return {}


@broken("PART-005")
class CleansUp(HttpBackend):
    """Aborts its upload when it fails."""

    def resume_upload(self, path: str, content: Content, **options: Any) -> WriteResult:
        try:
            return super().resume_upload(path, content, **options)
        except Exception:
            self.abort_uploads(path, older_than=timedelta())
            raise


@broken("PART-006")
class ComparesSizes(HttpBackend):
    """Keeps a part if its size is right."""

    def resume_upload(self, path: str, content: Content, **options: Any) -> WriteResult:
        whole = resuming._is_part
        resuming._is_part = lambda part, block: part.size == len(block)
        try:
            return super().resume_upload(path, content, **options)
        finally:
            resuming._is_part = whole


@broken("PART-007")
class ReplacesAtTheEnd(HttpBackend):
    """Completes an upload without its condition."""

    def resume_upload(self, path: str, content: Content, *, overwrite: bool = False, **options: Any) -> WriteResult:
        del overwrite
        return super().resume_upload(path, content, overwrite=True, **options)


@broken("PART-008")
class AbortsWhatItFinds(HttpBackend):
    """Aborts the uploads of the same file before it begins one."""

    def resume_upload(self, path: str, content: Content, **options: Any) -> WriteResult:
        if not options["record"]:
            self.abort_uploads(path, older_than=timedelta())
        return super().resume_upload(path, content, **options)


@broken("PART-009")
class HasOneTag(MemoryBackend):
    """Gives all versions of a file the same ETag."""

    def read(self, path: str, **options: Any) -> BinaryIO:
        return self._tagged(super().read(path, **options))

    def read_seekable(self, path: str, **options: Any) -> BinaryIO:
        return self._tagged(super().read_seekable(path, **options))

    def _tagged(self, file: Any) -> BinaryIO:
        file.known_info = replace(file.known_info, etag="same")
        return file  # type: ignore[no-any-return]


@broken("PART-010")
class LooksBeforeItAborts(HttpBackend):
    """Lists the uploads once more before it aborts them."""

    def abort_uploads(self, path: str, *, older_than: timedelta) -> int:
        return super().abort_uploads(path, older_than=older_than) if any(self.list_uploads(path)) else 0
