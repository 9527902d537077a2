"""Servers that change the names of user metadata: a lane shows what the server has, and reads and writes go on."""

from __future__ import annotations

from typing import Any

import pytest

from remote_store.boto3 import S3Boto3Backend
from remote_store.conformance.fakes.damaged_s3 import DamagedS3, Reply, serving
from remote_store.core import RetryPolicy
from remote_store.pyarrow import S3PyArrowBackend
from remote_store.s3fs import S3FsBackend

PLACE: dict[str, Any] = {"key": "k", "secret": "s", "region_name": "us-east-1", "retry": RetryPolicy.disabled()}
PREFIX = "x-amz-meta-"


def as_ceph(reply: Reply) -> Reply:
    """Ceph returns hyphens for underscores in the names of metadata."""
    headers = [
        (name.replace("_", "-") if name.lower().startswith(PREFIX) else name, value) for name, value in reply.headers
    ]
    return Reply(reply.status, headers, reply.body)


def as_nginx(reply: Reply) -> Reply:
    """A proxy that drops headers with an underscore in the name."""
    return Reply(reply.status, [field for field in reply.headers if "_" not in field[0]], reply.body)


@pytest.mark.parametrize("lane", [S3Boto3Backend, S3FsBackend, S3PyArrowBackend])
@pytest.mark.parametrize("damage, found", [(as_ceph, {"run-id": "7", "author": "ada"}), (as_nginx, {"author": "ada"})])
def test_names_with_an_underscore_come_back_as_the_server_has_them(lane: Any, damage: Any, found: Any) -> None:
    fake = DamagedS3()
    fake.operation, fake.damage = "HeadObject", damage
    with serving(fake) as url, lane("bucket", endpoint_url=url, **PLACE) as backend:
        written = backend.write("k", b"content", metadata={"run_id": "7", "author": "ada"})
        assert written.metadata == {"run_id": "7", "author": "ada"}
        assert backend.get_file_info("k").metadata == found
        assert backend.read_bytes("k") == b"content"
