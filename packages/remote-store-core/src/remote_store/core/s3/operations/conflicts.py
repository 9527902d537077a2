"""Retries writes that conflict with another write of the same key, and tells what a refused condition means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from typing import Any

from remote_store.core.errors import PreconditionFailed, RemoteStoreError
from remote_store.core.s3.operations import probes
from remote_store.core.s3.operations.bucket import Bucket
from remote_store.core.s3.operations.steps import Operation, Pause
from remote_store.core.s3.protocol import faults
from remote_store.core.s3.protocol.calls import Call, Fault
from remote_store.core.s3.protocol.fields import bare


def send(bucket: Bucket, call: Call) -> Operation[Any]:
    """Send a write: 1 request, and 1 more for each 409 that S3 asks clients to retry (S3 API Reference, PutObject).

    Raises:
        Fault: The service refused, or the conflict lasted through all retries. `attempts` is above 1 if the response
            to any of the requests was lost.
    """
    lost = sent = 0
    conflict: Fault | None = None
    for attempt in count(1):
        try:
            return (yield replace(call, sent=sent) if sent else call)
        except Fault as fault:
            sent += fault.attempts
            lost += fault.attempts - 1
            fault.attempts = lost + 1
            if conflict is not None and fault.code == "NoSuchUpload" and not lost:
                # S3 may end the upload when it reports the conflict (S3 API Reference, CompleteMultipartUpload).
                raise conflict from conflict.__cause__
            if not faults.is_conflict(fault) or attempt >= bucket.options.retry.max_attempts:
                raise
            conflict = fault
        yield Pause(bucket.options.retry.delay(attempt))
    raise AssertionError("unreachable: the loop has no end")


def is_refused(fault: Fault, condition: Mapping[str, str]) -> bool:
    """Whether the condition of a write was not met."""
    if "IfMatch" in condition:
        return faults.is_lost_swap(fault)
    return "IfNoneMatch" in condition and faults.is_precondition(fault)


def refusal(key: str, fault: Fault, condition: Mapping[str, str]) -> RemoteStoreError:
    """The error of a write whose condition was not met."""
    if "IfMatch" in condition:
        return faults.typed(fault, path=key, error=PreconditionFailed)
    return probes.already_exists(key, fault)


def lasting_conflict(
    bucket: Bucket, key: str, fault: Fault, condition: Mapping[str, str]
) -> Operation[RemoteStoreError | Fault]:
    """What to raise for a write that failed: 1 HEAD if it has `If-Match`, and the conflict lasted through all retries.

    If another write between begin and end of an upload changed the object, S3 answers every attempt to complete it with
    a conflict (S3 API Reference, CompleteMultipartUpload), although the condition is not met.
    """
    if "IfMatch" not in condition or not faults.is_conflict(fault):
        return fault
    try:
        found = yield from probes.head(bucket, key)
    except Fault as looked:
        return refusal(key, fault, condition) if faults.is_gone(looked) else fault
    return refusal(key, fault, condition) if bare(found.etag) != bare(condition["IfMatch"]) else fault
