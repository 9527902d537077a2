"""What a write says about storage reaches the object on every lane, and an archived object is a clear error."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest

from remote_store.boto3 import AsyncS3Boto3Backend, S3Boto3Backend
from remote_store.conformance.servers import moto_server
from remote_store.core import AsyncStore, ObjectArchived, Store
from remote_store.pyarrow import S3PyArrowBackend
from remote_store.s3fs import AsyncS3FsBackend, S3FsBackend

UNTIL = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
LANES = {"boto3": S3Boto3Backend, "s3fs": S3FsBackend, "pyarrow": S3PyArrowBackend}
ASYNC_LANES = {"boto3": AsyncS3Boto3Backend, "s3fs": AsyncS3FsBackend}


@pytest.fixture(scope="module")
def place() -> Iterator[dict[str, Any]]:
    with moto_server() as server:
        yield {"endpoint_url": server.url, "region_name": "us-east-1", "key": "key", "secret": "secret"}


@pytest.fixture
def client(place: dict[str, Any]) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=place["endpoint_url"],
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
    )


@pytest.fixture
def bucket(client: Any) -> str:
    name = f"locked-{uuid4().hex}"
    client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    return name


@pytest.mark.parametrize("lane", LANES)
def test_a_lock_of_one_write_protects_its_version(lane: str, place: dict[str, Any], client: Any, bucket: str) -> None:
    with Store(LANES[lane](bucket, **place)) as store:
        store.write("locked", b"x", object_lock_mode="GOVERNANCE", object_lock_until=UNTIL, legal_hold=True)
        store.write("free", b"x")
    locked = client.head_object(Bucket=bucket, Key="locked")
    assert locked["ObjectLockMode"] == "GOVERNANCE"
    assert locked["ObjectLockRetainUntilDate"] == UNTIL
    assert locked["ObjectLockLegalHoldStatus"] == "ON"
    assert "ObjectLockMode" not in client.head_object(Bucket=bucket, Key="free")


@pytest.mark.parametrize("lane", LANES)
def test_a_storage_class_of_one_write_is_kept_by_a_copy(
    lane: str, place: dict[str, Any], client: Any, bucket: str
) -> None:
    options = {"put_options": {"StorageClass": "ONEZONE_IA"}}
    with Store(LANES[lane](bucket, **place, **options)) as store:
        store.write("a", b"content", storage_class="STANDARD_IA")
        store.copy("a", "b")
        assert [store.head(name).storage_class for name in ("a", "b")] == ["STANDARD_IA", "STANDARD_IA"]
    assert client.head_object(Bucket=bucket, Key="b")["StorageClass"] == "STANDARD_IA"


@pytest.mark.parametrize("lane", LANES)
def test_an_archived_object_is_not_read(lane: str, place: dict[str, Any], bucket: str) -> None:
    with Store(LANES[lane](bucket, **place)) as store:
        store.write("archive/a", b"content", storage_class="GLACIER")
        for read in (store.read_bytes, store.read, lambda path: store.read_range(path, 0, 1)):
            with pytest.raises(ObjectArchived, match="restore") as caught:
                read("archive/a")
            assert (caught.value.path, caught.value.storage_class) == ("archive/a", "GLACIER")
        with pytest.raises(PermissionError):
            store.child("archive").read_text("a")
        assert [info.storage_class for info in store.list_files("archive")] == ["GLACIER"]


@pytest.mark.parametrize("lane", ASYNC_LANES)
def test_an_archived_object_is_not_read_when_awaited(lane: str, place: dict[str, Any], bucket: str) -> None:
    async def read() -> None:
        async with AsyncStore(ASYNC_LANES[lane](bucket, **place)) as store:
            await store.write("a", b"content", storage_class="DEEP_ARCHIVE")
            with pytest.raises(ObjectArchived) as caught:
                await store.read_bytes("a")
            assert caught.value.storage_class == "DEEP_ARCHIVE"

    asyncio.run(read())
