"""The multipart uploads of an S3 backend: unfinished ones are listed, aborted and resumed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

from remote_store.core.models import UnfinishedUpload
from remote_store.core.options import check_age
from remote_store.core.s3.aio_base import AsyncS3Base
from remote_store.core.s3.operations import unfinished
from remote_store.core.s3.operations.unfinished import UploadCursor
from remote_store.core.s3.protocol.keys import check_folder


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
