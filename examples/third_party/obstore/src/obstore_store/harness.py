"""The harness for the conformance suite; the backend does not import it."""

from __future__ import annotations

import tempfile
from importlib.resources import files
from typing import Any

from obstore.store import LocalStore, MemoryStore, S3Store
from remote_store.conformance import Harness, Profile, join_deviations, load_deviations
from remote_store.conformance.s3 import MOTO, SEAWEEDFS, S3Harness
from remote_store.core import RetryPolicy

from obstore_store.backend import S3_CONFIG, ObstoreBackend

PACKAGE = files("obstore_store") / "deviations"
EVERYWHERE = load_deviations(PACKAGE / "everywhere.toml")


class MemoryHarness(Harness):
    """A store in memory."""

    deviations = EVERYWHERE
    profile = Profile(in_process=True, picklable=False, max_key_bytes=None, foreign_keys=False)

    def __init__(self) -> None:
        self._store = MemoryStore()

    def make(self, **_options: Any) -> ObstoreBackend:
        return ObstoreBackend(self._store)

    def isolated(self) -> MemoryHarness:
        return MemoryHarness()


class LocalHarness(Harness):
    """A temporary folder on disk; it cannot be absent, because obstore creates a missing folder."""

    deviations = join_deviations(EVERYWHERE, load_deviations(PACKAGE / "local.toml"))
    profile = Profile(kind="tree", flat=False, foreign_keys=False, max_key_bytes=None, max_segment_bytes=255)

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="obstore-store-")

    def make(self, **_options: Any) -> ObstoreBackend:
        return ObstoreBackend(LocalStore(self._folder.name, automatic_cleanup=True))

    def isolated(self) -> LocalHarness:
        return LocalHarness()


def s3_backend(
    bucket: str,
    *,
    endpoint_url: str,
    region_name: str,
    key: str,
    secret: str,
    part_size: int,
    retry: RetryPolicy | None = None,
) -> ObstoreBackend:
    """A backend made with the suite's names for the options of S3 backends."""
    store = S3Store(
        bucket,
        endpoint=endpoint_url,
        region=region_name,
        access_key_id=key,
        secret_access_key=secret,
        config=S3_CONFIG,
        client_options={"allow_http": True},
        retry_config={"max_retries": (retry or RetryPolicy()).max_attempts - 1},
    )
    return ObstoreBackend(store, part_size=part_size)


TAKEN = ("endpoint_url", "region_name", "key", "secret", "part_size", "retry")
ON_S3 = join_deviations(EVERYWHERE, load_deviations(PACKAGE / "s3.toml"))
moto = S3Harness(s3_backend, MOTO, takes=TAKEN, deviations=ON_S3)
ON_SEAWEEDFS = join_deviations(ON_S3, load_deviations(PACKAGE / "seaweedfs.toml"))
seaweedfs = S3Harness(s3_backend, SEAWEEDFS, takes=TAKEN, deviations=ON_SEAWEEDFS)
