"""What others do with the URLs and forms of each lane, over plain HTTP; SeaweedFS checks their signatures."""

from __future__ import annotations

import asyncio
import http.client
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.credentials import RefreshableCredentials
from botocore.session import Session
from s3fs import S3FileSystem

from remote_store.boto3 import S3Boto3Backend
from remote_store.conformance.s3 import MOTO, SEAWEEDFS, S3Harness, S3Target
from remote_store.core import Backend, InvalidConfiguration, PermissionDenied, PresignedPost, S3Credentials, Store
from remote_store.s3fs import S3FsBackend

AWS = {"region_name": "eu-west-1", "key": "k", "secret": "s"}
ODD = ["a b+c%2Fd?#&=é.txt", "%41/~*'()!$", "日本/🎉"]
each_server = pytest.mark.parametrize("target", [MOTO, SEAWEEDFS], ids=["moto", "seaweedfs"])


def send(method: str, url: str, body: bytes | None = None, headers: Any = ()) -> tuple[int, dict[str, str], bytes]:
    """Send exactly this request, with no header that is not given."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    connection.putrequest(method, f"{parts.path}?{parts.query}".rstrip("?"), skip_accept_encoding=True)
    for name, value in dict(headers).items():
        connection.putheader(name, value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, content


def fill_in(form: PresignedPost, name: str, content: bytes, **fields: str) -> tuple[int, dict[str, str], bytes]:
    """Send a form as a browser does (RFC 7578; WHATWG, multipart/form-data)."""
    boundary = uuid4().hex
    lines = b""
    for field, value in {**form.fields, **fields}.items():
        lines += f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
    about = f'form-data; name="file"; filename="{name}"\r\nContent-Type: text/plain'
    lines += f"--{boundary}\r\nContent-Disposition: {about}\r\n\r\n".encode() + content
    body = lines + f"\r\n--{boundary}--\r\n".encode()
    return send("POST", form.url, body, {"Content-Type": f"multipart/form-data; boundary={boundary}"})


@pytest.fixture
def place(target: S3Target) -> dict[str, Any]:
    harness = S3Harness(S3Boto3Backend, target)
    return {"bucket": harness.bucket, **harness._arguments({}), "conditional_writes": True}


@pytest.fixture(params=["boto3", "s3fs", "pyarrow", "async boto3", "async s3fs", "async pyarrow"])
def signer(request: pytest.FixtureRequest, lanes: Any, place: dict[str, Any]) -> Callable[..., Any]:
    """Calls `presign` or `presign_post` of one lane, in one world."""
    kind, _, name = f" {request.param}".rpartition(" ")
    make = lanes[name][1 if kind.strip() else 0]

    def call(called: str, *arguments: Any, **options: Any) -> Any:
        if not kind.strip():
            with make(**place) as backend:
                return getattr(backend, called)(*arguments, **options)

        async def run() -> Any:
            async with make(**place) as backend:
                return await getattr(backend, called)(*arguments, **options)

        return asyncio.run(run())

    return call


@pytest.fixture
def plain(place: dict[str, Any]) -> Iterator[Backend]:
    with S3Boto3Backend(**place) as backend:
        yield backend


@each_server
def test_bytes_are_moved_by_urls_on_every_lane(signer: Any, plain: Backend) -> None:
    for key in ODD:
        content = key.encode()
        url = signer("presign", key, method="PUT", content_type="text/x")
        assert send("PUT", url, content, {"Content-Type": "text/x"})[0] == 200
        assert plain.read_bytes(key) == content
        assert plain.get_file_info(key).content_type == "text/x"
        name = "attachment; filename=\"a b.txt\"; filename*=UTF-8''%C3%A9.txt"
        url = signer("presign", key, response_headers={"Content-Disposition": name, "content-type": "text/y"})
        status, headers, body = send("GET", url)
        assert (status, body) == (200, content)
        assert (headers["content-disposition"], headers["content-type"]) == (name, "text/y")
        assert send("GET", url, headers={"Range": "bytes=1-2"})[2] == content[1:3]
        status, headers, _ = send("HEAD", signer("presign", key, method="HEAD"))
        assert (status, headers["content-length"]) == (200, str(len(content)))
        assert send("DELETE", signer("presign", key, method="DELETE"))[0] == 204
        assert not plain.exists(key)


@each_server
def test_bytes_are_moved_by_a_form_on_every_lane(signer: Any, plain: Backend) -> None:
    prefix = "a b+é%/$x/"
    form = signer(
        "presign_post",
        prefix,
        max_size=10,
        content_type="image/*",
        conditions=[{"x-amz-meta-user": "ada"}, {"success_action_status": "201"}],
    )
    assert fill_in(form, "f é.png", b"content", **{"Content-Type": "image/png"})[0] == 201
    info = plain.get_file_info(f"{prefix}f é.png")
    assert (info.size, info.content_type, info.metadata) == (7, "image/png", {"user": "ada"})
    assert fill_in(form, "g", b"content", **{"Content-Type": "image/png", "key": f"{prefix}my name"})[0] == 201
    assert plain.read_bytes(f"{prefix}my name") == b"content"
    plain.delete_folder("a b+é%", recursive=True)


@pytest.mark.parametrize("target", [SEAWEEDFS], ids=["seaweedfs"])
def test_a_form_allows_nothing_else(plain: Backend, place: dict[str, Any]) -> None:
    child = Store(plain, root_path="scope").child("child")
    form = child.presign_post("up/", max_size=10, content_type="image/*")
    image = {"Content-Type": "image/png"}
    attempts = [
        fill_in(form, "f", b"content", **image, key="other/f"),
        fill_in(form, "f", b"content", **image, key="scope/child/f"),
        fill_in(form, "f", b"content", **image, key="scope/child/up/../../f"),
        fill_in(form, "f", b"too long to be sent", **image),
        fill_in(form, "f", b"content", **{"Content-Type": "text/html"}),
        fill_in(form, "f", b"content", **image, policy="e30="),
        fill_in(child.presign_post("up/"), "f", b"content", **{"x-amz-meta-user": "ada"}),
    ]
    assert [status for status, _, _ in attempts] == [403, 403, 400, 400, 403, 403, 403]
    assert list(plain.list_files("", recursive=True)) == []
    assert fill_in(form, "f", b"content", **image)[0] == 204
    assert [info.path for info in child.list_files("", recursive=True)] == ["up/f"]
    child.delete("up/f")


@pytest.mark.parametrize("target", [SEAWEEDFS], ids=["seaweedfs"])
def test_a_url_allows_nothing_else(plain: Backend) -> None:
    plain.write("k", b"content")
    plain.write("other", b"content")
    url = plain.presign("k")
    put = plain.presign("new", method="PUT", content_type="text/csv")
    short = plain.presign("k", expires_in=1)
    attempts = [
        send("PUT", url, b"x"),
        send("DELETE", url),
        send("GET", url.replace("/k?", "/other?")),
        send("GET", url.replace("X-Amz-Expires=3600", "X-Amz-Expires=3601")),
        send("GET", f"{url}&response-content-type=text/html"),
        send("GET", urlsplit(url)._replace(query="").geturl()),
        send("PUT", put, b"x", {"Content-Type": "text/html"}),
        send("PUT", put, b"x"),
    ]
    time.sleep(2.1)
    attempts.append(send("GET", short))
    assert {status for status, _, _ in attempts} == {403}
    assert send("GET", url)[2] == b"content"
    for key in ("k", "other"):
        plain.delete(key)


@pytest.mark.parametrize("name", ["boto3", "pyarrow", "s3fs"])
def test_temporary_credentials_are_in_the_url(lanes: Any, name: str) -> None:
    with lanes[name][0]("bucket", **AWS, session_token="TOKEN") as backend:
        assert dict(parse_qsl(urlsplit(backend.presign("k")).query))["X-Amz-Security-Token"] == "TOKEN"
        assert backend.presign_post("k/").fields["x-amz-security-token"] == "TOKEN"


@pytest.mark.parametrize("name", ["boto3", "pyarrow"])
def test_credentials_that_expire_are_renewed_before_a_url_is_signed(lanes: Any, name: str) -> None:
    asked: list[int] = []

    def renew() -> dict[str, Any]:
        asked.append(1)
        until = datetime.now(UTC) + timedelta(minutes=1 if len(asked) < 3 else 60)
        return {"access_key": f"KEY{len(asked)}", "secret_key": "s", "token": "t", "expiry_time": until.isoformat()}

    inner = Session()
    inner._credentials = RefreshableCredentials.create_from_metadata(renew(), renew, "test")
    with lanes[name][0]("bucket", session=boto3.Session(botocore_session=inner, region_name="eu-west-1")) as backend:
        used = dict(parse_qsl(urlsplit(backend.presign("k")).query))["X-Amz-Credential"]
    assert used.startswith(f"KEY{len(asked)}/")
    assert len(asked) > 1


@pytest.mark.parametrize("method", ["presign", "presign_post"])
@pytest.mark.parametrize("name", ["boto3", "pyarrow", "s3fs"])
def test_without_credentials_nothing_is_signed(
    lanes: Any, name: str, method: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for variable in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(variable, str(tmp_path / "absent"))
    with lanes[name][0]("bucket", region_name="eu-west-1") as backend, pytest.raises(PermissionDenied):
        getattr(backend, method)("k/" if method == "presign_post" else "k")


HANDLES: dict[str, tuple[Callable[..., Backend], type[Exception] | None]] = {
    "client": (lambda: client_of(signature_version=None), InvalidConfiguration),
    "client with s3v4": (lambda: client_of(signature_version="s3v4"), None),
    "client without credentials": (lambda: client_of(signature_version=UNSIGNED), PermissionDenied),
    "filesystem": (lambda: filesystem_of(anon=False), InvalidConfiguration),
    "filesystem with s3v4": (lambda: filesystem_of(config_kwargs={"signature_version": "s3v4"}), None),
    "filesystem without credentials": (lambda: filesystem_of(anon=True, key=None, secret=None), PermissionDenied),
}


def client_of(**config: Any) -> Backend:
    keys = {"aws_access_key_id": "k", "aws_secret_access_key": "s", "region_name": "eu-west-1"}
    return S3Boto3Backend("bucket", client=boto3.client("s3", config=Config(**config), **keys))


def filesystem_of(**options: Any) -> Backend:
    place = {"key": "k", "secret": "s", "client_kwargs": {"region_name": "eu-west-1"}}
    return S3FsBackend("bucket", fs=S3FileSystem(skip_instance_cache=True, **{**place, **options}))


@pytest.mark.parametrize("make,kind", HANDLES.values(), ids=HANDLES)
def test_a_client_of_the_user_is_not_changed_and_its_version_2_is_refused(make: Any, kind: Any) -> None:
    with make() as backend:
        if kind is None:
            assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in backend.presign("k")
            assert backend.presign_post("k/").fields["x-amz-algorithm"] == "AWS4-HMAC-SHA256"
            return
        for method, path in (("presign", "k"), ("presign_post", "k/")):
            with pytest.raises(kind) as caught:
                getattr(backend, method)(path)
            assert "Signature=" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("target", [SEAWEEDFS], ids=["seaweedfs"])
def test_signing_does_not_block_the_event_loop(lanes: Any, place: dict[str, Any]) -> None:
    async def run() -> list[str]:
        async with lanes["s3fs"][1](**place) as backend:
            return list(await asyncio.gather(*(backend.presign(f"k{number}") for number in range(50))))

    assert len(set(asyncio.run(run()))) == 50


@pytest.mark.parametrize("name", ["boto3", "pyarrow", "s3fs"])
def test_a_function_for_credentials_is_asked_before_a_url_is_signed(lanes: Any, name: str) -> None:
    asked: list[int] = []

    def function() -> S3Credentials:
        asked.append(1)
        if len(asked) > 2:
            raise OSError("hidden")
        return S3Credentials(f"KEY{len(asked)}", "s", "TOKEN", expires_at=datetime.now(UTC) + timedelta(seconds=0.3))

    with lanes[name][0]("bucket", region_name="eu-west-1", credentials=function) as backend:
        for number in (1, 2):
            query = dict(parse_qsl(urlsplit(backend.presign("k")).query))
            assert query["X-Amz-Credential"].startswith(f"KEY{number}/")
            assert query["X-Amz-Security-Token"] == "TOKEN"
            time.sleep(0.4)
        for method, path in (("presign", "k"), ("presign_post", "k/")):
            with pytest.raises(PermissionDenied) as caught:
                getattr(backend, method)(path)
            assert "TOKEN" not in "".join(traceback.format_exception(caught.value))
