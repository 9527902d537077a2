"""The harness with which the checks judge a server that somebody else started."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import cached_property
from http.client import HTTPException
from typing import Self

from remote_store.conformance.contract.rulebook import ConfigurationError
from remote_store.conformance.harness import Harness, Profile
from remote_store.conformance.http.proxy import Endpoint
from remote_store.conformance.s3 import S3Oracle, S3OracleError, S3OracleRefused, S3Target
from remote_store.conformance.s3.harness import AnyS3Harness, removed
from remote_store.conformance.s3.oracle import MISSING
from remote_store.conformance.s3.target import PART
from remote_store.conformance.servers import Server
from remote_store.conformance.values.redaction import escaped
from remote_store.core import Backend


class StrictOracle(S3Oracle):
    """An oracle that takes a 404 for a missing bucket or key only if the body says so, or if there is no body."""

    def error_of(self, request: str, status: int, body: bytes) -> S3OracleError:
        if status == MISSING and body and b"<Code>NoSuch" not in body:
            return S3OracleRefused(request, status, body)
        return super().error_of(request, status, body)


class ServerHarness(AnyS3Harness[Backend], Harness):
    """A lane on the server, which trusts all of its conditional writes, so that what the server does shows.

    Args:
        create: The lane's class.
        server: The server.
        endpoint: The endpoint in front of the server; `None` if the lane connects to the server itself.
        bucket: Name of the bucket, which exists.
        make_bucket: Makes a further bucket, with versions or without, and returns its name. Without it, checks that
            need a whole bucket, or one with versions, are untested.
    """

    def __init__(
        self,
        create: Callable[..., Backend],
        server: Server,
        endpoint: Endpoint | None,
        bucket: str,
        make_bucket: Callable[[bool], str] | None,
    ) -> None:
        profile = Profile(
            kind="s3",
            markers=True,
            storage_class="STANDARD_IA",
            secrets=(server.secret,),
            endpoint_kind="server",
            endpoint_version=server.version,
            contenders=6,
        )
        options = {"part_size": PART, "read_timeout": 40.0, "conditional_writes": True}
        target = S3Target(server=lambda: nullcontext(server), profile=profile, options=options)
        super().__init__(create, target, bucket=bucket)
        self._subject = server
        self._endpoint = endpoint
        self._make_bucket = make_bucket

    @property
    def server(self) -> Server:
        return self._subject

    @property
    def endpoint(self) -> Endpoint | None:
        return self._endpoint

    @cached_property
    def oracle(self) -> S3Oracle:
        return StrictOracle(self._subject, self.bucket)

    def isolated(self) -> Self | None:
        return self._another(versions=False)

    def versioned(self) -> Self | None:
        return self._another(versions=True)

    def _another(self, *, versions: bool) -> Self | None:
        if self._make_bucket is None:
            return None
        bucket = self._make_bucket(versions)
        return type(self)(self._create, self._subject, self._endpoint, bucket, self._make_bucket)


def cleared(harness: ServerHarness, prefix: str) -> None:
    """Delete what is below a prefix, or report on standard error that it is left."""
    try:
        harness.oracle.raw_clear(prefix)
    except (OSError, HTTPException, S3OracleError) as error:
        message = escaped(f"the objects below {prefix} could not be deleted; delete them by hand: {error}")
        print(f"remote-store-conformance: {message}", file=sys.stderr)  # noqa: T201 - no report follows


@contextmanager
def server_harness(
    create: Callable[..., Backend], server: Server, bucket: str, *, makes_buckets: bool
) -> Iterator[ServerHarness]:
    """The harness of a bucket on a server. At the end of the block the buckets that it made are removed.

    Args:
        create: The lane's class.
        server: The server.
        bucket: Name of the bucket.
        makes_buckets: Make this bucket, and further ones beside it for checks that need a bucket of their own.

    Raises:
        ConfigurationError: The bucket cannot be made.
    """
    made: list[S3Oracle] = []

    def make_bucket(versions: bool, name: str = "") -> str:
        name = name or f"{bucket[:46]}-{secrets.token_hex(8)}"
        made.append(S3Oracle(server, name))
        server.create_bucket(name, versions=versions)
        return name

    # A signature names the host, and behind TLS a server knows only its own.
    endpoint = Endpoint(server.url) if server.url.startswith("http://") else None
    try:
        if makes_buckets:
            try:
                make_bucket(False, bucket)
            except (RuntimeError, OSError, HTTPException) as error:
                made.clear()
                raise ConfigurationError(f"{error}; make the bucket, or use credentials that may") from error
        with endpoint or nullcontext():
            yield ServerHarness(create, server, endpoint, bucket, make_bucket if makes_buckets else None)
    finally:
        for oracle in made:
            removed(oracle)
