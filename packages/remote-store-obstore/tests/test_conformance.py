from __future__ import annotations

import itertools
import tempfile
from dataclasses import replace
from importlib.resources import files
from typing import Any

from remote_store.conformance import (
    AsyncBackendConformance,
    BackendConformance,
    Harness,
    Profile,
    ThreadedHarness,
    join_deviations,
    load_deviations,
)
from remote_store.conformance.s3 import MOTO, SEAWEEDFS, S3Harness
from remote_store.obstore import ObstoreLocalBackend, ObstoreMemoryBackend, ObstoreS3Backend

DEVIATIONS = files("remote_store.obstore") / "deviations"
IN_MEMORY = load_deviations(DEVIATIONS / "memory.toml")
ON_DISK = load_deviations(DEVIATIONS / "local.toml")
ON_S3 = load_deviations(DEVIATIONS / "s3.toml")
ON_SEAWEEDFS = join_deviations(ON_S3, load_deviations(DEVIATIONS / "seaweedfs.toml"))
TAKES = ("endpoint_url", "region_name", "key", "secret", "part_size", "retry")
# A write with a condition is never a multipart upload here.
MOTO_CREATES = replace(MOTO, deviations={rule: found for rule, found in MOTO.deviations.items() if rule != "SWAP-003"})
numbers = itertools.count()


class MemoryHarness(Harness):
    deviations = IN_MEMORY
    profile = Profile(in_process=True, endpoint_kind="memory", max_key_bytes=None, foreign_keys=False)

    def __init__(self) -> None:
        self._bucket = f"conformance-{next(numbers)}"

    def make(self, **_options: Any) -> ObstoreMemoryBackend:
        return ObstoreMemoryBackend(self._bucket)

    def isolated(self) -> MemoryHarness:
        return MemoryHarness()


class LocalHarness(Harness):
    """A temporary folder on disk."""

    deviations = ON_DISK
    profile = Profile(
        kind="tree",
        endpoint_kind="files",
        flat=False,
        foreign_keys=False,
        max_key_bytes=None,
        max_segment_bytes=255,
    )

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="remote-store-obstore-")

    def make(self, **_options: Any) -> ObstoreLocalBackend:
        return ObstoreLocalBackend(self._folder.name)

    def isolated(self) -> LocalHarness:
        return LocalHarness()


def s3_backend(
    bucket: str, *, endpoint_url: str, region_name: str, key: str, secret: str, **options: Any
) -> ObstoreS3Backend:
    """A backend made with the suite's names for the options of S3 backends."""
    return ObstoreS3Backend(
        bucket, endpoint=endpoint_url, region=region_name, access_key_id=key, secret_access_key=secret, **options
    )


class TestMemory(BackendConformance):
    harness = MemoryHarness()


class TestMemoryAsync(AsyncBackendConformance):
    harness = ThreadedHarness(MemoryHarness())


class TestLocal(BackendConformance):
    harness = LocalHarness()


class TestMoto(BackendConformance):
    harness = S3Harness(s3_backend, MOTO_CREATES, takes=TAKES, deviations=ON_S3)


class TestSeaweedFS(BackendConformance):
    harness = S3Harness(s3_backend, SEAWEEDFS, takes=TAKES, deviations=ON_SEAWEEDFS)
