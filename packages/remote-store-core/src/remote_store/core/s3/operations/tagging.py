"""Reads and replaces the tags of an object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remote_store.core.capabilities import Capability
from remote_store.core.errors import CapabilityNotSupported, RemoteStoreError
from remote_store.core.s3.operations import probes
from remote_store.core.s3.operations.bucket import Bucket
from remote_store.core.s3.operations.conflicts import send
from remote_store.core.s3.operations.steps import Operation
from remote_store.core.s3.protocol import faults
from remote_store.core.s3.protocol.calls import Fault
from remote_store.core.s3.protocol.parameters import of_read
from remote_store.core.s3.protocol.responses import Done, Tags


def get_tags(bucket: Bucket, key: str, options: Mapping[str, Any]) -> Operation[dict[str, str]]:
    """The tags of a file: 1 request, and 1 HEAD more for a version."""
    yield from _require(bucket, key, options)
    try:
        tags: Tags = yield bucket.call("GetObjectTagging", Key=key, **of_read(options))
    except Fault as fault:
        raise (yield from _refusal(bucket, key, fault, options)) from fault.__cause__
    return dict(tags.pairs)


def set_tags(bucket: Bucket, key: str, tags: Mapping[str, str], options: Mapping[str, Any]) -> Operation[None]:
    """Replace all tags of a file: 1 request, and 1 HEAD more for a version, or to remove the tags.

    A server may confirm the removal for a file that does not exist, as it does for a delete. If the response has no
    header of S3, 1 GetObjectTagging looks.
    """
    yield from _require(bucket, key, options, always=not tags)
    version = of_read(options)
    pairs = [{"Key": name, "Value": value} for name, value in tags.items()]
    if pairs:
        call = bucket.call("PutObjectTagging", Key=key, Tagging={"TagSet": pairs}, **version)
    else:
        # It takes no RequestPayer (S3 API Reference, DeleteObjectTagging).
        call = bucket.call("DeleteObjectTagging", ("ExpectedBucketOwner",), Key=key, **version)
    try:
        done: Done = yield from send(bucket, call)
    except Fault as fault:
        raise (yield from _refusal(bucket, key, fault, options)) from fault.__cause__
    if not done.signed:
        now: Tags = yield bucket.call("GetObjectTagging", Key=key, **version)
        if dict(now.pairs) != tags:
            what = f"the response to {call.operation} has no header of S3, and the tags are not the new ones"
            raise Fault("NotS3", 200, what)


def _require(bucket: Bucket, key: str, options: Mapping[str, Any], *, always: bool = False) -> Operation[None]:
    """Check that a version exists, since a service may ignore its id, and that the key is no folder marker."""
    if always or "version_id" in options or key.endswith("/"):
        facts = yield from probes.require_file(bucket, key, options=options)
        yield from probes.refuse_marker_of(bucket, key, facts)


def _refusal(bucket: Bucket, key: str, fault: Fault, options: Mapping[str, Any]) -> Operation[RemoteStoreError | Fault]:
    """What to raise. A 405 costs 1 HEAD, because S3 sends it if the current version is the marker of a deletion."""
    if not faults.lacks_feature(fault):
        return (yield from probes.missing(bucket, key, fault, options))
    if not faults.is_unimplemented(fault):
        yield from probes.require_file(bucket, key, options=options)
    error = CapabilityNotSupported(
        "the service does not implement tags of files", capability=Capability.TAGS.value, path=key
    )
    error.__cause__ = fault.__cause__ or fault
    return error
