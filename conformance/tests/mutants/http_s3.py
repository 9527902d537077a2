"""The substrate of what only S3 promises: core's S3 backend over `http.client`, on a server of its own."""

from __future__ import annotations

import atexit
import secrets
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import cache, cached_property
from typing import Any, TypeVar, Unpack
from urllib.parse import unquote_plus

from mutants.http_port import HttpPort, tree
from remote_store.conformance import Harness, Oracle, Profile, RawHead
from remote_store.conformance.endpoint import Endpoint
from remote_store.conformance.servers import Server, moto_server, seaweedfs_server
from remote_store.core.s3 import Call, Fault, S3Backend, S3OptionFields, S3Options

T = TypeVar("T")
PART = 5 * 1024 * 1024
Start = Callable[[], AbstractContextManager[Server]]


class HttpBackend(S3Backend):
    """One bucket over `http.client`.

    Args:
        bucket: Name of the bucket.
        **options: The options of every S3 backend.
    """

    name = "s3-http"
    port: type[HttpPort] = HttpPort

    def __init__(self, bucket: str, **options: Unpack[S3OptionFields]) -> None:
        super().__init__(bucket, S3Options.build(**options))

    def unwrap(self, kind: type[T]) -> T:
        self._runner.check_open()
        return super().unwrap(kind)

    def _connect(self) -> HttpPort:
        return self.port(self._bucket.options)


class MotoBackend(HttpBackend):
    """The same, run on a server that looks at no signature, so that headers can be taken away on the wire."""


@cache
def started(server: Start) -> tuple[Server, Endpoint]:
    """A server with an endpoint in front of it, both running until this process ends."""
    context = server()
    running = context.__enter__()
    atexit.register(context.__exit__, None, None, None)
    endpoint = Endpoint(running.url)
    endpoint.__enter__()
    atexit.register(endpoint.close)
    return running, endpoint


@cache
def straight(server: Server) -> HttpPort:
    """A port to a server without the endpoint between."""
    port = HttpPort(
        S3Options.build(endpoint_url=server.url, key=server.key, secret=server.secret, region_name=server.region)
    )
    atexit.register(port.close)
    return port


class HttpOracle(Oracle):
    """The bucket as the port sees it that is right, without the endpoint between."""

    def __init__(self, server: Server, bucket: str) -> None:
        self.port = straight(server)
        self.bucket = bucket

    def raw_put(
        self, key: str, data: bytes = b"", *, metadata: Mapping[str, str] | None = None, content_type: str | None = None
    ) -> None:
        described = {"Metadata": metadata or {}, **({"ContentType": content_type} if content_type else {})}
        self.call("PutObject", Key=key, Body=data, **described)

    def raw_get(self, key: str) -> bytes | None:
        try:
            body = self.call("GetObject", Key=key)["Body"]
        except Fault as fault:
            if fault.status != 404:
                raise
            return None
        data: bytes = body.read()
        body.close()
        return data

    def raw_list(self, prefix: str = "") -> list[str]:
        token: dict[str, str] = {}
        keys: list[str] = []
        while True:
            page = self.call("ListObjectsV2", Prefix=prefix, EncodingType="url", **token)
            keys += [unquote_plus(row["Key"]) for row in page.get("Contents", ())]
            if not page.get("IsTruncated"):
                return keys
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def raw_delete(self, key: str) -> None:
        self.call("DeleteObject", Key=key)

    def raw_head(self, key: str) -> RawHead | None:
        try:
            head = self.call("HeadObject", Key=key)
        except Fault as fault:
            if fault.status != 404:
                raise
            return None
        tags = {row.findtext("Key", ""): row.findtext("Value", "") for row in self.look("tagging", key).iter("Tag")}
        return RawHead(
            head["ContentLength"], head["Metadata"], head.get("ContentType"), head.get("StorageClass", "STANDARD"), tags
        )

    def raw_uploads(self, prefix: str = "") -> list[str]:
        return [key for key, _ in self.uploads(prefix)]

    def raw_clear(self, prefix: str) -> None:
        for key, upload in self.uploads(prefix):
            self.call("AbortMultipartUpload", Key=key, UploadId=upload)
        keys = self.raw_list(prefix)
        for start in range(0, len(keys), 1000):
            self.call("DeleteObjects", Delete={"Objects": [{"Key": key} for key in keys[start : start + 1000]]})

    def uploads(self, prefix: str) -> list[tuple[str, str]]:
        """Key and id of every unfinished upload."""
        rows = [(row.findtext("Key", ""), row.findtext("UploadId", "")) for row in self.look("uploads").iter("Upload")]
        return [(key, upload) for key, upload in rows if key.startswith(prefix)]

    def look(self, question: str, key: str | None = None) -> Any:
        """The XML that the server answers to a question that the port does not know."""
        return tree(self.port.ask(question, self.bucket, key))

    def call(self, operation: str, **params: Any) -> Mapping[str, Any]:
        """Perform one call on the bucket."""
        return self.port.perform(Call(operation, {"Bucket": self.bucket, **params}))


class HttpHarness(Harness):
    """One bucket on a server behind an endpoint.

    Args:
        kind: The class; the backend that is right by default.

    Attributes:
        start: How to start the server.
    """

    start: Start = staticmethod(seaweedfs_server)

    options = frozenset(S3OptionFields.__annotations__)
    # SeaweedFS keeps an object as a file, whose name has a limit of its own.
    profile = Profile(kind="s3", markers=True, part_size=PART, max_segment_bytes=255, secrets=("suite-secret",))

    def __init__(self, kind: type[HttpBackend] = HttpBackend) -> None:
        self.kind = kind

    @cached_property
    def bucket(self) -> str:
        """The bucket, made when it is first needed."""
        name = f"mutants-{secrets.token_hex(8)}"
        started(self.start)[0].create_bucket(name)
        return name

    def make(self, **options: Any) -> HttpBackend:
        return self.kind(self.bucket, **self.arguments(options))

    def make_absent(self, **options: Any) -> HttpBackend:
        return self.kind(f"absent-{secrets.token_hex(8)}", **self.arguments(options))

    def arguments(self, options: Mapping[str, Any]) -> Any:
        """The options of one instance."""
        server, endpoint = started(self.start)
        place = {"endpoint_url": endpoint.url, "region_name": server.region, "key": server.key, "secret": server.secret}
        return {**place, "conditional_writes": True, "part_size": PART, **options}

    def isolated(self) -> HttpHarness:
        return type(self)(self.kind)

    @cached_property
    def oracle(self) -> HttpOracle:
        return HttpOracle(started(self.start)[0], self.bucket)

    @property
    def endpoint(self) -> Endpoint:
        return started(self.start)[1]


class MotoHarness(HttpHarness):
    """The same on moto."""

    start = staticmethod(moto_server)
