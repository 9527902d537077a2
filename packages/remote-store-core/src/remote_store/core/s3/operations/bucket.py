"""The bucket that an operation works on, with the options that are added to its calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from remote_store.core.options import NOTHING
from remote_store.core.s3.protocol.calls import Call
from remote_store.core.s3.protocol.options import S3Options
from remote_store.core.secret import Secret

CREATE_OPTIONS = frozenset(
    {
        "ACL",
        "BucketKeyEnabled",
        "CacheControl",
        "ChecksumAlgorithm",
        "ContentDisposition",
        "ContentEncoding",
        "ContentLanguage",
        "ExpectedBucketOwner",
        "Expires",
        "GrantFullControl",
        "GrantRead",
        "GrantReadACP",
        "GrantWriteACP",
        "ObjectLockLegalHoldStatus",
        "ObjectLockMode",
        "ObjectLockRetainUntilDate",
        "RequestPayer",
        "SSECustomerAlgorithm",
        "SSECustomerKey",
        "SSECustomerKeyMD5",
        "SSEKMSEncryptionContext",
        "SSEKMSKeyId",
        "ServerSideEncryption",
        "StorageClass",
        "Tagging",
        "WebsiteRedirectLocation",
    }
)
"""The names that `put_options` accepts: the parameters that PutObject and CreateMultipartUpload share."""

REQUEST_OPTIONS = frozenset({"ExpectedBucketOwner", "RequestPayer"})
KEY_OPTIONS = frozenset({"SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5"})
ENCRYPTION = KEY_OPTIONS | {"BucketKeyEnabled", "SSEKMSEncryptionContext", "SSEKMSKeyId"}
"""The settings of encryption that belong to one `ServerSideEncryption` and not to another."""

READ_OPTIONS = REQUEST_OPTIONS | KEY_OPTIONS
PART_OPTIONS = REQUEST_OPTIONS | KEY_OPTIONS | {"ChecksumAlgorithm"}


def plain(option: Any) -> Any:
    """The value of one of the `put_options`, with a secret revealed for the call."""
    return option.reveal() if isinstance(option, Secret) else option


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket, and the options of its backend.

    Attributes:
        name: Name of the bucket.
        options: The options of the backend.

    Raises:
        ValueError: One of the `put_options` is not a parameter of a write.
    """

    name: str
    options: S3Options

    def __post_init__(self) -> None:
        unknown = sorted(self.options.put_options.keys() - CREATE_OPTIONS)
        if unknown:
            raise ValueError(f"put_options accepts {', '.join(sorted(CREATE_OPTIONS))}, not {', '.join(unknown)}")

    def call(self, operation: str, allowed: Iterable[str] = REQUEST_OPTIONS, /, **params: Any) -> Call:
        """A call on this bucket, with those `put_options` that are also named in `allowed`. `params` replace them."""
        extra = self.options.put_options
        if extra and "ServerSideEncryption" in params:
            extra = {name: value for name, value in extra.items() if name not in ENCRYPTION}
        shared = {name: plain(extra[name]) for name in allowed if name in extra} if extra else {}
        return Call(operation, {"Bucket": self.name, **shared, **params})


def copy_source(bucket: Bucket, src: str, options: Mapping[str, Any] = NOTHING) -> dict[str, Any]:
    """The parameters of a copy that name its source, or the version of it that the options name."""
    # With SSE-C, the source needs its key too.
    given = bucket.options.put_options
    keys = {f"CopySource{name}": plain(given[name]) for name in sorted(KEY_OPTIONS) if name in given}
    version = {"VersionId": options["version_id"]} if "version_id" in options else {}
    return {"CopySource": {"Bucket": bucket.name, "Key": src, **version}, **keys}
