"""The version of an installed distribution."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def installed_version(distribution: str) -> str:
    """The version of a distribution; `unknown` if its metadata is missing, as in some frozen applications."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "unknown"
