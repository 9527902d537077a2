"""Converts the optional keyword arguments of the contract to parameters of S3 calls."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from remote_store.core.headers import in_seconds

WRITTEN: Final[Mapping[str, str]] = {
    "cache_control": "CacheControl",
    "content_disposition": "ContentDisposition",
    "content_encoding": "ContentEncoding",
    "expires": "Expires",
    "storage_class": "StorageClass",
    "server_side_encryption": "ServerSideEncryption",
    "kms_key_id": "SSEKMSKeyId",
    "object_lock_mode": "ObjectLockMode",
    "object_lock_until": "ObjectLockRetainUntilDate",
}
"""The options of a write that PutObject and CreateMultipartUpload take unchanged, and their names there."""


def quoted(tag: str) -> str:
    """An ETag as the header of a condition has it (RFC 9110, 8.8.3)."""
    return f'"{tag}"'


def of_read(options: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of `GetObject` and `HeadObject` for the options of a read."""
    params = {}
    for name, parameter in (("if_match", "IfMatch"), ("if_none_match", "IfNoneMatch")):
        if name in options:
            params[parameter] = quoted(options[name])
    if "version_id" in options:
        params["VersionId"] = options["version_id"]
    return params


def of_condition(options: Mapping[str, Any], *, overwrite: bool) -> dict[str, str]:
    """The condition of `PutObject` and `CompleteMultipartUpload`: none, that the key is free, or its version."""
    if "if_match" in options:
        return {"IfMatch": quoted(options["if_match"])}
    return {} if overwrite else {"IfNoneMatch": "*"}


def of_write(options: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of `PutObject` and `CreateMultipartUpload` for the options of a write, without its condition."""
    params = {parameter: options[name] for name, parameter in WRITTEN.items() if name in options}
    params |= {name: in_seconds(time) for name, time in params.items() if isinstance(time, datetime)}
    if options.get("tags"):
        params["Tagging"] = urlencode(options["tags"])
    if "legal_hold" in options:
        params["ObjectLockLegalHoldStatus"] = "ON" if options["legal_hold"] else "OFF"
    return params
