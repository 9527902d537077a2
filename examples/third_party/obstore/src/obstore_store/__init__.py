"""A storage backend over any obstore store, for remote-store."""

from __future__ import annotations

from obstore_store.backend import ObstoreBackend, from_url

__all__ = ["ObstoreBackend", "from_url"]
