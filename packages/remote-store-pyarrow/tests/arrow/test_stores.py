"""Arrow on each lane and server, in other processes, and against what can go wrong."""

from __future__ import annotations

import multiprocessing
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from pyarrow.fs import FileSystem, S3FileSystem

from remote_store.conformance.endpoint import Endpoint
from remote_store.conformance.servers import Server
from remote_store.core import AlreadyExists, BackendUnavailable, PermissionDenied, PreconditionFailed, Store
from remote_store.pyarrow import S3PyArrowBackend, dataset, delete_old_files, filesystem, write_dataset
from remote_store.s3fs import S3FsBackend

FRAME = pd.DataFrame({"year": [2020, 2020, 2021], "city": ["Ulm", "Bonn", "Kiel"], "value": [1.0, 2.0, 3.0]})
TABLE = pa.Table.from_pandas(FRAME)


def large(seed: int = 0) -> pa.Table:
    random = np.random.default_rng(seed)
    return pa.table({f"c{number}": random.random(100_000) for number in range(5)})


@pytest.mark.parametrize("whole_file_size", [0, 1 << 20])
def test_pandas_and_datasets_on_each_lane_and_server(any_store: Store, whole_file_size: int) -> None:
    fs = filesystem(any_store, whole_file_size=whole_file_size)
    FRAME.to_parquet("f.parquet", filesystem=fs)
    pd.testing.assert_frame_equal(pd.read_parquet("f.parquet", filesystem=fs), FRAME)
    FRAME.to_parquet("hive", filesystem=fs, partition_cols=["year"])
    assert set(pd.read_parquet("hive", filesystem=fs, filters=[("year", "==", 2020)])["city"]) == {"Ulm", "Bonn"}
    pq.write_table(large(), "large.parquet", filesystem=fs, row_group_size=10_000)
    assert pq.read_table("large.parquet", filesystem=fs, columns=["c1", "c4"]).equals(large().select(["c1", "c4"]))
    fs.move("large.parquet", "moved.parquet")
    fs.delete_dir("hive")
    fs.delete_dir_contents("", accept_root_dir=True)
    assert list(any_store.list_files(recursive=True)) == []


def test_a_dataset_with_a_manifest_on_each_lane_and_server(any_store: Store) -> None:
    write_dataset(TABLE, any_store, "lake", partitioning=["year"], partitioning_flavor="hive")
    old = dataset(any_store, "lake")
    with pytest.raises(AlreadyExists):
        write_dataset(TABLE, any_store, "lake")
    write_dataset(
        TABLE.slice(2),
        any_store,
        "lake",
        existing_data_behavior="overwrite_or_ignore",
        partitioning=["year"],
        partitioning_flavor="hive",
    )
    assert (old.to_table().num_rows, dataset(any_store, "lake").to_table().num_rows) == (3, 4)
    write_dataset(TABLE.slice(2), any_store, "lake", existing_data_behavior="replace")
    assert delete_old_files(any_store, "lake") == 0
    assert dataset(any_store, "lake").to_table().num_rows == 1


def test_of_writers_at_once_one_wins_on_each_lane_and_server(any_store: Store) -> None:
    outcomes: list[object] = []
    start = threading.Barrier(3)

    def write(number: int) -> None:
        start.wait(30)
        try:
            write_dataset(pa.table({"writer": [number] * 3}), any_store, "lake", existing_data_behavior="replace")
        except PreconditionFailed as error:
            outcomes.append(error)
        else:
            outcomes.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    winners = [outcome for outcome in outcomes if isinstance(outcome, int)]
    assert len(outcomes) == 3
    assert winners
    (left,) = {tuple(dataset(any_store, "lake").to_table()["writer"].to_pylist())}
    assert left in {(number,) * 3 for number in winners}


def test_an_object_that_changes_while_a_table_is_read_is_an_error(any_store: Store) -> None:
    fs = filesystem(any_store, whole_file_size=0)
    pq.write_table(large(), "t.parquet", filesystem=fs, row_group_size=10_000)
    with pq.ParquetFile("t.parquet", filesystem=fs) as file:
        file.read_row_group(0)
        pq.write_table(large(1), "t.parquet", filesystem=filesystem(any_store), row_group_size=10_000)
        with pytest.raises(PreconditionFailed):
            file.read_row_group(1)
    assert pq.read_table("t.parquet", filesystem=fs).equals(large(1))


def test_a_table_that_is_replaced_all_the_time_is_never_mixed(any_store: Store) -> None:
    tables = [large(seed) for seed in (1, 2)]
    pq.write_table(tables[0], "t.parquet", filesystem=filesystem(any_store), row_group_size=20_000)
    done = threading.Event()

    def replace() -> None:
        for number in range(1, 12):
            pq.write_table(tables[number % 2], "t.parquet", filesystem=filesystem(any_store), row_group_size=20_000)
        done.set()

    writer = threading.Thread(target=replace)
    writer.start()
    whole = 0
    while not done.is_set() or not whole:
        try:
            found = pq.read_table("t.parquet", filesystem=filesystem(any_store, whole_file_size=0))
        except PreconditionFailed:
            continue
        assert any(found.equals(table) for table in tables)
        whole += 1
    writer.join(60)


def test_native_reads_are_those_of_pyarrows_filesystem(store: Store, endpoint: Endpoint) -> None:
    fs = filesystem(store, native=True)
    pq.write_table(large(), "t.parquet", filesystem=fs)
    with endpoint.recording() as requests:
        assert pq.read_table("t.parquet", filesystem=fs).equals(large())
        assert fs.open_input_stream("t.parquet").read(4) == b"PAR1"
    assert not any("if-match" in request.headers for request in requests)
    with endpoint.recording() as requests, pytest.raises(KeyError), fs.open_output_stream("x") as file:
        fail(file.write(b"half"))
    assert requests == []
    assert fs != filesystem(store)
    with pytest.raises(FileNotFoundError):
        fs.open_input_file("none")


def fail(*done: object) -> None:
    raise KeyError("mine")


def sum_of(fs: FileSystem) -> float:
    return float(sum(pq.read_table("t.parquet", filesystem=fs)["c1"].to_pylist()))


def send_sum(fs: FileSystem, results: multiprocessing.SimpleQueue[float]) -> None:
    results.put(sum_of(fs))


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_reads_too(store: Store) -> None:
    fs = filesystem(store, whole_file_size=0)
    pq.write_table(large(), "t.parquet", filesystem=fs, row_group_size=20_000)
    expected = sum_of(fs)
    context = multiprocessing.get_context("fork")
    results = context.SimpleQueue()
    process = context.Process(target=send_sum, args=(fs, results))
    process.start()
    process.join(90)
    try:
        assert process.exitcode == 0
        assert results.get() == expected
    finally:
        process.kill()


def test_another_process_reads_by_the_pickled_filesystem(store: Store, tmp_path: Path) -> None:
    fs = filesystem(store, whole_file_size=0)
    pq.write_table(large(), "t.parquet", filesystem=fs, row_group_size=20_000)
    pickled = tmp_path / "fs.pickle"
    pickled.write_bytes(pickle.dumps(fs))
    code = (
        "import pathlib, pickle, sys; import pyarrow.parquet as pq; "
        "fs = pickle.loads(pathlib.Path(sys.argv[1]).read_bytes()); "
        "print(float(sum(pq.read_table('t.parquet', filesystem=fs)['c1'].to_pylist())))"
    )
    result = subprocess.run([sys.executable, "-P", "-c", code, pickled], capture_output=True, text=True, timeout=110)
    assert result.returncode == 0, result.stderr
    assert float(result.stdout) == sum_of(fs)


def test_wrong_credentials_and_an_absent_server_are_typed(moto: Server, endpoint: Endpoint, bucket: str) -> None:
    refused = Store(
        S3FsBackend(bucket, endpoint_url="http://127.0.0.1:9", key="a", secret="b", region_name="us-east-1")
    )
    with refused, pytest.raises(BackendUnavailable) as caught:
        pq.read_table("t.parquet", filesystem=filesystem(refused))
    assert isinstance(caught.value, ConnectionError)
    assert caught.value.__cause__ is not None


@pytest.fixture
def guarded(seaweedfs: Server) -> Iterator[Store]:
    name = "arrow-guarded"
    seaweedfs.create_bucket(name)
    backend = S3PyArrowBackend(
        name, endpoint_url=seaweedfs.url, key=seaweedfs.key, secret="wrong", region_name=seaweedfs.region
    )
    with Store(backend) as made:
        yield made


def test_a_wrong_secret_is_a_permission_error(guarded: Store) -> None:
    fs = filesystem(guarded)
    for call in (
        lambda: pq.read_table("t.parquet", filesystem=fs),
        lambda: ds.dataset("folder", filesystem=fs),
        lambda: pq.write_table(TABLE, "t.parquet", filesystem=fs),
    ):
        with pytest.raises(PermissionError) as caught:
            call()
        assert isinstance(caught.value, PermissionDenied)
        assert "wrong" not in str(caught.value)


def test_a_large_file_is_written_in_parts_and_an_exception_leaves_no_upload(
    store: Store, raw: S3FileSystem, bucket: str, endpoint: Endpoint
) -> None:
    fs = filesystem(store)
    content = bytes(20 << 20)
    with fs.open_output_stream("large.bin") as file:
        file.write(content)
    assert raw.get_file_info(f"{bucket}/large.bin").size == len(content)
    with endpoint.recording() as requests, pytest.raises(KeyError), fs.open_output_stream("none.bin") as file:
        fail(file.write(content))
    assert requests == []
    assert not store.exists("none.bin")
