from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qsl, urlsplit

import pytest
from botocore import UNSIGNED, handlers, loaders
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError
from botocore.parsers import ResponseParserFactory
from botocore.session import Session

from remote_store.botocore.session import shared_loader
from remote_store.botocore.settings import client_arguments
from remote_store.conformance.faults import Answer
from remote_store.core import RetryPolicy
from remote_store.core.s3 import Call, S3Options

MIB = 1024 * 1024
AWS = {"key": "k", "secret": "s", "region_name": "eu-west-1"}
CUSTOM = {**AWS, "endpoint_url": "http://127.0.0.1:9"}


@pytest.fixture
def client_of(lane):
    return lambda **options: lane("bucket", **options).unwrap(BaseClient)


def put(port, bucket, body=b"x", **params):
    port.perform(Call("PutObject", {"Bucket": bucket, "Key": "k", "Body": body, **params}))


def test_all_that_differs_between_releases_is_said(client_of):
    config = client_of(
        **AWS,
        retry=RetryPolicy(7),
        connect_timeout=1.5,
        read_timeout=2.5,
        max_connections=3,
        max_concurrency=40,
        addressing_style="virtual",
    ).meta.config
    assert config.retries == {"mode": "standard", "total_max_attempts": 7}
    assert (config.connect_timeout, config.read_timeout, config.max_pool_connections) == (1.5, 2.5, 40)
    assert config.s3["addressing_style"] == "virtual"
    assert config.tcp_keepalive


@pytest.mark.parametrize(
    "options,environment,expected",
    [
        (AWS, {}, "when_supported"),
        (CUSTOM, {}, "when_required"),
        (AWS, {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "when_required"),
        (AWS, {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9"}, "when_required"),
        (CUSTOM, {"AWS_REQUEST_CHECKSUM_CALCULATION": "when_supported", "AWS_MAX_ATTEMPTS": "9"}, "when_required"),
    ],
)
def test_checksums_follow_the_kind_of_endpoint(monkeypatch, options, environment, expected, client_of):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    config = client_of(**options).meta.config
    assert config.request_checksum_calculation == expected
    assert config.response_checksum_validation == expected
    assert config.retries["total_max_attempts"] == 5


def test_small_bodies_are_sent_without_asking_and_large_ones_after(make_port, endpoint, bucket):
    port = make_port()
    put(port, bucket, b"x" * (MIB - 1))
    put(port, bucket, b"x" * MIB)
    upload = port.perform(Call("CreateMultipartUpload", {"Bucket": bucket, "Key": "k"}))["UploadId"]
    for size in (10, MIB):
        params = {"Bucket": bucket, "Key": "k", "UploadId": upload, "PartNumber": 1, "Body": b"x" * size}
        port.perform(Call("UploadPart", params))
    asked = [request.headers.get("expect") for request in endpoint.requests if request.method == "PUT"]
    assert asked == [None, "100-continue", None, "100-continue"]
    assert port.perform(Call("HeadObject", {"Bucket": bucket, "Key": "k"}))["ContentLength"] == MIB


@pytest.mark.parametrize("body", [b"", b"bytes", bytearray(b"array"), memoryview(b"view")])
def test_bodies_arrive_whole(make_port, plain, bucket, body):
    put(make_port(), bucket, body)
    assert plain.get_object(Bucket=bucket, Key="k")["Body"].read() == bytes(body)


def test_requests_carry_no_more_than_they_need(make_port, endpoint, bucket):
    put(make_port(), bucket)
    headers = endpoint.requests[-1].headers
    assert headers["user-agent"] == "remote-store-botocore"
    assert not [
        name for name in headers if name.startswith(("x-amz-checksum", "x-amz-sdk", "amz-sdk", "x-amz-trailer"))
    ]
    assert "AWS4-HMAC-SHA256" in headers["authorization"]


NAMES = [
    (handlers, "add_retry_headers"),
    (handlers, "inject_api_version_header_if_needed"),
    (handlers, "add_recursion_detection_header"),
    (handlers, "convert_body_to_file_like_object"),
    (loaders, "create_loader"),
    (ResponseParserFactory, "set_parser_defaults"),
    (Session, "register_component"),
]


@pytest.mark.parametrize("module,name", NAMES, ids=[name for _, name in NAMES])
def test_a_release_of_botocore_without_a_name_still_makes_a_working_client(
    place, plain, bucket, monkeypatch, module, name, clients
):
    shared_loader.cache_clear()
    monkeypatch.delattr(module, name)
    client = clients.client(S3Options.build(**place))
    client.put_object(Bucket=bucket, Key="k", Body=b"x" * 2 * MIB)
    assert plain.head_object(Bucket=bucket, Key="k")["ContentLength"] == 2 * MIB
    assert client.list_objects_v2(Bucket=bucket)["KeyCount"] == 1
    shared_loader.cache_clear()


def test_checksums_that_are_asked_for_are_sent(make_port, endpoint, bucket):
    put(make_port(), bucket, ChecksumAlgorithm="SHA256")
    assert endpoint.requests[-1].headers["x-amz-checksum-sha256"]


def test_anonymous_requests_are_unsigned(make_port, endpoint, bucket):
    port = make_port(anon=True, key=None, secret=None)
    put(port, bucket)
    assert "authorization" not in endpoint.requests[-1].headers
    assert port.client.meta.config.signature_version is UNSIGNED


def test_a_session_token_is_sent(make_port, endpoint, bucket):
    put(make_port(session_token="TOKEN"), bucket)
    assert endpoint.requests[-1].headers["x-amz-security-token"] == "TOKEN"


@pytest.mark.parametrize("style,path", [("path", "/bucket/k"), ("auto", "/bucket/k"), ("virtual", "/k")])
def test_the_bucket_stands_where_it_is_told(style, path, client_of):
    client = client_of(**{**CUSTOM, "endpoint_url": "http://s3.example.org"}, addressing_style=style)
    url = client.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": "k"})
    assert (
        url.split("?")[0] == ("http://bucket.s3.example.org" if style == "virtual" else "http://s3.example.org") + path
    )


REGIONS = ["us-east-1", "eu-west-1", "eu-central-1", "me-central-1", "cn-north-1", "us-gov-west-1"]
STYLES = ["path", "virtual"]
PLACES = [
    *(({"region_name": region}, "auto") for region in REGIONS),
    *(({"region_name": "eu-west-1"}, style) for style in STYLES),
    *(({**CUSTOM, "region_name": region}, "auto") for region in ("us-east-1", "eu-central-1", "auto")),
    *((CUSTOM, style) for style in STYLES),
    ({"client_options": {"config": Config(s3={"use_dualstack_endpoint": True})}}, "auto"),
    ({"client_options": {"config": Config(signature_version="s3v4")}}, "auto"),
]


@pytest.mark.parametrize("options,style", PLACES)
def test_urls_and_forms_are_signed_with_version_4_for_the_host_of_the_other_requests(options, style, client_of):
    client = client_of(**{**AWS, **options}, addressing_style=style, retry=RetryPolicy(1))
    sent = []

    def refuse(request, **_):
        sent.append(request.url)
        raise EndpointConnectionError(endpoint_url=request.url)

    client.meta.events.register("before-send.s3", refuse)
    for name in ("bucket", "buck_et"):
        with pytest.raises(EndpointConnectionError):
            client.head_object(Bucket=name, Key="a//b c/é")
        url = urlsplit(client.generate_presigned_url("get_object", {"Bucket": name, "Key": "a//b c/é"}, 60))
        form = client.generate_presigned_post(name, "a/${filename}", ExpiresIn=60)
        assert f"{url.scheme}://{url.netloc}{url.path}" == sent.pop()
        query = dict(parse_qsl(url.query))
        assert query["X-Amz-Algorithm"] == form["fields"]["x-amz-algorithm"] == "AWS4-HMAC-SHA256"
        assert query["X-Amz-Credential"].endswith(f"/{client.meta.region_name}/s3/aws4_request")
        assert urlsplit(form["url"]).netloc == url.netloc
    assert sent == []


@pytest.mark.parametrize(
    "name,algorithm",
    [
        ("arn:aws:s3:eu-west-1:123456789012:accesspoint/a", "AWS4-HMAC-SHA256"),
        ("arn:aws:s3::123456789012:accesspoint/a.mrap", "AWS4-ECDSA-P256-SHA256"),
    ],
)
def test_an_access_point_is_signed_for_as_its_endpoint_rules_say(name, algorithm, client_of):
    if "mrap" in name:
        pytest.importorskip("awscrt")
    url = client_of(**AWS).generate_presigned_url("get_object", {"Bucket": name, "Key": "k"})
    assert dict(parse_qsl(urlsplit(url).query))["X-Amz-Algorithm"] == algorithm


def test_without_credentials_a_url_is_plain(client_of):
    url = client_of(anon=True, region_name="eu-west-1").generate_presigned_url(
        "get_object", {"Bucket": "bucket", "Key": "k"}
    )
    assert url == "https://bucket.s3.eu-west-1.amazonaws.com/k"


def test_what_the_users_config_says_wins(client_of):
    theirs = Config(read_timeout=1, retries={"max_attempts": 1}, s3={"payload_signing_enabled": False})
    config = client_of(**CUSTOM, addressing_style="path", client_options={"config": theirs}).meta.config
    assert config.read_timeout == 1
    assert config.retries["total_max_attempts"] == 2
    assert config.s3 == {"addressing_style": "path", "payload_signing_enabled": False}
    assert config.connect_timeout == 10


def test_a_bundle_of_certificates_is_used(tmp_path):
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("")
    options = S3Options.build(**CUSTOM, tls_ca_bundle=str(bundle))
    assert client_arguments(options)["verify"] == str(bundle)
    assert client_arguments(S3Options.build(**CUSTOM, client_options={"verify": False}))["verify"] is False


def test_no_operation_needs_the_version_header_of_services_that_are_asked_for_endpoints(client_of):
    model = client_of(**AWS).meta.service_model
    assert "HeadObject" in model.operation_names
    asked = [name for name in model.operation_names if model.operation_model(name).is_endpoint_discovery_operation]
    assert asked == []


@pytest.mark.parametrize("options,sent", [(AWS, True), (CUSTOM, False)])
def test_only_aws_is_told_of_the_chain_of_lambda_functions(monkeypatch, options, sent, client_of):
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "f")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793")
    client, traces = client_of(**options, retry=RetryPolicy(1)), []

    def refuse(request, **_):
        traces.append("X-Amzn-Trace-Id" in request.headers)
        raise EndpointConnectionError(endpoint_url=request.url)

    client.meta.events.register("before-send.s3", refuse)
    with pytest.raises(EndpointConnectionError):
        client.head_object(Bucket="bucket", Key="k")
    assert traces == [sent]


def test_a_host_that_somebody_named_stays_the_only_one(make_port, endpoint, bucket):
    port = make_port()

    def name_another(request, **_others):
        request.headers["Host"] = "localhost"

    port.client.meta.events.register("before-sign.s3", name_another)
    put(port, bucket)
    assert endpoint.requests[-1].headers["host"] == "localhost"


def test_a_request_that_somebody_sends_elsewhere_names_the_host_there(make_port, endpoint, bucket, no_waiting):
    port = make_port(attempts=2, endpoint_url="http://127.0.0.1:9")

    def elsewhere(request, **_others):
        request.url = request.url.replace("http://127.0.0.1:9", endpoint.url)

    port.client.meta.events.register("before-sign.s3", elsewhere)
    endpoint.inject(Answer(503))
    put(port, bucket)
    assert [request.headers["host"] for request in endpoint.requests] == [endpoint.url.removeprefix("http://")] * 2


def test_sessions_are_private_and_share_the_service_models(clients):
    first, second = clients.session(None), clients.session(None)
    assert first is not second
    assert first.get_component("event_emitter") is not second.get_component("event_emitter")
    assert first.get_component("data_loader") is second.get_component("data_loader")


def test_clients_can_be_made_in_many_threads_at_once(client_of):
    barrier = threading.Barrier(8)

    def make(_number):
        barrier.wait()
        return client_of(**CUSTOM).meta.endpoint_url

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(make, range(8))) == [CUSTOM["endpoint_url"]] * 8
