"""Deletes objects and folders."""

from __future__ import annotations

from remote_store.core.capabilities import Capability
from remote_store.core.errors import DirectoryNotEmpty, NotFound, RemoteStoreError, wrong_kind
from remote_store.core.s3.operations import paging, probes, trust
from remote_store.core.s3.operations.bucket import Bucket
from remote_store.core.s3.operations.conflicts import is_refused, lasting_conflict, send
from remote_store.core.s3.operations.paging import Cursor
from remote_store.core.s3.operations.steps import Operation, each
from remote_store.core.s3.protocol import faults
from remote_store.core.s3.protocol.calls import Fault
from remote_store.core.s3.protocol.keys import UNSPEAKABLE_IN_XML, is_marker, prefix_of
from remote_store.core.s3.protocol.pages import Page
from remote_store.core.s3.protocol.parameters import quoted
from remote_store.core.s3.protocol.responses import Deleted, Done

MOST_NAMED = 1000
"""Keys that one DeleteObjects may name (S3 API Reference, DeleteObjects)."""


def delete(bucket: Bucket, key: str, *, missing_ok: bool) -> Operation[None]:
    """Delete one object: 1 HEAD, because DeleteObject succeeds for a missing key too, and 1 DELETE."""
    try:
        facts = yield from probes.head(bucket, key)
    except Fault as fault:
        if not missing_ok or not faults.is_missing(fault):
            raise (yield from probes.missing(bucket, key, fault)) from fault.__cause__
        if (yield from probes.is_folder(bucket, key)):
            raise wrong_kind(probes.FOLDER_MEANT, path=key) from fault.__cause__
        return
    yield from probes.refuse_marker_of(bucket, key, facts)
    yield from remove(bucket, key)


def delete_version(bucket: Bucket, key: str, etag: str, *, missing_ok: bool) -> Operation[None]:
    """Delete one object if it still is the version with this entity tag: 1 DELETE, and 1 HEAD if it was refused.

    1 HEAD more if the key ends in a slash, because it may be a folder marker. If an attempt was repeated and the object
    is gone, an earlier attempt deleted it.
    """
    yield from trust.require(bucket, Capability.CONDITIONAL_DELETE, key)
    if key.endswith("/"):
        facts = yield from probes.require_file(bucket, key)
        yield from probes.refuse_marker_of(bucket, key, facts)
    condition = {"IfMatch": quoted(etag)}
    try:
        yield from remove(bucket, key, **condition)
    except Fault as fault:
        if not is_refused(fault, condition):
            raise (yield from lasting_conflict(bucket, key, fault, condition)) from fault.__cause__
        try:
            yield from probes.head(bucket, key)
        except Fault as looked:
            if not faults.is_gone(looked):
                raise
            error = yield from probes.missing(bucket, key, looked)
            if error is looked and (missing_ok or fault.attempts > 1):
                return
            raise error from looked.__cause__
        raise faults.typed(fault, path=key) from fault.__cause__


def remove(bucket: Bucket, key: str, **condition: str) -> Operation[None]:
    """Delete one object: 1 DELETE, and 1 HEAD if its response has no header of S3.

    Raises:
        Fault: The service refused, or the object still exists.
    """
    done: Done = yield from send(bucket, bucket.call("DeleteObject", Key=key, **condition))
    yield from _confirm(bucket, key, done)


def _confirm(bucket: Bucket, key: str, done: Done) -> Operation[None]:
    if done.signed:
        return
    try:
        yield from probes.head(bucket, key)
    except Fault as fault:
        if not faults.is_missing(fault):
            raise
    else:
        raise Fault("NotS3", 200, "the response to DeleteObject has no header of S3, and the object still exists")


def delete_folder(bucket: Bucket, path: str, *, recursive: bool, missing_ok: bool) -> Operation[None]:
    """Delete all keys in a folder: 1 LIST and 1 DeleteObjects per 1,000 keys; 1 HEAD more if there are none.

    If the server lacks DeleteObjects, each key costs 1 DELETE, `max_concurrency` at once. So does a key that the
    response to DeleteObjects does not mention.

    Raises:
        RemoteStoreError: Some keys could not be deleted; `paths` names them.
    """
    cursor = Cursor(prefix_of(path))
    page = yield from paging.next_page(bucket, cursor)
    while not page.objects and not cursor.done:
        page = yield from paging.next_page(bucket, cursor)
    if not page.objects:
        error = yield from probes.no_folder(bucket, path)
        if missing_ok and isinstance(error, NotFound):
            return
        raise error
    if not recursive and (not cursor.done or not _is_bare(page, cursor.prefix)):
        raise DirectoryNotEmpty("the folder is not empty; pass recursive=True to delete its content too", path=path)
    deletion = Deletion(bucket)
    while True:
        yield from deletion.delete([info.path for info in page.objects])
        if cursor.done:
            break
        page = yield from paging.next_page(bucket, cursor)
    if deletion.left:
        raise _not_deleted(path, deletion.left)


def _is_bare(page: Page, prefix: str) -> bool:
    return all(info.path == prefix and is_marker(prefix, info.size) for info in page.objects)


class Deletion:
    """Deletes keys, batch after batch, by DeleteObjects, or one by one if the server lacks it.

    Args:
        bucket: The bucket.

    Attributes:
        left: The keys that could not be deleted, and why.
    """

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._in_bulk = True
        self.left: dict[str, Fault] = {}

    def delete(self, keys: list[str]) -> Operation[None]:
        """Delete these keys."""
        singles = [key for key in keys if UNSPEAKABLE_IN_XML.search(key)]
        named = [key for key in keys if not UNSPEAKABLE_IN_XML.search(key)]
        batches = [named[start : start + MOST_NAMED] for start in range(0, len(named), MOST_NAMED)]
        for batch in batches:
            singles += (yield from self._delete_batch(batch)) if self._in_bulk else batch
        if singles:
            yield from self._delete_singly(singles)

    def _delete_batch(self, keys: list[str]) -> Operation[list[str]]:
        """Delete up to 1,000 keys by one request. Returns the keys that have to be deleted one by one."""
        named = [{"Key": key} for key in keys]
        try:
            deleted: Deleted = yield self._bucket.call("DeleteObjects", Delete={"Objects": named})
        except Fault as fault:
            if faults.lacks_feature(fault) or fault.status == 405 or fault.code == "MissingContentMD5":
                self._in_bulk = False
                return keys
            self.left.update((key, fault) for key in keys)
            return []
        self.left.update((key, fault) for key, fault in deleted.errors.items() if not faults.is_gone(fault))
        return [key for key in keys if key not in deleted.keys and key not in deleted.errors]

    def _delete_singly(self, keys: list[str]) -> Operation[None]:
        calls = [self._bucket.call("DeleteObject", Key=key) for key in keys]
        responses = yield from each(calls, self._bucket.options.max_concurrency)
        for key, response in zip(keys, responses, strict=True):
            fault = response if isinstance(response, Fault) else (yield from self._unconfirmed(key, response))
            if fault is not None and not faults.is_gone(fault):
                self.left[key] = fault

    def _unconfirmed(self, key: str, done: Done) -> Operation[Fault | None]:
        try:
            yield from _confirm(self._bucket, key, done)
        except Fault as fault:
            return fault
        return None


def _not_deleted(path: str, left: dict[str, Fault]) -> RemoteStoreError:
    fault = next(iter(left.values()))
    error = faults.typed(fault, path=path)
    error.paths = tuple(left)
    error.message = f"{len(left)} of the folder's files could not be deleted: {error.message}"
    error.args = (error.message,)
    return error
