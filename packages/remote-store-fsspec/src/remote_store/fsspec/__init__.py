"""Any store as an fsspec filesystem, for pandas, Dask, zarr and others, and any fsspec filesystem as a backend."""

from __future__ import annotations

from importlib.metadata import version

from remote_store.fsspec.async_filesystem import AsyncRemoteStoreFileSystem
from remote_store.fsspec.backend.backend import FsspecBackend
from remote_store.fsspec.filesystem import RemoteStoreFileSystem

__all__ = ["AsyncRemoteStoreFileSystem", "FsspecBackend", "RemoteStoreFileSystem"]

__version__ = version("remote-store-fsspec")
