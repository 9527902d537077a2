"""Deletes many objects, by as few requests as the server allows."""

from __future__ import annotations

from collections.abc import Sequence

from remote_store.core.errors import RemoteStoreError
from remote_store.core.s3.operations import deleting
from remote_store.core.s3.operations.bucket import Bucket
from remote_store.core.s3.operations.steps import Operation
from remote_store.core.s3.protocol import faults
from remote_store.core.s3.protocol.calls import Fault


def delete_many(bucket: Bucket, keys: Sequence[str]) -> Operation[dict[str, Fault | RemoteStoreError]]:
    """Delete objects: 1 DeleteObjects per 1,000 keys. Returns the keys that could not be deleted, and why.

    A key that ends in a slash may be the marker of a folder, so it costs 1 HEAD and 1 DELETE. A key that the response
    to DeleteObjects does not mention or that XML cannot carry costs 1 DELETE more. If the server lacks DeleteObjects,
    each key costs 1 DELETE, `max_concurrency` at once.
    """
    left: dict[str, Fault | RemoteStoreError] = {}
    deletion = deleting.Deletion(bucket)
    yield from deletion.delete([key for key in keys if not key.endswith("/")])
    # Where there is no bucket, there is no file either.
    left.update((key, fault) for key, fault in deletion.left.items() if not faults.is_missing(fault))
    for key in keys:
        if key.endswith("/"):
            try:
                yield from deleting.delete(bucket, key, missing_ok=True)
            except (Fault, RemoteStoreError) as error:
                left[key] = error
    return left
