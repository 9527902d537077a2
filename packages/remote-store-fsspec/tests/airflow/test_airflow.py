from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from airflow.sdk import ObjectStoragePath
from airflow.sdk.io import attach

import pages
from remote_store.conformance.endpoint import Endpoint
from remote_store.conformance.servers import Server
from remote_store.core import PreconditionFailed


@pytest.fixture
def folder(place) -> ObjectStoragePath:
    """A folder of the place, which is attached under a connection of its own."""
    connection = f"lake-{secrets.token_hex(4)}"
    attach(protocol="remote-store", conn_id=connection, fs=place.fs)
    return ObjectStoragePath(f"remote-store://{connection}@reports")


@pytest.fixture
def endpoint(moto: Server) -> Iterator[Endpoint]:
    with Endpoint(moto.url) as running:
        yield running


@pytest.mark.smoke
def test_the_code_of_the_page_does_what_the_page_shows(endpoint, tmp_path, monkeypatch):
    page = Path("docs/airflow.md").resolve()
    pages.prepare(endpoint, tmp_path, monkeypatch)
    pages.follow(page, endpoint, monkeypatch)


def test_a_path_reads_and_writes(folder, place):
    path = folder / "november.csv"
    with path.open("wb") as file:
        file.write(b"day,sum\n")
    with path.open("rb") as file:
        assert file.read() == b"day,sum\n"
    assert place.names() == ["reports/november.csv"]
    assert path.read_text() == "day,sum\n"
    assert path.exists()
    assert path.is_file()
    assert path.stat().st_size == path.size() == 8


def test_a_path_iterates_and_globs(folder, place):
    for name in ["a.csv", "b.csv", "deep/c.csv"]:
        place.store.write(f"reports/{name}", name.encode())
    assert sorted(path.name for path in folder.iterdir()) == ["a.csv", "b.csv", "deep"]
    assert sorted(path.name for path in folder.glob("*.csv")) == ["a.csv", "b.csv"]
    assert next(folder.glob("deep/*.csv")).read_bytes() == b"deep/c.csv"


def test_a_path_is_copied_moved_and_removed(folder, place):
    place.store.write("reports/a.csv", b"a")
    (folder / "a.csv").copy(folder / "b.csv")
    assert place.names() == ["reports/a.csv", "reports/b.csv"]
    (folder / "a.csv").move(folder / "c.csv")
    assert place.names() == ["reports/b.csv", "reports/c.csv"]
    (folder / "b.csv").unlink()
    assert place.names() == ["reports/c.csv"]


def test_a_local_file_is_copied_to_a_store_and_back(folder, place, tmp_path):
    (tmp_path / "a.csv").write_bytes(b"a")
    ObjectStoragePath(f"file://{tmp_path}/a.csv").copy(folder / "a.csv")
    assert place.store.read_bytes("reports/a.csv") == b"a"
    (folder / "a.csv").copy(ObjectStoragePath(f"file://{tmp_path}/b.csv"))
    assert (tmp_path / "b.csv").read_bytes() == b"a"


def test_a_missing_file_is_not_found(folder):
    with pytest.raises(FileNotFoundError):
        (folder / "none.csv").open("rb")
    with pytest.raises(FileNotFoundError):
        (folder / "none.csv").unlink()


@pytest.mark.parametrize("old", [False, True], ids=["new", "old"])
def test_an_exception_while_a_file_is_written_leaves_what_was_there(folder, place, old):
    if old:
        place.store.write("reports/a.csv", b"old")

    def write() -> None:
        with (folder / "a.csv").open("wb") as file:
            file.write(b"new")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    assert place.names() == (["reports/a.csv"] if old else [])
    assert not old or place.store.read_bytes("reports/a.csv") == b"old"


def test_a_file_that_changes_while_it_is_read_is_refused(s3):
    connection = f"lake-{secrets.token_hex(4)}"
    attach(protocol="remote-store", conn_id=connection, fs=s3.fs)
    s3.store.write("large.bin", b"a" * 3_000_000)
    replaced = s3.replace_after(1, "large.bin", b"b" * 3_000_000, broken_after=1_000_000)
    with (
        ObjectStoragePath(f"remote-store://{connection}@large.bin").open("rb") as file,
        pytest.raises(PreconditionFailed),
    ):
        file.read()
    assert replaced.hits == 1
