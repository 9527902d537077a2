"""Any store as an fsspec filesystem, for pandas, Dask, zarr and every other tool that takes one."""

from __future__ import annotations

from importlib.metadata import version

__all__: list[str] = []

__version__ = version("remote-store-fsspec")
