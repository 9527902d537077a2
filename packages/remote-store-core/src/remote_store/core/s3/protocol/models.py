"""Converts checked responses to the models of the contract."""

from __future__ import annotations

from collections.abc import Mapping

from remote_store.core.models import FileInfo, WriteResult
from remote_store.core.s3.protocol.fields import bare
from remote_store.core.s3.protocol.responses import Facts, Written


def file_info(key: str, facts: Facts, size: int) -> FileInfo:
    """The `FileInfo` of a response to `HeadObject` or `GetObject`."""
    return FileInfo(
        key,
        key.rpartition("/")[2],
        size,
        facts.modified_at,
        etag=bare(facts.etag),
        content_type=facts.content_type,
        digest=facts.digest,
        metadata=dict(facts.metadata),
        version_id=facts.version_id,
        storage_class=facts.storage_class,
        cache_control=facts.described.get("CacheControl"),
        content_disposition=facts.described.get("ContentDisposition"),
        content_encoding=facts.described.get("ContentEncoding"),
        expires=facts.described.get("Expires"),
        tag_count=facts.tag_count,
    )


def write_result(key: str, size: int, written: Written | Facts, metadata: Mapping[str, str]) -> WriteResult:
    """The `WriteResult` of a `PutObject` or `CompleteMultipartUpload` response."""
    return WriteResult(
        key,
        size,
        etag=bare(written.etag),
        version_id=written.version_id,
        digest=written.digest,
        metadata=dict(metadata),
    )
