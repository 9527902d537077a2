"""Finds out which endpoint a botocore client will use, from the same configuration, before the client is made."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, DataNotFoundError

from remote_store.botocore.names import lookup
from remote_store.botocore.session import shared_loader
from remote_store.core.s3 import S3Options, check_bucket, check_endpoint_url, endpoint_of

SUFFIXES = ("amazonaws.com", "amazonaws.com.cn", "api.aws")
REGION = r"[a-z]{2,}(?:-[a-z]+)+-\d+"
"""Matches a region that botocore's data does not list yet."""

OTHER_SERVICES = ("-website", "-control", "-outposts", "-object-lambda", "express-control", "tables", "vectors")
"""What follows `s3` in the names of hosts that lack the object API (AWS General Reference, S3 endpoints)."""


class S3Hosts:
    """Tells whether a host is S3 on AWS. Load balancers and virtual machines on AWS are not.

    Args:
        data: botocore's `partitions.json`: the DNS suffixes and the regions of each partition.
    """

    def __init__(self, data: Mapping[str, Any]) -> None:
        partitions = data.get("partitions", ())
        outputs = [partition["outputs"] for partition in partitions]
        suffixes = set(SUFFIXES) | {
            value[name] for value in outputs for name in ("dnsSuffix", "dualStackDnsSuffix") if name in value
        }
        regions = {partition["regionRegex"].strip("^$") for partition in partitions}
        regions |= {re.escape(name) for partition in partitions for name in partition["regions"]}
        region, suffix = "|".join(sorted(regions | {REGION})), "|".join(map(re.escape, sorted(suffixes)))
        # Such as s3, s3-fips, s3-accesspoint and s3express-use1-az4 (AWS General Reference, S3 endpoints).
        kind = r"s3(?P<kind>(?:express|tables|vectors)?(?:-[a-z0-9-]+)?)"
        service = rf"{kind}(?:\.dualstack)?(?:\.(?:{region}))?(?P<private>\.vpce)?"
        self._pattern = re.compile(rf"(?:.+\.)?{service}\.(?:{suffix})")
        self._region = re.compile(rf"(?:fips-)?(?:{region})(?:-fips)?|[a-z-]+-global|s3-external-1")

    def is_aws(self, url: str | None) -> bool:
        """Whether a URL is that of S3 on AWS. `None` is, because the SDK then derives the URL from the region."""
        return url is None or self._match(url) is not None

    def is_private_link(self, url: str | None) -> bool:
        """Whether a URL is that of a VPC endpoint of S3."""
        match = None if url is None else self._match(url)
        return match is not None and match["private"] is not None

    def other_service(self, url: str) -> bool:
        """Whether a URL is that of an AWS host with `s3` in its name that lacks the object API."""
        match = self._match(url)
        return match is not None and match["kind"].startswith(OTHER_SERVICES)

    def is_region(self, name: str) -> bool:
        """Whether a name can be an AWS region, listed by botocore or not, or a pseudo region that botocore accepts."""
        return self._region.fullmatch(name) is not None

    def _match(self, url: str) -> re.Match[str] | None:
        host = (urlsplit(url).hostname or "").rstrip(".")
        return self._pattern.fullmatch(host)


@cache
def s3_hosts() -> S3Hosts:
    """The hosts of S3 according to botocore's data, or of the oldest partitions if there is no data."""
    loader = shared_loader(None)
    load = lookup(loader, "load_data")
    try:
        return S3Hosts({} if load is None else load("partitions"))
    except DataNotFoundError:
        return S3Hosts({})


def configured_url(session: Any, config: Any) -> tuple[str, str] | None:
    """The endpoint in the environment or the configuration files, in botocore's order, and the setting that names it.

    Args:
        session: A botocore session.
        config: The user's `Config`, which may tell botocore to ignore such endpoints.

    Raises:
        BotoCoreError: The profile does not exist, or a file cannot be read.
    """
    ignored = getattr(config, "ignore_configured_endpoint_urls", None)
    if session.get_config_variable("ignore_configured_endpoint_urls") if ignored is None else ignored:
        return None
    profile = session.get_scoped_config()
    name = profile.get("services")
    services = session.full_config.get("services", {}).get(name, {}) if isinstance(name, str) else {}
    service = services.get("s3", {})
    named = {
        "AWS_ENDPOINT_URL_S3": os.environ.get("AWS_ENDPOINT_URL_S3"),
        "AWS_ENDPOINT_URL": os.environ.get("AWS_ENDPOINT_URL"),
        f"endpoint_url of the services {name!r}": service.get("endpoint_url") if isinstance(service, Mapping) else None,
        "endpoint_url of the AWS profile": profile.get("endpoint_url"),
    }
    return next(((url, place) for place, url in named.items() if url), None)


def locate(options: S3Options, bucket: str, session: Callable[[], Any], *, config: Any = None) -> S3Options:
    """The options with the facts about the endpoint that a client with these options will use.

    Args:
        options: The options.
        bucket: Name or ARN of the bucket.
        session: Makes a botocore session with the client's profile.
        config: The user's `Config`, or an object with the same attributes.

    Raises:
        ValueError: The bucket is malformed, or is an ARN for which botocore would ignore the URL. Or requests to it
            cannot be signed.
    """
    url, name = options.endpoint_url, "endpoint_url"
    try:
        if url is None:
            url, name = configured_url(session(), config) or (None, name)
    except BotoCoreError:
        # Making the client will fail too, with an error that gives the reason.
        return options.at(endpoint_of(url, aws=False, conditional_writes=options.conditional_writes))
    known = located(options, bucket, url, config=config, name=name)
    if known.endpoint.bucket_kind == "multi-region access point" and lookup("botocore.compat", "HAS_CRT") is False:
        raise ValueError(
            "a multi-region access point needs awscrt to sign requests; pip install 'botocore[crt]', and do not set "
            "BOTO_DISABLE_CRT"
        )
    return known


def locate_client(options: S3Options, bucket: str, client: Any) -> S3Options:
    """The options with the facts about the endpoint of a client that the user made.

    Raises:
        ValueError: The bucket is malformed, or is an ARN for which botocore would ignore the URL.
    """
    url, hosts = client.meta.endpoint_url, s3_hosts()
    if hosts.is_aws(url) and not hosts.is_private_link(url):
        # The SDK may as well have made it from the region.
        url = None
    return located(replace(options, endpoint_url=url), bucket, url, config=client.meta.config)


def located(
    options: S3Options, bucket: str, url: str | None, *, config: Any = None, name: str = "endpoint_url"
) -> S3Options:
    """The options with the facts about an endpoint whose URL is known.

    Args:
        options: The options.
        bucket: Name or ARN of the bucket.
        url: The URL that the client sends to, if it was given or configured.
        config: The `Config` of the client, or an object with the same attributes.
        name: The option or setting that has the URL, for the error.

    Raises:
        ValueError: The bucket is malformed, or is an ARN for which botocore would ignore the URL. Or the URL is that of
            another service, or the region is not an AWS region.
    """
    check_endpoint_url(url, name)
    hosts = s3_hosts()
    if url is not None and hosts.other_service(url):
        raise ValueError(
            f"{name} has the host {urlsplit(url).hostname!r}, which does not serve the S3 object API; omit it"
        )
    region = options.region_name
    if hosts.is_aws(url) and region is not None and not hosts.is_region(region):
        raise ValueError(f"region_name is {region!r}, which is not an AWS region; pass one such as 'eu-central-1'")
    calculation = getattr(config, "request_checksum_calculation", None)
    endpoint = endpoint_of(
        url,
        aws=hosts.is_aws(url),
        private_link=hosts.is_private_link(url),
        bucket=check_bucket(bucket),
        conditional_writes=options.conditional_writes,
        put_options=options.put_options,
        checksums=None if calculation is None else calculation == "when_supported",
    )
    return options.at(endpoint)
