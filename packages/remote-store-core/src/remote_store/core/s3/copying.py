"""Copying and moving inside a bucket, without passing the bytes through the client."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from remote_store.core.errors import InvalidPath, PreconditionFailed
from remote_store.core.s3 import deleting, faults, probes, upload
from remote_store.core.s3.answers import Facts, Tags, Written, strong
from remote_store.core.s3.bucket import CREATE_OPTIONS, KEY_OPTIONS, Bucket
from remote_store.core.s3.calls import Fault
from remote_store.core.s3.options import GIB
from remote_store.core.s3.steps import Operation, Start, Wait

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


def copy(bucket: Bucket, src: str, dst: str, *, overwrite: bool) -> Operation[str | None]:
    """Copy an object: 1 request; 1 HEAD more on AWS, and 1 HEAD before an untrusted create.

    Returns the entity tag of what was copied, as far as it is known: else that of the copy, which mostly is the same.
    CopyObject forgets the storage class (S3 API Reference, CopyObject), so on AWS the source is asked for it.
    """
    if src == dst:
        yield from probes.require_file(bucket, src)
        return None
    try:
        yield from probes.refuse_file_ancestor(bucket, dst)
    except InvalidPath:
        # A missing source outranks what is wrong with the destination.
        yield from probes.require_file(bucket, src)
        raise
    source = None
    if not bucket.options.custom_endpoint or src.endswith("/"):
        source = yield from probes.require_file(bucket, src)
        yield from probes.refuse_marker_of(bucket, src, source)
    if not overwrite and not bucket.options.trusts_conditional_writes and (yield from _is_taken(bucket, dst)):
        yield from probes.require_file(bucket, src)
        raise probes.already_exists(dst)
    if source is not None and _is_large(source):
        return (yield from copy_parts(bucket, src, dst, source, overwrite=overwrite))
    try:
        return (yield from _copy_whole(bucket, src, dst, source, overwrite=overwrite))
    except Fault as fault:
        if faults.is_missing(fault):
            raise (yield from probes.missing(bucket, src, fault)) from fault.__cause__
        if faults.is_precondition(fault):
            return (yield from _refused(bucket, src, dst, fault, overwrite=overwrite))
        if fault.code not in ("InvalidRequest", "EntityTooLarge") or source is not None:
            raise
        source = yield from probes.require_file(bucket, src)
        if not _is_large(source):
            raise
    return (yield from copy_parts(bucket, src, dst, source, overwrite=overwrite))


def _is_taken(bucket: Bucket, dst: str) -> Operation[bool]:
    try:
        return (yield from probes.is_file(bucket, dst))
    except Fault as fault:
        raise faults.typed(fault, path=dst) from fault.__cause__


def _copy_whole(bucket: Bucket, src: str, dst: str, source: Facts | None, *, overwrite: bool) -> Operation[str | None]:
    params = {"Key": dst, **_copy_source(bucket, src)}
    if not overwrite:
        params["IfNoneMatch"] = "*"
    if source is not None:
        params |= _pinned(source)
        if source.storage_class is not None:
            params["StorageClass"] = source.storage_class
    try:
        answer: Written = yield bucket.call("CopyObject", COPY_OPTIONS, **params)
    except Fault as fault:
        if overwrite or not faults.lacks_feature(fault) or bucket.options.trusts_conditional_writes:
            raise
        del params["IfNoneMatch"]
        answer = yield bucket.call("CopyObject", COPY_OPTIONS, **params)
    return strong((source or answer).etag)


def _is_large(source: Facts) -> bool:
    return source.size is not None and source.size > LARGEST_COPY


def _pinned(source: Facts) -> dict[str, str]:
    return {} if source.pin is None else {"CopySourceIfMatch": source.pin}


def _copy_source(bucket: Bucket, src: str) -> dict[str, Any]:
    # Who encrypts with keys of their own has to hand them in for the source too.
    given = bucket.options.put_options
    keys = {f"CopySource{name}": given[name] for name in sorted(KEY_OPTIONS) if name in given}
    return {"CopySource": {"Bucket": bucket.name, "Key": src}, **keys}


def _refused(bucket: Bucket, src: str, dst: str, fault: Fault, *, overwrite: bool) -> Operation[str | None]:
    source = yield from probes.require_file(bucket, src)
    if overwrite:
        raise faults.typed(fault, path=src)
    try:
        existing = yield from probes.head(bucket, dst)
    except Fault as missing:
        if faults.is_missing(missing):
            raise faults.typed(fault, path=src) from fault.__cause__
        raise faults.typed(missing, path=dst) from missing.__cause__
    if fault.attempts > 1 and _same(source, existing):
        # An earlier try of the same request may have made the copy and lost its answer on the way.
        return existing.pin
    raise probes.already_exists(dst, fault)


def _same(source: Facts, existing: Facts) -> bool:
    return all(
        getattr(source, name) == getattr(existing, name) for name in ("etag", "size", "content_type", "metadata")
    )


def copy_parts(bucket: Bucket, src: str, dst: str, source: Facts, *, overwrite: bool) -> Operation[str | None]:
    """Copy an object of any size part by part, with all that stands beside its bytes: n + 3 requests for n parts."""
    described = dict(source.described)
    size = yield from probes.size_of(bucket, src, source)
    tagging = yield from _tagging(bucket, src)
    if tagging:
        described["Tagging"] = tagging
    target = yield from upload.begin(bucket, bucket.call("CreateMultipartUpload", COPY_OPTIONS, Key=dst, **described))
    try:
        for number, (first, last) in enumerate(upload.parts_of(size, part_size(bucket)), start=1):
            call = upload.part_call(
                bucket,
                target,
                number,
                **_copy_source(bucket, src),
                CopySourceRange=f"bytes={first}-{last}",
                **_pinned(source),
            )
            yield Start(call, bucket.options.max_concurrency)
        parts = upload.listed_parts((yield Wait()))
        yield from upload.complete(bucket, target, parts, overwrite=overwrite)
    except BaseException as error:
        yield from upload.abandon(bucket, target, error)
        if isinstance(error, Fault) and faults.is_precondition(error):
            raise faults.typed(error, path=src) from error.__cause__
        raise
    return source.pin


def part_size(bucket: Bucket) -> int:
    """Bytes of one copied part: no byte passes the client, so parts of a GiB cost no memory."""
    return max(bucket.options.part_size, GIB)


def _tagging(bucket: Bucket, key: str) -> Operation[str]:
    try:
        answer: Tags = yield bucket.call("GetObjectTagging", Key=key)
    except Fault as fault:
        if faults.lacks_feature(fault):
            return ""
        raise
    return urlencode(answer.pairs)


def move(bucket: Bucket, src: str, dst: str, *, overwrite: bool) -> Operation[None]:
    """Copy, then delete the source if it is still what was copied: 1 request more than `copy`."""
    etag = yield from copy(bucket, src, dst, overwrite=overwrite)
    if src == dst:
        return
    try:
        yield from deleting.remove(bucket, src, **({"IfMatch": etag} if etag else {}))
    except Fault as fault:
        if faults.lacks_feature(fault):
            yield from deleting.remove(bucket, src)
        elif faults.is_precondition(fault):
            yield from _move_again(bucket, src, dst, etag)
        elif not faults.is_missing(fault):
            raise


def _move_again(bucket: Bucket, src: str, dst: str, copied: str | None) -> Operation[None]:
    # The copy of a multipart or an encrypted object has another entity tag than its source; copied again, the source's
    # own tag is held.
    try:
        source = yield from probes.head(bucket, src)
    except Fault as fault:
        if faults.is_missing(fault):
            return
        raise
    tag = source.pin or ""
    encrypted = source.encrypted or "ServerSideEncryption" in bucket.options.put_options
    if "-" not in tag and not encrypted and tag != copied:
        raise _changed(src)
    if _is_large(source):
        yield from copy_parts(bucket, src, dst, source, overwrite=True)
    else:
        yield from _copy_whole(bucket, src, dst, source, overwrite=True)
    try:
        yield from deleting.remove(bucket, src, **({"IfMatch": source.pin} if source.pin else {}))
    except Fault as fault:
        if faults.is_precondition(fault):
            raise _changed(src) from fault.__cause__
        if not faults.is_missing(fault):
            raise


def _changed(src: str) -> PreconditionFailed:
    return PreconditionFailed("the source changed while it was moved; it is kept, beside the copy", path=src)
