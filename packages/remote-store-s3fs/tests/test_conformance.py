from __future__ import annotations

import atexit
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from functools import cache, cached_property
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from remote_store.conformance import (
    AsyncBackendConformance,
    AsyncHarness,
    BackendConformance,
    Deviation,
    Harness,
    Oracle,
    Profile,
    RawHead,
)
from remote_store.conformance.endpoint import Endpoint
from remote_store.conformance.servers import Server, moto_server, seaweedfs_server
from remote_store.core import NotFound, RemoteStoreError
from remote_store.core.s3 import S3OptionFields
from remote_store.s3fs import AsyncS3FsBackend, S3FsBackend

Deviations = Mapping[str, Deviation | tuple[Deviation, ...]]
PART = 5 * 1024 * 1024


@cache
def started(server: Callable[[], AbstractContextManager[Server]]) -> tuple[Server, Endpoint]:
    """A server with an endpoint in front of it, both running until this process ends."""
    context = server()
    running = context.__enter__()
    atexit.register(context.__exit__, None, None, None)
    endpoint = Endpoint(running.url)
    endpoint.__enter__()
    atexit.register(endpoint.close)
    return running, endpoint


def missing(error: ClientError) -> bool:
    return bool(error.response["ResponseMetadata"]["HTTPStatusCode"] == 404)


class BotocoreOracle(Oracle):
    """The bucket as a plain client sees it that speaks to the server itself."""

    def __init__(self, server: Server, bucket: str) -> None:
        config = Config(s3={"addressing_style": "path"}, signature_version="s3v4", retries={"total_max_attempts": 3})
        self.client = botocore.session.Session().create_client(
            "s3",
            endpoint_url=server.url,
            aws_access_key_id=server.key,
            aws_secret_access_key=server.secret,
            region_name=server.region,
            config=config,
        )
        self.bucket = bucket

    def raw_put(
        self, key: str, data: bytes = b"", *, metadata: Mapping[str, str] | None = None, content_type: str | None = None
    ) -> None:
        facts = {"Metadata": dict(metadata or {}), **({"ContentType": content_type} if content_type else {})}
        self.client.put_object(Bucket=self.bucket, Key=key, Body=data, **facts)

    def raw_get(self, key: str) -> bytes | None:
        try:
            data: bytes = self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except ClientError as error:
            if missing(error):
                return None
            raise
        return data

    def raw_list(self, prefix: str = "") -> list[str]:
        return [row["Key"] for row in self._rows("list_objects_v2", "Contents", prefix)]

    def raw_delete(self, key: str) -> None:
        self.client.delete_object(Bucket=self.bucket, Key=key)

    def raw_head(self, key: str) -> RawHead | None:
        try:
            head = self.client.head_object(Bucket=self.bucket, Key=key)
            tags = self.client.get_object_tagging(Bucket=self.bucket, Key=key)["TagSet"]
        except ClientError as error:
            if missing(error):
                return None
            raise
        return RawHead(
            size=head["ContentLength"],
            metadata=head["Metadata"],
            content_type=head["ContentType"],
            storage_class=head.get("StorageClass", "STANDARD"),
            tags={tag["Key"]: tag["Value"] for tag in tags},
        )

    def raw_uploads(self, prefix: str = "") -> list[str]:
        return [row["Key"] for row in self._rows("list_multipart_uploads", "Uploads", prefix)]

    def raw_clear(self, prefix: str) -> None:
        for row in self._rows("list_multipart_uploads", "Uploads", prefix):
            self.client.abort_multipart_upload(Bucket=self.bucket, Key=row["Key"], UploadId=row["UploadId"])
        for key in self.raw_list(prefix):
            with suppress(ClientError):
                self.raw_delete(key)

    def _rows(self, operation: str, name: str, prefix: str) -> Iterator[dict[str, Any]]:
        for page in self.client.get_paginator(operation).paginate(Bucket=self.bucket, Prefix=prefix):
            yield from page.get(name, ())


class Place:
    """Where the backends of a harness work, whether they are awaited or not."""

    options = frozenset(S3OptionFields.__annotations__)

    def __init__(
        self,
        server: Callable[[], AbstractContextManager[Server]],
        profile: Profile,
        deviations: Deviations,
        **defaults: Any,
    ) -> None:
        self.start = server
        self.profile = profile
        self.deviations = deviations
        self.defaults = {"conditional_writes": True, "part_size": PART, "read_timeout": 40.0, **defaults}

    @cached_property
    def bucket(self) -> str:
        name = f"conformance-{secrets.token_hex(8)}"
        started(self.start)[0].create_bucket(name)
        return name

    def arguments(self, options: Mapping[str, Any]) -> dict[str, Any]:
        server, endpoint = started(self.start)
        place = {"endpoint_url": endpoint.url, "region_name": server.region}
        return {**place, "key": server.key, "secret": server.secret, **self.defaults, **options}

    def isolated(self) -> Any:
        return type(self)(self.start, self.profile, self.deviations, **self.defaults)

    @cached_property
    def oracle(self) -> BotocoreOracle:
        return BotocoreOracle(started(self.start)[0], self.bucket)

    @property
    def endpoint(self) -> Endpoint:
        return started(self.start)[1]


class S3Harness(Place, Harness):
    def make(self, **options: Any) -> S3FsBackend:
        return S3FsBackend(self.bucket, **self.arguments(options))

    def make_absent(self, **options: Any) -> S3FsBackend:
        return S3FsBackend(f"absent-{secrets.token_hex(8)}", **self.arguments(options))


class AsyncS3Harness(Place, AsyncHarness):
    def make(self, **options: Any) -> AsyncS3FsBackend:
        return AsyncS3FsBackend(self.bucket, **self.arguments(options))

    def make_absent(self, **options: Any) -> AsyncS3FsBackend:
        return AsyncS3FsBackend(f"absent-{secrets.token_hex(8)}", **self.arguments(options))


def known(*rows: tuple[str, Deviation]) -> Deviations:
    """Deviations by rule; each row names the rules that one deviation is about."""
    found: dict[str, tuple[Deviation, ...]] = {}
    for identifiers, deviation in rows:
        for identifier in identifiers.split():
            found[identifier] = (*found.get(identifier, ()), deviation)
    return found


def on_moto(*, trusted: bool) -> Deviations:
    """What moto does otherwise than S3."""
    rows = [
        (
            "PATH-001 PATH-010 PATH-011 PATH-012 PATH-013 PATH-014",
            Deviation(
                reason="moto answers 404 to every request about a key with a newline",
                raises=(ClientError, NotFound),
                variants=("newline*",),
            ),
        ),
        (
            "COPY-009 DEL-013 DEL-017 LIST-014 LIST-023",
            Deviation(
                reason="moto answers 404 to every request about a key with a newline, and this check has one",
                raises=(ClientError, NotFound),
                checks=("*hostile_names*", "*foreign_keys*"),
            ),
        ),
        ("S3-008", Deviation(reason="moto's CopyObject loses the storage class", checks=("*tags_and_class",))),
        ("WIRE-018", Deviation(reason="moto accepts any secret", checks=("*wrong_secret",))),
    ]
    if trusted:
        ignored = Deviation(
            reason="moto's CopyObject ignores If-None-Match", checks=("*keeps_what_exists", "*one_copy_wins")
        )
        race = Deviation(
            reason="moto looks at If-None-Match of CompleteMultipartUpload long before it commits", sometimes=True
        )
        rows += [("COPY-003 COPY-010 COPY-016", ignored), ("ATOM-013", race)]
    return known(*rows)


def on_seaweedfs() -> Deviations:
    """What SeaweedFS does otherwise than S3: it keeps objects as files of a tree."""
    dots = Deviation(
        reason="SeaweedFS refuses keys with . and .. segments", raises=ClientError, variants=("dot_*", "dot")
    )
    slashes = Deviation(reason="SeaweedFS takes several slashes for one", variants=("*slash*",))
    backslash = Deviation(reason="SeaweedFS takes a backslash for a slash", variants=("backslash",))
    both = (AssertionError, ClientError, RemoteStoreError)
    return known(
        ("PATH-010 PATH-011 PATH-012 PATH-013 PATH-014 PATH-015", dots),
        ("PATH-001", replace(backslash, checks=("*arrives_at_the_storage",))),
        ("PATH-011", backslash),
        ("PATH-011 PATH-013 PATH-014 PATH-015", slashes),
        ("PATH-011", replace(dots, checks=("*hide_nothing",), variants=("",))),
        ("DEL-017 LIST-023", replace(dots, checks=("*foreign_keys*",), variants=("",))),
        ("LIST-014", replace(backslash, variants=("",))),
        (
            "PATH-018 COPY-023",
            Deviation(
                reason="SeaweedFS takes a folder for an object at If-None-Match",
                raises=both,
                checks=("*file_beside_folder", "*onto_a_folder"),
                variants=("a/b-a", "a/b/c-a/b", ""),
            ),
        ),
        (
            "LIST-018 COPY-013",
            Deviation(
                reason="SeaweedFS keeps a folder after its last file",
                checks=("*goes_with_its_last_file", "*nothing_else_appears"),
            ),
        ),
        ("ATOM-013", Deviation(reason="SeaweedFS completes uploads without a lock on the key", sometimes=True)),
    )


S3: Any = {"kind": "s3", "markers": True, "part_size": PART, "secrets": ("suite-secret",)}

PLAIN = (moto_server, Profile(**S3), on_moto(trusted=True))
STRICT = (moto_server, Profile(**S3, rejects_file_ancestor=True), on_moto(trusted=False))
CAREFUL: Any = {"conditional_writes": None, "reject_write_under_file_ancestor": True}
REAL = (seaweedfs_server, Profile(**S3, max_segment_bytes=255, contenders=4), on_seaweedfs())


class TestMoto(BackendConformance):
    harness = S3Harness(*PLAIN)


class TestMotoAsync(AsyncBackendConformance):
    harness = AsyncS3Harness(*PLAIN)


class TestMotoStrict(BackendConformance):
    harness = S3Harness(*STRICT, **CAREFUL)


class TestMotoStrictAsync(AsyncBackendConformance):
    harness = AsyncS3Harness(*STRICT, **CAREFUL)


class TestSeaweedFS(BackendConformance):
    harness = S3Harness(*REAL)


class TestSeaweedFSAsync(AsyncBackendConformance):
    harness = AsyncS3Harness(*REAL)
