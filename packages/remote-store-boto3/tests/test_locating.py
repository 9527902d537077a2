"""Where requests go and how they are signed: as raw boto3 does it, and resolved once."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore import compat
from botocore.awsrequest import AWSResponse
from botocore.client import BaseClient
from botocore.config import Config
from botocore.loaders import create_loader

from remote_store.boto3 import S3Boto3Backend
from remote_store.botocore.locating import S3Hosts
from remote_store.core import Capability, ConditionalWrites, PermissionDenied

KEYS = {"key": "k", "secret": "s"}
AWS_KEYS = {"aws_access_key_id": "k", "aws_secret_access_key": "s"}
LOCAL = "http://127.0.0.1:9"
REGIONAL = "https://s3.eu-central-1.amazonaws.com"
DUAL_STACK = "https://s3.dualstack.eu-west-1.amazonaws.com"
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
    *((bucket, region, None) for bucket in ("plain", "dots.in.it") for region in (None, "us-east-1", "eu-west-1")),
    *(("plain", region, None) for region in ("eusc-de-east-1", "us-iso-east-1", "us-isob-east-1", "cn-north-1")),
    *(("plain", region, None) for region in ("us-gov-west-1", "xx-moon-1")),
    *(("plain", "eu-west-1", url) for url in (LOCAL, REGIONAL, DUAL_STACK, PRIVATE, "http://s3.amazonaws.com")),
    *((EXPRESS, region, None) for region in ("us-east-1", "us-west-2")),
    *((bucket, "us-west-2", None) for bucket in (ACCESS_POINT, ACCESS_POINT.replace("/", ":"))),
    (ACCESS_POINT, "us-west-2", PRIVATE_ACCESS_POINT),
    ("arn:aws-cn:s3:cn-north-1:123456789012:accesspoint/mine", "cn-north-1", None),
    *((MULTI_REGION, region, None) for region in (None, "us-west-2")),
]
IGNORED = ("amz-sdk-", "user-agent", "x-amz-date", "expect", "content-md5")


@pytest.fixture(autouse=True)
def no_region(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)


def document(request: Any) -> bytes:
    """What a server would answer with."""
    if "x-amz-copy-source" in request.headers:
        return COPIED
    return next((body for part, body in DOCUMENTS.items() if part in request.url), b"")


def sent(client: Any) -> list[tuple[Any, ...]]:
    """What a client sends for some operations, without sending it: method, URL, signature and headers."""
    requests: list[tuple[Any, ...]] = []

    def answer(request: Any, **_others: Any) -> AWSResponse:
        headers = {name.lower(): text(value) for name, value in request.headers.items()}
        requests.append((request.method, request.url, *signature(headers), kept(headers)))
        body = document(request)
        raw = SimpleNamespace(stream=lambda: iter([body]), read=lambda *_: body)
        response = AWSResponse(request.url, 200, ANSWERED, raw)
        response._content = body
        return response

    client.meta.events.register("before-send.s3", answer)
    return requests


def text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def signature(headers: dict[str, str]) -> tuple[str, ...]:
    """Algorithm, scope and signed headers of a signature, without what differs between two requests."""
    algorithm, *fields = headers.pop("authorization", "none").replace(",", "").split()
    found = dict(field.split("=", 1) for field in fields)
    signed = [name for name in found.get("SignedHeaders", "").split(";") if not name.startswith(IGNORED)]
    return algorithm, found.get("Credential", ""), ";".join(signed)


def kept(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if not name.startswith(IGNORED)}


def work(client: Any, bucket: str) -> None:
    client.head_object(Bucket=bucket, Key="a b/ü")
    client.get_object(Bucket=bucket, Key="k", IfMatch='"e"', Range="bytes=0-1")
    client.put_object(Bucket=bucket, Key="k", Body=b"x", IfNoneMatch="*")
    client.delete_object(Bucket=bucket, Key="k", IfMatch='"e"')
    client.copy_object(Bucket=bucket, Key="k", CopySource={"Bucket": bucket, "Key": "j"}, IfNoneMatch="*")
    client.create_multipart_upload(Bucket=bucket, Key="k")
    client.list_objects_v2(Bucket=bucket, Prefix="a/", EncodingType="url")


STYLES = [
    *((*row, "auto") for row in TABLE),
    *(("plain", "eu-west-1", url, style) for url in (None, LOCAL, REGIONAL) for style in ("path", "virtual")),
    (EXPRESS, "us-east-1", None, "virtual"),
]


@pytest.fixture(scope="module")
def raw_session() -> boto3.Session:
    return boto3.session.Session(**AWS_KEYS)


@pytest.mark.parametrize("bucket, region, url, style", STYLES)
def test_requests_are_those_of_raw_boto3(
    raw_session: boto3.Session, bucket: str, region: str | None, url: str | None, style: str
) -> None:
    calculation = "when_required" if url == LOCAL else "when_supported"
    config = Config(
        request_checksum_calculation=calculation,
        response_checksum_validation=calculation,
        s3={"addressing_style": style},
    )
    raw = raw_session.client("s3", region_name=region, endpoint_url=url, config=config)
    ours = S3Boto3Backend(bucket, region_name=region, endpoint_url=url, addressing_style=style, **KEYS)
    expected, found = sent(raw), sent(ours.unwrap(BaseClient))
    work(raw, bucket)
    work(ours.unwrap(BaseClient), bucket)
    assert found == expected
    assert len(expected) >= 7


@pytest.mark.parametrize("bucket, region, url", TABLE)
def test_what_is_aws_is_told_by_the_sdk_s_own_data(bucket: str, region: str | None, url: str | None) -> None:
    backend = S3Boto3Backend(bucket, region_name=region, endpoint_url=url, **KEYS)
    endpoint = backend._bucket.options.endpoint
    assert endpoint.aws is (url != LOCAL)
    assert endpoint.private_link is (url in (PRIVATE, PRIVATE_ACCESS_POINT))
    assert (Capability.ATOMIC_CREATE in backend.capabilities) is (url != LOCAL)
    client = backend.unwrap(BaseClient)
    assert client.meta.config.request_checksum_calculation == "when_" + ("required" if url == LOCAL else "supported")
    if not bucket.startswith("arn:"):
        lent = S3Boto3Backend(bucket, client=client)
        assert lent._bucket.options.endpoint.conditions == endpoint.conditions
        assert lent._bucket.options.endpoint.aws is endpoint.aws


YES = (
    "s3.amazonaws.com",
    "S3.EU-West-1.amazonaws.com.",
    "s3-us-west-2.amazonaws.com",
    "bucket.s3.eu-west-1.amazonaws.com",
    "s3-fips.us-gov-west-1.amazonaws.com",
    "s3.dualstack.us-east-1.amazonaws.com",
    "b.s3-accelerate.dualstack.amazonaws.com",
    "s3express-use1-az4.us-east-1.amazonaws.com",
    "x.mrap.accesspoint.s3-global.amazonaws.com",
    "s3.cn-north-1.amazonaws.com.cn",
    "s3.eusc-de-east-1.amazonaws.eu",
    "s3.us-iso-east-1.c2s.ic.gov",
    "s3.eu-west-1.api.aws",
    "vpce-1a-us-east-1a.s3.us-east-1.vpce.amazonaws.com",
)
NO = (
    "127.0.0.1",
    "s3.example.org",
    "amazonaws.com",
    "s3amazonaws.com",
    "s3.us-east-1.amazonaws.com.example.org",
    "s3-1234.us-east-1.elb.amazonaws.com",
    "ec2-1-2-3-4.compute-1.amazonaws.com",
    "s3.eu-west-1.compute.amazonaws.com",
    "x.execute-api.us-east-1.amazonaws.com",
    "vpce-1.execute-api.us-east-1.vpce.amazonaws.com",
    "s3.localhost.localstack.cloud",
    "s3.us-west-002.backblazeb2.com",
)


@pytest.mark.parametrize("host, aws", [*((host, True) for host in YES), *((host, False) for host in NO)])
def test_hosts_of_s3_are_told_from_other_hosts_on_aws(host: str, aws: bool) -> None:
    hosts = S3Hosts(create_loader().load_data("partitions"))
    assert hosts.is_aws(f"https://{host}:443/") is aws


def test_without_the_sdk_s_data_only_the_oldest_partitions_are_known() -> None:
    hosts = S3Hosts({})
    assert hosts.is_aws(REGIONAL)
    assert not hosts.is_aws("https://s3.us-iso-east-1.c2s.ic.gov")
    assert not hosts.is_aws(LOCAL)


CONFIGURED = {
    "AWS_ENDPOINT_URL": ({"AWS_ENDPOINT_URL": LOCAL}, ""),
    "AWS_ENDPOINT_URL_S3": ({"AWS_ENDPOINT_URL_S3": LOCAL, "AWS_ENDPOINT_URL": REGIONAL}, ""),
    "profile": ({}, f"[default]\nendpoint_url = {LOCAL}\n"),
    "service": ({}, f"[default]\nservices = mine\n[services mine]\ns3 =\n  endpoint_url = {LOCAL}\n"),
}


@pytest.mark.parametrize("environment, file", CONFIGURED.values(), ids=CONFIGURED)
def test_a_configured_endpoint_is_taken_and_stays(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], file: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    Path(os.environ["AWS_CONFIG_FILE"]).write_text(file)
    backend = S3Boto3Backend("bucket", region_name="eu-west-1", **KEYS)
    assert Capability.ATOMIC_CREATE not in backend.capabilities
    for name in environment:
        monkeypatch.delenv(name)
    Path(os.environ["AWS_CONFIG_FILE"]).write_text("")
    assert backend.unwrap(BaseClient).meta.endpoint_url == LOCAL
    assert backend._bucket.options.custom_endpoint
    assert pickle.loads(pickle.dumps(backend)).unwrap(BaseClient).meta.endpoint_url == LOCAL


def test_an_endpoint_that_is_configured_later_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = S3Boto3Backend("bucket", region_name="eu-west-1", **KEYS)
    monkeypatch.setenv("AWS_ENDPOINT_URL", LOCAL)
    assert backend.unwrap(BaseClient).meta.endpoint_url == "https://s3.eu-west-1.amazonaws.com"
    assert Capability.ATOMIC_CREATE in backend.capabilities
    assert not backend._bucket.options.custom_endpoint


@pytest.mark.parametrize("how", ["environment", "file", "config"])
def test_configured_endpoints_are_ignored_where_that_is_asked_for(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", LOCAL)
    options: dict[str, Any] = {}
    if how == "environment":
        monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    elif how == "file":
        Path(os.environ["AWS_CONFIG_FILE"]).write_text("[default]\nignore_configured_endpoint_urls = true\n")
    else:
        options["client_options"] = {"config": Config(ignore_configured_endpoint_urls=True)}
    backend = S3Boto3Backend("bucket", region_name="eu-west-1", **KEYS, **options)
    assert not backend._bucket.options.custom_endpoint
    assert backend.unwrap(BaseClient).meta.endpoint_url == "https://s3.eu-west-1.amazonaws.com"


def test_the_profile_of_a_lent_session_names_the_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(os.environ["AWS_CONFIG_FILE"]).write_text(f"[profile work]\nendpoint_url = {LOCAL}\nregion = eu-west-1\n")
    session = boto3.Session(profile_name="work", **AWS_KEYS)
    backend = S3Boto3Backend("bucket", session=session)
    assert backend._bucket.options.custom_endpoint
    assert backend.unwrap(BaseClient).meta.endpoint_url == LOCAL
    plain = S3Boto3Backend("bucket", session=boto3.Session(**AWS_KEYS))
    monkeypatch.setenv("AWS_ENDPOINT_URL", LOCAL)
    with pytest.raises(ValueError, match=f"endpoint_url='{LOCAL}'"):
        plain.exists("k")


def test_a_broken_configuration_is_told_at_the_first_request_and_nothing_is_trusted() -> None:
    backend = S3Boto3Backend("bucket", profile="absent")
    assert Capability.ATOMIC_CREATE not in backend.capabilities
    with pytest.raises(PermissionDenied):
        backend.exists("k")


@pytest.mark.parametrize("bucket", [ACCESS_POINT, MULTI_REGION])
@pytest.mark.parametrize("how", ["option", "environment"])
def test_an_arn_and_an_endpoint_are_refused_together(monkeypatch: pytest.MonkeyPatch, bucket: str, how: str) -> None:
    if how == "environment":
        monkeypatch.setenv("AWS_ENDPOINT_URL", LOCAL)
    with pytest.raises(ValueError, match="endpoint_url"):
        S3Boto3Backend(bucket, **KEYS, **({"endpoint_url": LOCAL} if how == "option" else {}))


def test_a_multi_region_access_point_needs_the_sdk_s_signer(monkeypatch: pytest.MonkeyPatch) -> None:
    # It is so without awscrt, and with BOTO_DISABLE_CRT=true.
    monkeypatch.setattr(compat, "HAS_CRT", False)
    with pytest.raises(ValueError, match=r"pip install 'botocore\[crt\]'.*BOTO_DISABLE_CRT"):
        S3Boto3Backend(MULTI_REGION, **KEYS)


def test_a_multi_region_access_point_is_signed_for_every_region() -> None:
    with S3Boto3Backend(MULTI_REGION, **KEYS) as backend:
        requests = sent(backend.unwrap(BaseClient))
        assert backend.is_file("k")
    (method, url, algorithm, credential, _, headers) = requests[0]
    assert (method, url) == ("HEAD", "https://mfzwi23gnjvgw.mrap.accesspoint.s3-global.amazonaws.com/k")
    assert (algorithm, headers["x-amz-region-set"]) == ("AWS4-ECDSA-P256-SHA256", "*")
    assert credential.endswith("/s3/aws4_request")


def test_trust_is_told_for_each_kind() -> None:
    backend = S3Boto3Backend("bucket", endpoint_url=LOCAL, conditional_writes=ConditionalWrites(put=True), **KEYS)
    assert backend._bucket.options.endpoint.conditions == ConditionalWrites(put=True)
    assert Capability.ATOMIC_CREATE not in backend.capabilities
