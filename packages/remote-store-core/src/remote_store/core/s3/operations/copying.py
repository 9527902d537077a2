"""Copies and moves objects inside a bucket. The server copies; the bytes do not pass through the client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from remote_store.core.capabilities import Capability
from remote_store.core.errors import InvalidPath, NotFound, PreconditionFailed
from remote_store.core.models import WriteResult
from remote_store.core.options import NOTHING
from remote_store.core.s3.operations import deleting, probes, trust, writing
from remote_store.core.s3.operations.bucket import CREATE_OPTIONS, Bucket, copy_source
from remote_store.core.s3.operations.conflicts import send
from remote_store.core.s3.operations.errors import contract_errors
from remote_store.core.s3.operations.lost_responses import FirstAttempt, is_copy
from remote_store.core.s3.operations.steps import Operation, Start, Wait
from remote_store.core.s3.protocol import faults, models
from remote_store.core.s3.protocol.calls import Fault
from remote_store.core.s3.protocol.options import GIB
from remote_store.core.s3.protocol.parameters import of_condition
from remote_store.core.s3.protocol.responses import Facts, Tags, Written

LARGEST_COPY = 5 * GIB
KEPT = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "Metadata",
    "StorageClass",
    "WebsiteRedirectLocation",
)
COPY_OPTIONS = CREATE_OPTIONS - {*KEPT, "Expires", "Tagging"}


def copy(
    bucket: Bucket, src: str, dst: str, *, overwrite: bool, options: Mapping[str, Any] = NOTHING
) -> Operation[None]:
    """Copy an object: 1 request.

    An endpoint with storage classes costs 1 HEAD more, because CopyObject does not keep the class (S3 API Reference,
    CopyObject). So do `if_match`, because some servers ignore the condition on the source, and a version of the source.
    A create costs 1 HEAD more if the endpoint is not known to honour its condition. A version that is copied onto its
    own key is restored.
    """
    versioned = "version_id" in options
    if src == dst and (overwrite or not versioned):
        if versioned:
            yield from restore(bucket, src, options)
        else:
            yield from probes.require_file(bucket, src, options=options)
        return
    yield from _refuse_file_ancestor(bucket, src, dst)
    source = None
    if bucket.options.endpoint.storage_classes or src.endswith("/") or "if_match" in options or versioned:
        source = yield from _require_source(bucket, src, options)
    yield from _copy(bucket, src, dst, source, overwrite=overwrite, options=options)


def restore(bucket: Bucket, key: str, options: Mapping[str, Any]) -> Operation[WriteResult]:
    """Make a version the current one: 2 HEADs, and 1 copy unless it is the current one already."""
    source = yield from _require_source(bucket, key, options)
    size = yield from probes.size_of(bucket, key, source, options)
    try:
        current: Facts | None = yield from probes.head(bucket, key)
    except Fault as fault:
        if not faults.is_gone(fault):
            raise
        current = None
    if current is not None and (current.version_id or "null") == options["version_id"]:
        return models.write_result(key, size, current, current.metadata)
    copied = yield from _copy(bucket, key, key, source, overwrite=True, options=options)
    return models.write_result(key, size, source if copied is None else copied, source.metadata)


def move(
    bucket: Bucket, src: str, dst: str, *, overwrite: bool, options: Mapping[str, Any] = NOTHING
) -> Operation[None]:
    """Move an object: 1 HEAD, 1 copy pinned to its version, and 1 DELETE if the source is still that version.

    The create and the delete each cost 1 HEAD more if the endpoint is not known to honour their condition. A source
    that is replaced between that HEAD and the delete is then lost.
    """
    if "if_match" in options:
        yield from trust.require(bucket, Capability.CONDITIONAL_DELETE, src)
    if src == dst:
        yield from probes.require_file(bucket, src, options=options)
        return
    yield from _refuse_file_ancestor(bucket, src, dst)
    source = yield from _require_source(bucket, src, options)
    yield from _copy(bucket, src, dst, source, overwrite=overwrite)
    yield from _delete_source(bucket, src, source)


def _refuse_file_ancestor(bucket: Bucket, src: str, dst: str) -> Operation[None]:
    try:
        with contract_errors(path=dst):
            yield from probes.refuse_file_ancestor(bucket, dst)
    except InvalidPath:
        # A missing source takes precedence.
        yield from probes.require_file(bucket, src)
        raise


def _require_source(bucket: Bucket, src: str, options: Mapping[str, Any]) -> Operation[Facts]:
    source = yield from probes.require_file(bucket, src, options=options)
    yield from probes.refuse_marker_of(bucket, src, source)
    return source


def _copy(
    bucket: Bucket,
    src: str,
    dst: str,
    source: Facts | None,
    *,
    overwrite: bool,
    options: Mapping[str, Any] = NOTHING,
) -> Operation[Written | Facts | None]:
    """Copy by one request or in parts. Returns its response; `None` if that was lost and the copy is there."""
    large = source is not None and _is_large(source)
    if not overwrite and not (yield from trust.trusts(bucket, "complete" if large else "copy")):
        yield from _refuse_existing(bucket, src, dst, source)
    if source is None or not large:
        copied = yield from _copy_at_once(bucket, src, dst, source, overwrite=overwrite, options=options)
        if not isinstance(copied, Facts):
            return copied
        source = copied
        looked = not trust.known(bucket, "copy")
        if not overwrite and not looked and not (yield from trust.trusts(bucket, "complete")):
            yield from _refuse_existing(bucket, src, dst, source)
    return (yield from copy_parts(bucket, src, dst, source, overwrite=overwrite, options=options))


def _copy_at_once(
    bucket: Bucket, src: str, dst: str, source: Facts | None, *, overwrite: bool, options: Mapping[str, Any]
) -> Operation[Written | Facts | None]:
    """Copy by one CopyObject. Returns the source's facts if the source is too large for it."""
    first = FirstAttempt()
    try:
        return (yield from _copy_whole(bucket, src, dst, source, overwrite=overwrite, options=options))
    except Fault as fault:
        if faults.is_missing(fault) or faults.is_archived(fault):
            raise (yield from probes.unreadable(bucket, src, fault, options)) from fault.__cause__
        if faults.is_precondition(fault):
            if overwrite:
                yield from probes.require_file(bucket, src, options=options)
                raise
            yield from _refused(bucket, src, dst, fault, first, options=options)
            return None
        if fault.code not in ("InvalidRequest", "EntityTooLarge") or source is not None:
            raise
        found = yield from probes.require_file(bucket, src)
        if not _is_large(found):
            raise
        return found


def _refuse_existing(bucket: Bucket, src: str, dst: str, source: Facts | None) -> Operation[None]:
    with contract_errors(path=dst):
        is_taken = yield from probes.is_file(bucket, dst)
    if is_taken:
        if source is None:
            yield from probes.require_file(bucket, src)
        raise probes.already_exists(dst)


def _copy_whole(
    bucket: Bucket, src: str, dst: str, source: Facts | None, *, overwrite: bool, options: Mapping[str, Any]
) -> Operation[Written]:
    params = {"Key": dst, **copy_source(bucket, src, options)}
    if not overwrite:
        params["IfNoneMatch"] = "*"
    if source is not None:
        params |= _pin(source, "CopySourceIfMatch")
        if source.storage_class is not None:
            params["StorageClass"] = source.storage_class
    try:
        copied: Written = yield from send(bucket, bucket.call("CopyObject", COPY_OPTIONS, **params))
    except Fault as fault:
        if overwrite or not faults.lacks_feature(fault) or trust.known(bucket, "copy"):
            raise
        del params["IfNoneMatch"]
        copied = yield from send(bucket, bucket.call("CopyObject", COPY_OPTIONS, **params))
    return copied


def _is_large(source: Facts) -> bool:
    return source.size is not None and source.size > LARGEST_COPY


def _pin(source: Facts, condition: str) -> dict[str, str]:
    """The condition on a source's entity tag; empty for a weak tag, which never matches (RFC 9110, 13.1.1)."""
    return {} if source.pin is None else {condition: source.pin}


def _refused(
    bucket: Bucket, src: str, dst: str, fault: Fault, first: FirstAttempt, *, options: Mapping[str, Any]
) -> Operation[None]:
    source = yield from probes.require_file(bucket, src, options=options)
    try:
        with contract_errors(path=dst):
            existing = yield from probes.head(bucket, dst)
    except NotFound:
        raise fault from fault.__cause__
    # An earlier attempt may have made the copy although its response was lost.
    lost = fault.attempts > 1 and not first.is_after(existing.modified_at, fault)
    if not lost or not (yield from is_copy(bucket, (src, source), (dst, existing))):
        raise probes.already_exists(dst, fault)


def copy_parts(
    bucket: Bucket, src: str, dst: str, source: Facts, *, overwrite: bool, options: Mapping[str, Any] = NOTHING
) -> Operation[Written | Facts]:
    """Copy an object of any size part by part, with its metadata and tags: n + 3 requests for n parts."""
    described = dict(source.described)
    size = yield from probes.size_of(bucket, src, source, options)
    tagging = yield from _tagging(bucket, src, options)
    if tagging:
        described["Tagging"] = tagging
    begun = FirstAttempt()
    target = yield from writing.begin(bucket, bucket.call("CreateMultipartUpload", COPY_OPTIONS, Key=dst, **described))
    try:
        for number, (first, last) in enumerate(writing.parts_of(size, part_size(bucket)), start=1):
            call = writing.part_call(
                bucket,
                target,
                number,
                **copy_source(bucket, src, options),
                CopySourceRange=f"bytes={first}-{last}",
                **_pin(source, "CopySourceIfMatch"),
            )
            yield Start(call, bucket.options.max_concurrency)
        parts = writing.listed_parts((yield Wait()))
        condition = of_condition({}, overwrite=overwrite)
        return (yield from writing.complete(bucket, target, parts, size, begun, condition=condition))
    except BaseException as error:
        yield from writing.abandon(bucket, target, error)
        raise


def part_size(bucket: Bucket) -> int:
    """Bytes of one copied part: at least 1 GiB, which costs no memory because the server copies it."""
    return max(bucket.options.part_size, GIB)


def _tagging(bucket: Bucket, key: str, options: Mapping[str, Any]) -> Operation[str]:
    version = {"VersionId": options["version_id"]} if "version_id" in options else {}
    try:
        tags: Tags = yield bucket.call("GetObjectTagging", Key=key, **version)
    except Fault as fault:
        if faults.lacks_feature(fault):
            return ""
        raise
    return urlencode(tags.pairs)


def _delete_source(bucket: Bucket, src: str, source: Facts) -> Operation[None]:
    pin = _pin(source, "IfMatch")
    is_guarded = bool(pin) and (yield from trust.trusts(bucket, "delete"))
    if not is_guarded and not (yield from _is_there(bucket, src, source)):
        return
    try:
        yield from deleting.remove(bucket, src, **pin)
    except Fault as fault:
        if faults.is_gone(fault):
            return
        refused = pin and (faults.is_precondition(fault) or faults.lacks_feature(fault))
        if not refused:
            raise
        if not (yield from _is_there(bucket, src, source)):
            return
        if faults.is_precondition(fault):
            raise _changed(src) from fault.__cause__
        yield from deleting.remove(bucket, src)


def _is_there(bucket: Bucket, src: str, source: Facts) -> Operation[bool]:
    """Whether the source still exists: 1 HEAD.

    Raises:
        PreconditionFailed: It exists, but is not the version that the HEAD before the copy described.
    """
    try:
        now = yield from probes.head(bucket, src)
    except Fault as fault:
        if faults.is_gone(fault):
            return False
        raise
    names = ("etag", "modified_at", "size")
    found = [getattr(now, name) for name in names]
    if not any(found[:2]) or found != [getattr(source, name) for name in names]:
        raise _changed(src)
    return True


def _changed(src: str) -> PreconditionFailed:
    return PreconditionFailed(
        "the source changed during the move; both it and the copy are kept; compare them", path=src
    )
