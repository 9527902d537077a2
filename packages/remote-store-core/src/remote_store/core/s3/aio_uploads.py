"""The multipart uploads of an S3 backend: unfinished ones are listed, aborted and resumed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta
from typing import Unpack

from remote_store.core.aio.streams import AsyncSource
from remote_store.core.io.source import AsyncContent
from remote_store.core.metadata import check_content_type, check_metadata
from remote_store.core.models import UnfinishedUpload, WriteResult
from remote_store.core.options import WriteOptions, check_age, check_resumable, check_write_options
from remote_store.core.s3.aio_base import AsyncS3Base
from remote_store.core.s3.operations import resuming, unfinished, writing
from remote_store.core.s3.operations.unfinished import UploadCursor
from remote_store.core.s3.protocol.keys import check_folder, check_new_key
from remote_store.core.s3.protocol.parameters import of_condition


class AsyncS3Uploads(AsyncS3Base):
    """The methods of an S3 backend that are about unfinished uploads."""

    def list_uploads(self, path: str) -> AsyncIterator[UnfinishedUpload]:
        """The unfinished uploads of a file, or below a folder: 1 request per 1,000 uploads.

        The requests list all keys that begin with the path, so that `a` also costs the uploads of `ab`.
        """
        self._check(check_folder, path)
        return self._uploads(path, unfinished.uploads_in(self._bucket, path))

    async def _uploads(self, path: str, cursor: UploadCursor) -> AsyncIterator[UnfinishedUpload]:
        allowance = self._allowance()
        while not cursor.done:
            page = await self._run(unfinished.next_uploads(self._bucket, cursor), path, None, allowance)
            for upload in cursor.below(page):
                yield upload

    async def abort_uploads(self, path: str, *, older_than: timedelta) -> int:
        """Abort old unfinished uploads: 1 request per 1,000 uploads, and 1 per abort, `max_concurrency` at once."""
        self._check(check_folder, path)
        check_age(older_than)
        return await self._run(unfinished.abort_uploads(self._bucket, path, older_than), path)

    async def resume_upload(
        self,
        path: str,
        content: AsyncContent,
        *,
        record: Mapping[str, str],
        keep: Callable[[Mapping[str, str]], object],
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        **options: Unpack[WriteOptions],
    ) -> WriteResult:
        """Write a whole object as `write` does, but leave the multipart upload open if that fails.

        n + 2 requests for n parts. A call that goes on sends 1 ListParts per 1,000 parts instead of the first, and only
        the parts whose stored MD5, SHA-1 or SHA-256 is not that of the content. The entity tag of a part is its MD5
        unless the object is encrypted with SSE-KMS or SSE-C; without a digest, all parts are sent again.
        """
        self._check(check_new_key, path)
        described = check_metadata(metadata, most=self._most_metadata)
        check_content_type(content_type)
        check_write_options(options, overwrite=overwrite)
        check_resumable(options)
        asked = self._asked(WriteOptions, path, options)
        source = AsyncSource(content)
        if source.size is None:
            raise ValueError("content must be a file whose length is known")
        if source.size <= self._bucket.options.part_size:
            operation = writing.write(
                self._bucket,
                path,
                source.size,
                overwrite=overwrite,
                metadata=described,
                content_type=content_type,
                options=asked,
            )
            result = await self._run(operation, path, source)
            if record.get("upload_id"):
                await self._run(resuming.drop(self._bucket, {"Key": path, "UploadId": record["upload_id"]}), path)
            return result
        allowance = self._allowance()
        condition = of_condition(asked, overwrite=overwrite)
        target = writing.description(path, described, content_type, asked)
        opening = resuming.open_upload(self._bucket, source.size, record, target, condition)
        opened = await self._run(opening, path, None, allowance)
        try:
            keep(opened.record)
        except BaseException:
            if opened.begun:
                await self._run(resuming.drop(self._bucket, opened.upload), path)
            raise
        sending = resuming.send_rest(self._bucket, opened, source.size, condition)
        return await self._run(sending, path, source, allowance)
