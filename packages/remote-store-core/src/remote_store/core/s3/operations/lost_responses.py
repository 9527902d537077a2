"""Whose object it is, where the answer to a create was lost and its next attempt finds the key taken."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from remote_store.core.s3.operations.bucket import READ_OPTIONS, Bucket
from remote_store.core.s3.operations.reading import ReadPlan
from remote_store.core.s3.operations.steps import CloseBody, Fetch, Operation
from remote_store.core.s3.protocol import faults
from remote_store.core.s3.protocol.calls import Fault
from remote_store.core.s3.protocol.fields import bare, whole_seconds
from remote_store.core.s3.protocol.responses import Facts


class FirstAttempt:
    """When a create was sent first; made right before it.

    The answer to the first attempt is lost, so the server's time at that moment is reckoned back from the `Date` of
    the answer that refuses a later attempt.
    """

    def __init__(self) -> None:
        self._began = time.monotonic()

    def is_after(self, modified: datetime | None, refusal: Fault) -> bool:
        """Whether an object was made before the first attempt, and so by somebody else.

        Both times are whole seconds, so an object that is less than about a second older cannot be told apart.

        Args:
            modified: When the object was made, as the server says.
            refusal: The refusal of a later attempt.
        """
        made, refused = whole_seconds(modified), whole_seconds(refusal.date)
        if made is None or refused is None:
            return False
        began = refused - timedelta(seconds=time.monotonic() - self._began)
        return made < began.replace(microsecond=0)


def made_by_put(
    bucket: Bucket, body: bytes, described: Mapping[str, Any], refusal: Fault, first: FirstAttempt
) -> Operation[Facts | None]:
    """The object, if it can be that of an earlier attempt of a PutObject: 1 GET."""
    plan = ReadPlan(bucket.call("GetObject", READ_OPTIONS, Key=described["Key"]), bucket.options.retry)
    try:
        answer: Facts = yield plan.request()
        other = first.is_after(answer.modified_at, refusal)
        if other or not _is_described(answer, len(body), described):
            yield CloseBody(answer.body)
            return None
        plan.opened(answer)
        found = yield Fetch(plan, body=answer.body)
    except Fault:
        return None
    return answer if found == body else None


def _is_described(answer: Facts, size: int, described: Mapping[str, Any]) -> bool:
    told = answer.length, answer.metadata, answer.content_type
    return told == (size, described.get("Metadata") or {}, described.get("ContentType", told[2]))


def made_of_parts(
    bucket: Bucket, upload: Mapping[str, Any], parts: list[dict[str, Any]], refusal: Fault
) -> Operation[Facts | None]:
    """The object, if an earlier attempt of a CompleteMultipartUpload made it: 1 HEAD, and 1 ListParts after a 412.

    The entity tag is the MD5 of the parts' tags. Another writer of the same bytes gets the same one, but then the
    upload is still open.
    """
    try:
        tags = b"".join(bytes.fromhex(part["ETag"].strip('"')) for part in parts)
        answer: Facts = yield bucket.call("HeadObject", READ_OPTIONS, Key=upload["Key"])
    except (Fault, ValueError):
        return None
    expected = f"{hashlib.md5(tags, usedforsecurity=False).hexdigest()}-{len(parts)}"
    if bare(answer.etag) != expected:
        return None
    if refusal.code != "NoSuchUpload" and (yield from _is_open(bucket, upload)):
        return None
    return answer


def _is_open(bucket: Bucket, upload: Mapping[str, Any]) -> Operation[bool]:
    try:
        yield bucket.call("ListParts", READ_OPTIONS, MaxParts=1, **upload)
    except Fault as fault:
        return fault.code != "NoSuchUpload" and not faults.lacks_feature(fault)
    return True
