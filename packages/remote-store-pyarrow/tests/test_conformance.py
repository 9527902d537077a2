from __future__ import annotations

from collections.abc import Iterator

import pytest

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
from remote_store.pyarrow import AsyncS3PyArrowBackend, S3PyArrowBackend


@pytest.fixture(autouse=True)
def pauses() -> Iterator[None]:
    with short_pauses():
        yield


class TestMoto(BackendConformance):
    harness = S3Harness(S3PyArrowBackend, MOTO, peers=installed_lanes())


class TestMotoAsync(AsyncBackendConformance):
    harness = AsyncS3Harness(AsyncS3PyArrowBackend, MOTO, peers=installed_async_lanes())


class TestMotoStrict(BackendConformance):
    harness = S3Harness(S3PyArrowBackend, MOTO_STRICT)


class TestMotoStrictAsync(AsyncBackendConformance):
    harness = AsyncS3Harness(AsyncS3PyArrowBackend, MOTO_STRICT)


class TestSeaweedFS(BackendConformance):
    harness = S3Harness(S3PyArrowBackend, SEAWEEDFS, peers=installed_lanes())


class TestSeaweedFSAsync(AsyncBackendConformance):
    harness = AsyncS3Harness(AsyncS3PyArrowBackend, SEAWEEDFS, peers=installed_async_lanes())
