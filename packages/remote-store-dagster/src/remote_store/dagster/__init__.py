"""An IO manager and a resource that keep Dagster assets in any store."""

from __future__ import annotations

from importlib.metadata import version

__all__: list[str] = []

__version__ = version("remote-store-dagster")
