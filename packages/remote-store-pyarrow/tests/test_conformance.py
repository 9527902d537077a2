from __future__ import annotations

from remote_store.conformance import AsyncBackendConformance, BackendConformance
from remote_store.conformance.s3 import MOTO, MOTO_STRICT, SEAWEEDFS, AsyncS3Harness, S3Harness
from remote_store.pyarrow import AsyncS3PyArrowBackend, S3PyArrowBackend


class TestMoto(BackendConformance):
    harness = S3Harness(S3PyArrowBackend, MOTO)


class TestMotoAsync(AsyncBackendConformance):
    harness = AsyncS3Harness(AsyncS3PyArrowBackend, MOTO)


class TestMotoStrict(BackendConformance):
    harness = S3Harness(S3PyArrowBackend, MOTO_STRICT)


class TestMotoStrictAsync(AsyncBackendConformance):
    harness = AsyncS3Harness(AsyncS3PyArrowBackend, MOTO_STRICT)


class TestSeaweedFS(BackendConformance):
    harness = S3Harness(S3PyArrowBackend, SEAWEEDFS)


class TestSeaweedFSAsync(AsyncBackendConformance):
    harness = AsyncS3Harness(AsyncS3PyArrowBackend, SEAWEEDFS)
