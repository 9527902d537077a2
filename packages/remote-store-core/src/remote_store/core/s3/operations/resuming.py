"""Multipart uploads that stay open after a failure, so that a later call sends only the parts that are missing."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from remote_store.core.capabilities import Capability
from remote_store.core.errors import BackendUnavailable, RemoteStoreError
from remote_store.core.models import WriteResult
from remote_store.core.s3.operations import probes, trust
from remote_store.core.s3.operations.bucket import CREATE_OPTIONS, KEY_OPTIONS, READ_OPTIONS, Bucket
from remote_store.core.s3.operations.lost_responses import FirstAttempt, tag_of
from remote_store.core.s3.operations.steps import Drain, Operation, ReadBlock, Wait
from remote_store.core.s3.operations.sums import Sums
from remote_store.core.s3.operations.writing import begin, complete, part_sizes, start_part
from remote_store.core.s3.protocol import faults, models
from remote_store.core.s3.protocol.calls import Fault
from remote_store.core.s3.protocol.fields import bare
from remote_store.core.s3.protocol.responses import Facts, Part
from remote_store.core.s3.protocol.uploads import Parts, StoredPart

PROOFS = {"ChecksumSHA256": "sha256", "ChecksumSHA1": "sha1"}
"""Checksums of a part that prove its content. Those of 32 and 64 bits only detect accidents."""


@dataclass(frozen=True, slots=True)
class Resumable:
    """An open upload, and what it has already.

    Attributes:
        upload: The parameters that identify the upload; empty if there is none.
        described: The parameters of the object.
        stored: Its parts by number.
        record: What a later call needs in order to go on; empty if it has to begin anew.
        begun: Whether this call began the upload.
        made: The object that the earlier call may have completed.
        first: When this call began.
    """

    upload: Mapping[str, Any]
    described: Mapping[str, Any]
    stored: Mapping[int, StoredPart] = field(default_factory=dict)
    record: Mapping[str, str] = field(default_factory=dict)
    begun: bool = False
    made: Facts | None = None
    first: FirstAttempt = field(default_factory=FirstAttempt)


def open_upload(
    bucket: Bucket, size: int, record: Mapping[str, str], described: Mapping[str, Any], condition: Mapping[str, str]
) -> Operation[Resumable]:
    """Go on with the upload of the record: 1 ListParts per 1,000 parts. Or begin one: 1 request.

    An upload that was begun with other parameters is aborted: 1 request more. If the upload has ended, 1 HEAD tells
    whether the earlier call may have completed it. A create costs 1 HEAD more if the endpoint is not known to honour
    its condition.

    Args:
        bucket: The bucket.
        size: Length of the content in bytes.
        record: What an earlier call recorded; empty if there was none.
        described: The parameters of the object, with its key.
        condition: The condition of the completion, from `of_condition`.
    """
    key: str = described["Key"]
    yield from probes.refuse_file_ancestor(bucket, key)
    if "IfMatch" in condition:
        yield from trust.require(bucket, Capability.COMPARE_AND_SWAP, key)
    seen = _fingerprint(bucket, described)
    upload = {"Key": key, "UploadId": record["upload_id"]} if record.get("upload_id") else None
    stored: dict[int, StoredPart] | None = None
    if upload is not None and record.get("described") != seen:
        yield from drop(bucket, upload)
    elif upload is not None:
        stored = yield from _stored(bucket, upload)
        if stored is None:
            made = yield from _possibly_made(bucket, key, size)
            if made is not None:
                return Resumable({}, described, made=made)
    if "IfNoneMatch" in condition and not (yield from trust.trusts(bucket, "complete")):
        yield from probes.refuse_existing(bucket, key)
    if upload is not None and stored is not None:
        return Resumable(upload, described, stored, record)
    first = FirstAttempt()
    upload = yield from begin(bucket, bucket.call("CreateMultipartUpload", CREATE_OPTIONS, **described))
    new = {"upload_id": str(upload["UploadId"]), "key": key, "described": seen}
    return Resumable(upload, described, {}, new, begun=True, first=first)


def _fingerprint(bucket: Bucket, described: Mapping[str, Any]) -> str:
    """A digest of all that an upload is begun with, without keys of encryption."""
    options = {name: str(value) for name, value in bucket.options.put_options.items() if name not in KEY_OPTIONS}
    values = [sorted(options.items()), sorted((name, _shown(value)) for name, value in described.items())]
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()


def _shown(value: Any) -> str:
    return json.dumps(sorted(value.items())) if isinstance(value, Mapping) else str(value)


def _stored(bucket: Bucket, upload: Mapping[str, Any]) -> Operation[dict[int, StoredPart] | None]:
    """The parts of an upload; `None` if it has ended. None are known if the server cannot list them."""
    found: dict[int, StoredPart] = {}
    place: dict[str, int] = {}
    while True:
        try:
            page: Parts = yield bucket.call("ListParts", READ_OPTIONS, **upload, **place)
        except Fault as fault:
            if faults.is_gone(fault):
                return None
            if faults.lacks_feature(fault) or faults.is_unproven(fault):
                # Without a list that can be read, all parts are sent again.
                return {}
            raise
        found |= {part.number: part for part in page.entries}
        if page.marker is None:
            return found
        place = {"PartNumberMarker": page.marker}


def _possibly_made(bucket: Bucket, key: str, size: int) -> Operation[Facts | None]:
    """The object, if it has the size of the content and the entity tag of an upload with as many parts: 1 HEAD."""
    try:
        found: Facts = yield bucket.call("HeadObject", READ_OPTIONS, Key=key)
    except Fault:
        return None
    parts = -(-size // next(part_sizes(bucket.options, size)))
    return found if found.size == size and (bare(found.etag) or "").endswith(f"-{parts}") else None


def drop(bucket: Bucket, upload: Mapping[str, Any]) -> Operation[None]:
    """Abort an upload of this caller that is of no use any more: 1 request. If it fails, `abort_uploads` finds it."""
    try:
        yield bucket.call("AbortMultipartUpload", **upload)
    except Fault:
        return


def send_rest(bucket: Bucket, opened: Resumable, size: int, condition: Mapping[str, str]) -> Operation[WriteResult]:
    """Send the parts that the upload does not have, and complete it: 1 request per part, and 1.

    A part is kept if it has the size and the digest of the content at its place. A failure does not abort the upload.
    """
    sizes = part_sizes(bucket.options, size)
    if opened.made is not None:
        return (yield from _require_made(opened, opened.made, sizes, condition))
    kept: dict[int, StoredPart] = {}
    total = number = 0
    sums = Sums(bucket.options, None)
    try:
        while block := (yield ReadBlock(next(sizes, 1))):
            number += 1
            total += len(block)
            part = opened.stored.get(number)
            if part is not None and _is_part(part, block):
                kept[number] = part
            else:
                yield start_part(bucket, opened.upload, number, block, (yield from sums.of(block)))
            del block
        sent = iter((yield Wait()))
        _require_whole(opened.upload["Key"], total, size)
        parts = _listed([kept[index] if index in kept else next(sent) for index in range(1, number + 1)])
        written = yield from complete(bucket, opened.upload, parts, total, opened.first, condition=condition)
    except BaseException as error:
        # A part in flight is one less to send in the next call.
        yield Drain(patient=isinstance(error, Exception))
        raise
    result = models.write_result(opened.upload["Key"], total, written, opened.described.get("Metadata") or {})
    return replace(result, response_lost=isinstance(written, Facts))


def _require_whole(key: str, total: int, size: int) -> None:
    if total != size:
        message = f"the content has {total} bytes, not {size}; upload it again when nothing writes to it"
        raise RemoteStoreError(message, path=key)


def _require_made(
    opened: Resumable, made: Facts, sizes: Iterable[int], condition: Mapping[str, str]
) -> Operation[WriteResult]:
    """The result, if the object that is there consists of exactly these parts, whoever completed it.

    Raises:
        AlreadyExists: It has other content, and the caller does not overwrite.
        BackendUnavailable: It has other content. The next call begins anew.
    """
    key: str = opened.described["Key"]
    tags: list[dict[str, Any]] = []
    total = 0
    for size in sizes:
        block: bytes = yield ReadBlock(size)
        if not block:
            break
        total += len(block)
        tags.append({"ETag": _digest("md5", block).hex()})
    if total and tag_of(tags) == bare(made.etag):
        result = models.write_result(key, total, made, opened.described.get("Metadata") or {})
        return replace(result, response_lost=True)
    if "IfNoneMatch" in condition:
        raise probes.already_exists(key)
    message = "the upload of the earlier call has ended, so it cannot go on; upload again"
    raise BackendUnavailable(message, path=key, retryable=True)


def _is_part(part: StoredPart, block: bytes) -> bool:
    """Whether a stored part has the bytes of a block. An entity tag that is the MD5 proves it, another one does not."""
    if part.size != len(block):
        return False
    if bare(part.etag) == _digest("md5", block).hex():
        return True
    sums = ((part.checksums.get(name), algorithm) for name, algorithm in PROOFS.items())
    return any(value == b64encode(_digest(algorithm, block)).decode() for value, algorithm in sums if value)


def _digest(algorithm: str, block: bytes) -> bytes:
    try:
        return hashlib.new(algorithm, block, usedforsecurity=False).digest()
    except ValueError:
        # A build of OpenSSL without it.
        return b""


def _listed(parts: list[StoredPart | Part]) -> list[dict[str, Any]]:
    """The parts as `CompleteMultipartUpload` lists them, with the checksums that all of them have."""
    names = set.intersection(*(set(part.checksums) for part in parts))
    sums = [{name: value for name, value in part.checksums.items() if name in names} for part in parts]
    rows = zip(parts, sums, strict=True)
    return [{"PartNumber": number, "ETag": part.etag, **own} for number, (part, own) in enumerate(rows, 1)]
