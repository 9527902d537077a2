"""Facts about the place that a backend talks to, resolved once when the backend is made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from remote_store.core.conditional_writes import ConditionalWrites

Condition = Literal["put", "complete", "copy", "delete"]
BucketKind = Literal["general purpose", "directory", "access point", "multi-region access point", "other"]

DIRECTORY = re.compile(r".+--[a-z0-9-]+--(x|xa)-s3")
ALIASES_ELSEWHERE = ("--op-s3", "--ol-s3")
"""What the aliases of access points of S3 on Outposts and of Object Lambda end with."""
NAME = "[A-Za-z0-9-]{1,63}"
ARN = re.compile(
    rf"arn:aws[a-z-]*:(s3:(?P<region>[a-z0-9-]+):\d{{12}}:accesspoint[:/]{NAME}"
    rf"|s3::\d{{12}}:accesspoint[:/](?P<everywhere>{NAME}(\.{NAME})*)"
    rf"|s3-object-lambda:[a-z0-9-]+:\d{{12}}:accesspoint[:/]{NAME}"
    rf"|s3-outposts:[a-z0-9-]+:\d{{12}}:outpost[:/]{NAME}[:/]accesspoint[:/]{NAME})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """What is known of the service behind a backend; `endpoint_of` makes one.

    Attributes:
        url: Its URL, where one was given or configured; `None` means the URL that the SDK finds for the region.
        aws: Whether it is AWS itself.
        private_link: Whether it is a VPC endpoint of AWS.
        bucket_kind: What the bucket's name stands for.
        conditions: Which conditional writes it is known to honour.
        storage_classes: Whether objects have a storage class that a copy has to name in order to keep it.
        checksums: Whether the SDK's own checksums are sent and verified; elsewhere uploads carry `Content-MD5`.
        redirects: Whether a redirect to the bucket's region is followed.
    """

    url: str | None
    aws: bool
    private_link: bool
    bucket_kind: BucketKind
    conditions: ConditionalWrites
    storage_classes: bool
    checksums: bool
    redirects: bool

    def trusts(self, kind: Condition) -> bool:
        """Whether a condition on that kind of request is known to be honoured."""
        return getattr(self.conditions, kind) is True

    @property
    def creates_atomically(self) -> bool:
        """Whether every way to create an object can leave the decision to the server."""
        return self.trusts("put") and self.trusts("complete") and self.trusts("copy")


def endpoint_of(
    url: str | None,
    *,
    aws: bool,
    bucket: str | None = None,
    private_link: bool = False,
    conditional_writes: ConditionalWrites | bool | None = None,
    put_options: Mapping[str, Any] | None = None,
    checksums: bool | None = None,
) -> Endpoint:
    """Derive the facts from what a lane's SDK says.

    A lane calls this once, in its constructor, and hands the result to `S3Options.at`.

    Args:
        url: The URL that the client sends to, where it was given or configured.
        aws: Whether that is AWS itself, by the SDK's own data.
        bucket: Name or ARN of the bucket.
        private_link: Whether the URL is a VPC endpoint of AWS.
        conditional_writes: What the user says of the server; `None` trusts AWS and nothing else.
        put_options: The user's options of writes; a storage class among them means that the server has classes.
        checksums: Whether the SDK sends checksums of its own; `None` means on AWS only.

    Raises:
        ValueError: The bucket is an ARN and the URL is one that the SDK would ignore.
    """
    kind = bucket_kind(bucket)
    _check_arn(kind, bucket, url, private_link=private_link)
    stated = conditional_writes
    if stated is None:
        # S3 User Guide, conditional requests: general purpose and directory buckets; nothing is said of Outposts.
        stated = True if aws and kind != "other" else None
    return Endpoint(
        url=url,
        aws=aws,
        private_link=private_link,
        bucket_kind=kind,
        conditions=stated if isinstance(stated, ConditionalWrites) else ConditionalWrites.every(stated),
        storage_classes=aws or "StorageClass" in (put_options or {}),
        checksums=aws if checksums is None else checksums,
        redirects=aws,
    )


def bucket_kind(bucket: str | None) -> BucketKind:
    """What a bucket's name stands for (S3 User Guide, bucket naming rules, and ARNs of access points)."""
    if bucket is None or not bucket.startswith("arn:"):
        if bucket is not None and bucket.endswith(ALIASES_ELSEWHERE):
            return "other"
        return "directory" if bucket is not None and DIRECTORY.fullmatch(bucket) else "general purpose"
    arn = ARN.fullmatch(bucket)
    if arn is not None and arn["region"]:
        return "access point"
    return "multi-region access point" if arn is not None and arn["everywhere"] else "other"


def _check_arn(kind: BucketKind, bucket: str | None, url: str | None, *, private_link: bool) -> None:
    if url is None or bucket is None or not bucket.startswith("arn:"):
        return
    if kind != "access point" or not private_link:
        raise ValueError(
            "the bucket is an ARN, which names its own endpoint, so the endpoint_url would be ignored; leave out the "
            "endpoint_url (also in the AWS configuration and AWS_ENDPOINT_URL), or give the name of a bucket"
        )
