"""The hosts of a backend's place, and whether they are this machine."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit


def hosts_of(place: Mapping[str, str]) -> list[str]:
    """The hosts that a backend connects to, as far as its place says."""
    hosts = [urlsplit(text).hostname for text in place.values() if "://" in text]
    if place.get("kind") == "s3" and "endpoint_url" not in place:
        hosts.append("amazonaws.com")
    return [host for host in hosts if host]


def is_here(host: str) -> bool:
    """Whether the name or address of a host is that of this machine."""
    if not host or host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
