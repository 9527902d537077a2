from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import pages
from remote_store.conformance.endpoint import Endpoint
from remote_store.conformance.servers import Server

PAGES = [
    "docs/dask.md",
    "docs/duckdb.md",
    "docs/pandas.md",
    "docs/polars.md",
    "docs/universal-pathlib.md",
    "docs/xarray.md",
    "docs/zarr.md",
]


@pytest.fixture(scope="module")
def endpoint(moto: Server) -> Iterator[Endpoint]:
    with Endpoint(moto.url) as running:
        yield running


@pytest.mark.smoke
@pytest.mark.parametrize("name", PAGES)
def test_the_code_of_a_page_does_what_the_page_shows(name, endpoint, tmp_path, monkeypatch):
    page = Path(name).resolve()
    pages.prepare(endpoint, tmp_path, monkeypatch)
    pages.follow(page, endpoint, monkeypatch)
