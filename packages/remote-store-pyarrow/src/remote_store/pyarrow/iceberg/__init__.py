"""Iceberg tables on any store: a FileIO for PyIceberg, which has to be installed."""

from __future__ import annotations

from remote_store.pyarrow.iceberg.file_io import StoreFileIO

__all__ = ["StoreFileIO"]
