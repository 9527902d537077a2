from __future__ import annotations

import dask
import dask.bag
import dask.dataframe as dd
import pandas as pd
import pytest

FRAME = pd.DataFrame({"n": range(1000), "even": [n % 2 == 0 for n in range(1000)]})


@pytest.fixture(autouse=True)
def in_this_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


def written(url: str, **options: object) -> dd.DataFrame:
    dd.from_pandas(FRAME, npartitions=4).to_parquet(url, **options)
    return dd.read_parquet(url)


def test_a_frame_is_written_and_read_by_url(place):
    frame = written(f"{place.url}/numbers")
    assert frame["n"].sum().compute() == FRAME["n"].sum()
    assert frame[frame["even"]]["n"].count().compute() == 500
    assert sum(name.endswith(".parquet") for name in place.names()) == 4


def test_a_frame_is_written_and_read_as_csv(place):
    dd.from_pandas(FRAME, npartitions=3).to_csv(f"{place.url}/csv/part-*.csv", index=False)
    assert place.names() == [f"csv/part-{number}.csv" for number in range(3)]
    assert dd.read_csv(f"{place.url}/csv/*.csv")["n"].sum().compute() == FRAME["n"].sum()


def test_a_frame_cannot_be_written_to_the_root(place):
    with pytest.raises(ValueError, match="cannot be written"):
        dd.from_pandas(FRAME, npartitions=1).to_parquet("remote-store://", storage_options={"store": place.store})
    assert place.names() == []


def test_a_frame_is_read_in_blocks_of_one_file(place):
    place.store.write("numbers.csv", FRAME.to_csv(index=False).encode())
    frame = dd.read_csv(f"{place.url}/numbers.csv", blocksize=1000)
    assert frame.npartitions > 5
    pd.testing.assert_frame_equal(frame.compute().reset_index(drop=True), FRAME)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("form", ["url", "filesystem"])
def test_worker_processes_read_and_write(s3, form):
    with dask.config.set(scheduler="processes", num_workers=2):
        if form == "url":
            frame = written(f"{s3.url}/numbers")
        else:
            dd.from_pandas(FRAME, npartitions=4).to_parquet(f"{s3.url}/deep/numbers")
            frame = dd.read_parquet("deep/numbers", filesystem=s3.fs)
        assert frame["n"].sum().compute() == FRAME["n"].sum()


@pytest.mark.timeout(600)
def test_a_cluster_of_processes_reads_and_writes(s3):
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
        dask.config.set(scheduler=client),
    ):
        frame = written(f"{s3.url}/numbers")
        assert frame["n"].sum().compute() == FRAME["n"].sum()
        fs = s3.fs
        assert client.submit(lambda: sum(1 for _ in fs.find("numbers"))).result() == len(s3.names())


def test_a_missing_folder_is_not_found(place):
    with pytest.raises(FileNotFoundError):
        dd.read_parquet(f"{place.url}/none").compute()
    with pytest.raises(OSError, match="none"):
        dd.read_csv(f"{place.url}/none-*.csv").compute()


@pytest.mark.parametrize("old", [False, True], ids=["new", "old"])
def test_a_partition_that_fails_leaves_what_was_there(place, old):
    if old:
        place.store.write("text/0.part", b"old")

    def lines(number: int):
        yield "x" * 100_000
        if number:
            raise ZeroDivisionError("stop")

    bag = dask.bag.from_delayed([dask.delayed(lines)(1)])
    with pytest.raises(ZeroDivisionError):
        bag.to_textfiles(f"{place.url}/text/*.part")
    assert place.names() == (["text/0.part"] if old else [])
    assert not old or place.store.read_bytes("text/0.part") == b"old"


def test_a_table_that_changes_while_it_is_read_is_refused(s3):
    old, new = (pd.DataFrame({"a": [n] * 300_000, "b": range(300_000)}) for n in (1, 2))
    s3.store.write("large.parquet", old.to_parquet(None))
    frame = dd.read_parquet(f"{s3.url}/large.parquet")
    replaced = s3.replace_after(1, "large.parquet", new.to_parquet(None))
    with pytest.raises(Exception, match="version that was expected"):
        frame.compute()
    assert replaced.hits == 1
