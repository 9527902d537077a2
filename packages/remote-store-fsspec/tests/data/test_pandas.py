from __future__ import annotations

import pandas as pd
import pytest

from remote_store.core import PreconditionFailed

FRAME = pd.DataFrame({"day": ["mon", "tue", "wed"], "sum": [1, 2, 3], "share": [0.5, 0.25, 0.25]})


class Broken:
    """A value that cannot be written as text."""

    def __str__(self) -> str:
        raise ValueError("no text for this value")


@pytest.mark.parametrize("name", ["sales.csv", "sales.csv.gz", "sales.json", "sales.parquet", "sales.feather"])
def test_a_frame_written_by_url_is_read_by_url(place, name):
    url = f"{place.url}/{name}"
    match name.partition(".")[2]:
        case "json":
            FRAME.to_json(url)
            read = pd.read_json(url)
        case "parquet":
            FRAME.to_parquet(url)
            read = pd.read_parquet(url)
        case "feather":
            FRAME.to_feather(url)
            read = pd.read_feather(url)
        case _:
            FRAME.to_csv(url, index=False)
            read = pd.read_csv(url)
    pd.testing.assert_frame_equal(read, FRAME)
    assert place.names() == [name]


def test_a_filesystem_of_a_store_reads_and_writes(place):
    FRAME.to_parquet("tables/sales.parquet", filesystem=place.fs)
    read = pd.read_parquet("tables/sales.parquet", filesystem=place.fs, columns=["day", "sum"])
    pd.testing.assert_frame_equal(read, FRAME[["day", "sum"]])
    with place.fs.open("sales.pickle", "wb") as file:
        FRAME.to_pickle(file)
    with place.fs.open("sales.pickle", "rb") as file:
        pd.testing.assert_frame_equal(pd.read_pickle(file), FRAME)


def test_partitions_are_written_and_filtered(place):
    FRAME.to_parquet(f"{place.url}/sales", partition_cols=["day"])
    assert [name.rpartition("/")[0] for name in place.names()] == ["sales/day=mon", "sales/day=tue", "sales/day=wed"]
    read = pd.read_parquet(f"{place.url}/sales", filters=[("day", "==", "tue")])
    assert read["sum"].tolist() == [2]


@pytest.mark.parametrize("read", [pd.read_csv, pd.read_parquet, pd.read_json], ids=lambda read: read.__name__)
def test_a_missing_file_is_not_found(place, read):
    with pytest.raises(FileNotFoundError):
        read(f"{place.url}/none")


@pytest.mark.parametrize("old", [False, True], ids=["new", "old"])
def test_a_frame_that_cannot_be_written_leaves_what_was_there(place, old):
    if old:
        FRAME.to_csv(f"{place.url}/sales.csv", index=False)
    broken = pd.DataFrame({"value": ["x" * 1000] * 50_000 + [Broken()]})
    with pytest.raises(ValueError, match="no text"):
        broken.to_csv(f"{place.url}/sales.csv", index=False)
    assert place.names() == (["sales.csv"] if old else [])
    if old:
        pd.testing.assert_frame_equal(pd.read_csv(f"{place.url}/sales.csv"), FRAME)


def test_a_table_that_changes_while_it_is_read_is_refused(s3):
    rows = 300_000
    s3.store.write("large.csv", b"n\n" + b"12345678\n" * rows)
    replaced = s3.replace_after(1, "large.csv", b"n\n" + b"87654321\n" * rows, broken_after=1_000_000)
    seen = set()

    def read() -> None:
        with pd.read_csv(f"{s3.url}/large.csv", chunksize=10_000) as chunks:
            for chunk in chunks:
                seen.update(chunk["n"])

    with pytest.raises(PreconditionFailed):
        read()
    assert replaced.hits == 1
    assert seen == {12345678}


def test_a_parquet_file_that_changes_while_it_is_read_is_refused(s3):
    old, new = (pd.DataFrame({"a": [n] * 300_000, "b": range(300_000)}) for n in (1, 2))
    s3.store.write("large.parquet", old.to_parquet(None))
    replaced = s3.replace_after(1, "large.parquet", new.to_parquet(None))
    with pytest.raises(PreconditionFailed):
        pd.read_parquet(f"{s3.url}/large.parquet")
    assert replaced.hits == 1


def test_an_open_file_is_a_buffer_for_pandas(place):
    place.store.write("sales.csv", FRAME.to_csv(index=False).encode())
    with place.fs.open("sales.csv", "rb") as file:
        pd.testing.assert_frame_equal(pd.read_csv(file), FRAME)
    with place.fs.open("sales.csv", "r") as text:
        pd.testing.assert_frame_equal(pd.read_csv(text), FRAME)
