from __future__ import annotations

import io
from hmac import digest
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import NoCredentialsError
from botocore.httpchecksum import AwsChunkedWrapper
from hypothesis import example, given
from hypothesis import strategies as st

from remote_store.boto3.client import create_client
from remote_store.core.s3 import S3Options
from remote_store.core.s3.sdk_signing import OnePassSigning, sign_in_one_pass

PLACE = {"endpoint_url": "http://127.0.0.1:9", "region_name": "eu-west-1"}
HOSTS = st.sampled_from(
    [
        *("http://127.0.0.1:9", "http://Example.COM:80", "https://example.com:80", "https://b.s3.amazonaws.com:443"),
        *("http://user:password@example.com:81", "http://[::1]:9", "https://[2001:DB8::1]"),
    ]
)
PATHS = st.sampled_from(["", "/", "/bucket/key", "/b/a//b/../%C3%A9%20", "/b?list-type=2&prefix=%2F&a", "/b?uploads"])
NAMES = st.sampled_from(
    [
        *("Range", "If-Match", "x-amz-meta-a", "X-Amz-Meta-A", "x-amz-checksum-mode", "Content-MD5", "amz:b", "Host"),
        *("User-Agent", "Expect", "X-Amzn-Trace-Id", "Transfer-Encoding"),
        *("Authorization", "X-Amz-Date", "X-Amz-Content-SHA256", "x-amz-security-token", "Date"),
    ]
)
VALUES = st.text(st.sampled_from('ab, \t:;="/\xe9\u20ac'), max_size=8)
HEADERS = st.lists(st.tuples(NAMES, VALUES), max_size=6)
TWICE = [("x-amz-meta-a", " a  b "), ("X-Amz-Meta-A", "c")]
CREDENTIALS = st.builds(
    Credentials, st.just("k"), st.sampled_from(["s", "/\xe9", ""]), st.sampled_from([None, "token"])
)
SCOPE = ("s3", "eu-west-1")
BODIES = st.sampled_from([None, b"", b"body", "file"])


@pytest.fixture(scope="module")
def ours():
    client = create_client(S3Options.build(key="k", secret="s", **PLACE))
    yield client._request_signer
    client.close()


def signed(auth: Any, method: str, url: str, headers: list[tuple[str, str]], body: Any, config: Any, **of: Any) -> Any:
    """The headers of a request after it was signed."""
    request = AWSRequest(method, url, data=io.BytesIO(b"body") if body == "file" else body, **of)
    for name, value in headers:
        # Beside one of the same name, if there is one.
        request.headers.add_header(name, value)
    request.context = {"client_config": config}
    # Twice, as a request is that is tried again.
    auth.add_auth(request)
    auth.add_auth(request)
    return request.headers.items()


@given(
    st.sampled_from(["GET", "HEAD", "PUT", "POST", "DELETE"]),
    HOSTS,
    PATHS,
    HEADERS,
    BODIES,
    st.sampled_from([None, {"b": "c d", "a": "/"}]),
    CREDENTIALS,
    st.sampled_from([("s3", "eu-west-1"), ("s3", "*"), ("s3-outposts", "us-east-1")]),
)
@example("GET", "http://127.0.0.1:9", "/bucket/key", [("Range", "bytes=1-2")], None, None, Credentials("k", "s"), SCOPE)
@example("PUT", "http://127.0.0.1:9", "/b/k", TWICE, b"body", None, Credentials("k", "other", "token"), SCOPE)
def test_a_signature_is_the_one_that_botocore_makes(
    ours, method, host, path, headers, body, params, credentials, scope
):
    request = method, host + path, headers, body, Config(s3={})
    theirs = S3SigV4Auth(credentials, *scope)
    mine = ours.get_auth_instance(*scope, "s3v4", credentials)
    assert isinstance(mine, OnePassSigning)
    for _ in range(3):
        # The clock may go on to the next second between the two.
        expected, got = signed(theirs, *request, params=params), signed(mine, *request, params=params)
        if got == expected:
            break
    assert got == expected


def test_every_day_has_a_key_of_its_own(ours):
    auth = ours.get_auth_instance(*SCOPE, "s3v4", Credentials("k", "s"))
    keys = set()
    for day in ("20261127", "20261128", "20261129", "20261127"):
        request = SimpleNamespace(context={"timestamp": f"{day}T235901Z"})
        key = auth.signing_key("s", auth.credential_scope(request))
        assert digest(key, b"text", "sha256").hex() == auth.signature("text", request)
        keys.add(key)
    assert len(keys) == 3


def test_without_credentials_nothing_is_signed(ours):
    auth = ours.get_auth_instance(*SCOPE, "s3v4", Credentials("k", "s"))
    auth.credentials = None
    with pytest.raises(NoCredentialsError):
        auth.add_auth(AWSRequest("GET", "http://127.0.0.1:9/b/k"))


@pytest.mark.parametrize("body,checksum", [(b"", False), (b"body", True)])
def test_a_body_that_is_not_to_be_signed_is_not(ours, body, checksum):
    config = Config(s3={"payload_signing_enabled": False})
    auth = ours.get_auth_instance("s3", "eu-west-1", "s3v4")
    headers = dict(signed(auth, "PUT", "https://host/b/k", [], body, config))
    assert (headers["X-Amz-Content-SHA256"] == "UNSIGNED-PAYLOAD") is checksum


@pytest.mark.parametrize("raw", [b"", b"body"])
def test_a_body_with_its_checksum_in_a_trailer_is_signed_as_such(ours, raw):
    request = AWSRequest("PUT", "https://host/b/k", data=AwsChunkedWrapper(io.BytesIO(raw)))
    request.context = {"client_config": Config(s3={}), "checksum": {"request_algorithm": {"in": "trailer"}}}
    ours.get_auth_instance("s3", "eu-west-1", "s3v4").add_auth(request)
    assert request.headers["X-Amz-Content-SHA256"] == "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


@pytest.mark.parametrize("version,is_ours", [("s3v4", True), ("s3v4-query", False), ("v4", False), ("s3", False)])
def test_only_signatures_of_that_kind_are_made_so(ours, version, is_ours):
    theirs = boto3.session.Session("k", "s").client("s3", **PLACE)._request_signer
    kinds = [isinstance(one.get_auth_instance("s3", "eu-west-1", version), OnePassSigning) for one in (ours, theirs)]
    assert kinds == [is_ours, False]


def test_a_presigned_url_is_botocores():
    ours = create_client(S3Options.build(key="k", secret="s", **PLACE))
    theirs = boto3.session.Session("k", "s").client("s3", **PLACE, config=Config(signature_version="s3v4"))
    call = {"ClientMethod": "get_object", "Params": {"Bucket": "bucket", "Key": "k"}}
    first, second = (parse_qs(urlsplit(client.generate_presigned_url(**call)).query) for client in (ours, theirs))
    assert first.keys() == second.keys()
    assert first["X-Amz-SignedHeaders"] == second["X-Amz-SignedHeaders"]


def test_a_client_without_such_a_signer_stays_as_it_is():
    sign_in_one_pass(SimpleNamespace(), S3SigV4Auth, ())
