"""Checks of unfinished uploads, and of transfers that go on where an earlier call stopped."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from remote_store.conformance.checking.async_trees import fill
from remote_store.conformance.checking.case import AsyncCase
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.checking.wire import operations, part_size, require_s3, uploads
from remote_store.conformance.http.faults import Respond
from remote_store.core import AlreadyExists, AsyncStore, Capability, RemoteStoreError, UnfinishedUpload

WRITES = (Capability.WRITE, Capability.READ)
FIRST_BLOCK = 8 * 1024 * 1024
ODD = "a b+c%2F~é&.bin"


class Stopped(Exception):
    """What interrupts a transfer."""


class Breaking(io.BytesIO):
    """Content that breaks at a position.

    Args:
        content: The bytes.
        breaks_at: The position; `None` if it does not break.
    """

    def __init__(self, content: bytes, breaks_at: int | None = None) -> None:
        super().__init__(content)
        self._breaks_at = breaks_at

    def read(self, size: int | None = -1, /) -> bytes:
        if self._breaks_at is not None and self.tell() >= self._breaks_at:
            raise Stopped
        return super().read(size)


class AsyncResumingSuite:
    """PART: unfinished uploads and resumed transfers."""

    async def _begin(self, case: AsyncCase, name: str, content: bytes, **options: Any) -> dict[str, str]:
        """Begin an upload that breaks after its first part, and return its record."""
        record: dict[str, str] = {}

        def keep(kept: Mapping[str, str]) -> None:
            record.update(kept)

        with case.expect_raises(Stopped):
            await case.backend.resume_upload(
                case.path(name), Breaking(content, part_size(case)), record={}, keep=keep, **options
            )
        case.expect(record, "keep is called with a record")
        return record

    async def _listed(self, case: AsyncCase, path: str) -> list[UnfinishedUpload]:
        return [upload async for upload in case.backend.list_uploads(path)]

    async def _resume(self, case: AsyncCase, name: str, content: bytes, record: Mapping[str, str]) -> None:
        await case.backend.resume_upload(case.path(name), Breaking(content), record=record, keep=len)

    @async_check("PART-001", needs=WRITES)
    async def test_part_the_uploads_of_a_path_are_listed(self, case: AsyncCase) -> None:
        content = case.content(part_size(case) + 1)
        names = ["dir/file", f"dir/file/{ODD}", "dir/file2"]
        for name in names:
            await self._begin(case, name, content)
        for path, expected in (("dir/file", names[:2]), ("dir", names), (names[1], names[1:2]), ("di", [])):
            listed = await self._listed(case, case.path(path))
            paths = sorted(upload.path for upload in listed)
            case.expect_equal(paths, [case.path(name) for name in expected], f"the uploads of {path}")
            case.expect(all(upload.upload_id for upload in listed), "each has an id")

    @async_check("PART-002", needs=WRITES)
    async def test_part_old_uploads_are_aborted(self, case: AsyncCase) -> None:
        content = case.content(part_size(case) + 1)
        for name in ("dir/a", f"dir/{ODD}", "dir2"):
            await self._begin(case, name, content)
        young = await case.backend.abort_uploads(case.path("dir"), older_than=timedelta(days=1))
        case.expect_equal((young, len(uploads(case))), (0, 3), "the aborted and the remaining young uploads")

    @async_check("PART-002", needs=WRITES)
    async def test_part_uploads_of_the_path_are_aborted(self, case: AsyncCase) -> None:
        content = case.content(part_size(case) + 1)
        for name in ("dir/a", f"dir/{ODD}", "dir2"):
            await self._begin(case, name, content)
        aborted = await case.backend.abort_uploads(case.path("dir"), older_than=timedelta())
        case.expect_equal(aborted, 2, "the number of aborted uploads")
        case.expect_equal(uploads(case), [case.path("dir2")], "the remaining uploads")

    @async_check("PART-003")
    async def test_part_an_age_is_a_timedelta(self, case: AsyncCase) -> None:
        wrong: tuple[tuple[Any, type[Exception]], ...] = ((7, TypeError), (timedelta(seconds=-1), ValueError))
        for older_than, kind in wrong:
            with case.expect_raises(kind, what=repr(older_than)):
                await case.backend.abort_uploads(case.folder, older_than=older_than)

    @async_check("PART-004")
    async def test_part_a_page_that_repeats_ends_the_listing(self, case: AsyncCase) -> None:
        require_s3(case)
        row = f"<Upload><Key>{case.path('a')}</Key><UploadId>u</UploadId></Upload>"
        more = "<IsTruncated>true</IsTruncated><NextKeyMarker>m</NextKeyMarker>"
        root = "ListMultipartUploadsResult"
        body = f"<{root} xmlns='http://s3.amazonaws.com/doc/2006-03-01/'>{more}{row}</{root}>".encode()
        case.endpoint.inject(Respond(200, body=body), operation="ListMultipartUploads", times=50)
        with case.expect_raises(RemoteStoreError):
            await self._listed(case, case.folder)
        with case.expect_raises(RemoteStoreError):
            await case.backend.abort_uploads(case.folder, older_than=timedelta())

    @async_check("PART-005", needs=WRITES)
    async def test_part_an_upload_goes_on(self, case: AsyncCase) -> None:
        require_s3(case)
        content = case.content(2 * part_size(case) + 1)
        record = await self._begin(case, "file", content)
        case.expect_equal(uploads(case), [case.path("file")], "the unfinished uploads")
        with case.endpoint.recording() as sent:
            await self._resume(case, "file", content, record)
        parts = operations(sent).count("UploadPart")
        case.expect_equal(parts, 2, f"the parts that are sent, of {operations(sent)}")
        case.expect_equal(len(sent), 4, f"the number of requests in {operations(sent)}")
        case.expect(case.oracle.raw_get(case.path("file")) == content, "the content is exact")
        case.expect_equal(uploads(case), [], "the unfinished uploads")

    @async_check("PART-006", needs=WRITES)
    async def test_part_a_changed_content_is_not_mixed(self, case: AsyncCase) -> None:
        size = part_size(case)
        content = case.content(2 * size + 1)
        for name, position in (("first", 0), ("last", size - 1)):
            record = await self._begin(case, name, content)
            changed = content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :]
            await self._resume(case, name, changed, record)
            exact = case.oracle.raw_get(case.path(name)) == changed
            case.expect(exact, f"the content is that of the second call, whose {name} byte of a part differs")

    @async_check("PART-006", needs=WRITES)
    async def test_part_an_empty_content_is_written(self, case: AsyncCase) -> None:
        await case.backend.resume_upload(case.path("empty"), io.BytesIO(b""), record={}, keep=len)
        case.expect_equal(case.oracle.raw_get(case.path("empty")), b"", "the content")

    @async_check("PART-007", needs=WRITES)
    async def test_part_a_file_that_was_created_meanwhile_is_kept(self, case: AsyncCase) -> None:
        content = case.content(part_size(case) + 1)
        record = await self._begin(case, "file", content)
        await fill(case, "file", data=b"theirs")
        with case.expect_raises(AlreadyExists, path=case.path("file")):
            await self._resume(case, "file", content, record)
        case.expect_equal(case.oracle.raw_get(case.path("file")), b"theirs", "the content")

    @async_check("PART-008", needs=WRITES)
    async def test_part_the_upload_of_another_writer_is_left_alone(self, case: AsyncCase) -> None:
        content = case.content(part_size(case) + 1)
        await self._begin(case, "file", content)
        await self._resume(case, "file", content, {})
        case.expect(case.oracle.raw_get(case.path("file")) == content, "the content is exact")
        case.expect_equal(uploads(case), [case.path("file")], "the unfinished uploads")

    @async_check("PART-010", needs=WRITES)
    async def test_part_requests(self, case: AsyncCase) -> None:
        require_s3(case)
        content = case.content(part_size(case) + 1)
        for name in ("dir/a", "dir/b", "dir2"):
            await self._begin(case, name, content)
        with case.endpoint.recording() as sent:
            await self._listed(case, case.path("dir"))
        case.expect_equal(operations(sent), ["ListMultipartUploads"], "the requests of list_uploads")
        with case.endpoint.recording() as sent:
            await case.backend.abort_uploads(case.path("dir"), older_than=timedelta())
        expected = ["ListMultipartUploads", "AbortMultipartUpload", "AbortMultipartUpload"]
        case.expect_equal(operations(sent), expected, "the requests of abort_uploads")

    @async_check("PART-009", needs=(Capability.READ,))
    async def test_part_a_download_that_goes_on_is_of_one_version(self, case: AsyncCase) -> None:
        store, content = AsyncStore(case.backend, owns_backend=False), case.content(FIRST_BLOCK + 1000)
        path = case.path("file")

        def stop(done: int, _total: int | None, _delta: int) -> None:
            if done:
                raise Stopped

        with tempfile.TemporaryDirectory() as folder:
            for name, now in (("same", content), ("replaced", content[::-1])):
                case.oracle.raw_put(path, content)
                with case.expect_raises(Stopped):
                    await store.download(path, Path(folder, name), resume=True, progress=stop)
                if now is not content:
                    case.oracle.raw_put(path, now)
                await store.download(path, Path(folder, name), resume=True)
                case.expect(Path(folder, name).read_bytes() == now, f"the content of the {name} file is exact")
