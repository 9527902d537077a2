"""Which bodies carry a checksum of ours: those of servers that the SDK sends none of its own to."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import Any

import pytest

from remote_store.conformance.fakes.s3 import FakeS3
from uploads import PART, THREE_PARTS, Stream


@pytest.mark.parametrize(
    "options, summed",
    [
        ({"endpoint_url": "http://s3.test"}, True),
        ({"endpoint_url": "http://s3.test", "put_options": {"ObjectLockMode": "GOVERNANCE"}}, True),
        ({"endpoint_url": "http://s3.test", "put_options": {"ChecksumAlgorithm": "SHA256"}}, False),
        ({}, False),
    ],
)
def test_every_body_carries_its_md5_where_the_sdk_sends_no_checksum(
    options: dict[str, Any], summed: bool, s3: FakeS3, open_lane: Any
) -> None:
    lane = open_lane(part_size=PART, **options)
    lane.write("a", b"abc")
    lane.write("b", Stream(THREE_PARTS))
    bodies = [call.params for call in s3.calls if "Body" in call.params]
    assert len(bodies) == 4
    for params in bodies:
        expected = b64encode(hashlib.md5(params["Body"], usedforsecurity=False).digest()).decode() if summed else None
        assert params.get("ContentMD5") == expected
