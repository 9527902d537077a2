from __future__ import annotations

import pickle

import pytest
from upath import UPath

from remote_store.core import PreconditionFailed

pytestmark = pytest.mark.filterwarnings("ignore:UPath .* filesystem not explicitly implemented")


@pytest.fixture
def folder(place) -> UPath:
    """The folder as a path; universal_pathlib knows protocols without a hyphen only."""
    return UPath(place.url.replace("remote-store", "remotestore"))


def test_a_path_reads_and_writes(folder, place):
    path = folder / "reports" / "november.csv"
    path.write_bytes(b"day,sum\n")
    with path.open("wb") as file:
        file.write(b"day,sum\n23,99\n")
    assert path.read_text() == "day,sum\n23,99\n"
    assert (path.name, path.suffix, path.parent.name) == ("november.csv", ".csv", "reports")
    assert path.stat().st_size == 14
    assert place.names() == ["reports/november.csv"]
    assert path.exists()
    assert path.is_file()
    assert path.parent.is_dir()


def test_a_path_iterates_and_globs(folder, place):
    for name in ["a.csv", "b.csv", "c.txt", "deep/er/d.csv"]:
        place.store.write(name, name.encode())
    assert sorted(path.name for path in folder.iterdir()) == ["a.csv", "b.csv", "c.txt", "deep"]
    assert sorted(path.name for path in folder.glob("*.csv")) == ["a.csv", "b.csv"]
    assert sorted(path.name for path in folder.glob("**/*.csv")) == ["a.csv", "b.csv", "d.csv"]
    assert sorted(path.name for path in folder.rglob("*.csv")) == ["a.csv", "b.csv", "d.csv"]
    assert next(folder.glob("deep/*/*.csv")).read_bytes() == b"deep/er/d.csv"


def test_a_path_is_renamed_and_removed(folder, place):
    path = folder / "a.txt"
    path.write_text("a")
    path.rename(folder / "b.txt")
    assert place.names() == ["b.txt"]
    (folder / "b.txt").unlink()
    assert place.names() == []


def test_a_path_pickles_and_its_filesystem_knows_its_url(folder):
    path = folder / "a.txt"
    path.write_text("a")
    assert pickle.loads(pickle.dumps(path)).read_text() == "a"
    url = path.fs.unstrip_protocol(path.path)
    assert url.startswith("remote-store+")
    assert UPath(url, protocol=url.partition("://")[0]).read_text() == "a"


def test_the_protocol_with_a_hyphen_is_named(place):
    path = UPath(f"{place.url}/a.txt", protocol=place.url.partition("://")[0])
    path.write_text("a")
    assert path.read_text() == "a"
    assert place.names() == ["a.txt"]
    assert [child.name for child in path.parent.glob("*.txt")] == ["a.txt"]


def test_what_is_missing_is_not_found(folder):
    with pytest.raises(FileNotFoundError):
        (folder / "none.txt").read_text()
    with pytest.raises(FileNotFoundError):
        (folder / "none.txt").unlink()
    assert not (folder / "none.txt").exists()


@pytest.mark.parametrize("old", [False, True], ids=["new", "old"])
def test_an_exception_while_a_file_is_written_leaves_what_was_there(folder, place, old):
    path = folder / "a.txt"
    if old:
        path.write_text("old")

    def write() -> None:
        with path.open("w") as file:
            file.write("new")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    assert place.names() == (["a.txt"] if old else [])
    assert not old or path.read_text() == "old"


def test_a_file_that_changes_while_it_is_read_is_refused(s3):
    path = UPath(f"{s3.url.replace('remote-store', 'remotestore')}/large.bin")
    s3.store.write("large.bin", b"a" * 3_000_000)
    replaced = s3.replace_after(1, "large.bin", b"b" * 3_000_000)
    with path.open("rb") as file:
        assert file.read(10) == b"a" * 10
        file.seek(-10, 2)
        with pytest.raises(PreconditionFailed):
            file.read()
    assert replaced.hits == 1
