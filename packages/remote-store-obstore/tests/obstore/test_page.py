from __future__ import annotations

from pathlib import Path

import pytest

import pages
from remote_store.conformance.endpoint import Endpoint
from remote_store.conformance.servers import moto_server


@pytest.mark.smoke
def test_the_page_for_users_does_what_it_says(tmp_path, monkeypatch):
    page = Path("docs/obstore.md").resolve()
    with moto_server() as server, Endpoint(server.url) as endpoint:
        pages.prepare(endpoint, tmp_path, monkeypatch)
        monkeypatch.setenv("AWS_ENDPOINT", endpoint.url)
        monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
        pages.follow(page, endpoint, monkeypatch)
