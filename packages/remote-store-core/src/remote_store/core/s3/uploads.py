# Generated from packages/remote-store-core/src/remote_store/core/s3/aio_uploads.py by tools/unasync.py; edit that.
"""The multipart uploads of an S3 backend: unfinished ones are listed, aborted and resumed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from remote_store.core.models import UnfinishedUpload
from remote_store.core.options import check_age
from remote_store.core.s3.base import S3Base
from remote_store.core.s3.operations import unfinished
from remote_store.core.s3.operations.unfinished import UploadCursor
from remote_store.core.s3.protocol.keys import check_folder


class S3Uploads(S3Base):
    """The methods of an S3 backend that are about unfinished uploads."""

    def list_uploads(self, path: str) -> Iterator[UnfinishedUpload]:
        """The unfinished uploads of a file, or below a folder: 1 request per 1,000 uploads.

        The requests list all keys that begin with the path, so that `a` also costs the uploads of `ab`.
        """
        self._check(check_folder, path)
        return self._uploads(path, unfinished.uploads_in(self._bucket, path))

    def _uploads(self, path: str, cursor: UploadCursor) -> Iterator[UnfinishedUpload]:
        allowance = self._allowance()
        while not cursor.done:
            page = self._run(unfinished.next_uploads(self._bucket, cursor), path, None, allowance)
            for upload in cursor.below(page):
                yield upload

    def abort_uploads(self, path: str, *, older_than: timedelta) -> int:
        """Abort old unfinished uploads: 1 request per 1,000 uploads, and 1 per abort, `max_concurrency` at once."""
        self._check(check_folder, path)
        check_age(older_than)
        return self._run(unfinished.abort_uploads(self._bucket, path, older_than), path)
