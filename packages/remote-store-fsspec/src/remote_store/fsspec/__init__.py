"""Any store as an fsspec filesystem, for pandas, Dask, zarr and every other tool that takes one."""

from __future__ import annotations

from importlib.metadata import version

from remote_store.fsspec.async_filesystem import AsyncRemoteStoreFileSystem
from remote_store.fsspec.filesystem import RemoteStoreFileSystem

__all__ = ["AsyncRemoteStoreFileSystem", "RemoteStoreFileSystem"]

__version__ = version("remote-store-fsspec")
