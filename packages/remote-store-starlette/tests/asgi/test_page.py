"""The code of the page for users."""

from __future__ import annotations

from pathlib import Path

import pytest

import pages
from remote_store.conformance.endpoint import Endpoint
from remote_store.conformance.servers import moto_server


@pytest.mark.smoke
def test_the_code_of_the_page_does_what_the_page_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Path("docs/starlette.md").resolve()
    with moto_server() as server, Endpoint(server.url) as endpoint:
        pages.prepare(endpoint, tmp_path, monkeypatch)
        pages.follow(page, endpoint, monkeypatch)
