from __future__ import annotations

import gc
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset as ds
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
from pyarrow.fs import FileSystem

from remote_store.core import (
    BackendUnavailable,
    Capability,
    CapabilityNotSupported,
    DelegatingBackend,
    LocalBackend,
    MemoryBackend,
    NotFound,
    PreconditionFailed,
    Store,
)
from remote_store.pyarrow import filesystem

TABLE = pa.table({"year": [2020, 2020, 2021, 2022], "value": [1.5, 2.5, 3.5, 4.5], "name": ["a", "b", "c", "d"]})
LARGE = pa.table({f"c{number}": list(range(number, number + 20_000)) for number in range(10)})


@pytest.fixture(params=["memory", "memory below a root", "local"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    backend = LocalBackend(tmp_path) if request.param == "local" else MemoryBackend()
    with Store(backend, "root" if "below" in request.param else "") as made:
        yield made


@pytest.fixture
def memory() -> Store:
    return Store(MemoryBackend())


@pytest.fixture
def fs(store: Store) -> FileSystem:
    return filesystem(store)


class Calls(DelegatingBackend):
    """Notes the reads that reach a backend."""

    def __init__(self, inner: MemoryBackend | LocalBackend) -> None:
        super().__init__(inner)
        self.seen: list[tuple[object, ...]] = []
        self.threads: set[int] = set()

    def get_file_info(self, path, **options):
        self.seen.append(("head", path))
        return super().get_file_info(path, **options)

    def read_bytes(self, path, **options):
        self.seen.append(("whole", path))
        return super().read_bytes(path, **options)

    def read_range(self, path, start, length, **options):
        self.seen.append(("range", start, length))
        self.threads.add(threading.get_ident())
        assert options["if_match"]
        return super().read_range(path, start, length, **options)


def fail(*done: object) -> NoReturn:
    """Raise, after what was to be done before."""
    raise KeyError("mine")


def write_large(store: Store, path: str = "large.parquet", table: pa.Table = LARGE, rows: int = 5_000) -> int:
    with store.open_atomic(path, overwrite=True) as file:
        pq.write_table(table, file, row_group_size=rows, compression="none", use_dictionary=False)
    return store.head(path).size


# Whole jobs


@pytest.mark.parametrize("whole_file_size", [0, 1 << 20])
def test_a_table_comes_back_as_it_was_written(store: Store, whole_file_size: int) -> None:
    fs = filesystem(store, whole_file_size=whole_file_size)
    pq.write_table(TABLE, "tables/t.parquet", filesystem=fs)
    assert pq.read_table("tables/t.parquet", filesystem=fs).equals(TABLE)
    assert pq.ParquetFile("tables/t.parquet", filesystem=fs).read(columns=["name"]).equals(TABLE.select(["name"]))
    assert pq.read_schema("tables/t.parquet", filesystem=fs).names == TABLE.schema.names


@pytest.mark.parametrize("whole_file_size", [0, 1 << 20])
@pytest.mark.parametrize("format", ["parquet", "ipc", "csv"])
def test_a_dataset_with_hive_partitions_comes_back(store: Store, format: str, whole_file_size: int) -> None:  # noqa: A002
    fs = filesystem(store, whole_file_size=whole_file_size)
    ds.write_dataset(TABLE, "lake", filesystem=fs, format=format, partitioning=["year"], partitioning_flavor="hive")
    found = ds.dataset("lake", filesystem=fs, format=format, partitioning="hive")
    assert (
        found.to_table(columns=TABLE.schema.names)
        .sort_by("value")
        .equals(TABLE.cast(found.schema.empty_table().select(TABLE.schema.names).schema))
    )
    assert found.to_table(filter=ds.field("year") == 2021)["name"].to_pylist() == ["c"]
    ds.write_dataset(
        TABLE.slice(0, 1),
        "lake",
        filesystem=fs,
        format=format,
        partitioning=["year"],
        partitioning_flavor="hive",
        existing_data_behavior="delete_matching",
    )
    found = ds.dataset("lake", filesystem=fs, format=format, partitioning="hive")
    assert sorted(found.to_table()["name"].to_pylist()) == ["a", "c", "d"]
    with pytest.raises(pa.ArrowInvalid, match="existing"):
        ds.write_dataset(TABLE, "lake", filesystem=fs, format=format)


def test_compressed_and_plain_streams_come_back(store: Store, fs: FileSystem) -> None:
    with fs.open_output_stream("notes.csv.gz") as file:
        pyarrow.csv.write_csv(TABLE, file)
    assert store.read_bytes("notes.csv.gz")[:2] == b"\x1f\x8b"
    with fs.open_input_stream("notes.csv.gz") as file:
        assert pyarrow.csv.read_csv(file).equals(TABLE)
    with fs.open_input_stream("notes.csv.gz", compression=None) as file:
        assert file.read() == store.read_bytes("notes.csv.gz")


def test_files_are_copied_between_filesystems(tmp_path: Path, memory: Store) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.txt").write_bytes(b"content")
    pa.fs.copy_files(str(tmp_path), "to", destination_filesystem=filesystem(memory))
    assert memory.read_bytes("to/a/b.txt") == b"content"
    (tmp_path / "back").mkdir()
    pa.fs.copy_files("to/a", str(tmp_path / "back"), source_filesystem=filesystem(memory))
    assert (tmp_path / "back" / "b.txt").read_bytes() == b"content"


# Reading


def test_a_small_file_is_read_whole_by_one_request(memory: Store) -> None:
    size = write_large(memory)
    calls = Calls(memory.backend)
    fs = filesystem(Store(calls), whole_file_size=size)
    fs.get_file_info("large.parquet")
    assert pq.read_table("large.parquet", filesystem=fs).equals(LARGE)
    # `read_table` asks about the file, and opens it for its schema and for its rows.
    assert calls.seen == [("head", "large.parquet")] * 2 + [("whole", "large.parquet")] * 2


def test_a_large_file_is_read_by_ranges_of_the_version_that_arrow_asked_about(memory: Store) -> None:
    size = write_large(memory)
    calls = Calls(memory.backend)
    fs = filesystem(Store(calls), whole_file_size=size - 1)
    assert pq.read_table("large.parquet", filesystem=fs, columns=["c1", "c2", "c7"]).num_columns == 3
    assert calls.seen[:2] == [("head", "large.parquet"), ("range", size - 65536, 65536)]
    # Arrow merges neighbouring columns, and asks for each of the 4 row groups from its own threads.
    assert len(calls.seen) == 2 + 4 * 2
    assert sum(call[2] for call in calls.seen[2:]) < size * 0.32
    assert calls.threads - {threading.get_ident()}


def test_a_file_that_arrow_did_not_ask_about_costs_one_head(memory: Store) -> None:
    write_large(memory)
    calls = Calls(memory.backend)
    pq.read_metadata("large.parquet", filesystem=filesystem(Store(calls), whole_file_size=0))
    assert [call[0] for call in calls.seen] == ["head", "range"]


@pytest.mark.parametrize("step", [1000, 8192, 300_000])
def test_neighbouring_small_reads_share_requests(memory: Store, step: int) -> None:
    content = bytes(range(256)) * 40_960
    memory.write("bytes", content)
    calls = Calls(memory.backend)
    with filesystem(Store(calls), whole_file_size=0).open_input_file("bytes") as file:
        assert b"".join(iter(lambda: file.read(step), b"")) == content
        ranges = [call for call in calls.seen if call[0] == "range"]
        # Twice as much each time, up to 4 MiB ahead, and nothing twice.
        assert len(ranges) < 18
        assert max(call[2] for call in ranges) <= (4 << 20) + step
        assert sum(call[2] for call in ranges) == len(content)


def test_reads_here_and_there_fetch_exactly_their_bytes(memory: Store) -> None:
    content = bytes(range(256)) * 4096
    memory.write("bytes", content)
    calls = Calls(memory.backend)
    with filesystem(Store(calls), whole_file_size=0).open_input_file("bytes") as file:
        for start, length in [(5000, 100), (5100, 100), (90_000, 100), (5000, 100), (5100, 50), (0, 10)]:
            assert file.read_at(length, start) == content[start : start + length]
    assert [call[1:] for call in calls.seen[1:]] == [
        (5000, 100),
        (5100, 100),
        (90_000, 100),
        (5000, 100),
        (5100, 50),
        (0, 10),
    ]


def test_a_stream_is_one_request_of_the_version_that_arrow_asked_about(memory: Store) -> None:
    size = write_large(memory)
    calls = Calls(memory.backend)
    fs = filesystem(Store(calls), whole_file_size=0)
    for _ in range(2):
        calls.seen.clear()
        with fs.open_input_stream("large.parquet") as file:
            assert len(file.read()) == size
        assert calls.seen == []
        fs.get_file_info("large.parquet")
    memory.write("large.parquet", b"other", overwrite=True)
    with pytest.raises(PreconditionFailed, match="get_file_info again"):
        fs.open_input_stream("large.parquet").read()


def test_a_read_ends_where_the_file_ends(store: Store) -> None:
    store.write("x", b"0123456789")
    for size in (0, 100):
        with filesystem(store, whole_file_size=size).open_input_file("x") as file:
            assert (file.size(), file.read(4), file.read(), file.read(1)) == (10, b"0123", b"456789", b"")
            assert (file.read_at(20, 5), file.read_at(5, 10)) == (b"56789", b"")
            assert (file.seek(-3, 2), file.tell(), file.read()) == (7, 7, b"789")
        with pytest.raises(ValueError, match="closed"):
            file.read()
        file.close()


@pytest.mark.parametrize("whole_file_size", [0, 1 << 20])
def test_a_file_that_is_replaced_while_a_dataset_is_read_is_an_error_and_never_mixed(
    store: Store, whole_file_size: int
) -> None:
    fs = filesystem(store, whole_file_size=whole_file_size)
    pq.write_table(TABLE, "t/1.parquet", filesystem=fs)
    found = ds.dataset("t", filesystem=fs)
    assert found.to_table().equals(TABLE)
    store.delete("t/1.parquet")
    write_large(store, "t/1.parquet", TABLE.set_column(1, "value", [[9.0, 9.0, 9.0, 9.0]]))
    for _ in range(2):
        with pytest.raises(PreconditionFailed, match="make the dataset again") as caught:
            found.to_table()
        assert caught.value.path == "t/1.parquet"
        assert isinstance(caught.value.__cause__, PreconditionFailed)
    assert ds.dataset("t", filesystem=fs).to_table()["value"].to_pylist() == [9.0] * 4
    with fs.open_input_file("t/1.parquet") as file:
        assert pq.read_table(file)["value"].to_pylist() == [9.0] * 4


def test_a_file_that_is_replaced_while_it_is_open_is_an_error(store: Store) -> None:
    store.write("x", b"old" * 1000)
    with filesystem(store, whole_file_size=0).open_input_file("x") as file:
        assert file.read(3) == b"old"
        store.delete("x")
        store.write("x", b"new" * 1000)
        with pytest.raises((PreconditionFailed, NotFound)):
            file.read_at(3, 1500)


class Unconditional(DelegatingBackend):
    """A backend that takes no conditions."""

    @property
    def capabilities(self):
        return super().capabilities - {Capability.CONDITIONAL_READ}


@pytest.mark.parametrize("whole_file_size", [0, 1 << 20])
def test_a_backend_without_conditions_is_read_and_checked(memory: Store, whole_file_size: int) -> None:
    fs = filesystem(Store(Unconditional(memory.backend)), whole_file_size=whole_file_size)
    pq.write_table(TABLE, "t.parquet", filesystem=fs)
    assert pq.read_table("t.parquet", filesystem=fs).equals(TABLE)
    fs.get_file_info("t.parquet")
    memory.write("t.parquet", b"other", overwrite=True)
    for opened in (fs.open_input_file, fs.open_input_stream):
        with pytest.raises(PreconditionFailed, match="get_file_info again"):
            opened("t.parquet")


def test_native_reads_need_a_backend_that_has_them(store: Store) -> None:
    with pytest.raises(CapabilityNotSupported):
        filesystem(store, native=True)


# Writing


def test_a_file_appears_when_it_is_closed_and_replaces(store: Store, fs: FileSystem) -> None:
    store.write("x", b"old")
    with fs.open_output_stream("x", metadata={"Content-Type": "text/plain", "Author": "ada"}) as file:
        file.write(b"new")
        file.flush()
        assert file.tell() == 3
        assert store.read_bytes("x") == b"old"
    assert store.read_bytes("x") == b"new"
    file.close()
    with pytest.raises(ValueError, match="closed"):
        file.write(b"more")
    assert store.read_bytes("x") == b"new"
    info = store.head("x")
    assert (info.content_type, dict(info.metadata or {})) == ("text/plain", {"author": "ada"})


def test_an_exception_in_the_block_of_a_stream_writes_nothing(
    store: Store, fs: FileSystem, caplog: pytest.LogCaptureFixture
) -> None:
    store.write("x", b"old")
    for name in ("x", "y", "z.gz"):
        with pytest.raises(KeyError, match="mine"), fs.open_output_stream(name, buffer_size=100) as file:
            fail(file.write(b"half"))
        assert file.closed
    assert store.read_bytes("x") == b"old"
    assert [info.path for info in store.list_files()] == ["x"]
    assert "KeyError" in caplog.text


WRITERS = {
    "parquet": lambda fs: pq.ParquetWriter("t", TABLE.schema, filesystem=fs),
    "csv": lambda fs: pyarrow.csv.CSVWriter(fs.open_output_stream("t"), TABLE.schema),
    "ipc file": lambda fs: pyarrow.ipc.new_file(fs.open_output_stream("t"), TABLE.schema),
    "ipc stream": lambda fs: pyarrow.ipc.new_stream(fs.open_output_stream("t"), TABLE.schema),
}


@pytest.mark.parametrize("name", WRITERS)
def test_an_exception_in_the_block_of_a_writer_writes_nothing(store: Store, fs: FileSystem, name: str) -> None:
    with pytest.raises(KeyError, match="mine"), WRITERS[name](fs) as writer:
        fail(writer.write_table(TABLE))
    del writer
    gc.collect()
    assert list(store.list_files()) == []


def test_a_dataset_whose_data_fail_writes_no_broken_file(store: Store, fs: FileSystem) -> None:
    def batches() -> Iterator[pa.RecordBatch]:
        yield from TABLE.to_batches()
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        ds.write_dataset(batches(), "lake", schema=TABLE.schema, filesystem=fs, format="parquet")
    for info in store.list_files("lake", recursive=True):
        pq.read_table(info.path, filesystem=fs)


def test_a_stream_opened_and_closed_while_another_exception_is_handled_is_written(memory: Store) -> None:
    try:
        fail()
    except KeyError:
        with filesystem(memory).open_output_stream("x") as file:
            file.write(b"content")
    assert memory.read_bytes("x") == b"content"


def test_a_stream_that_is_closed_while_an_exception_is_handled_is_discarded_with_a_warning(
    memory: Store, caplog: pytest.LogCaptureFixture
) -> None:
    file = filesystem(memory).open_output_stream("x")
    file.write(b"content")
    try:
        fail()
    except KeyError:
        file.close()
    assert not memory.exists("x")
    assert [(record.name, record.levelno) for record in caplog.records] == [("remote_store", logging.WARNING)]


def test_a_stream_that_is_dropped_writes_nothing(store: Store, fs: FileSystem) -> None:
    file = fs.open_output_stream("x")
    file.write(b"half")
    del file
    gc.collect()
    assert list(store.list_files()) == []


def test_a_commit_that_fails_is_told_once(memory: Store) -> None:
    file = filesystem(memory).open_output_stream("x")
    file.write(b"content")
    memory.close()
    with pytest.raises(BackendUnavailable, match="closed"):
        file.close()
    file.close()
    assert file.closed


def test_append_is_refused(fs: FileSystem) -> None:
    with pytest.raises(NotImplementedError, match="cannot be appended") as caught:
        fs.open_append_stream("x")
    assert isinstance(caught.value, CapabilityNotSupported)
