from __future__ import annotations

from pathlib import Path

import pytest

import pages
from remote_store.conformance.endpoint import Endpoint
from remote_store.conformance.servers import moto_server


@pytest.mark.smoke
@pytest.mark.parametrize("name", ["docs/fsspec.md", "docs/fsspec-backend.md"])
def test_the_page_for_users_does_what_it_says(name, tmp_path, monkeypatch):
    page = Path(name).resolve()
    with moto_server() as server, Endpoint(server.url) as endpoint:
        pages.prepare(endpoint, tmp_path, monkeypatch)
        pages.follow(page, endpoint, monkeypatch)
