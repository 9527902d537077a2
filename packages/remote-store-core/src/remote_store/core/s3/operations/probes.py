"""Checks single keys: whether one exists, whether it is a file or a folder, and which error fits if it is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remote_store.core import conditions
from remote_store.core.capabilities import Capability
from remote_store.core.errors import (
    AlreadyExists,
    CapabilityNotSupported,
    InvalidPath,
    NotFound,
    ObjectArchived,
    RemoteStoreError,
    wrong_kind,
)
from remote_store.core.models import FileInfo, NotModified
from remote_store.core.options import NOTHING
from remote_store.core.s3.operations import paging
from remote_store.core.s3.operations.bucket import READ_OPTIONS, Bucket
from remote_store.core.s3.operations.steps import CloseBody, Operation, each
from remote_store.core.s3.protocol import faults, models
from remote_store.core.s3.protocol.calls import Fault
from remote_store.core.s3.protocol.fields import bare
from remote_store.core.s3.protocol.keys import ancestors, is_marker, prefix_of
from remote_store.core.s3.protocol.parameters import of_read
from remote_store.core.s3.protocol.responses import Facts

FOLDER_MEANT = "the path is a folder, not a file; name a file, or call a folder method"
NO_VERSION = "there is no such version of the file; list_versions returns those that exist"
DELETION_MEANT = "this version is the marker of a deletion, which has no content; name another version"
FILE_MEANT = "the path is a file, not a folder; name a folder, or call a file method"


def head(bucket: Bucket, key: str, *, checksum: bool = False, options: Mapping[str, Any] = NOTHING) -> Operation[Facts]:
    """Send a HEAD for an object: 1 request, and 1 LIST after a 400, a 403 or an unproven 404.

    The response to a HEAD has no body, so a 400 or 403 has no code (S3 API Reference, HeadObject), and a 404 without a
    header of S3 proves nothing. The response to the LIST has a document. A 400 for a version costs 1 GET instead.

    Raises:
        CapabilityNotSupported: The service ignored the version that the options name.
    """
    mode = {"ChecksumMode": "ENABLED"} if checksum else {}
    try:
        facts: Facts = yield bucket.call("HeadObject", READ_OPTIONS, Key=key, **mode, **of_read(options))
    except Fault as fault:
        raise (yield from _with_code(bucket, key, fault, options)) from fault.__cause__
    require_version(key, facts, options)
    return facts


def _with_code(bucket: Bucket, key: str, fault: Fault, options: Mapping[str, Any] = NOTHING) -> Operation[Fault]:
    unproven = fault.foreign and fault.status == 404
    if fault.status == 400 and "version_id" in options:
        return (yield from _code_of_version(bucket, key, fault, options))
    if fault.status not in (400, 403) and not unproven:
        return fault
    try:
        entries = yield from paging.first_entries(bucket, key)
    except Fault as refusal:
        # This AccessDenied is S3's. It only means that the bucket may not be listed; the key may still be absent.
        is_denied = refusal.code == "AccessDenied" and not refusal.foreign
        if not is_denied and (unproven or refusal.status in (301, 400, 401, 403)):
            return refusal
    else:
        if any(info.path == key for info in entries) and "version_id" not in options:
            return fault
    fault.foreign = False
    return fault


def _code_of_version(bucket: Bucket, key: str, fault: Fault, options: Mapping[str, Any]) -> Operation[Fault]:
    """The fault of a GET of the version: it has a code, which tells a malformed version id from another mistake."""
    try:
        first: Facts = yield bucket.call("GetObject", READ_OPTIONS, Key=key, Range="bytes=0-0", **of_read(options))
    except Fault as refusal:
        return fault if refusal.transport else refusal
    yield CloseBody(first.body)
    return fault


def require_version(key: str, facts: Facts, options: Mapping[str, Any]) -> None:
    """Check that a response is about the version that the options name.

    A service without versions ignores the version id. Its response has no version id, or another one.

    Raises:
        CapabilityNotSupported: It is about another version.
    """
    wanted = options.get("version_id")
    # A bucket that never had versions has only the version `null`, and need not report it.
    if wanted is not None and facts.version_id != wanted and not (wanted == "null" and facts.version_id is None):
        message = "the service ignored the version id, so it does not have versions; leave version_id out"
        raise CapabilityNotSupported(message, capability=Capability.VERSIONS.value, path=key)


def exists(bucket: Bucket, path: str) -> Operation[bool]:
    """Whether a file or a folder exists: 1 HEAD, and 1 LIST if it is not a file."""
    return (yield from is_file(bucket, path)) or (yield from is_folder(bucket, path))


def is_file(bucket: Bucket, key: str) -> Operation[bool]:
    """Whether a file exists: 1 HEAD. Raises unless the service says whether it exists."""
    try:
        facts = yield from head(bucket, key)
    except Fault as fault:
        if faults.is_missing(fault):
            return False
        raise
    return not (yield from _is_marker(bucket, key, facts))


def is_folder(bucket: Bucket, path: str) -> Operation[bool]:
    """Whether a folder exists: 1 LIST of 1 key. Raises unless the service says whether it exists."""
    try:
        return (yield from paging.has_entry(bucket, prefix_of(path)))
    except Fault as fault:
        if faults.is_missing(fault):
            return False
        raise


def missing(
    bucket: Bucket, key: str, fault: Fault, options: Mapping[str, Any] = NOTHING
) -> Operation[RemoteStoreError | Fault]:
    """What to raise for a file that does not exist: 1 LIST. The LIST only improves the message, so it may fail."""
    versioned = "version_id" in options
    if faults.is_gone(fault):
        try:
            is_folder = yield from paging.has_entry(bucket, prefix_of(key))
        except Fault as probed:
            if faults.is_missing_bucket(probed):
                return probed
        else:
            if is_folder and not versioned:
                return wrong_kind(FOLDER_MEANT, path=key)
    return no_version(key, fault) if versioned and faults.is_missing_version(fault) else fault


def no_version(key: str, fault: Fault) -> RemoteStoreError:
    """The error for a version that does not exist, or is the marker of a deletion."""
    advice = DELETION_MEANT if faults.is_of_marker(fault) else NO_VERSION
    return faults.typed(fault, path=key, error=NotFound, advice=advice)


def unreadable(
    bucket: Bucket, key: str, fault: Fault, options: Mapping[str, Any] = NOTHING
) -> Operation[RemoteStoreError | Fault]:
    """What to raise for a file that cannot be read: 1 HEAD if it is archived, which tells its storage class."""
    if not faults.is_archived(fault):
        return (yield from missing(bucket, key, fault, options))
    try:
        facts = yield from head(bucket, key, options=version_of(options))
    except (Fault, RemoteStoreError):
        return fault
    where = f"the object is archived in the storage class {facts.storage_class}"
    error = faults.typed(fault, path=key, advice=f"{where}; restore it (RestoreObject), wait until that is done")
    if isinstance(error, ObjectArchived):
        error.storage_class = facts.storage_class
    return error


def get_file_info(bucket: Bucket, key: str, options: Mapping[str, Any] = NOTHING) -> Operation[FileInfo | NotModified]:
    """The `FileInfo` of a file, or `NotModified`: 1 HEAD."""
    try:
        facts = yield from require_file(bucket, key, checksum=True, options=options)
    except Fault as fault:
        return unmodified(key, options, fault)
    if (same := conditions.unmodified(options, bare(facts.etag), key)) is not None:
        return same
    size = yield from size_of(bucket, key, facts, options)
    refuse_marker(key, size)
    return models.file_info(key, facts, size)


def size_of(bucket: Bucket, key: str, facts: Facts, options: Mapping[str, Any] = NOTHING) -> Operation[int]:
    """The size of an object: no request if its HEAD had a size, else 1 GET of its first byte.

    Raises:
        Fault: The response to the GET has no size either.
    """
    if facts.size is not None:
        return facts.size
    pin = {"IfMatch": facts.pin} if facts.pin is not None else {}
    pin |= {"VersionId": options["version_id"]} if "version_id" in options else {}
    try:
        first: Facts = yield bucket.call("GetObject", READ_OPTIONS, Key=key, Range="bytes=0-0", **pin)
    except Fault as fault:
        # An empty object has no first byte (S3 API Reference, GetObject).
        if fault.status == 416:
            return 0
        raise
    yield CloseBody(first.body)
    if first.size is None:
        raise Fault("MissingContentLength", 200, "neither HeadObject nor GetObject returned the size of the object")
    return first.size


def refuse_marker(key: str, size: int) -> None:
    """Raise `InvalidPath` if the key is a folder marker, not a file."""
    if is_marker(key, size):
        raise wrong_kind(FOLDER_MEANT, path=key)


def _is_marker(bucket: Bucket, key: str, facts: Facts) -> Operation[bool]:
    return key.endswith("/") and is_marker(key, (yield from size_of(bucket, key, facts)))


def refuse_marker_of(bucket: Bucket, key: str, facts: Facts) -> Operation[None]:
    """Raise `InvalidPath` if the key is a folder marker according to its HEAD."""
    if (yield from _is_marker(bucket, key, facts)):
        raise wrong_kind(FOLDER_MEANT, path=key)


def require_file(
    bucket: Bucket, key: str, *, checksum: bool = False, options: Mapping[str, Any] = NOTHING
) -> Operation[Facts]:
    """The facts of a file that has to exist: 1 HEAD."""
    try:
        facts = yield from head(bucket, key, checksum=checksum, options=options)
    except Fault as fault:
        raise (yield from refused(bucket, key, fault, options)) from fault.__cause__
    check_version(facts, options)
    return facts


def refused(bucket: Bucket, key: str, fault: Fault, options: Mapping[str, Any]) -> Operation[RemoteStoreError | Fault]:
    """What to raise for a read that was refused.

    A server may answer 412 to `If-Match` for a file that does not exist, so 1 HEAD looks.
    """
    if "if_match" in options and faults.is_precondition(fault):
        try:
            yield from head(bucket, key, options=version_of(options))
        except Fault as looked:
            return (yield from missing(bucket, key, looked, options)) if faults.is_missing(looked) else fault
    return (yield from unreadable(bucket, key, fault, options))


def version_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """The version among the options of a read."""
    return {name: value for name, value in options.items() if name == "version_id"}


def check_version(facts: Facts, options: Mapping[str, Any]) -> None:
    """Check that an object is the version that `if_match` names, because a server may ignore the condition.

    Raises:
        Fault: It is another version, or the response has no entity tag.
    """
    if "if_match" in options and bare(facts.etag) != options["if_match"]:
        raise Fault("PreconditionFailed", 412, "the server sent a version other than the one that if_match names")


def unmodified(key: str, options: Mapping[str, Any], fault: Fault) -> NotModified:
    """The result of a read that was answered with 304.

    Raises:
        Fault: The given one, if it is another answer.
    """
    if "if_none_match" not in options or not faults.is_not_modified(fault):
        raise fault
    return NotModified(key, options["if_none_match"])


def refuse_existing(bucket: Bucket, key: str) -> Operation[None]:
    """Raise `AlreadyExists` if the file exists: 1 HEAD. Raises unless the service says that it does not exist."""
    if (yield from is_file(bucket, key)):
        raise already_exists(key)


def already_exists(key: str, fault: Fault | None = None) -> RemoteStoreError:
    """The error of a create whose key is taken."""
    if fault is not None:
        return faults.typed(fault, path=key, error=AlreadyExists)
    return AlreadyExists(faults.OVERRIDES[AlreadyExists], path=key)


def refuse_file_ancestor(bucket: Bucket, key: str) -> Operation[None]:
    """Raise `InvalidPath` if an ancestor is a file and the options forbid it: 1 HEAD per ancestor, concurrently."""
    above = ancestors(key)
    if not bucket.options.reject_write_under_file_ancestor or not above:
        return
    calls = [bucket.call("HeadObject", READ_OPTIONS, Key=ancestor) for ancestor in above]
    responses = yield from each(calls, bucket.options.max_concurrency)
    for ancestor, response in zip(above, responses, strict=True):
        if not isinstance(response, Fault):
            raise InvalidPath("a folder of this path is a file; use another path", path=key, paths=(ancestor,))
        fault = yield from _with_code(bucket, ancestor, response)
        if not faults.is_missing(fault):
            raise fault


def no_folder(bucket: Bucket, path: str) -> Operation[RemoteStoreError]:
    """The error for a path with no keys below it, which is a file or does not exist: 1 HEAD."""
    if (yield from is_file(bucket, path.removesuffix("/") or path)):
        return wrong_kind(FILE_MEANT, path=path)
    return NotFound("there is no such folder", path=path)


def check_health(bucket: Bucket) -> Operation[None]:
    """Check that the bucket exists and can be listed: 1 LIST of 1 key."""
    yield bucket.call("ListObjectsV2", MaxKeys=1, EncodingType="url")
