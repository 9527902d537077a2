"""A storage backend over any obstore store, for remote-store."""

from __future__ import annotations

from obstore_store.backend import S3_CONFIG, ObstoreBackend, from_url

__all__ = ["S3_CONFIG", "ObstoreBackend", "from_url"]
