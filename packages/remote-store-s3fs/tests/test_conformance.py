from __future__ import annotations

from remote_store.conformance import AsyncBackendConformance, BackendConformance
from remote_store.conformance.s3 import MOTO, MOTO_STRICT, SEAWEEDFS, AsyncS3Harness, S3Harness
from remote_store.s3fs import AsyncS3FsBackend, S3FsBackend


class TestMoto(BackendConformance):
    harness = S3Harness(S3FsBackend, MOTO)


class TestMotoAsync(AsyncBackendConformance):
    harness = AsyncS3Harness(AsyncS3FsBackend, MOTO)


class TestMotoStrict(BackendConformance):
    harness = S3Harness(S3FsBackend, MOTO_STRICT)


class TestMotoStrictAsync(AsyncBackendConformance):
    harness = AsyncS3Harness(AsyncS3FsBackend, MOTO_STRICT)


class TestSeaweedFS(BackendConformance):
    harness = S3Harness(S3FsBackend, SEAWEEDFS)


class TestSeaweedFSAsync(AsyncBackendConformance):
    harness = AsyncS3Harness(AsyncS3FsBackend, SEAWEEDFS)
