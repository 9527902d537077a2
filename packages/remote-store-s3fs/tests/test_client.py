from __future__ import annotations

import asyncio
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import aiobotocore
import pytest
from aiobotocore.config import AioConfig
from botocore import UNSIGNED, handlers, loaders
from botocore.config import Config
from botocore.parsers import ResponseParserFactory
from botocore.session import Session
from s3fs import S3FileSystem

from remote_store.botocore import settings
from remote_store.botocore.documents import parse_listing
from remote_store.botocore.session import shared_loader
from remote_store.conformance.faults import Reset, TruncateRequest
from remote_store.conformance.servers.shared import shared_seaweedfs_server
from remote_store.core import PermissionDenied, RetryPolicy
from remote_store.core.s3 import Call, S3Options
from remote_store.s3fs import AsyncS3FsBackend, S3FsBackend
from remote_store.s3fs.client import Handle, private_session

MIB = 1024 * 1024
AWS = {"key": "k", "secret": "s", "region_name": "eu-west-1"}
CUSTOM = {**AWS, "endpoint_url": "http://127.0.0.1:9"}


async def client_of(**options):
    return await AsyncS3FsBackend("bucket", **options).unwrap(S3FileSystem).set_session()


async def put(port, bucket, body=b"x", **params):
    await port.perform(Call("PutObject", {"Bucket": bucket, "Key": "k", "Body": body, **params}))


async def test_all_that_differs_between_releases_is_said():
    client = await client_of(
        **AWS, retry=RetryPolicy(7), connect_timeout=1.5, read_timeout=2.5, addressing_style="virtual"
    )
    config = client.meta.config
    assert config.retries == {"mode": "standard", "total_max_attempts": 7}
    assert (config.connect_timeout, config.read_timeout) == (1.5, 2.5)
    assert config.s3["addressing_style"] == "virtual"


@pytest.mark.parametrize(
    "options,environment,expected",
    [
        (AWS, {}, "when_supported"),
        (CUSTOM, {}, "when_required"),
        (AWS, {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9"}, "when_required"),
        (CUSTOM, {"AWS_REQUEST_CHECKSUM_CALCULATION": "when_supported", "AWS_MAX_ATTEMPTS": "9"}, "when_required"),
    ],
)
async def test_checksums_follow_the_kind_of_endpoint(monkeypatch, options, environment, expected):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    config = (await client_of(**options)).meta.config
    assert config.request_checksum_calculation == expected
    assert config.response_checksum_validation == expected
    assert config.retries["total_max_attempts"] == 5


@pytest.mark.parametrize("kind", [Config, AioConfig])
async def test_what_the_users_config_says_wins(kind):
    theirs = kind(read_timeout=1, retries={"total_max_attempts": 2}, s3={"payload_signing_enabled": False})
    options = {**CUSTOM, "addressing_style": "path", "client_options": {"config": theirs}}
    config = (await client_of(**options)).meta.config
    assert config.read_timeout == 1
    assert config.retries["total_max_attempts"] == 2
    assert config.s3 == {"addressing_style": "path", "payload_signing_enabled": False}
    assert (config.connect_timeout, config.max_pool_connections) == (10, 0)


async def test_what_the_user_says_about_the_pool_is_passed_on():
    theirs = AioConfig(connector_args={"keepalive_timeout": 5}, max_pool_connections=3)
    config = (await client_of(**CUSTOM, client_options={"config": theirs})).meta.config
    assert config.connector_args["keepalive_timeout"] == 5
    assert config.max_pool_connections == 3


async def test_bodies_of_any_size_are_sent_without_asking(make_port, endpoint, bucket, plain):
    port = await make_port()
    upload = await port.perform(Call("CreateMultipartUpload", {"Bucket": bucket, "Key": "parts"}))
    for number, size in enumerate([0, 1000, 5 * MIB], 1):
        await put(port, bucket, b"x" * size)
        params = {"Bucket": bucket, "Key": "parts", "UploadId": upload["UploadId"], "PartNumber": number}
        await port.perform(Call("UploadPart", {**params, "Body": b"x" * size}))
    asked = [request.headers.get("expect") for request in endpoint.requests if request.method == "PUT"]
    assert asked == [None] * 6
    assert plain.head_object(Bucket=bucket, Key="k")["ContentLength"] == 5 * MIB


@pytest.mark.parametrize("fault", [Reset(), TruncateRequest(MIB)])
@pytest.mark.parametrize("size", [100, 3 * MIB])
async def test_a_body_is_sent_again_from_its_start(make_port, endpoint, bucket, plain, fault, size):
    body = os.urandom(size)
    endpoint.inject(fault, operation="PutObject")
    await put(await make_port(2), bucket, body)
    assert endpoint.count("PutObject") == 2
    assert plain.get_object(Bucket=bucket, Key="k")["Body"].read() == body


@pytest.mark.parametrize("size", [100, 3 * MIB])
async def test_checksums_that_are_switched_on_are_sent_and_compared(make_port, endpoint, bucket, size):
    checked = AioConfig(request_checksum_calculation="when_supported", response_checksum_validation="when_supported")
    port = await make_port(client_options={"config": checked})
    body = os.urandom(size)
    await put(port, bucket, body)
    assert "x-amz-checksum-crc32" in endpoint.requests[0].headers
    answer = await port.perform(Call("GetObject", {"Bucket": bucket, "Key": "k"}))
    assert answer["ResponseMetadata"]["ChecksumAlgorithm"] == "crc32"
    assert await answer["Body"].read() == body


async def test_requests_carry_no_more_than_they_need(make_port, endpoint, bucket):
    await put(await make_port(), bucket)
    headers = endpoint.requests[-1].headers
    assert headers["user-agent"].startswith(f"remote-store-s3fs aiobotocore/{aiobotocore.__version__}")
    assert not [name for name in headers if name.startswith(("x-amz-checksum", "x-amz-sdk", "amz-sdk", "expect"))]
    assert "AWS4-HMAC-SHA256" in headers["authorization"]


@pytest.mark.parametrize("where", ["config", "environment", "profile"])
async def test_the_users_application_id_stays_in_the_user_agent(
    make_port, endpoint, bucket, monkeypatch, tmp_path, where
):
    options = {}
    if where == "config":
        options["client_options"] = {"config": Config(user_agent_appid="my app")}
    elif where == "environment":
        monkeypatch.setenv("AWS_SDK_UA_APP_ID", "my app")
    else:
        (tmp_path / "config").write_text("[default]\nsdk_ua_app_id = my app\n")
    await put(await make_port(**options), bucket)
    assert f"aiobotocore/{aiobotocore.__version__} app/my-app" in endpoint.requests[-1].headers["user-agent"]


NAMES = [
    (handlers, "add_retry_headers"),
    (handlers, "convert_body_to_file_like_object"),
    (loaders, "create_loader"),
    (ResponseParserFactory, "set_parser_defaults"),
    (Session, "register_component"),
]


@pytest.mark.parametrize("module,name", NAMES, ids=[name for _, name in NAMES])
async def test_a_release_of_botocore_without_a_name_still_makes_a_working_client(
    make_port, bucket, plain, monkeypatch, module, name
):
    shared_loader.cache_clear()
    monkeypatch.delattr(module, name)
    port = await make_port()
    await put(port, bucket, b"x" * 2 * MIB)
    assert plain.head_object(Bucket=bucket, Key="k")["ContentLength"] == 2 * MIB
    assert (await port.perform(Call("ListObjectsV2", {"Bucket": bucket})))["KeyCount"] == 1
    shared_loader.cache_clear()


async def test_anonymous_requests_are_unsigned(make_port, endpoint, bucket):
    port = await make_port(anon=True, key=None, secret=None)
    await put(port, bucket)
    assert "authorization" not in endpoint.requests[-1].headers
    assert port._client.meta.config.signature_version is UNSIGNED


async def test_a_session_token_is_sent(make_port, endpoint, bucket):
    await put(await make_port(session_token="TOKEN"), bucket)
    assert endpoint.requests[-1].headers["x-amz-security-token"] == "TOKEN"


def test_a_profile_is_used(make, endpoint):
    Path(os.environ["AWS_SHARED_CREDENTIALS_FILE"]).write_text(
        "[mine]\naws_access_key_id = PROFILEKEY\naws_secret_access_key = s\n"
    )
    make(profile="mine", key=None, secret=None).write("k", b"x")
    assert "Credential=PROFILEKEY/" in endpoint.requests[-1].headers["authorization"]


def test_an_absent_profile_is_a_matter_of_credentials(bucket):
    backend = S3FsBackend(bucket, profile="absent", region_name="eu-west-1")
    with pytest.raises(PermissionDenied):
        backend.exists("k")
    with pytest.raises(PermissionDenied):
        backend.unwrap(S3FileSystem)


@pytest.mark.parametrize("style,host", [("path", "s3.eu-west-1"), ("virtual", "bucket.s3.eu-west-1")])
async def test_the_bucket_stands_where_it_is_told(style, host):
    client = await client_of(**AWS, addressing_style=style)
    url = await client.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": "k"})
    assert url.startswith(f"https://{host}.amazonaws.com/")
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in url


def test_sessions_are_private_and_share_the_service_models():
    options = S3Options.build(**CUSTOM)
    first, second = private_session(options), private_session(options)
    assert first is not second
    assert first.get_component("event_emitter") is not second.get_component("event_emitter")
    assert first.get_component("data_loader") is second.get_component("data_loader")


async def test_put_options_of_a_wrong_type_are_refused(bucket, place):
    async with AsyncS3FsBackend(bucket, **place, put_options={"CacheControl": 5}) as backend:
        with pytest.raises(ValueError, match="CacheControl"):
            await backend.write("k", b"x")


async def test_a_handle_pickles_without_its_filesystem():
    handle = Handle("bucket", None, {**CUSTOM}, asynchronous=True)
    filesystem = handle.filesystem()
    copy = pickle.loads(pickle.dumps(handle))
    assert copy.options == handle.options
    assert copy.filesystem() is not filesystem


async def listed(port, bucket):
    rows = []
    answer = {"NextContinuationToken": None, "IsTruncated": True}
    while answer["IsTruncated"]:
        token = {"ContinuationToken": answer["NextContinuationToken"]} if rows else {}
        answer = await port.perform(Call("ListObjectsV2", {"Bucket": bucket, "Delimiter": "/", "MaxKeys": 7, **token}))
        rows.append({name: answer.get(name) for name in ("Contents", "CommonPrefixes", "KeyCount", "Prefix")})
    return rows


async def test_a_listing_reads_as_botocore_reads_it(make_port, bucket, plain):
    for number in range(20):
        plain.put_object(Bucket=bucket, Key=f"<&'\" é{number}{'/x' if number % 3 else ''}", Body=b"x" * number)
    ours = await make_port()
    theirs = await make_port()
    theirs._client.meta.events.unregister("before-parse.*.ListObjectsV2", parse_listing)
    assert await listed(ours, bucket) == await listed(theirs, bucket)


STREAM = """
import asyncio, resource, sys
from remote_store.s3fs import AsyncS3FsBackend, S3FsBackend

MIB = 1024 * 1024
options = dict(endpoint_url=sys.argv[1], key="suite", secret="suite-secret", region_name="us-east-1")

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

class Source:
    left = 256
    def read(self, size):
        count = min(self.left * MIB, size)
        self.left -= count // MIB
        return b"x" * count

async def source():
    for _ in range(256):
        yield b"x" * MIB

def blocking():
    with S3FsBackend("bucket", **options) as backend:
        backend.write("warm", b"x" * 9 * MIB, overwrite=True)
        before = peak()
        backend.write("large", Source(), overwrite=True)
        with backend.read("large") as file:
            assert sum(iter(lambda: len(file.read(MIB)), 0)) == 256 * MIB
        return peak() - before

async def awaited():
    async with AsyncS3FsBackend("bucket", **options) as backend:
        await backend.write("warm", b"x" * 9 * MIB, overwrite=True)
        before = peak()
        await backend.write("large", source(), overwrite=True)
        total = 0
        async with await backend.read("large") as file:
            while data := await file.read(MIB):
                total += len(data)
        assert total == 256 * MIB
        return peak() - before

print(blocking() if sys.argv[2] == "blocking" else asyncio.run(awaited()))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the unit of the peak differs between systems")
def test_a_stream_of_256_mib_grows_memory_by_less_than_64():
    with shared_seaweedfs_server() as server:
        server.create_bucket("bucket")
        for way in ("blocking", "awaited"):
            command = [sys.executable, "-c", STREAM, server.url, way]
            done = subprocess.run(command, capture_output=True, text=True, timeout=100)
            assert done.returncode == 0, done.stderr
            assert int(done.stdout) < 64 * 1024


def test_clients_can_be_made_in_many_loops_at_once():
    async def make():
        return (await client_of(**CUSTOM)).meta.endpoint_url

    with ThreadPoolExecutor(8) as threads:
        made = threads.map(lambda _number: asyncio.run(make()), range(8))
        assert list(made) == [CUSTOM["endpoint_url"]] * 8


async def test_a_filesystem_of_the_users_is_warned_of_once(caplog):
    settings.warn_of_redirects.cache_clear()
    filesystem = S3FileSystem(asynchronous=True, skip_instance_cache=True)
    for _ in range(2):
        Handle("bucket", filesystem, {}, asynchronous=True)
    assert [record.name for record in caplog.records if "redirect" in record.message] == ["remote_store"]


def test_the_handle_works_as_s3fs_own(make, bucket, plain, tmp_path):
    filesystem = make().unwrap(S3FileSystem)
    filesystem.touch(f"{bucket}/touched")
    file = tmp_path / "file"
    file.write_bytes(b"x" * 2 * MIB)
    filesystem.put_file(str(file), f"{bucket}/put")
    with file.open("rb") as opened:
        filesystem.call_s3("put_object", Bucket=bucket, Key="body", Body=opened)
    filesystem.call_s3("put_object", Bucket=bucket, Key="text", Body="text")
    sizes = {row["Key"]: row["Size"] for row in plain.list_objects_v2(Bucket=bucket)["Contents"]}
    assert sizes == {"touched": 0, "put": 2 * MIB, "body": 2 * MIB, "text": 4}
