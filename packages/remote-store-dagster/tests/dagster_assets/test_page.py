"""The page of the documentation."""

from __future__ import annotations

from pathlib import Path

import pytest

import pages
from remote_store.conformance.endpoint import Endpoint


@pytest.mark.smoke
@pytest.mark.timeout(300)
def test_the_code_of_the_page_does_what_the_page_shows(moto, tmp_path, monkeypatch) -> None:
    page = Path("docs/dagster.md").resolve()
    with Endpoint(moto.url) as endpoint:
        pages.prepare(endpoint, tmp_path, monkeypatch)
        pages.follow(page, endpoint, monkeypatch)
