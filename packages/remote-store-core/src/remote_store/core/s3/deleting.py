"""Deleting exactly what was named."""

from __future__ import annotations

from remote_store.core.errors import DirectoryNotEmpty, InvalidPath, NotFound, RemoteStoreError
from remote_store.core.s3 import faults, listing, probes
from remote_store.core.s3.bucket import Bucket
from remote_store.core.s3.calls import Call, Fault
from remote_store.core.s3.keys import UNSPEAKABLE_IN_XML, is_marker, prefix_of
from remote_store.core.s3.listing import Cursor
from remote_store.core.s3.responses import Page
from remote_store.core.s3.steps import Operation


def delete(bucket: Bucket, key: str, *, missing_ok: bool) -> Operation[None]:
    """Delete one object: 1 HEAD, because DeleteObject does not say whether there was one, and 1 DELETE."""
    try:
        answer = yield from probes.head(bucket, key)
    except Fault as fault:
        if not missing_ok or not faults.is_missing(fault):
            raise (yield from probes.missing(bucket, key, fault)) from fault.__cause__
        if (yield from probes.is_folder(bucket, key)):
            raise InvalidPath(probes.FOLDER_MEANT, path=key) from fault.__cause__
        return
    probes.refuse_marker(key, answer["ContentLength"])
    yield bucket.call("DeleteObject", Key=key)


def delete_folder(bucket: Bucket, path: str, *, recursive: bool, missing_ok: bool) -> Operation[None]:
    """Delete what is below a folder: 1 LIST and 1 DeleteObjects per 1,000 keys; 1 HEAD more if there is nothing.

    Raises:
        RemoteStoreError: Some keys could not be deleted; `paths` names them.
    """
    cursor = Cursor(prefix_of(path))
    page = yield from listing.next_page(bucket, cursor)
    if not page.objects and cursor.done:
        error = yield from probes.no_folder(bucket, path)
        if missing_ok and isinstance(error, NotFound):
            return
        raise error
    if not recursive and (not cursor.done or not _is_bare(page, cursor.prefix)):
        raise DirectoryNotEmpty("the folder has content; pass recursive=True to delete it too", path=path)
    left: dict[str, Fault] = {}
    while True:
        yield from _delete_all(bucket, [info.path for info in page.objects], left)
        if cursor.done:
            break
        page = yield from listing.next_page(bucket, cursor)
    if left:
        raise _not_deleted(path, left)


def _is_bare(page: Page, prefix: str) -> bool:
    return all(info.path == prefix and is_marker(prefix, info.size) for info in page.objects)


def _delete_all(bucket: Bucket, keys: list[str], left: dict[str, Fault]) -> Operation[None]:
    speakable = [key for key in keys if not UNSPEAKABLE_IN_XML.search(key)]
    calls: list[Call] = []
    if speakable:
        named = [{"Key": key} for key in speakable]
        calls.append(bucket.call("DeleteObjects", Delete={"Objects": named, "Quiet": True}))
    others = [key for key in keys if UNSPEAKABLE_IN_XML.search(key)]
    calls += [bucket.call("DeleteObject", Key=key) for key in others]
    if not calls:
        return
    outcomes = yield tuple(calls)
    singles = zip(others, outcomes[1:] if speakable else outcomes, strict=True)
    left.update((key, told) for key, told in singles if isinstance(told, Fault) and not _is_gone(told))
    if not speakable:
        return
    if isinstance(outcomes[0], Fault):
        left.update((key, outcomes[0]) for key in speakable)
        return
    for error in outcomes[0].get("Errors") or ():
        told = Fault(error.get("Code") or "Unknown", None, error.get("Message") or "")
        if not _is_gone(told):
            left[error["Key"]] = told


def _is_gone(fault: Fault) -> bool:
    return faults.is_missing(fault) and not faults.is_missing_bucket(fault)


def _not_deleted(path: str, left: dict[str, Fault]) -> RemoteStoreError:
    fault = next(iter(left.values()))
    error = faults.typed(fault, path=path)
    error.paths = tuple(left)
    error.message = f"{len(left)} of its files could not be deleted and are still there: {error.message}"
    error.args = (error.message,)
    return error
