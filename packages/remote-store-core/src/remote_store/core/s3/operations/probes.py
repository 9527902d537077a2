"""Questions about single keys: is it there, is it a file or a folder, and which error tells a caller best."""

from __future__ import annotations

from remote_store.core.errors import AlreadyExists, InvalidPath, NotFound, RemoteStoreError
from remote_store.core.models import FileInfo
from remote_store.core.s3.operations import paging
from remote_store.core.s3.operations.bucket import READ_OPTIONS, Bucket
from remote_store.core.s3.operations.steps import CloseBody, Operation, each
from remote_store.core.s3.protocol import faults, models
from remote_store.core.s3.protocol.calls import Fault
from remote_store.core.s3.protocol.keys import ancestors, is_marker, prefix_of
from remote_store.core.s3.protocol.responses import Facts

FOLDER_MEANT = "this is a folder, and a file is meant; name a file, or use a folder operation"
FILE_MEANT = "this is a file, and a folder is meant; name a folder, or use a file operation"


def head(bucket: Bucket, key: str, *, checksum: bool = False) -> Operation[Facts]:
    """Ask for an object: 1 HEAD.

    A HEAD has no body, so a 400 or 403 has lost its code (S3 API Reference, HeadObject), and a 404 without a header of
    S3 proves nothing: a LIST then asks again, whose response has a document.
    """
    mode = {"ChecksumMode": "ENABLED"} if checksum else {}
    try:
        response: Facts = yield bucket.call("HeadObject", READ_OPTIONS, Key=key, **mode)
    except Fault as fault:
        raise (yield from _with_code(bucket, key, fault)) from fault.__cause__
    return response


def _with_code(bucket: Bucket, key: str, fault: Fault) -> Operation[Fault]:
    unproven = fault.foreign and fault.status == 404
    if fault.status not in (400, 403) and not unproven:
        return fault
    try:
        entries = yield from paging.first_entries(bucket, key)
    except Fault as told:
        # That the bucket may not be listed is said by S3, and nothing against the key's being absent.
        is_denied = told.code == "AccessDenied" and not told.foreign
        if not is_denied and (unproven or told.status in (301, 400, 401, 403)):
            return told
    else:
        if any(info.path == key for info in entries):
            return fault
    fault.foreign = False
    return fault


def exists(bucket: Bucket, path: str) -> Operation[bool]:
    """Whether a file or a folder is there: 1 HEAD, and 1 LIST if it is no file."""
    return (yield from is_file(bucket, path)) or (yield from is_folder(bucket, path))


def is_file(bucket: Bucket, key: str) -> Operation[bool]:
    """Whether a file is there: 1 HEAD. Anything but a clear miss is an error."""
    try:
        response = yield from head(bucket, key)
    except Fault as fault:
        if faults.is_missing(fault):
            return False
        raise
    return not (yield from _is_marker(bucket, key, response))


def is_folder(bucket: Bucket, path: str) -> Operation[bool]:
    """Whether a folder is there: 1 LIST of 1 key. Anything but a clear miss is an error."""
    try:
        return (yield from paging.has_entry(bucket, prefix_of(path)))
    except Fault as fault:
        if faults.is_missing(fault):
            return False
        raise


def missing(bucket: Bucket, key: str, fault: Fault) -> Operation[RemoteStoreError]:
    """What tells best why a file is not there: 1 LIST. That probe only improves the message, so it may fail."""
    if faults.is_gone(fault):
        try:
            if (yield from paging.has_entry(bucket, prefix_of(key))):
                return InvalidPath(FOLDER_MEANT, path=key)
        except Fault as probed:
            return faults.typed(probed if faults.is_missing_bucket(probed) else fault, path=key)
    return faults.typed(fault, path=key)


def get_file_info(bucket: Bucket, key: str) -> Operation[FileInfo]:
    """Describe a file: 1 HEAD."""
    try:
        response = yield from head(bucket, key, checksum=True)
    except Fault as fault:
        raise (yield from missing(bucket, key, fault)) from fault.__cause__
    size = yield from size_of(bucket, key, response)
    refuse_marker(key, size)
    return models.file_info(key, response, size)


def size_of(bucket: Bucket, key: str, facts: Facts) -> Operation[int]:
    """The size of an object: no request, unless its HEAD did not say it; then 1 GET of its first byte.

    Raises:
        Fault: That does not say it either.
    """
    if facts.size is not None:
        return facts.size
    pin = {"IfMatch": facts.pin} if facts.pin is not None else {}
    try:
        first: Facts = yield bucket.call("GetObject", READ_OPTIONS, Key=key, Range="bytes=0-0", **pin)
    except Fault as fault:
        # There is no first byte of an empty object (S3 API Reference, GetObject).
        if fault.status == 416:
            return 0
        raise
    yield CloseBody(first.body)
    if first.size is None:
        raise Fault("MissingContentLength", 200, "no response says how long the object is")
    return first.size


def refuse_marker(key: str, size: int) -> None:
    """Refuse to take the marker of a folder for a file."""
    if is_marker(key, size):
        raise InvalidPath(FOLDER_MEANT, path=key)


def _is_marker(bucket: Bucket, key: str, facts: Facts) -> Operation[bool]:
    return key.endswith("/") and is_marker(key, (yield from size_of(bucket, key, facts)))


def refuse_marker_of(bucket: Bucket, key: str, facts: Facts) -> Operation[None]:
    """Refuse to take the marker of a folder for a file, by its HEAD."""
    if (yield from _is_marker(bucket, key, facts)):
        raise InvalidPath(FOLDER_MEANT, path=key)


def require_file(bucket: Bucket, key: str) -> Operation[Facts]:
    """Describe a file in the service's words: 1 HEAD."""
    try:
        return (yield from head(bucket, key))
    except Fault as fault:
        raise (yield from missing(bucket, key, fault)) from fault.__cause__


def refuse_existing(bucket: Bucket, key: str) -> Operation[None]:
    """Refuse to create what exists: 1 HEAD. Anything but a clear miss is an error."""
    if (yield from is_file(bucket, key)):
        raise already_exists(key)


def already_exists(key: str, fault: Fault | None = None) -> RemoteStoreError:
    """The error of a create that found the key taken."""
    if fault is not None:
        return faults.typed(fault, path=key, error=AlreadyExists)
    return AlreadyExists(faults.OVERRIDES[AlreadyExists], path=key)


def refuse_file_ancestor(bucket: Bucket, key: str) -> Operation[None]:
    """Refuse to write below a file, where the options ask for it: 1 HEAD an ancestor, at once."""
    above = ancestors(key)
    if not bucket.options.reject_write_under_file_ancestor or not above:
        return
    calls = [bucket.call("HeadObject", READ_OPTIONS, Key=ancestor) for ancestor in above]
    responses = yield from each(calls, bucket.options.max_concurrency)
    for ancestor, response in zip(above, responses, strict=True):
        if not isinstance(response, Fault):
            raise InvalidPath("a file stands where this path needs a folder", path=key, paths=(ancestor,))
        told = yield from _with_code(bucket, ancestor, response)
        if not faults.is_missing(told):
            raise faults.typed(told, path=key)


def no_folder(bucket: Bucket, path: str) -> Operation[RemoteStoreError]:
    """Why nothing is below a path: it is a file, or nothing is there: 1 HEAD."""
    if (yield from is_file(bucket, path.removesuffix("/") or path)):
        return InvalidPath(FILE_MEANT, path=path)
    return NotFound("there is no such folder", path=path)


def check_health(bucket: Bucket) -> Operation[None]:
    """Whether the bucket is there and lets itself be listed: 1 LIST of 1 key."""
    yield bucket.call("ListObjectsV2", MaxKeys=1, EncodingType="url")
