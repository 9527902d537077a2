"""An IO manager and a resource that keep Dagster assets in any store."""

from __future__ import annotations

from importlib.metadata import version

from remote_store.dagster.io_manager import StoreIOManager
from remote_store.dagster.parquet import ParquetSerializer
from remote_store.dagster.resource import StoreResource
from remote_store.dagster.serializers import JsonSerializer, PickleSerializer, Serializer

__all__ = [
    "JsonSerializer",
    "ParquetSerializer",
    "PickleSerializer",
    "Serializer",
    "StoreIOManager",
    "StoreResource",
]

__version__ = version("remote-store-dagster")
