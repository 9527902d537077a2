"""Lists and aborts the multipart uploads that were begun and neither completed nor aborted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from remote_store.core.errors import RemoteStoreError
from remote_store.core.models import UnfinishedUpload
from remote_store.core.s3.operations.bucket import READ_OPTIONS, Bucket
from remote_store.core.s3.operations.listed import broken
from remote_store.core.s3.operations.paging import MOST_EMPTY_PAGES
from remote_store.core.s3.operations.steps import Operation, each
from remote_store.core.s3.protocol import faults
from remote_store.core.s3.protocol.calls import Fault
from remote_store.core.s3.protocol.keys import prefix_of
from remote_store.core.s3.protocol.responses import Done
from remote_store.core.s3.protocol.uploads import Uploads


@dataclass(slots=True)
class UploadCursor:
    """The state of a listing of uploads.

    Attributes:
        path: The path of the folder or the file.
        prefix: The prefix to ask for. Keys that begin with it may still be outside of the path.
        key_marker: The key to begin the next page after.
        id_marker: The upload id to begin the next page after.
        done: Whether the last page has been fetched.
    """

    path: str
    prefix: str
    key_marker: str | None = None
    id_marker: str | None = None
    done: bool = False
    _markers: set[int] = field(default_factory=set)
    _last: frozenset[UnfinishedUpload] = frozenset()
    _empty: int = 0

    def turn(self, page: Uploads) -> None:
        """Advance past a page.

        Raises:
            Fault: The server repeats a marker or an upload, or has sent too many empty pages.
        """
        entries = frozenset(page.entries)
        if entries & self._last:
            raise broken("lists an upload again")
        self._last = entries
        self._empty = 0 if entries else self._empty + 1
        self.key_marker, self.id_marker = page.key_marker, page.id_marker
        self.done = self.key_marker is None and self.id_marker is None
        marker = hash((self.key_marker, self.id_marker))
        if not self.done and marker in self._markers:
            raise broken("repeats a marker of the next page, so the listing would never end")
        if not self.done and self._empty >= MOST_EMPTY_PAGES:
            raise broken(f"sends {MOST_EMPTY_PAGES} empty pages in a row")
        self._markers.add(marker)

    def below(self, page: Uploads) -> Iterator[UnfinishedUpload]:
        """The uploads of a page that are of the path: of the file itself, or below the folder."""
        folder = prefix_of(self.path)
        return (upload for upload in page.entries if upload.path == self.path or upload.path.startswith(folder))


def uploads_in(bucket: Bucket, path: str) -> UploadCursor:
    """The listing of the uploads of a file, or below a folder.

    A prefix without the slash finds both. In a directory bucket, a prefix has to end with a slash (S3 API Reference,
    ListMultipartUploads).
    """
    whole = bucket.options.endpoint.bucket_kind != "directory"
    return UploadCursor(path, path if whole else path[: path.rfind("/") + 1])


def next_uploads(bucket: Bucket, cursor: UploadCursor) -> Operation[Uploads]:
    """The next page: 1 request. If the bucket does not exist, the first page is empty.

    Raises:
        Fault: The listing would never end, or breaks the protocol. Or the bucket is missing after the first page.
    """
    place = {"KeyMarker": cursor.key_marker, "UploadIdMarker": cursor.id_marker, "Prefix": cursor.prefix or None}
    params: dict[str, Any] = {name: value for name, value in place.items() if value is not None}
    if bucket.options.endpoint.aws:
        # SeaweedFS 4.48 claims to encode the keys of this listing and does not, so `a+b` could be `a b`.
        params["EncodingType"] = "url"
    try:
        page: Uploads = yield bucket.call("ListMultipartUploads", **params)
    except Fault as fault:
        if faults.is_missing(fault) and cursor.key_marker is None and cursor.id_marker is None:
            cursor.done = True
            return Uploads([])
        raise
    cursor.turn(page)
    return page


def abort_uploads(bucket: Bucket, path: str, older_than: timedelta) -> Operation[int]:
    """Abort the uploads of a file or below a folder that are old enough: 1 request per 1,000 uploads, 1 per abort.

    Their age is the time between the server's `Initiated` and its `Date`. An upload without a time is left alone.

    Returns:
        The number of uploads that were aborted.

    Raises:
        RemoteStoreError: Some could not be aborted; `paths` names them.
    """
    cursor = uploads_in(bucket, path)
    left: list[tuple[UnfinishedUpload, Fault]] = []
    count = 0
    while not cursor.done:
        page = yield from next_uploads(bucket, cursor)
        old = [upload for upload in cursor.below(page) if _is_old(upload, page, older_than)]
        calls = [bucket.call("AbortMultipartUpload", Key=upload.path, UploadId=upload.upload_id) for upload in old]
        responses = (yield from each(calls, bucket.options.max_concurrency)) if calls else []
        for upload, response in zip(old, responses, strict=True):
            fault = response if isinstance(response, Fault) else (yield from _unconfirmed(bucket, upload, response))
            if fault is None:
                count += 1
            elif not faults.is_gone(fault):
                left.append((upload, fault))
    if left:
        raise _not_aborted(path, left, count)
    return count


def _is_old(upload: UnfinishedUpload, page: Uploads, older_than: timedelta) -> bool:
    if upload.started_at is None:
        return False
    if page.date is None:
        raise Fault("BrokenAnswer", 200, "the response has no Date, so the age of the uploads is unknown")
    return page.date - upload.started_at >= older_than


def _unconfirmed(bucket: Bucket, upload: UnfinishedUpload, done: Done) -> Operation[Fault | None]:
    """Why an abort may not have happened: 1 ListParts if its response has no header of S3."""
    if done.signed:
        return None
    try:
        yield bucket.call("ListParts", READ_OPTIONS, Key=upload.path, UploadId=upload.upload_id, MaxParts=1)
    except Fault as fault:
        return None if faults.is_gone(fault) else fault
    return Fault("NotS3", 200, "the response to AbortMultipartUpload has no header of S3, and the upload still exists")


def _not_aborted(path: str, left: list[tuple[UnfinishedUpload, Fault]], count: int) -> RemoteStoreError:
    error = faults.typed(left[0][1], path=path)
    error.paths = tuple(dict.fromkeys(upload.path for upload, _ in left))
    error.message = f"{len(left)} uploads could not be aborted, {count} were aborted: {error.message}"
    error.args = (error.message,)
    return error
