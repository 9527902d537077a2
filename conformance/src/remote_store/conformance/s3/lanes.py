"""The S3 lanes that are installed."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points

from remote_store.core import AsyncBackend, Backend


def installed_lanes() -> dict[str, Callable[..., Backend]]:
    """The backend class of each installed S3 lane, by its type in a configuration."""
    return {entry.name: entry.load() for entry in entry_points(group="remote_store.backends") if is_lane(entry)}


def installed_async_lanes() -> dict[str, Callable[..., AsyncBackend]]:
    """The same for asynchronous backends."""
    return {entry.name: entry.load() for entry in entry_points(group="remote_store.async_backends") if is_lane(entry)}


def is_lane(entry: EntryPoint) -> bool:
    """Whether an entry point is that of a lane."""
    return entry.name.startswith("s3-")
