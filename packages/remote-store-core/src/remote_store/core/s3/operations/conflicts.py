"""Retries writes that conflict with another write of the same key."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Any

from remote_store.core.s3.operations.bucket import Bucket
from remote_store.core.s3.operations.steps import Operation, Pause
from remote_store.core.s3.protocol import faults
from remote_store.core.s3.protocol.calls import Call, Fault


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
