from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from remote_store.core import (
    AlreadyExists,
    BackendUnavailable,
    Capability,
    DelegatingBackend,
    LocalBackend,
    MemoryBackend,
    NotFound,
    PreconditionFailed,
    RemoteStoreError,
    Store,
)
from remote_store.pyarrow import dataset, delete_old_files, filesystem, write_dataset
from remote_store.pyarrow.datasets import removing, writing
from remote_store.pyarrow.datasets.manifest import Manifest

OLD = pa.table({"year": [2020, 2020, 2021], "value": [1, 2, 3]})
LISTED = Manifest("1", "ipc", OLD.schema).encode().replace(b'"replaced": {}', b'"replaced": []')
NEW = pa.table({"year": [2021, 2022], "value": [30, 40]})


@pytest.fixture(params=["memory", "local"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with Store(LocalBackend(tmp_path) if request.param == "local" else MemoryBackend()) as made:
        yield made


@pytest.fixture
def memory() -> Store:
    return Store(MemoryBackend())


def rows(store: Store, base_dir: str = "lake") -> list[tuple[int, int]]:
    table = dataset(store, base_dir).to_table()
    return sorted(zip(table["year"].to_pylist(), table["value"].to_pylist(), strict=True))


def files(store: Store) -> set[str]:
    return {str(info.path) for info in store.list_files("lake", recursive=True)}


@pytest.mark.parametrize("format", ["parquet", "ipc", "csv"])
@pytest.mark.parametrize("flavor", ["hive", None])
def test_a_dataset_comes_back_with_its_schema_and_partitions(store: Store, format: str, flavor: str | None) -> None:  # noqa: A002
    count = write_dataset(OLD, store, "lake", format=format, partitioning=["year"], partitioning_flavor=flavor)
    assert count == 2
    found = dataset(store, "lake")
    assert found.schema.equals(OLD.schema)
    assert found.to_table().select(OLD.schema.names).sort_by("value").equals(OLD)
    scanned = found.scanner(filter=ds.field("year") == 2021)
    assert scanned.to_table()["value"].to_pylist() == [3]
    assert len(list(found.get_fragments(filter=ds.field("year") == 2021))) == 1


@pytest.mark.parametrize("base_dir", ["", "lake/", "a/b"])
def test_any_folder_can_have_a_dataset(store: Store, base_dir: str) -> None:
    write_dataset(OLD, store, base_dir)
    assert rows(store, base_dir) == [(2020, 1), (2020, 2), (2021, 3)]
    assert ds.dataset(base_dir, filesystem=filesystem(store)).files == []


@pytest.mark.parametrize(
    "behavior, expected",
    [
        ("replace", [(2021, 30), (2022, 40)]),
        ("delete_matching", [(2020, 1), (2020, 2), (2021, 30), (2022, 40)]),
        ("overwrite_or_ignore", [(2020, 1), (2020, 2), (2021, 3), (2021, 30), (2022, 40)]),
    ],
)
def test_a_dataset_is_replaced_as_existing_data_behavior_says(store: Store, behavior, expected) -> None:
    write_dataset(OLD, store, "lake", partitioning=["year"], partitioning_flavor="hive")
    old = dataset(store, "lake")
    write_dataset(
        NEW, store, "lake", partitioning=["year"], partitioning_flavor="hive", existing_data_behavior=behavior
    )
    assert rows(store) == expected
    # A reader that opened the old version still has it, as a whole.
    assert sorted(old.to_table()["value"].to_pylist()) == [1, 2, 3]


def test_a_dataset_that_exists_is_kept_by_default(store: Store) -> None:
    write_dataset(OLD, store, "lake")
    before = files(store)
    with pytest.raises(AlreadyExists, match="existing_data_behavior"):
        write_dataset(NEW, store, "lake")
    assert files(store) == before
    assert len(rows(store)) == 3


def test_a_dataset_can_be_made_of_its_own_rows(store: Store) -> None:
    write_dataset(OLD, store, "lake")
    write_dataset(
        dataset(store, "lake").to_table(filter=ds.field("value") > 1), store, "lake", existing_data_behavior="replace"
    )
    write_dataset(dataset(store, "lake"), store, "lake", existing_data_behavior="overwrite_or_ignore")
    assert rows(store) == [(2020, 2), (2020, 2), (2021, 3), (2021, 3)]


def test_added_columns_are_null_in_older_rows(store: Store) -> None:
    write_dataset(OLD, store, "lake")
    more = NEW.append_column("name", pa.array(["x", "y"]))
    write_dataset(more, store, "lake", existing_data_behavior="overwrite_or_ignore")
    assert sorted(dataset(store, "lake").to_table()["name"].to_pylist(), key=str) == [None, None, None, "x", "y"]
    with pytest.raises(ValueError, match="convert their columns, or replace"):
        write_dataset(pa.table({"value": ["x"]}), store, "lake", existing_data_behavior="overwrite_or_ignore")


def batches(fails: bool = True) -> Iterator[pa.RecordBatch]:
    yield from NEW.to_batches()
    if fails:
        raise KeyError("mine")


def test_data_that_fail_leave_the_old_dataset_and_no_file(store: Store) -> None:
    write_dataset(OLD, store, "lake")
    before = files(store)
    with pytest.raises(KeyError, match="mine"):
        write_dataset(
            batches(),
            store,
            "lake",
            schema=NEW.schema,
            existing_data_behavior="replace",
            max_rows_per_file=1,
            max_rows_per_group=1,
        )
    assert files(store) == before
    assert len(rows(store)) == 3


class Dying(DelegatingBackend):
    """Stops before it writes a manifest, as if the process had died."""

    def write_atomic(self, path, content, **options) -> NoReturn:
        raise SystemExit("died")


def test_a_writer_that_dies_leaves_the_old_dataset(memory: Store) -> None:
    write_dataset(OLD, memory, "lake")
    before = files(memory)
    with pytest.raises(SystemExit):
        write_dataset(NEW, Store(Dying(memory.backend)), "lake", existing_data_behavior="replace")
    assert len(files(memory) - before) == 1
    assert len(rows(memory)) == 3
    assert delete_old_files(memory, "lake") == 0
    assert delete_old_files(memory, "lake", older_than=timedelta()) == 1
    assert files(memory) == before


class Racing(DelegatingBackend):
    """Lets another writer write the dataset just before a manifest is written."""

    def __init__(self, inner: MemoryBackend, *, swaps: bool = True) -> None:
        super().__init__(inner)
        self.swaps = swaps

    @property
    def capabilities(self):
        return super().capabilities - (set() if self.swaps else {Capability.COMPARE_AND_SWAP})

    def list_files(self, path, **options):
        yield from super().list_files(path, **options)
        write_dataset(NEW, Store(self.inner, owns_backend=False), "lake", existing_data_behavior="replace")


@pytest.mark.parametrize("swaps", [True, False])
@pytest.mark.parametrize("exists", [True, False])
def test_of_two_writers_one_wins_and_the_other_is_told(memory: Store, exists: bool, swaps: bool) -> None:
    if exists:
        write_dataset(OLD, memory, "lake")
    with pytest.raises(PreconditionFailed, match="another writer"):
        write_dataset(
            OLD, Store(Racing(memory.backend, swaps=swaps)), "lake", existing_data_behavior="overwrite_or_ignore"
        )
    assert rows(memory) == [(2021, 30), (2022, 40)]
    assert len([path for path in files(memory) if path.endswith(".parquet")]) == 1 + exists


def test_of_many_writers_at_once_no_row_of_a_winner_is_lost(memory: Store) -> None:
    write_dataset(OLD.slice(0, 0), memory, "lake")
    won: list[int] = []
    start = threading.Barrier(6)

    def add(number: int) -> None:
        start.wait(10)
        try:
            write_dataset(
                pa.table({"year": [0], "value": [number]}), memory, "lake", existing_data_behavior="overwrite_or_ignore"
            )
        except PreconditionFailed:
            return
        won.append(number)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert won
    assert [value for _, value in rows(memory)] == sorted(won)


class Answerless(DelegatingBackend):
    """Writes, but the response is lost, and the retry finds that the file is there."""

    def write_atomic(self, path, content, **options):
        super().write_atomic(path, content, **options)
        raise PreconditionFailed("412", path=path)


class OtherMeanwhile(Answerless):
    """As before, but another writer builds on the manifest before the retry."""

    def __init__(self, inner: MemoryBackend, behavior: str) -> None:
        super().__init__(inner)
        self.behavior = behavior

    def write_atomic(self, path, content, **options):
        with suppress(PreconditionFailed):
            super().write_atomic(path, content, **options)
        write_dataset(NEW, Store(self.inner, owns_backend=False), "lake", existing_data_behavior=self.behavior)
        raise PreconditionFailed("412", path=path)


@pytest.mark.parametrize("exists", [True, False])
def test_files_that_a_later_writer_kept_survive_a_lost_response(memory: Store, exists: bool) -> None:
    if exists:
        write_dataset(OLD.slice(0, 0), memory, "lake")
    lossy = Store(OtherMeanwhile(memory.backend, "overwrite_or_ignore"))
    assert write_dataset(OLD, lossy, "lake", existing_data_behavior="overwrite_or_ignore") == 1
    assert rows(memory) == [(2020, 1), (2020, 2), (2021, 3), (2021, 30), (2022, 40)]


def test_files_that_a_later_writer_replaced_stay_for_their_readers(memory: Store) -> None:
    write_dataset(OLD, Store(OtherMeanwhile(memory.backend, "replace")), "lake")
    assert rows(memory) == [(2021, 30), (2022, 40)]
    assert len([path for path in files(memory) if path.endswith(".parquet")]) == 2


class Unavailable(DelegatingBackend):
    def write_atomic(self, path, content, **options):
        super().write_atomic(path, content, **options)
        raise BackendUnavailable("no response", path=path)


def test_a_lost_response_loses_no_file(memory: Store) -> None:
    assert write_dataset(OLD, Store(Answerless(memory.backend)), "lake") == 1
    assert len(rows(memory)) == 3
    with pytest.raises(BackendUnavailable):
        write_dataset(NEW, Store(Unavailable(memory.backend)), "lake", existing_data_behavior="replace")
    assert rows(memory) == [(2021, 30), (2022, 40)]


def test_old_files_are_kept_for_readers_and_then_deleted(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    write_dataset(OLD, store, "lake")
    later = datetime.now(UTC) + timedelta(days=10)

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return later

    # The first version was written long ago, but replaced just now.
    monkeypatch.setattr(writing, "datetime", Clock)
    monkeypatch.setattr(removing, "datetime", Clock)
    old = dataset(store, "lake")
    write_dataset(NEW, store, "lake", existing_data_behavior="replace")
    assert delete_old_files(store, "lake") == 0
    assert old.to_table().num_rows == 3
    later += timedelta(days=1)
    assert delete_old_files(store, "lake") == 1
    assert delete_old_files(store, "lake", older_than=timedelta()) == 0
    assert rows(store) == [(2021, 30), (2022, 40)]
    with pytest.raises((NotFound, PreconditionFailed)):
        old.to_table()


def test_a_writer_whose_files_were_deleted_changes_nothing(memory: Store) -> None:
    write_dataset(OLD, memory, "lake")
    before = files(memory)
    visited: list[str] = []
    deleted: list[int] = []

    def slow() -> Iterator[pa.RecordBatch]:
        for year in range(6):
            if year == 4:
                wait_until(lambda: len(files(memory) - before) >= 2)
                deleted.append(delete_old_files(memory, "lake", older_than=timedelta()))
            yield pa.record_batch({"year": [year], "value": [1]})

    with pytest.raises(PreconditionFailed, match="new files were deleted before they were in the dataset"):
        write_dataset(
            slow(),
            memory,
            "lake",
            schema=OLD.schema,
            existing_data_behavior="replace",
            max_rows_per_file=1,
            max_rows_per_group=1,
            file_visitor=lambda file: visited.append(file.path),
        )
    assert len(visited) == 6
    assert sum(deleted) >= 2
    assert files(memory) == before
    assert len(rows(memory)) == 3


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_what_a_dataset_does_not_have_is_refused(store: Store) -> None:
    with pytest.raises(NotFound, match="write_dataset"):
        dataset(store, "lake")
    with pytest.raises(NotFound, match="write_dataset"):
        delete_old_files(store, "lake")
    for wrong, message in [
        ({"format": "xml"}, "parquet, ipc, csv"),
        ({"existing_data_behavior": "append"}, "overwrite_or_ignore"),
        ({"partitioning": ["month"]}, "'month'"),
        ({"partitioning": ["year"], "partitioning_flavor": "folders"}, "'hive' or None"),
        ({"partitioning": ["year"], "partitioning_flavor": "filename"}, "'hive' or None"),
    ]:
        with pytest.raises(ValueError, match=message):
            write_dataset(OLD, store, "lake", **wrong)
    for wrong, message in [
        ({"partitioning": "year"}, "list of column names"),
        ({"partitioning": ds.partitioning(pa.schema([("year", pa.int64())]))}, "list of column names"),
        ({"filesystem": None}, "go to the store"),
    ]:
        with pytest.raises(TypeError, match=message):
            write_dataset(OLD, store, "lake", **wrong)
    with pytest.raises(TypeError, match="pass schema"):
        write_dataset(batches(fails=False), store, "lake")
    assert list(store.list_files(recursive=True)) == []
    write_dataset(OLD, store, "lake")
    with pytest.raises(ValueError, match="the partitioning of the dataset"):
        write_dataset(OLD, store, "lake", partitioning=["year"], existing_data_behavior="delete_matching")
    for days in (-1, 31):
        with pytest.raises(ValueError, match="30 days"):
            delete_old_files(store, "lake", older_than=timedelta(days=days))


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"layout": 2}', b'{"layout": 1}', b"\xff", b"[" * 100_000, LISTED]
)
def test_a_manifest_that_is_none_is_a_typed_error(store: Store, content: bytes) -> None:
    store.write("lake/_manifest.json", content)
    for call in (
        lambda: dataset(store, "lake"),
        lambda: write_dataset(OLD, store, "lake", existing_data_behavior="replace"),
        lambda: delete_old_files(store, "lake"),
    ):
        with pytest.raises(RemoteStoreError, match="no manifest") as caught:
            call()
        assert caught.value.path == "lake/_manifest.json"
    assert files(store) == {"lake/_manifest.json"}


def test_a_file_that_is_replaced_behind_the_manifest_is_never_read(memory: Store) -> None:
    write_dataset(OLD, memory, "lake")
    (path,) = [path for path in files(memory) if path.endswith(".parquet")]
    memory.write(path, memory.read_bytes(path), overwrite=True)
    memory.write(path, b"PAR1", overwrite=True)
    with pytest.raises(PreconditionFailed):
        dataset(memory, "lake").to_table()


def test_a_manifest_is_json_that_people_can_read(memory: Store) -> None:
    write_dataset(OLD, memory, "lake", partitioning=["year"], partitioning_flavor="hive")
    document = json.loads(memory.read_bytes("lake/_manifest.json"))
    assert sorted(file["name"] for file in document["files"]) == [
        "year=2020/part-0.parquet",
        "year=2021/part-0.parquet",
    ]
    assert (document["format"], document["partitioning"], document["layout"]) == ("parquet", ["year"], 1)
