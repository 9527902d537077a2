"""Where requests go and how they are signed: as raw aiobotocore does it, and resolved once."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from aiobotocore.awsrequest import AioAWSResponse
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore import compat
from s3fs import S3FileSystem

from remote_store.core import Capability, ConditionalWrites
from remote_store.s3fs import AsyncS3FsBackend, S3FsBackend

KEYS = {"key": "k", "secret": "s"}
LOCAL = "http://127.0.0.1:9"
REGIONAL = "https://s3.eu-central-1.amazonaws.com"
PRIVATE = "https://bucket.vpce-0123-abc.s3.us-east-1.vpce.amazonaws.com"
PRIVATE_ACCESS_POINT = "https://accesspoint.vpce-0123-abc.s3.us-west-2.vpce.amazonaws.com"
ACCESS_POINT = "arn:aws:s3:us-west-2:123456789012:accesspoint/mine"
MULTI_REGION = "arn:aws:s3::123456789012:accesspoint:mfzwi23gnjvgw.mrap"
EXPRESS = "x--use1-az4--x-s3"
SESSION = (
    b'<CreateSessionResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Credentials><SessionToken>t</SessionToken>'
    b"<SecretAccessKey>s</SecretAccessKey><AccessKeyId>k</AccessKeyId><Expiration>2099-01-01T00:00:00Z</Expiration>"
    b"</Credentials></CreateSessionResult>"
)
DOCUMENTS = {
    "?session": SESSION,
    "?uploads": b"<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>",
    "list-type=2": b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>",
}
ANSWERED = {"ETag": '"e"', "Content-Length": "0", "x-amz-request-id": "r"}
COPIED = b'<CopyObjectResult><ETag>"e"</ETag></CopyObjectResult>'
TABLE = [
    *(("plain", region, None) for region in (None, "us-east-1", "eu-west-1", "eusc-de-east-1", "us-iso-east-1")),
    *(("plain", "eu-west-1", url) for url in (LOCAL, REGIONAL, PRIVATE)),
    ("dots.in.it", "eu-west-1", None),
    (EXPRESS, "us-east-1", None),
    *((bucket, "us-west-2", None) for bucket in (ACCESS_POINT, ACCESS_POINT.replace("/", ":"))),
    (ACCESS_POINT, "us-west-2", PRIVATE_ACCESS_POINT),
    (MULTI_REGION, None, None),
]
STYLES = [
    *((*row, "auto") for row in TABLE),
    *(("plain", "eu-west-1", url, style) for url in (None, LOCAL) for style in ("path", "virtual")),
]
IGNORED = ("amz-sdk-", "user-agent", "x-amz-date", "expect", "content-md5")


@pytest.fixture(autouse=True)
def no_region(monkeypatch):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)


def document(request):
    """What a server would answer with."""
    if "x-amz-copy-source" in request.headers:
        return COPIED
    return next((body for part, body in DOCUMENTS.items() if part in request.url), b"")


def sent(client):
    """What a client sends for some operations, without sending it: method, URL, signature and headers."""
    requests = []

    def answer(request, **_others):
        headers = {name.lower(): text(value) for name, value in request.headers.items()}
        requests.append((request.method, request.url, *signature(headers), kept(headers)))
        body = document(request)

        async def read(*_arguments):
            return body

        raw = SimpleNamespace(read=read, raw_headers=(), content=SimpleNamespace(read=read))
        response = AioAWSResponse(request.url, 200, ANSWERED, raw)
        response._content = body
        return response

    client.meta.events.register("before-send.s3", answer)
    return requests


def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def signature(headers):
    """Algorithm, scope and signed headers of a signature, without what differs between two requests."""
    algorithm, *fields = headers.pop("authorization", "none").replace(",", "").split()
    found = dict(field.split("=", 1) for field in fields)
    signed = [name for name in found.get("SignedHeaders", "").split(";") if not name.startswith(IGNORED)]
    return algorithm, found.get("Credential", ""), ";".join(signed)


def kept(headers):
    return {name: value for name, value in headers.items() if not name.startswith(IGNORED)}


async def work(client, bucket):
    await client.head_object(Bucket=bucket, Key="a b/ü")
    await client.put_object(Bucket=bucket, Key="k", Body=b"x", IfNoneMatch="*")
    await client.delete_object(Bucket=bucket, Key="k", IfMatch='"e"')
    await client.copy_object(Bucket=bucket, Key="k", CopySource={"Bucket": bucket, "Key": "j"}, IfNoneMatch="*")
    await client.create_multipart_upload(Bucket=bucket, Key="k")
    await client.list_objects_v2(Bucket=bucket, Prefix="a/", EncodingType="url")


@pytest.fixture(scope="module")
def raw_session():
    return AioSession()


@pytest.mark.parametrize("bucket,region,url,style", STYLES)
async def test_requests_are_those_of_raw_aiobotocore(raw_session, bucket, region, url, style):
    calculation = "when_required" if url == LOCAL else "when_supported"
    config = AioConfig(
        request_checksum_calculation=calculation,
        response_checksum_validation=calculation,
        s3={"addressing_style": style},
    )
    place = {"region_name": region, "endpoint_url": url}
    keys = {"aws_access_key_id": "k", "aws_secret_access_key": "s"}
    async with (
        raw_session.create_client("s3", config=config, **place, **keys) as raw,
        AsyncS3FsBackend(bucket, addressing_style=style, **place, **KEYS) as backend,
    ):
        ours = await backend.unwrap(S3FileSystem).set_session()
        expected, found = sent(raw), sent(ours)
        await work(raw, bucket)
        await work(ours, bucket)
        await ours.close()
    assert found == expected
    assert len(expected) >= 6


@pytest.mark.parametrize("bucket,region,url", TABLE)
def test_what_is_aws_is_told_by_the_sdk_s_own_data(bucket, region, url):
    backend = S3FsBackend(bucket, region_name=region, endpoint_url=url, **KEYS)
    endpoint = backend._bucket.options.endpoint
    assert endpoint.aws is (url != LOCAL)
    assert endpoint.private_link is (url in (PRIVATE, PRIVATE_ACCESS_POINT))
    assert (Capability.ATOMIC_CREATE in backend.capabilities) is (url != LOCAL)


@pytest.mark.parametrize("how", ["endpoint_url", "client_kwargs", "environment", "profile", "ignored"])
def test_a_lent_filesystem_says_where_it_leads(monkeypatch, how):
    Path(os.environ["AWS_CONFIG_FILE"]).write_text(f"[profile work]\nendpoint_url = {LOCAL}\n")
    arguments = {
        "endpoint_url": {"endpoint_url": LOCAL},
        "client_kwargs": {"client_kwargs": {"endpoint_url": LOCAL}},
        "profile": {"profile": "work"},
        "ignored": {"config_kwargs": {"ignore_configured_endpoint_urls": True}},
    }.get(how, {})
    if how in ("environment", "ignored"):
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", LOCAL)
    fs = S3FileSystem(key="k", secret="s", skip_instance_cache=True, **arguments)
    backend = S3FsBackend("bucket", fs=fs)
    assert backend._bucket.options.custom_endpoint is (how != "ignored")
    aws = S3FileSystem(key="k", secret="s", endpoint_url=REGIONAL, skip_instance_cache=True)
    assert not S3FsBackend("bucket", fs=aws)._bucket.options.custom_endpoint


def configure(monkeypatch, how):
    if how == "environment":
        monkeypatch.setenv("AWS_ENDPOINT_URL", LOCAL)
    text = f"[default]\nendpoint_url = {LOCAL}\n" if how == "file" else ""
    Path(os.environ["AWS_CONFIG_FILE"]).write_text(text)


@pytest.mark.parametrize("how", ["environment", "file"])
async def test_a_configured_endpoint_is_taken_and_stays(monkeypatch, how):
    configure(monkeypatch, how)
    backend = AsyncS3FsBackend("bucket", region_name="eu-west-1", **KEYS)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    configure(monkeypatch, None)
    assert Capability.ATOMIC_CREATE not in backend.capabilities
    assert await endpoint_of(backend) == LOCAL


async def test_an_endpoint_that_is_configured_later_changes_nothing(monkeypatch):
    backend = AsyncS3FsBackend("bucket", region_name="eu-west-1", **KEYS)
    monkeypatch.setenv("AWS_ENDPOINT_URL", LOCAL)
    assert Capability.ATOMIC_CREATE in backend.capabilities
    assert await endpoint_of(backend) == "https://s3.eu-west-1.amazonaws.com"


async def endpoint_of(backend):
    client = await backend.unwrap(S3FileSystem).set_session()
    url = client.meta.endpoint_url
    await client.close()
    return url


@pytest.mark.parametrize("lane", [S3FsBackend, AsyncS3FsBackend])
def test_an_arn_and_an_endpoint_are_refused_together(monkeypatch, lane):
    for bucket in (ACCESS_POINT, MULTI_REGION):
        with pytest.raises(ValueError, match="endpoint_url"):
            lane(bucket, endpoint_url=LOCAL, **KEYS)
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", LOCAL)
    assert not lane("bucket", **KEYS)._bucket.options.custom_endpoint


@pytest.mark.parametrize("lane", [S3FsBackend, AsyncS3FsBackend])
def test_a_multi_region_access_point_needs_the_sdk_s_signer(monkeypatch, lane):
    monkeypatch.setattr(compat, "HAS_CRT", False)
    with pytest.raises(ValueError, match=r"pip install 'botocore\[crt\]'.*BOTO_DISABLE_CRT"):
        lane(MULTI_REGION, **KEYS)


def test_trust_is_told_for_each_kind():
    backend = S3FsBackend("bucket", endpoint_url=LOCAL, conditional_writes=ConditionalWrites(put=True), **KEYS)
    assert backend._bucket.options.endpoint.conditions == ConditionalWrites(put=True)
    assert Capability.ATOMIC_CREATE not in backend.capabilities
