"""Storage backends over any obstore store: S3, Google Cloud Storage, Azure, HTTP, local disk and memory."""

from __future__ import annotations

from importlib.metadata import version

from remote_store.obstore.backend import ObstoreBackend
from remote_store.obstore.services import (
    S3_CONFIG,
    ObstoreAzureBackend,
    ObstoreGCSBackend,
    ObstoreHTTPBackend,
    ObstoreLocalBackend,
    ObstoreMemoryBackend,
    ObstoreS3Backend,
)
from remote_store.obstore.settings import AzureSettings, ClientSettings, GCSSettings, S3Settings
from remote_store.obstore.threads import AsyncObstoreBackend

__version__ = version("remote-store-obstore")

__all__ = [
    "S3_CONFIG",
    "AsyncObstoreBackend",
    "AzureSettings",
    "ClientSettings",
    "GCSSettings",
    "ObstoreAzureBackend",
    "ObstoreBackend",
    "ObstoreGCSBackend",
    "ObstoreHTTPBackend",
    "ObstoreLocalBackend",
    "ObstoreMemoryBackend",
    "ObstoreS3Backend",
    "S3Settings",
]
