from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import pages
from remote_store.conformance.endpoint import Endpoint
from remote_store.conformance.servers import Server

PAGES = ["pandas", "polars", "duckdb", "dask", "zarr", "xarray", "universal-pathlib"]
"""The pages whose code runs in this environment."""


@pytest.fixture
def endpoint(moto: Server) -> Iterator[Endpoint]:
    with Endpoint(moto.url) as running:
        yield running


@pytest.mark.smoke
@pytest.mark.parametrize("name", PAGES)
def test_the_code_of_a_page_does_what_the_page_shows(name, endpoint, tmp_path, monkeypatch):
    page = Path(__file__).with_name("docs") / f"{name}.md"
    pages.prepare(endpoint, tmp_path, monkeypatch)
    pages.follow(page, endpoint, monkeypatch)
