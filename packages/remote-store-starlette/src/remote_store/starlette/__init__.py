"""Responses and endpoints that serve the files of a store, and receive uploads into it."""

from __future__ import annotations

from importlib.metadata import version

from remote_store.starlette.files import StoreFiles
from remote_store.starlette.responses import StoreResponse
from remote_store.starlette.uploads import save_body

__all__ = ["StoreFiles", "StoreResponse", "save_body"]

__version__ = version("remote-store-starlette")
