from __future__ import annotations

import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from remote_store.core import MemoryBackend, Store
from remote_store.pyarrow import dataset, write_dataset

ANY = ["%2F", "a%", "ü", "a\nb", "_x", ".x", "a=b", " ", "x:y", "a\\b", None]
HIVE = [*ANY, "..", ".", "a/b", "a", ""]


@pytest.fixture
def store() -> Store:
    return Store(MemoryBackend())


def table_of(*values: str | None) -> pa.Table:
    return pa.table({"key": pa.array(values, pa.string()), "value": list(range(len(values)))})


@pytest.mark.parametrize("flavor, values", [("hive", HIVE), (None, ANY)])
@pytest.mark.parametrize("categories", [True, False])
def test_values_of_partitions_come_back(store: Store, flavor: str | None, values: list[str], categories: bool) -> None:
    table = table_of(*values)
    if categories:
        table = table.set_column(0, "key", table["key"].dictionary_encode())
    write_dataset(table, store, "lake", partitioning=["key"], partitioning_flavor=flavor)
    found = dataset(store, "lake")
    assert found.schema.equals(table.schema)
    rows = sorted(found.to_table().to_pylist(), key=lambda row: row["value"])
    assert rows == table.to_pylist()
    assert found.to_table(filter=ds.field("key") == "%2F")["value"].to_pylist() == [0]


@pytest.mark.parametrize(
    "make",
    [
        lambda table: table,
        lambda table: table.to_batches()[0],
        lambda table: [table],
        lambda table: table.to_reader(),
        ds.dataset,
        lambda table: iter(table.to_batches()),
    ],
)
@pytest.mark.parametrize(
    "value, flavor", [("a/b", None), ("", None), ("..", None), ("__HIVE_DEFAULT_PARTITION__", "hive")]
)
def test_a_value_that_would_be_read_as_another_is_refused(store: Store, make, value: str, flavor: str | None) -> None:
    def write(table: pa.Table) -> None:
        data = make(table)
        schema = None if hasattr(data, "schema") or isinstance(data, list) else table.schema
        write_dataset(
            data,
            store,
            "lake",
            schema=schema,
            partitioning=["key"],
            partitioning_flavor=flavor,
            existing_data_behavior="replace",
        )

    write(table_of("a", "b"))
    before = {str(info.path) for info in store.list_files(recursive=True)}
    with pytest.raises(ValueError, match=f"the column 'key' has the value '{value}', which"):
        write(table_of("a", value))
    assert {str(info.path) for info in store.list_files(recursive=True)} == before
    assert dataset(store, "lake").count_rows() == 2
