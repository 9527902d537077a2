from __future__ import annotations

import pickle
from base64 import b64encode
from dataclasses import replace
from hashlib import md5
from typing import Any

import pytest

from remote_store.core import Capability, ConditionalWrites, RetryPolicy, Secret
from remote_store.core.s3 import S3Options
from remote_store.core.s3.operations.bucket import READ_OPTIONS, Bucket
from remote_store.core.s3.protocol.options import GIB, MIB, check_bucket


@pytest.mark.parametrize(
    "options",
    [
        {"key": "AKID"},
        {"secret": "hush"},
        {"key": "AKID", "secret": ""},
        {"key": " ", "secret": "hush"},
        {"session_token": "token"},
        {"key": "AKID", "secret": "hush", "session_token": ""},
        {"anon": True, "key": "AKID", "secret": "hush"},
        {"profile": "work", "key": "AKID", "secret": "hush"},
        {"profile": ""},
        {"region_name": "  "},
        {"tls_ca_bundle": ""},
        {"endpoint_url": ""},
        {"endpoint_url": "127.0.0.1:9000"},
        {"endpoint_url": "s3://bucket"},
        {"endpoint_url": "http://"},
        {"endpoint_url": "http://user:hush@host"},
        {"endpoint_url": "http://my_minio:9000"},
        {"endpoint_url": "http://[::1]minio:9000"},
        {"endpoint_url": "http://minio[::1]"},
        {"endpoint_url": "http://-minio:9000"},
        {"endpoint_url": "http://minio..example.org"},
        {"endpoint_url": "http://" + "x" * 64},
        {"addressing_style": "host"},
        {"connect_timeout": 0},
        {"connect_timeout": -1.0},
        {"connect_timeout": float("nan")},
        {"read_timeout": float("inf")},
        {"read_timeout": True},
        {"max_connections": 0},
        {"max_connections": 2.5},
        {"max_concurrency": 0},
        {"max_concurrency": True},
        {"max_concurrency": 1.5},
        {"part_size": 5 * MIB - 1},
        {"part_size": 5 * GIB + 1},
        {"part_size": 8.0 * MIB},
        {"part_size": True},
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        S3Options.build(**options)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"endpoint_url": 1},
        {"secret": 1, "key": "AKID"},
        {"retry": 3},
        {"retry": None},
        {"conditional_writes": "yes"},
        {"put_options": [("ACL", "private")]},
        {"client_options": None},
        {"anon": "false"},
        {"grow_parts": 0},
        {"reject_write_under_file_ancestor": "no"},
        {"part_size": "8388608"},
        {"max_connections": "4"},
        {"max_concurrency": 4.0},
        {"connect_timeout": "5"},
        {"read_timeout": None},
    ],
)
def test_an_option_of_the_wrong_type_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        S3Options.build(**options)


def test_an_unknown_option_is_refused_with_the_nearest_known() -> None:
    with pytest.raises(TypeError, match="unknown option 'part_sise'; did you mean 'part_size'"):
        S3Options.build(part_sise=8 * MIB)  # type: ignore[call-arg]


def test_an_option_like_no_other_is_refused_with_all_known() -> None:
    with pytest.raises(TypeError, match="known options: endpoint_url, .* client_options"):
        S3Options.build(zzz=1)  # type: ignore[call-arg]


@pytest.mark.parametrize("name", ["StorageClas", "Metadata", "ContentType", "Key", "Bucket", "Body", "IfNoneMatch"])
def test_put_options_that_no_write_would_send_are_refused_not_ignored(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Bucket("bucket", S3Options.build(put_options={name: "x"}))


@pytest.mark.parametrize("size", [5 * MIB, 5 * GIB])
def test_the_smallest_and_the_largest_part_are_taken(size: int) -> None:
    assert S3Options.build(part_size=size).part_size == size


def test_secrets_are_wrapped_and_not_shown() -> None:
    options = S3Options.build(key="AKID", secret="hush", session_token=Secret("token"))
    assert options.secret == Secret("hush")
    assert options.session_token == Secret("token")
    assert "hush" not in repr(options)
    assert "token'" not in repr(options).replace("session_token", "")


@pytest.mark.parametrize(
    "host", ["127.0.0.1:9000", "[::1]:9000", "LocalHost", "s3.example.org.", "x" * 63, "10.0.0.1", "my-minio:9000/s3/"]
)
def test_a_host_that_an_sdk_accepts_is_taken(host: str) -> None:
    assert S3Options.build(endpoint_url=f"http://{host}").endpoint_url == f"http://{host}"


def test_options_pickle_with_their_secrets() -> None:
    options = S3Options.build(key="AKID", secret="hush", retry=RetryPolicy(2), put_options={"ACL": "private"})
    assert pickle.loads(pickle.dumps(options)) == options


@pytest.mark.parametrize(
    "options, trusted",
    [
        ({}, True),
        ({"endpoint_url": "http://h"}, False),
        ({"endpoint_url": "http://h", "conditional_writes": True}, True),
        ({"conditional_writes": False}, False),
        ({"conditional_writes": ConditionalWrites(put=True, complete=True, copy=True)}, True),
        ({"conditional_writes": ConditionalWrites(put=True, complete=True)}, False),
        ({"conditional_writes": ConditionalWrites(put=True, copy=True)}, False),
        ({"conditional_writes": ConditionalWrites(complete=True, copy=True, delete=True)}, False),
        ({"conditional_writes": ConditionalWrites.every(True)}, True),
    ],
)
def test_conditional_writes_are_trusted_on_aws_and_where_they_are_stated(
    options: dict[str, Any], trusted: bool, open_lane: Any
) -> None:
    trusts = S3Options.build(**options).endpoint.trusts
    assert (trusts("put") and trusts("complete") and trusts("copy")) is trusted
    assert (Capability.ATOMIC_CREATE in open_lane(**options).backend.capabilities) is trusted


@pytest.mark.parametrize("bucket", ["", "  ", "a/b", "a b", " a", "a\n", ".", "..", ".\n"])
def test_what_cannot_be_a_bucket_is_refused(bucket: str) -> None:
    with pytest.raises(ValueError, match="bucket"):
        check_bucket(bucket)


@pytest.mark.parametrize("bucket", [None, b"bucket", 1])
def test_a_bucket_that_is_no_text_is_a_type_error(bucket: object) -> None:
    with pytest.raises(TypeError, match="bucket must be a str"):
        check_bucket(bucket)  # type: ignore[arg-type]


def test_an_operation_gets_those_put_options_that_it_takes() -> None:
    options = {"ServerSideEncryption": "aws:kms", "RequestPayer": "requester", "SSECustomerKey": "k" * 32}
    bucket = Bucket("bucket", S3Options.build(put_options=options))
    assert bucket.call("ListObjectsV2").params == {"Bucket": "bucket", "RequestPayer": "requester"}


@pytest.mark.parametrize(
    "options",
    [
        {"key": "AKID-HUSH\n", "secret": "s"},
        {"key": " AKID-HUSH", "secret": "s"},
        {"key": "AKID-HUSH-é", "secret": "s"},
        {"key": "AKID", "secret": "HUSH\n"},
        {"key": "AKID", "secret": "HUSH "},
        {"key": "AKID", "secret": "HU\0SH"},
        {"key": "AKID", "secret": "s", "session_token": "HUSH\n"},
        {"key": "AKID", "secret": "s", "session_token": "HU SH"},
        {"region_name": "HUSH\n"},
        {"region_name": "eu_central"},
        {"region_name": "eu.central-1"},
        {"region_name": "-eu"},
        {"profile": "HUSH\n"},
        {"endpoint_url": "http://user:HUSH@[host"},
        {"endpoint_url": "http://user:HUSH@host:port"},
        {"endpoint_url": "http://user:HUSH@host"},
        {"endpoint_url": "http://host:99999"},
        {"endpoint_url": "http://host/?HUSH=1"},
        {"endpoint_url": "http://host\n"},
        {"endpoint_url": "http://my_host:9000"},
        {"endpoint_url": "http://-host"},
        {"put_options": {"SSECustomerKey": b"HUSH"}},
    ],
)
def test_what_no_request_could_carry_is_refused_and_not_shown(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is held to its name below
        S3Options.build(**options)
    name, value = list(options.items())[-1]
    named = "key" if (name, value) == ("secret", "s") else name
    assert ("SSECustomerKey" if isinstance(value, dict) else named) in str(caught.value)
    assert "HUSH" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:9000", "[::1]:9000", "s3.example.org", "a-b.example.org."])
def test_hosts_that_exist_are_taken(host: str) -> None:
    assert S3Options.build(endpoint_url=f"https://{host}/base").endpoint_url


KEY = bytes(range(224, 256))


@pytest.mark.parametrize(
    "given",
    [
        {"SSECustomerKey": KEY},
        {"SSECustomerKey": bytearray(KEY)},
        {"SSECustomerKey": b64encode(KEY).decode(), "SSECustomerKeyMD5": b64encode(md5(KEY).digest()).decode()},
    ],
)
def test_a_key_for_encryption_is_sent_as_s3_takes_it_and_never_shown(given: dict[str, Any]) -> None:
    options = S3Options.build(put_options={"SSECustomerAlgorithm": "AES256", **given})
    bucket = Bucket("bucket", options)
    call = bucket.call("GetObject", READ_OPTIONS, Key="k")
    assert call.params["SSECustomerKey"] == b64encode(KEY).decode()
    assert call.params["SSECustomerKeyMD5"] == b64encode(md5(KEY).digest()).decode()
    assert pickle.loads(pickle.dumps(options)) == replace(options) == options
    for text in map(repr, (options, bucket, call, options.put_options)):
        assert b64encode(KEY).decode() not in text
        assert repr(KEY)[2:-1] not in text


def test_a_key_for_encryption_given_as_text_is_its_bytes() -> None:
    options = S3Options.build(put_options={"SSECustomerKey": "k" * 32})
    assert options.put_options["SSECustomerKey"] == Secret(b64encode(b"k" * 32).decode())


def test_a_key_for_encryption_of_another_type_is_refused_without_showing_it() -> None:
    with pytest.raises(TypeError, match="SSECustomerKey must be bytes or a str, not list"):
        S3Options.build(put_options={"SSECustomerKey": [1, 2]})


@pytest.mark.parametrize(
    "given",
    [
        {"SSECustomerKey": "hush\n", "SSECustomerKeyMD5": "md5"},
        {"SSECustomerKey": "hush\u4e2d", "SSECustomerKeyMD5": "md5"},
        {"SSECustomerKey": b"hush\xff", "SSECustomerKeyMD5": "md5"},
        {"SSECustomerKey": "hush\udc80"},
        {"SSECustomerKey": ""},
    ],
)
def test_a_key_for_encryption_that_no_header_carries_is_refused_without_showing_it(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="SSECustomerKey") as caught:
        S3Options.build(put_options=given)
    assert type(caught.value) is ValueError
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("name", ["CacheControl", "ExpectedBucketOwner", "SSECustomerKeyMD5", "Tagging"])
@pytest.mark.parametrize("value", ["a\nb", "a\r\nx: y", "\0"])
def test_put_options_with_a_line_break_are_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"{name} in put_options contains a control character"):
        S3Options.build(put_options={name: value})


def test_a_name_in_put_options_is_a_text() -> None:
    with pytest.raises(TypeError, match="a name in put_options must be a str, not int"):
        S3Options.build(put_options={1: "x"})  # type: ignore[dict-item]
