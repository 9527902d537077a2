from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self, TypedDict, Unpack, cast
from urllib.parse import SplitResult

import pytest

from remote_store.core import Backend, ConfigError, InvalidPath, LocalBackend, MemoryBackend, RetryPolicy, Secret, Store
from remote_store.core.config.registry import Adapter
from remote_store.core.config.url import from_url


class Fields(TypedDict, total=False):
    endpoint_url: str | None
    region_name: str | None
    key: str | None
    secret: str | Secret | None
    api_key: Secret
    anon: bool
    retry: RetryPolicy
    connect_timeout: float
    max_connections: int
    conditional_writes: bool | None


class Bucket(MemoryBackend):
    def __init__(self, bucket: str, **options: Unpack[Fields]) -> None:
        super().__init__()
        self.place = bucket
        self.options = cast("dict[str, Any]", options)


class Own(MemoryBackend):
    """A backend that reads the place from the URL itself."""

    place = ""

    def __init__(self, size: int = 1, colour: str = "red") -> None:
        super().__init__()
        self.options: dict[str, Any] = {"size": size, "colour": colour}

    @classmethod
    def from_url(cls, url: SplitResult, **options: Any) -> Self:
        made = cls(**options)
        made.place = f"{url.netloc}{url.path}"
        return made


class Strict(MemoryBackend):
    """The same, with settings of its own in a URL."""

    place = ""

    def __init__(self, size: int, colour: str = "red") -> None:
        super().__init__()
        self.options: dict[str, Any] = {"size": size, "colour": colour}

    @classmethod
    def from_url(cls, url: SplitResult, *, size: int = 1) -> Self:
        made = cls(size)
        made.place = url.netloc
        return made


class Rooted(MemoryBackend):
    def __init__(self, root: str) -> None:
        super().__init__()
        self.place = root
        self.options: dict[str, Any] = {}


TYPES: Mapping[str, type[Backend]] = {
    "s3-boto3": Bucket,
    "s3": Bucket,
    "local": Rooted,
    "memory": MemoryBackend,
    "own": Own,
    "strict-kind": Strict,
}


def find(kind: str) -> Adapter[Backend]:
    return Adapter(kind, "fakes", TYPES[kind], MemoryBackend, lambda backend: backend)


@pytest.mark.parametrize(
    "url, kind, place, root_path",
    [
        ("s3+boto3://bucket", Bucket, "bucket", ""),
        ("S3+BOTO3://Bucket_1/", Bucket, "Bucket_1", ""),
        ("s3://bucket/a/b", Bucket, "bucket", "a/b"),
        ("s3://bucket/a%20b/%C3%A9%23%3F%2B+c/", Bucket, "bucket", "a b/é#?++c"),
        ("s3://bucket/a//./b", Bucket, "bucket", "a/b"),
        ("file:///a/b%20c", Rooted, "/a/b c", ""),
        ("file://localhost/a", Rooted, "/a", ""),
        ("local:///a", Rooted, "/a", ""),
        ("memory://", MemoryBackend, None, ""),
        ("memory:///a/b", MemoryBackend, None, "a/b"),
        ("memory://bucket/a/b", MemoryBackend, None, "a/b"),
        ("own://host:1/path", Own, "host:1/path", ""),
        ("strict+kind://host", Strict, "host", ""),
    ],
)
def test_a_url_names_backend_place_and_root(url: str, kind: type[Backend], place: str | None, root_path: str) -> None:
    backend, root = from_url(url, {}, find)
    assert type(backend) is kind
    assert getattr(backend, "place", None) == place
    assert Store(backend, root).root_path == root_path


def test_the_query_holds_settings_of_the_declared_types() -> None:
    query = (
        "endpoint_url=http://h:1/&region_name=eu%2Dx&anon=true&max_connections=5&connect_timeout=1.5"
        "&conditional_writes=none&retry=%7B%22max_attempts%22:2%7D"
    )
    backend, _ = from_url(f"s3://b/p?{query}", {"secret": "hush", "max_connections": 6}, find)
    assert cast("Bucket", backend).options == {
        "endpoint_url": "http://h:1/",
        "region_name": "eu-x",
        "anon": True,
        "max_connections": 6,
        "connect_timeout": 1.5,
        "conditional_writes": None,
        "retry": RetryPolicy(2),
        "secret": Secret("hush"),
    }


def test_retry_is_a_number_in_a_url_and_as_an_argument() -> None:
    backends = from_url("s3://b?retry=3", {}, find)[0], from_url("s3://b", {"retry": 3}, find)[0]
    assert [cast("Bucket", backend).options for backend in backends] == [{"retry": RetryPolicy(3)}] * 2


def test_a_class_that_reads_the_url_itself_gets_the_settings_it_declares() -> None:
    own, _ = from_url("own://h?size=3&colour=blue", {}, find)
    assert cast("Own", own).options == {"size": 3, "colour": "blue"}
    strict, _ = from_url("strict+kind://h?size=3", {}, find)
    assert cast("Strict", strict).options["size"] == 3
    for name in ("colour", "url"):
        with pytest.raises(ConfigError, match=f"unknown setting '{name}'; known names: size"):
            from_url(f"strict+kind://h?{name}=blue", {}, find)


@pytest.mark.parametrize(
    "url",
    [
        "s3://AKIA:hushhush@bucket/x",
        "s3://hushhush@bucket",
        "  s3://AKIA:hushhush@bucket",
        "s3://AKIA:hushhush@[bucket/x",
        "own://user:hushhush@host",
        "memory://hushhush@",
        "s3:\n//AKIA:hushhush@bucket",
        "s3://bucket?key=hushhush",
        "s3://bucket?KEY=hushhush",
        "s3://bucket?secret=hushhush",
        's3://bucket?put_options={"SSECustomerKey": "hushhush"}',
        "s3://bucket?%73ecret=hushhush",
        "s3://bucket?session_token=hushhush",
        "s3://bucket?api_key=hushhush",
        "s3://bucket?password=hushhush",
        "s3://bucket?aws_secret_access_key=hushhush",
        "own://host?secret=hushhush",
        "s3://bucket:hushhush",
    ],
)
def test_credentials_in_a_url_are_refused_and_never_shown(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        from_url(url, {}, find)
    error: BaseException | None = caught.value
    while error is not None:
        assert "hushhush" not in str(error)
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize(
    "url, match",
    [
        ("s3://b?key=k", "'key', and URLs end up in logs"),
        ("s3://u@b", "credentials, and URLs end up in logs"),
        ("s3://b?region=x", "unknown setting 'region'; did you mean 'region_name'"),
        ("s3://b?anon", "'anon' must be true or false"),
        ('s3://b?retry={"a":' + "[" * 100_000, "'retry' must be a whole number"),
        ("s3://b?retry=0", "'retry' has an invalid value: .* at least 1"),
        ("s3://b?retry=2.5", "'retry' must be a whole number"),
        ("s3://b?retry=", "'retry' must be a whole number"),
        ("s3://b?max_connections=x", "'max_connections' must be a whole number"),
        ("s3://b?anon=1&anon=0", "sets 'anon' twice"),
        ("s3://b/a#b", "%23"),
        ("s3:///a", "names no bucket"),
        ("s3://", "names no bucket"),
        ("s3://b:9000/a", "endpoint_url"),
        ("s3:b/a", "write it like s3://"),
        ("bucket/a", "write it like s3://"),
        ("", "write it like s3://"),
        ("file://", "names no folder"),
        ("file://host/a", "three slashes"),
        ("memory://b:1/a", "names no bucket"),
        ("memory://?size=1", "unknown setting 'size'; known names: bucket"),
        ("s3://[b", "malformed"),
        ("s3://b/a\tb", "control character"),
    ],
)
def test_a_url_that_cannot_be_meant_says_what_to_change(url: str, match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        from_url(url, {}, find)


def test_what_is_no_url_is_a_type_error(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="str"):
        Store.from_url(tmp_path)  # type: ignore[arg-type]


def test_a_prefix_with_dots_is_no_root() -> None:
    with pytest.raises(InvalidPath):
        Store.from_url("memory:///a/../b")


def test_stores_open_from_urls(tmp_path: Path) -> None:
    with Store.from_url("memory:///team") as store:
        store.write("a", b"1")
        assert store.backend.read_bytes("team/a") == b"1"
    with Store.from_url(f"file://{tmp_path}/new?create=true") as store:
        assert isinstance(store.backend, LocalBackend)
        store.write("a", b"1")
    assert (tmp_path / "new" / "a").read_bytes() == b"1"
    with Store.from_url(f"local://{tmp_path}/new", create=False) as store:
        assert store.read_bytes("a") == b"1"


@pytest.mark.parametrize("setting", ['{"verify": false}', '{"a": [{"Verify": 0}]}', '{"use_ssl": false}'])
def test_no_url_switches_off_what_keeps_a_connection_safe(setting: str) -> None:
    with pytest.raises(ConfigError, match="set it in code or in a configuration file"):
        from_url(f"s3://bucket?client_options={setting}", {}, find)
