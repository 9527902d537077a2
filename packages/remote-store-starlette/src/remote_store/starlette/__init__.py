"""Responses and endpoints that serve the files of a store, and receive uploads into it."""

from __future__ import annotations

from importlib.metadata import version

__all__: list[str] = []

__version__ = version("remote-store-starlette")
