from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import Distribution, PathDistribution, distribution
from pathlib import Path

import pytest

from remote_store.conformance.contract import versions
from remote_store.conformance.contract.versions import distribution_of, installed, required, skew

Publish = Callable[..., Distribution]


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Publish:
    """Put metadata of a distribution where it is found before any other of its name."""
    monkeypatch.syspath_prepend(tmp_path)

    def publish(name: str, version: str, *requires: str) -> Distribution:
        folder = tmp_path / f"{name.replace('-', '_')}-{version}.dist-info"
        folder.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        lines += [f"Requires-Dist: {line}" for line in requires]
        (folder / "METADATA").write_text("\n".join(lines) + "\n", "utf-8")
        return PathDistribution(folder)

    return publish


def test_what_is_installed_here_goes_together() -> None:
    assert skew() == ""
    assert skew(distribution("remote-store-boto3")) == ""
    assert installed()["core"] == distribution("remote-store-core").version
    assert set(installed()) == {"suite", "core", "pytest", "python"}


def test_a_suite_that_is_older_than_core_is_refused_with_what_mends_it(publish: Publish) -> None:
    publish("remote-store-core", "7.2.0")
    assert skew().startswith("remote-store-conformance 0.1.0 needs remote-store-core~=0.1.0, but 7.2.0 is installed")
    assert skew().endswith("fix it with: pip install --upgrade remote-store-conformance")


def test_a_core_that_is_older_than_the_suite_is_refused_with_what_mends_it(publish: Publish) -> None:
    publish("remote-store-core", "0.0.9")
    assert skew().endswith('fix it with: pip install "remote-store-core~=0.1.0"')


def test_a_backend_of_another_core_is_refused_with_what_mends_it(publish: Publish) -> None:
    older = publish("my-backend", "2.0", "remote-store-core~=0.0.5")
    newer = publish("your-backend", "1.0", "remote-store-core>=3")
    assert skew(older).startswith("my-backend 2.0 needs remote-store-core~=0.0.5, but 0.1.0 is installed")
    assert skew(older).endswith("pip install --upgrade my-backend")
    assert skew(newer).endswith('pip install "remote-store-core>=3"')


def test_the_distribution_of_a_module_is_found_by_its_name_or_by_its_files(publish: Publish) -> None:
    publish("my-storage", "1.5")
    assert distribution_of("my_storage.backend").version == "1.5"  # type: ignore[union-attr]
    assert distribution_of("remote_store.boto3.backend").metadata["Name"] == "remote-store-boto3"  # type: ignore[union-attr]
    assert distribution_of("_pytest.main").metadata["Name"] == "pytest"  # type: ignore[union-attr]
    assert distribution_of("no_such_module_anywhere") is None


def test_what_a_distribution_needs_is_told_with_its_version(publish: Publish) -> None:
    found = publish(
        "my-storage", "1.5", "pytest>=8", "remote-store-core~=0.1.0", "nowhere>=1", 'moto; extra == "servers"'
    )
    assert required(found) == {"pytest": distribution("pytest").version}


def test_a_distribution_that_is_not_there_has_no_version() -> None:
    assert versions._version("no-such-distribution-anywhere") == ""
