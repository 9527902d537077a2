from __future__ import annotations

import polars as pl
import pytest

FRAME = pl.DataFrame({"day": ["mon", "tue", "wed"], "sum": [1, 2, 3]})


def test_a_frame_is_written_to_and_read_from_an_open_file(place):
    with place.fs.open("sales.parquet", "wb") as file:
        FRAME.write_parquet(file)
    with place.fs.open("sales.parquet", "rb") as file:
        assert pl.read_parquet(file, columns=["sum"]).equals(FRAME.select("sum"))
    with place.fs.open("sales.csv", "wb") as file:
        FRAME.write_csv(file)
    with place.fs.open("sales.csv", "rb") as file:
        assert pl.read_csv(file).equals(FRAME)
    with place.fs.open("sales.ndjson", "wb") as file:
        FRAME.write_ndjson(file)
    with place.fs.open("sales.ndjson", "rb") as file:
        assert pl.read_ndjson(file).equals(FRAME)


def test_a_lazy_frame_is_collected_from_an_open_file(place):
    with place.fs.open("sales.parquet", "wb") as file:
        FRAME.write_parquet(file)
    with place.fs.open("sales.parquet", "rb") as file:
        assert pl.scan_parquet(file).filter(pl.col("sum") > 1).collect().equals(FRAME[1:])


def test_a_dataset_of_pyarrow_is_scanned(place):
    import pyarrow.dataset

    for day in FRAME["day"]:
        with place.fs.open(f"sales/day={day}/0.parquet", "wb") as file:
            FRAME.filter(pl.col("day") == day).drop("day").write_parquet(file)
    dataset = pyarrow.dataset.dataset("sales", filesystem=place.fs, format="parquet", partitioning="hive")
    found = pl.scan_pyarrow_dataset(dataset).filter(pl.col("day") == "tue").collect()
    assert found["sum"].to_list() == [2]


def test_a_missing_file_is_not_found(place):
    with pytest.raises(FileNotFoundError), place.fs.open("none.parquet", "rb") as file:
        pl.read_parquet(file)


@pytest.mark.parametrize("old", [False, True], ids=["new", "old"])
def test_an_exception_while_a_frame_is_written_leaves_what_was_there(place, old):
    if old:
        place.store.write("sales.parquet", b"old")

    def write() -> None:
        with place.fs.open("sales.parquet", "wb") as file:
            FRAME.write_parquet(file)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    assert place.names() == (["sales.parquet"] if old else [])
    assert not old or place.store.read_bytes("sales.parquet") == b"old"


def test_a_frame_with_values_that_the_format_cannot_hold_leaves_no_file(place):
    nested = pl.DataFrame({"values": [[1, 2], [3]]})
    with pytest.raises(pl.exceptions.PolarsError), place.fs.open("nested.csv", "wb") as file:
        nested.write_csv(file)
    assert place.names() == []


@pytest.mark.parametrize("read", [pl.read_parquet, lambda file: pl.scan_parquet(file).collect()], ids=["read", "scan"])
def test_a_table_that_changes_while_it_is_read_is_refused(s3, read):
    old, new = (pl.DataFrame({"a": [n] * 300_000, "b": range(300_000)}) for n in (1, 2))
    for name, frame in {"large.parquet": old, "new.parquet": new}.items():
        with s3.fs.open(name, "wb") as file:
            frame.write_parquet(file, compression="uncompressed")
    replaced = s3.replace_after(1, "large.parquet", s3.store.read_bytes("new.parquet"), broken_after=1_000_000)
    # A panic of polars is no `Exception`.
    with s3.fs.open("large.parquet", "rb") as file, pytest.raises(BaseException, match="version that was expected"):
        read(file)
    assert replaced.hits == 1
