"""The harness of any backend over S3, with its own bucket on one target."""

from __future__ import annotations

import atexit
import http.client
import secrets
import sys
from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, Self

from remote_store.conformance.contract.deviations import join_deviations
from remote_store.conformance.harness import (
    AnyHarness,
    AsyncHarness,
    B,
    Harness,
)
from remote_store.conformance.http.proxy import Endpoint
from remote_store.conformance.s3.oracle import S3Oracle, S3OracleError
from remote_store.conformance.s3.target import Deviations, S3Target, started
from remote_store.conformance.servers import Server, moto_server, seaweedfs_server
from remote_store.conformance.servers.server import connection_to
from remote_store.conformance.servers.shared import shared_seaweedfs_server
from remote_store.conformance.values.redaction import escaped
from remote_store.core import AsyncBackend, Backend, S3Credentials

ALIVE = 30.0
# The content of these servers is lost when they stop.
EPHEMERAL = (moto_server, seaweedfs_server, shared_seaweedfs_server)
PLACE = frozenset({"endpoint_url", "region_name", "key", "secret"})
OPTIONS = PLACE | {
    "conditional_writes",
    "connect_timeout",
    "credentials",
    "max_concurrency",
    "max_connections",
    "part_size",
    "put_options",
    "read_timeout",
    "reject_write_under_file_ancestor",
    "retry",
}
"""The options that checks pass to backends; each check states which it needs."""


class AnyS3Harness(AnyHarness[B]):
    """A backend over S3 on one target, with its own bucket.

    Args:
        create: Called with a bucket's name and options; returns a backend. Its class, for example.
        target: The server.
        deviations: The backend's own deviations; they come before the target's.
        takes: Names of the options that `create` accepts; other options of the target and of the checks are not passed.
        peers: Other adapters by name, each a function with the same arguments, such as `installed_lanes()`. `create`
            itself is skipped.
        bucket: An existing bucket, in which the checks use their own folders and delete them; checks that need a whole
            storage are then untested. Without it, the harness creates buckets and deletes them at the end.
        options: Options for every backend, in addition to the target's.

    Attributes:
        keeps_versions: Whether the bucket of this harness keeps versions. Set it before the first use.
    """

    def __init__(
        self,
        create: Callable[..., B],
        target: S3Target,
        *,
        deviations: Deviations | None = None,
        takes: Collection[str] = OPTIONS,
        peers: Mapping[str, Callable[..., B]] | None = None,
        bucket: str | None = None,
        **options: Any,
    ) -> None:
        self._existing = bucket
        self.keeps_versions = False
        self._create: Callable[..., B] = create
        self._peers: dict[str, Callable[..., B]] = {
            name: peer for name, peer in (peers or {}).items() if peer is not create
        }
        self._target = target
        self._defaults = {name: value for name, value in target.options.items() if name in takes} | options
        self.options = frozenset(takes)
        self.deviations = join_deviations(deviations or {}, target.deviations)
        self.profile = replace(target.profile, part_size=self._defaults.get("part_size"))

    @cached_property
    def bucket(self) -> str:
        """The bucket that the backends of this harness share."""
        if self._existing is not None:
            return self._existing
        name = f"conformance-{secrets.token_hex(8)}"
        self.server.create_bucket(name, versions=self.keeps_versions)
        if self._target.server not in EPHEMERAL:
            atexit.register(removed, S3Oracle(self.server, name))
        return name

    def make(self, **options: Any) -> B:
        made: B = self._create(self.bucket, **self._arguments(options))
        return made

    def make_absent(self, **options: Any) -> B:
        made: B = self._create(f"absent-{secrets.token_hex(8)}", **self._arguments(options))
        return made

    def isolated(self) -> Self | None:
        if self._existing is not None:
            return None
        isolated = type(self)(self._create, self._target, takes=self.options, peers=self._peers, **self._defaults)
        isolated.deviations = self.deviations
        return isolated

    def versioned(self) -> Self | None:
        versioned = self.isolated()
        if versioned is not None:
            versioned.keeps_versions = True
        return versioned

    def trouble(self) -> str:
        try:
            with closing(connection_to(self.server.url, ALIVE)) as connection:
                connection.request("GET", "/")
                connection.getresponse().read()
        except (OSError, http.client.HTTPException) as error:
            return f"the server at {self.server.url} stopped responding ({type(error).__name__}: {error})"
        return ""

    @property
    def peers(self) -> Mapping[str, Callable[[], B]]:
        return {name: partial(peer, self.bucket, **self._arguments({})) for name, peer in self._peers.items()}

    @cached_property
    def oracle(self) -> S3Oracle:
        return S3Oracle(self.server, self.bucket)

    @property
    def credentials(self) -> S3Credentials:
        return S3Credentials(self.server.key, self.server.secret)

    @property
    def server(self) -> Server:
        """The server of the target."""
        return started(self._target.server)[0]

    def _arguments(self, options: Mapping[str, Any]) -> dict[str, Any]:
        server, endpoint = self.server, self.endpoint
        place = {
            "endpoint_url": server.url if endpoint is None else endpoint.url,
            "region_name": server.region,
            "key": server.key,
            "secret": server.secret,
        }
        if "credentials" in options:
            del place["key"], place["secret"]
        known = {name: value for name, value in place.items() if name in self.options}
        return {**known, **self._defaults, **options}


class S3Harness(AnyS3Harness[Backend], Harness):
    """The harness of a synchronous backend over S3."""

    @property
    def endpoint(self) -> Endpoint:
        return started(self._target.server)[1]


class AsyncS3Harness(AnyS3Harness[AsyncBackend], AsyncHarness):
    """The harness of an asynchronous backend over S3."""

    @property
    def endpoint(self) -> Endpoint:
        return started(self._target.server)[1]


def removed(oracle: S3Oracle) -> None:
    """Delete a bucket that was created for a run, or report on standard error that it is left."""
    try:
        oracle.remove()
    except (OSError, http.client.HTTPException, S3OracleError) as error:
        message = escaped(f"the bucket {oracle.bucket} could not be deleted; delete it by hand: {error}")
        print(f"remote-store-conformance: {message}", file=sys.stderr)  # noqa: T201 - no report follows
