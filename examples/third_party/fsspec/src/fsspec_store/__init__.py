"""A storage backend over any fsspec filesystem, for remote-store."""

from __future__ import annotations

from fsspec_store.backend import FsspecBackend, from_url

__all__ = ["FsspecBackend", "from_url"]
