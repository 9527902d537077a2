from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from remote_store.core import Capability, ConditionalWrites
from remote_store.core.s3 import S3Options
from remote_store.core.s3.protocol.endpoint import bucket_kind, endpoint_of
from remote_store.core.s3.protocol.options import check_bucket

ACCESS_POINT = "arn:aws:s3:us-west-2:123456789012:accesspoint/mine"
MULTI_REGION = "arn:aws:s3::123456789012:accesspoint:mfzwi23gnjvgw.mrap"
OUTPOST = "arn:aws:s3-outposts:us-west-2:123456789012:outpost/op-01ac5d28a6a232904/accesspoint/mine"
PRIVATE = "https://accesspoint.vpce-0123-abc.s3.us-west-2.vpce.amazonaws.com"


@pytest.mark.parametrize(
    "bucket, kind",
    [
        (None, "general purpose"),
        ("plain", "general purpose"),
        ("x--use1-az4", "general purpose"),
        ("x--use1-az4--x-s3", "directory"),
        ("x--use1-az4--xa-s3", "directory"),
        (ACCESS_POINT, "access point"),
        (ACCESS_POINT.replace("/", ":"), "access point"),
        ("arn:aws-cn:s3:cn-north-1:123456789012:accesspoint/mine", "access point"),
        (MULTI_REGION, "multi-region access point"),
        (MULTI_REGION.replace("accesspoint:", "accesspoint/"), "multi-region access point"),
        (OUTPOST, "other"),
        ("arn:aws:s3-object-lambda:us-west-2:123456789012:accesspoint/mine", "other"),
        ("mine-o01000000000000--op-s3", "other"),
        ("mine-abcdefghi--ol-s3", "other"),
        ("mine-abcdefghi-s3alias", "general purpose"),
    ],
)
def test_a_bucket_s_name_says_what_it_stands_for(bucket: str | None, kind: str) -> None:
    assert bucket_kind(bucket) == kind
    if bucket is not None:
        assert check_bucket(bucket) == bucket


@pytest.mark.parametrize(
    "bucket",
    [
        "arn:aws:s3:::bucket",
        "arn:aws:s3:us-west-2:123456789012:accesspoint",
        "arn:aws:s3:us-west-2:123456789012:accesspoint/",
        "arn:aws:s3:us-west-2:123456789012:accesspoint/a b",
        "arn:aws:s3:us-west-2:123456789012:accesspoint/..",
        "arn:aws:s3:us-west-2:123456789012:accesspoint/mine/object/k",
        "arn:aws:s3:us-west-2:12345:accesspoint/mine",
        "arn:aws:s3:us-west-2::accesspoint/mine",
        "arn:other:s3:us-west-2:123456789012:accesspoint/mine",
        "arn:aws:s3::123456789012:accesspoint/..",
        "arn:aws:s3-outposts:us-west-2:123456789012:outpost/op-1",
        "arn:aws:s3-outposts:us-west-2:123456789012:accesspoint/mine",
        "arn:aws:s3:us-west-2:123456789012:accesspoint/mine\n",
        "arn:aws:iam::123456789012:role/x",
        "arn:",
    ],
)
def test_an_arn_of_something_else_is_no_bucket(bucket: str) -> None:
    with pytest.raises(ValueError, match="ARN"):
        check_bucket(bucket)


@pytest.mark.parametrize("bucket", [ACCESS_POINT, MULTI_REGION, OUTPOST])
@pytest.mark.parametrize("url", ["http://127.0.0.1:9000", "https://s3.us-west-2.amazonaws.com"])
def test_an_arn_and_an_endpoint_that_would_be_ignored_do_not_go_together(bucket: str, url: str) -> None:
    with pytest.raises(ValueError, match="endpoint_url"):
        endpoint_of(url, aws="amazonaws" in url, bucket=bucket)


def test_an_access_point_is_reached_through_a_vpc_endpoint() -> None:
    assert endpoint_of(PRIVATE, aws=True, bucket=ACCESS_POINT, private_link=True).bucket_kind == "access point"
    with pytest.raises(ValueError, match="endpoint_url"):
        endpoint_of(PRIVATE, aws=True, bucket=MULTI_REGION, private_link=True)


EVERY, NONE = ConditionalWrites.every(True), ConditionalWrites()


@pytest.mark.parametrize(
    "aws, bucket, stated, expected",
    [
        (True, "plain", None, EVERY),
        (True, "x--use1-az4--x-s3", None, EVERY),
        (True, ACCESS_POINT, None, EVERY),
        (True, OUTPOST, None, NONE),
        (True, OUTPOST, True, EVERY),
        (True, "plain", False, ConditionalWrites.every(False)),
        (False, "plain", None, NONE),
        (False, "plain", True, EVERY),
        (False, "plain", ConditionalWrites(put=True), ConditionalWrites(put=True)),
        (True, "plain", ConditionalWrites(put=True), ConditionalWrites(put=True)),
    ],
)
def test_conditions_are_trusted_on_aws_and_where_that_is_stated(
    aws: bool, bucket: str, stated: Any, expected: ConditionalWrites
) -> None:
    url = None if aws else "http://s3.test"
    endpoint = endpoint_of(url, aws=aws, bucket=bucket, conditional_writes=stated)
    assert endpoint.conditions == expected
    assert [endpoint.trusts(kind) for kind in ("put", "complete", "copy", "delete")] == [
        value is True for value in (expected.put, expected.complete, expected.copy, expected.delete)
    ]


def test_what_is_so_on_aws_is_not_taken_for_granted_elsewhere() -> None:
    aws, other = endpoint_of(None, aws=True), endpoint_of("http://s3.test", aws=False)
    assert (aws.checksums, aws.redirects, aws.storage_classes) == (True, True, True)
    assert (other.checksums, other.redirects, other.storage_classes) == (False, False, False)
    classes = endpoint_of("http://s3.test", aws=False, put_options={"StorageClass": "COLD"}, checksums=True)
    assert (classes.checksums, classes.storage_classes) == (True, True)


def test_the_facts_are_frozen_and_pickle_with_the_options() -> None:
    options = S3Options.build(endpoint_url="http://s3.test")
    with pytest.raises(FrozenInstanceError):
        options.endpoint.aws = True  # type: ignore[misc]
    aws = options.at(endpoint_of("https://s3.eu-west-1.amazonaws.com", aws=True))
    assert pickle.loads(pickle.dumps(aws)).endpoint == aws.endpoint
    assert (aws.custom_endpoint, aws.endpoint.trusts("put")) == (False, True)
    assert (options.custom_endpoint, options.endpoint.trusts("put")) == (True, False)


def test_the_facts_are_no_option_of_the_user_s() -> None:
    with pytest.raises(TypeError, match="unknown option 'endpoint'"):
        S3Options.build(endpoint=endpoint_of(None, aws=True))  # type: ignore[call-arg]


def test_a_backend_declares_what_its_endpoint_can_do(open_lane: Any) -> None:
    trusted = ConditionalWrites(put=True, complete=True, copy=True)
    assert Capability.ATOMIC_CREATE in open_lane(conditional_writes=trusted).backend.capabilities
    assert Capability.ATOMIC_CREATE not in open_lane(conditional_writes=ConditionalWrites()).backend.capabilities


@pytest.mark.parametrize("name", [ACCESS_POINT, "bucket"])
def test_native_paths_of_arns_come_back_as_keys(name: str, open_lane: Any) -> None:
    backend = open_lane().backend
    object.__setattr__(backend._bucket, "name", name)
    assert backend.to_key(backend.native_path("a/b")) == "a/b"
    assert backend.to_key(backend.native_path("")) == ""
