"""Facts about the endpoint of a backend, determined once when the backend is made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from remote_store.core.conditional_writes import ConditionalWrites
from remote_store.core.s3.protocol.services import documented

Condition = Literal["put", "complete", "copy", "delete", "swap", "complete_swap"]
CREATES: tuple[Condition, ...] = ("put", "complete", "copy")
"""The conditions on the three requests that create an object."""

BucketKind = Literal["general purpose", "directory", "access point", "multi-region access point", "other"]

DIRECTORY = re.compile(r".+--[a-z0-9-]+--(x|xa)-s3")
ALIASES_ELSEWHERE = ("--op-s3", "--ol-s3")
"""Suffixes of access point aliases of S3 on Outposts and of Object Lambda."""
NAME = "[A-Za-z0-9-]{1,63}"
ARN = re.compile(
    rf"arn:aws[a-z-]*:(s3:(?P<region>[a-z0-9-]+):\d{{12}}:accesspoint[:/]{NAME}"
    rf"|s3::\d{{12}}:accesspoint[:/](?P<everywhere>{NAME}(\.{NAME})*)"
    rf"|s3-object-lambda:[a-z0-9-]+:\d{{12}}:accesspoint[:/]{NAME}"
    rf"|s3-outposts:[a-z0-9-]+:\d{{12}}:outpost[:/]{NAME}[:/]accesspoint[:/]{NAME})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Facts about the service that a backend sends to; made by `endpoint_of`.

    Attributes:
        url: Its URL, if one was given or configured; `None` means that the SDK derives the URL from the region.
        aws: Whether it is AWS.
        private_link: Whether it is a VPC endpoint of AWS.
        bucket_kind: What the bucket's name refers to.
        conditions: Which conditional writes it is known to honour.
        storage_classes: Whether a copy has to name the object's storage class to keep it.
        checksums: Whether the SDK's checksums are sent and verified. If not, uploads have `Content-MD5`.
        redirects: Whether a redirect to the bucket's region is followed.
        probes: Whether a probe finds out the conditions that are not known.
    """

    url: str | None
    aws: bool
    private_link: bool
    bucket_kind: BucketKind
    conditions: ConditionalWrites
    storage_classes: bool
    checksums: bool
    redirects: bool
    probes: bool = False

    def trusts(self, kind: Condition) -> bool:
        """Whether the endpoint is known, without a probe, to honour conditions on this kind of request."""
        return getattr(self.conditions, kind) is True


def endpoint_of(
    url: str | None,
    *,
    aws: bool,
    bucket: str | None = None,
    private_link: bool = False,
    conditional_writes: ConditionalWrites | bool | Literal["probe"] | None = None,
    put_options: Mapping[str, Any] | None = None,
    checksums: bool | None = None,
) -> Endpoint:
    """Determine the facts from what the lane's SDK reports.

    A lane calls this once, in its constructor, and passes the result to `S3Options.at`.

    Args:
        url: The URL that the client sends to, if it was given or configured.
        aws: Whether that is AWS, according to the SDK's data.
        bucket: Name or ARN of the bucket.
        private_link: Whether the URL is a VPC endpoint of AWS.
        conditional_writes: The option of this name. `None` and `"probe"` trust AWS and what other services document.
        put_options: The option of this name. If it has a `StorageClass`, the server is taken to have storage classes.
        checksums: Whether the SDK sends its own checksums; `None` means on AWS only.

    Raises:
        ValueError: The bucket is an ARN and the URL is one that the SDK would ignore.
    """
    kind = bucket_kind(bucket)
    _check_arn(kind, bucket, url, private_link=private_link)
    stated = conditional_writes
    if stated is None or stated == "probe":
        # S3 User Guide, conditional requests: general purpose and directory buckets; Outposts are not mentioned.
        stated = True if aws and kind != "other" else documented(url)
    return Endpoint(
        url=url,
        aws=aws,
        private_link=private_link,
        bucket_kind=kind,
        conditions=stated if isinstance(stated, ConditionalWrites) else ConditionalWrites.every(stated),
        storage_classes=aws or "StorageClass" in (put_options or {}),
        checksums=aws if checksums is None else checksums,
        redirects=aws,
        probes=conditional_writes == "probe",
    )


def bucket_kind(bucket: str | None) -> BucketKind:
    """What a bucket's name refers to (S3 User Guide, bucket naming rules, and ARNs of access points)."""
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
            "endpoint_url (also in the AWS configuration and AWS_ENDPOINT_URL), or pass the name of a bucket"
        )
