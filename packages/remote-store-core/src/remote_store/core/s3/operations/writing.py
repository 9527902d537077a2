"""Writes whole objects: by one PUT up to `part_size`, by a multipart upload above it. A failed write leaves nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from remote_store.core.capabilities import Capability
from remote_store.core.errors import RemoteStoreError
from remote_store.core.models import WriteResult
from remote_store.core.options import NOTHING
from remote_store.core.s3.operations import probes, trust
from remote_store.core.s3.operations.bucket import CREATE_OPTIONS, KEY_OPTIONS, PART_OPTIONS, REQUEST_OPTIONS, Bucket
from remote_store.core.s3.operations.conflicts import is_refused, lasting_conflict, refusal, send
from remote_store.core.s3.operations.errors import refused_options
from remote_store.core.s3.operations.fetching import read_bytes
from remote_store.core.s3.operations.lost_responses import FirstAttempt, made_by_put, made_of_parts
from remote_store.core.s3.operations.steps import Drain, Operation, ReadBlock, Start, Wait
from remote_store.core.s3.operations.sums import Sums
from remote_store.core.s3.protocol import faults, models
from remote_store.core.s3.protocol.calls import Call, Fault
from remote_store.core.s3.protocol.endpoint import Condition
from remote_store.core.s3.protocol.fields import bare
from remote_store.core.s3.protocol.options import LARGEST_PART, MIB, S3Options
from remote_store.core.s3.protocol.parameters import of_condition, of_write
from remote_store.core.s3.protocol.responses import Facts, Part, Written
from remote_store.core.s3.protocol.uploads import MOST_PARTS

LARGEST_OBJECT = 5 * 1024 * 1024 * MIB
PARTS_PER_SIZE = 250


def write(
    bucket: Bucket,
    key: str,
    size: int | None,
    *,
    overwrite: bool,
    metadata: Mapping[str, str],
    content_type: str | None,
    options: Mapping[str, Any] = NOTHING,
) -> Operation[WriteResult]:
    """Write the runner's source: 1 PUT, or n + 2 requests for n parts.

    A create costs 1 HEAD more if the endpoint is not known to honour its condition. A write with `if_match` needs an
    endpoint that is known to honour it.

    Args:
        bucket: The bucket.
        key: The key of the object.
        size: Length of the source in bytes; `None` if it is not known.
        overwrite: Replace an existing object.
        metadata: The user metadata.
        content_type: MIME type.
        options: The optional keyword arguments of the write.
    """
    if "server_side_encryption" in options and "SSECustomerKey" in bucket.options.put_options:
        raise ValueError("put_options has an SSECustomerKey, which all reads need; leave server_side_encryption out")
    yield from probes.refuse_file_ancestor(bucket, key)
    if "if_match" in options:
        yield from trust.require(bucket, Capability.COMPARE_AND_SWAP, key)
    commits: tuple[Condition, ...] = ("put", "complete")
    if size is not None:
        commits = ("complete",) if size > bucket.options.part_size else ("put",)
    looks = not overwrite and not (yield from trust.trusts(bucket, *commits))
    if looks:
        yield from probes.refuse_existing(bucket, key)
    described = description(key, metadata, content_type, options)
    sums = Sums(bucket.options, options.get("checksum"))
    sizes = part_sizes(bucket.options, size)
    # Only this list references the blocks, so that each is freed once it is sent.
    blocks: list[bytes] = [(yield ReadBlock(next(sizes)))]
    if len(blocks[0]) >= bucket.options.part_size:
        blocks.append((yield ReadBlock(next(sizes))))
    single = len(blocks) == 1 or not blocks[1]
    if not overwrite and not looks and not (yield from trust.trusts(bucket, "put" if single else "complete")):
        yield from probes.refuse_existing(bucket, key)
    condition = of_condition(options, overwrite=overwrite)
    with refused_options(key, options):
        if single:
            return (yield from _put(bucket, key, blocks[0], described, condition, sums=sums))
        return (yield from _put_parts(bucket, blocks, sizes, described, condition, sums=sums))


def description(
    key: str, metadata: Mapping[str, str], content_type: str | None, options: Mapping[str, Any]
) -> dict[str, Any]:
    """The parameters of `PutObject` and `CreateMultipartUpload` that describe an object."""
    described: dict[str, Any] = {"Key": key, **of_write(options)}
    if metadata:
        described["Metadata"] = metadata
    if content_type is not None:
        described["ContentType"] = content_type
    return described


def part_sizes(options: S3Options, size: int | None) -> Iterator[int]:
    """The size of each part: equal if the length is known, else growing in steps so that 10,000 parts reach 5 TiB."""
    smallest = options.part_size
    if size is not None:
        smallest = max(smallest, -(-size // MOST_PARTS // MIB) * MIB)
    growing = size is None and options.grow_parts
    steps = MOST_PARTS // PARTS_PER_SIZE
    missing = -(-LARGEST_OBJECT // MOST_PARTS) - smallest
    growth = max(0, -(-2 * missing // (steps - 1))) if growing else 0
    for number in range(MOST_PARTS):
        yield min(smallest + growth * (number // PARTS_PER_SIZE), LARGEST_PART)


def _put(
    bucket: Bucket, key: str, body: bytes, described: Mapping[str, Any], condition: Mapping[str, str], *, sums: Sums
) -> Operation[WriteResult]:
    summed = yield from sums.of(body)
    retried = False
    first = FirstAttempt()
    written: Written | Facts | None = None
    while written is None:
        try:
            call = bucket.call("PutObject", CREATE_OPTIONS, **described, **condition, **summed, Body=body)
            written = yield from send(bucket, call)
        except Fault as fault:
            retried = retried or fault.attempts > 1
            if "IfNoneMatch" in condition and faults.lacks_feature(fault) and not trust.known(bucket, "put"):
                condition = {}
            elif is_refused(fault, condition):
                if retried:
                    written = yield from made_by_put(bucket, body, described, fault, first)
                if written is None:
                    raise refusal(key, fault, condition) from fault.__cause__
            else:
                raise (yield from lasting_conflict(bucket, key, fault, condition)) from fault.__cause__
    if written.etag is None:
        yield from _require_written(bucket, key, body)
    result = models.write_result(key, len(body), written, described.get("Metadata") or {})
    return replace(result, response_lost=isinstance(written, Facts))


def _require_written(bucket: Bucket, key: str, body: bytes) -> Operation[None]:
    """Check that an object was written if the response to its write had no entity tag: 1 HEAD.

    1 GET more if the object's entity tag is not the MD5 of the body: an older object can have the same size.

    Raises:
        Fault: The object does not exist, or has other content.
    """
    try:
        found = yield from probes.head(bucket, key)
        if (yield from probes.size_of(bucket, key, found)) == len(body) and (
            not body or _is_md5(found.etag, body) or (yield from read_bytes(bucket, key)) == body
        ):
            return
    except Fault as fault:
        if not faults.is_missing(fault):
            raise
    what = f"the response to PutObject has no ETag, and there is no object with the {len(body)} bytes that were written"
    raise Fault("BrokenAnswer", 200, what)


def _is_md5(etag: str | None, body: bytes) -> bool:
    try:
        return bare(etag) == hashlib.md5(body, usedforsecurity=False).hexdigest()
    except ValueError:
        # A build of OpenSSL without MD5.
        return False


def _put_parts(
    bucket: Bucket,
    blocks: list[bytes],
    sizes: Iterator[int],
    described: Mapping[str, Any],
    condition: Mapping[str, str],
    *,
    sums: Sums,
) -> Operation[WriteResult]:
    first = FirstAttempt()
    created = bucket.call("CreateMultipartUpload", CREATE_OPTIONS, **described, **sums.of_upload())
    upload = yield from begin(bucket, created)
    try:
        total = yield from _send_parts(bucket, upload, blocks, sizes, sums)
        parts = listed_parts((yield Wait()))
        whole = sums.of_object(total)
        written = yield from complete(bucket, upload, parts, total, first, condition=condition, sums=whole)
    except BaseException as error:
        yield from abandon(bucket, upload, error)
        raise
    return models.write_result(upload["Key"], total, written, described.get("Metadata") or {})


def begin(bucket: Bucket, call: Call) -> Operation[dict[str, Any]]:
    """Begin a multipart upload: 1 request. Returns the parameters that identify the upload in later calls.

    An interruption waits for the response, because only the response has the id of the upload to abort.
    """
    try:
        yield Start(call, 1)
        (created,) = yield Wait()
    except BaseException as error:
        for created in (yield Drain(patient=True)):
            yield from abandon(bucket, {"Key": call.params["Key"], "UploadId": created.upload_id}, error)
        raise
    return {"Key": call.params["Key"], "UploadId": created.upload_id}


def _send_parts(
    bucket: Bucket, upload: Mapping[str, Any], blocks: list[bytes], sizes: Iterator[int], sums: Sums
) -> Operation[int]:
    number = total = 0
    while True:
        block = blocks.pop(0) if blocks else (yield ReadBlock(next(sizes, 1)))
        if not block:
            return total
        number += 1
        if number > MOST_PARTS:
            raise RemoteStoreError(
                f"the stream does not fit into {MOST_PARTS} parts; raise part_size", path=upload["Key"]
            )
        total += len(block)
        yield start_part(bucket, upload, number, block, (yield from sums.of(block)))
        del block


def start_part(
    bucket: Bucket, upload: Mapping[str, Any], number: int, block: bytes, summed: Mapping[str, str]
) -> Start:
    """The step that sends a part, with at most `max_concurrency` parts of `part_size` in memory."""
    most = bucket.options.max_concurrency
    memory = bucket.options.part_size * most
    call = bucket.call("UploadPart", PART_OPTIONS, **upload, PartNumber=number, Body=block, **summed)
    return Start(call, most if len(block) <= bucket.options.part_size else max(1, memory // len(block)))


def listed_parts(parts: list[Part]) -> list[dict[str, Any]]:
    """The parts as `CompleteMultipartUpload` lists them, from the responses to `UploadPart` or `UploadPartCopy`."""
    return [{"PartNumber": number, "ETag": part.etag, **part.checksums} for number, part in enumerate(parts, start=1)]


def complete(
    bucket: Bucket,
    upload: Mapping[str, Any],
    parts: list[dict[str, Any]],
    size: int,
    first: FirstAttempt,
    *,
    condition: Mapping[str, str],
    sums: Mapping[str, Any] = NOTHING,
) -> Operation[Written | Facts]:
    """Complete a multipart upload: 1 request.

    Args:
        bucket: The bucket.
        upload: The parameters that identify the upload.
        parts: The parts as the request lists them.
        size: Total bytes of all parts.
        first: When the upload was begun.
        condition: The condition of the request, from `of_condition`.
        sums: The parameters for the checksum of the whole object.
    """
    key = upload["Key"]
    allowed = REQUEST_OPTIONS | KEY_OPTIONS
    listed = {**upload, "MultipartUpload": {"Parts": parts}, **sums}
    written: Written | Facts | None = None
    while written is None:
        try:
            written = yield from send(bucket, bucket.call("CompleteMultipartUpload", allowed, **listed, **condition))
        except Fault as fault:
            refused = is_refused(fault, condition)
            creates = "IfNoneMatch" in condition
            if creates and faults.lacks_feature(fault) and not trust.known(bucket, "complete"):
                condition = {}
                continue
            is_lost = fault.attempts > 1 and (refused or fault.code == "NoSuchUpload")
            if is_lost or faults.is_unproven(fault):
                written = yield from made_of_parts(bucket, upload, parts, fault, first, size=size)
            if written is None and refused:
                raise refusal(key, fault, condition) from fault.__cause__
            if written is None:
                raise (yield from lasting_conflict(bucket, key, fault, condition)) from fault.__cause__
    return written


def abandon(bucket: Bucket, upload: Mapping[str, Any], error: BaseException) -> Operation[None]:
    """Abort an upload after its parts in flight have ended: 1 request, and 1 more if interrupted.

    A part that ends after the abort would remain stored and be billed (S3 API Reference, AbortMultipartUpload).
    """
    try:
        yield from _abort(bucket, upload, error)
    except BaseException:
        yield from _abort(bucket, upload, error)
        raise


def _abort(bucket: Bucket, upload: Mapping[str, Any], error: BaseException) -> Operation[None]:
    yield Drain()
    try:
        yield bucket.call("AbortMultipartUpload", **upload)
    except Fault as fault:
        if not faults.is_missing(fault):
            name, code = faults.shown(upload["UploadId"]), faults.shown(fault.code)
            error.add_note(f"multipart upload {name!r} could not be aborted ({code}) and is still stored; abort it")


def parts_of(size: int, part_size: int) -> list[tuple[int, int]]:
    """The ranges (offsets of first and last byte) in which an object is copied part by part."""
    part = max(part_size, -(-size // MOST_PARTS // MIB) * MIB)
    return [(start, min(start + part, size) - 1) for start in range(0, size, part)]


def part_call(bucket: Bucket, upload: Mapping[str, Any], number: int, **params: Any) -> Call:
    """The `UploadPartCopy` of one part."""
    return bucket.call("UploadPartCopy", PART_OPTIONS - {"ChecksumAlgorithm"}, **upload, PartNumber=number, **params)
