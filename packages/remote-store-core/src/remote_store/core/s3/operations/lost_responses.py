"""Tells who made an object if the response to a create was lost and its retry finds the key taken."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from remote_store.core.s3.operations import probes
from remote_store.core.s3.operations.bucket import READ_OPTIONS, Bucket
from remote_store.core.s3.operations.reading import ReadPlan
from remote_store.core.s3.operations.steps import CloseBody, Fetch, Operation
from remote_store.core.s3.protocol import faults
from remote_store.core.s3.protocol.calls import Fault
from remote_store.core.s3.protocol.fields import bare, whole_seconds
from remote_store.core.s3.protocol.options import MIB
from remote_store.core.s3.protocol.responses import Facts

COMPARED = 8 * MIB
"""Bytes that are read of each object per comparison."""

MD5 = re.compile(r"[0-9a-f]{32}(?P<parts>-[0-9]+)?")


class FirstAttempt:
    """The time of a create's first attempt. Make it right before that attempt.

    The response to the first attempt is lost. Its time on the server's clock is therefore calculated from the `Date` of
    the response that refuses a later attempt.
    """

    def __init__(self) -> None:
        self._began = time.monotonic()

    def is_after(self, modified: datetime | None, refusal: Fault) -> bool:
        """Whether the first attempt came after the object was made, so that another client made it.

        Both times are in whole seconds. If the object is less than about a second older, the result is `False`.

        Args:
            modified: When the object was made, according to the server.
            refusal: The fault of the later attempt.
        """
        made, refused = whole_seconds(modified), whole_seconds(refusal.date)
        if made is None or refused is None:
            return False
        began = refused - timedelta(seconds=time.monotonic() - self._began)
        return made < began.replace(microsecond=0)


def made_by_put(
    bucket: Bucket, body: bytes, described: Mapping[str, Any], refusal: Fault, first: FirstAttempt
) -> Operation[Facts | None]:
    """The object, if an earlier attempt of this PutObject can have made it: 1 GET."""
    plan = ReadPlan(bucket.call("GetObject", READ_OPTIONS, Key=described["Key"]), bucket.options.retry)
    try:
        found: Facts = yield plan.request()
        if first.is_after(found.modified_at, refusal) or not _is_described(found, len(body), described):
            yield CloseBody(found.body)
            return None
        if found.length is None:
            yield CloseBody(found.body)
            size = yield from probes.size_of(bucket, described["Key"], found)
            if size != len(body):
                return None
            plan.measured(size, found.etag)
            content = yield Fetch(plan)
        else:
            plan.opened(found)
            content = yield Fetch(plan, body=found.body)
    except Fault:
        return None
    return found if content == body else None


def _is_described(found: Facts, size: int, described: Mapping[str, Any]) -> bool:
    expected = _folded(described.get("Metadata") or {}), described.get("ContentType", found.content_type)
    return found.length in (None, size) and (_folded(found.metadata), found.content_type) == expected


def _folded(metadata: Mapping[str, str]) -> dict[str, str]:
    """The metadata with hyphens for underscores in names, because Ceph returns `x_y` as `x-y`."""
    return {name.replace("_", "-"): value for name, value in metadata.items()}


def made_of_parts(
    bucket: Bucket,
    upload: Mapping[str, Any],
    parts: list[dict[str, Any]],
    refusal: Fault,
    first: FirstAttempt,
    *,
    size: int,
) -> Operation[Facts | None]:
    """The object, if an earlier attempt of this CompleteMultipartUpload made it: 1 HEAD, and 1 ListParts after a 412.

    On most servers, the entity tag is the MD5 of the parts' tags. Another writer of the same bytes gets the same tag,
    but in that case this upload is still open.
    """
    try:
        found: Facts = yield bucket.call("HeadObject", READ_OPTIONS, Key=upload["Key"])
    except Fault:
        return None
    if first.is_after(found.modified_at, refusal):
        return None
    has_tag = found.etag is not None and bare(found.etag) == tag_of(parts)
    if not has_tag:
        is_dated = found.modified_at is not None and refusal.date is not None
        if _is_digest(bucket, found) or found.size != size or not is_dated:
            return None
    is_open = False if refusal.code == "NoSuchUpload" else (yield from _is_open(bucket, upload))
    # If the server cannot list parts, the tag has to be enough.
    return found if is_open is False or (is_open is None and has_tag) else None


def tag_of(parts: list[dict[str, Any]]) -> str | None:
    """The entity tag that most servers give an object made of these parts; `None` if a part's tag is no digest."""
    try:
        tags = b"".join(bytes.fromhex(part["ETag"].strip('"')) for part in parts)
    except ValueError:
        return None
    return f"{hashlib.md5(tags, usedforsecurity=False).hexdigest()}-{len(parts)}"


def _is_open(bucket: Bucket, upload: Mapping[str, Any]) -> Operation[bool | None]:
    """Whether the upload is still open; `None` if the server cannot list parts."""
    try:
        yield bucket.call("ListParts", READ_OPTIONS, MaxParts=1, **upload)
    except Fault as fault:
        if faults.lacks_feature(fault):
            return None
        return fault.code != "NoSuchUpload"
    return True


def is_copy(bucket: Bucket, src: tuple[str, Facts], dst: tuple[str, Facts]) -> Operation[bool]:
    """Whether an object has the metadata and the bytes of another one.

    Equal entity tags prove it. The copy of an encrypted or multipart object has a tag different from its source's, so
    the bytes are compared: 2 GETs per 8 MiB.

    Args:
        bucket: The bucket.
        src: Key and facts of the source.
        dst: Key and facts of the possible copy.

    Raises:
        Fault: The service refused a read, or did not respond.
    """
    (_, source), (_, existing) = src, dst
    if source.size is None or _description(source) != _description(existing):
        return False
    if source.etag is not None and source.etag == existing.etag:
        return True
    if _is_digest(bucket, source, whole=True) and _is_digest(bucket, existing, whole=True):
        return False
    try:
        for start in range(0, source.size, COMPARED):
            length = min(COMPARED, source.size - start)
            one = yield from _read(bucket, *src, start, length)
            if one != (yield from _read(bucket, *dst, start, length)):
                return False
    except Fault as fault:
        if faults.is_precondition(fault) or faults.is_missing(fault):
            return False
        raise
    return True


def _description(facts: Facts) -> tuple[Any, ...]:
    return facts.size, facts.content_type, facts.metadata


def _is_digest(bucket: Bucket, facts: Facts, *, whole: bool = False) -> bool:
    """Whether the entity tag is an MD5 of the object's content (S3 API Reference, Object)."""
    plain = not facts.encrypted and bucket.options.endpoint.bucket_kind != "directory"
    tag = MD5.fullmatch(bare(facts.etag) or "")
    return plain and tag is not None and not (whole and tag["parts"])


def _read(bucket: Bucket, key: str, facts: Facts, start: int, length: int) -> Operation[bytearray]:
    data = bytearray(length)
    call = bucket.call("GetObject", READ_OPTIONS, Key=key)
    plan = ReadPlan(call, bucket.options.retry, start=start, end=start + length, etag=facts.etag, total=facts.size)
    with memoryview(data) as buffer:
        yield Fetch(plan, buffer)
    return data
