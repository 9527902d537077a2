from __future__ import annotations

from pathlib import Path

import pytest

import pages
from remote_store.conformance.endpoint import Endpoint


@pytest.mark.smoke
def test_the_page_runs(endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Path("docs/pyarrow.md").resolve()
    pages.prepare(endpoint, tmp_path, monkeypatch)
    pages.follow(page, endpoint, monkeypatch)
