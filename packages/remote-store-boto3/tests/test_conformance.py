from __future__ import annotations

from collections.abc import Iterator

import pytest

from remote_store.boto3 import AsyncS3Boto3Backend, S3Boto3Backend
from remote_store.conformance import AsyncBackendConformance, BackendConformance
from remote_store.conformance.processes.pauses import short_pauses
from remote_store.conformance.s3 import (
    MOTO,
    MOTO_STRICT,
    SEAWEEDFS,
    AsyncS3Harness,
    S3Harness,
    installed_async_lanes,
    installed_lanes,
)


@pytest.fixture(autouse=True)
def pauses() -> Iterator[None]:
    with short_pauses():
        yield


class TestMoto(BackendConformance):
    harness = S3Harness(S3Boto3Backend, MOTO, peers=installed_lanes())


class TestMotoAsync(AsyncBackendConformance):
    harness = AsyncS3Harness(AsyncS3Boto3Backend, MOTO, peers=installed_async_lanes())


class TestMotoStrict(BackendConformance):
    harness = S3Harness(S3Boto3Backend, MOTO_STRICT)


class TestMotoStrictAsync(AsyncBackendConformance):
    harness = AsyncS3Harness(AsyncS3Boto3Backend, MOTO_STRICT)


class TestSeaweedFS(BackendConformance):
    harness = S3Harness(S3Boto3Backend, SEAWEEDFS, peers=installed_lanes())


class TestSeaweedFSAsync(AsyncBackendConformance):
    harness = AsyncS3Harness(AsyncS3Boto3Backend, SEAWEEDFS, peers=installed_async_lanes())
