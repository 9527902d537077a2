"""The values of partitions that Arrow cannot write to the name of a folder and read again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa

NULL = "__HIVE_DEFAULT_PARTITION__"
"""The name of the folder for null, by which Hive and Arrow read it."""


def checked(data: Any, schema: pa.Schema, names: Sequence[str], flavor: str | None) -> Any:
    """The data, whose values of partitions are checked: at once if they are in memory, else batch by batch.

    Arrow writes the text of a partition as the name of a folder. Without `hive`, it does not encode it, so `a/b` would
    be read as `a`, and the empty text as null.

    Args:
        data: What `pyarrow.dataset.write_dataset` takes.
        schema: The schema of the data.
        names: Names of the columns of the partitions.
        flavor: Arrow's `partitioning_flavor`.

    Raises:
        ValueError: A value would be read as another one.
    """
    columns = [name for name in names if is_text(schema.field(name).type)]
    if not columns:
        return data

    def check(part: Any) -> Any:
        for name in columns:
            for value in part.column(name).unique().to_pylist():
                check_value(name, value, flavor)
        return part

    if isinstance(data, list | tuple):
        return [check(part) for part in data]
    if isinstance(data, pa.Table | pa.RecordBatch):
        return check(data)
    return one_by_one(data, check)


def one_by_one(data: Any, check: Callable[[Any], Any]) -> Any:
    """The data, of which each batch is checked when Arrow takes it."""
    import pyarrow.dataset

    if isinstance(data, pyarrow.dataset.Dataset):
        data = data.scanner()
    if isinstance(data, pyarrow.dataset.Scanner):
        data = data.to_reader()
    if isinstance(data, pa.RecordBatchReader):
        return pa.RecordBatchReader.from_batches(data.schema, map(check, data))
    return batches(data, check) if hasattr(data, "__iter__") else data


def batches(data: Any, check: Callable[[Any], Any]) -> Iterator[Any]:
    """The batches of an iterable."""
    for batch in data:
        yield check(batch)


def is_text(kind: pa.DataType) -> bool:
    """Whether a column has text, as such or in a dictionary."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def check_value(name: str, value: str | None, flavor: str | None) -> None:
    """Check that the value of a partition is read as it was written.

    Raises:
        ValueError: It is not.
    """
    if value is None:
        return
    if flavor == "hive":
        if value == NULL:
            raise ValueError(f"the column {name!r} has the value {value!r}, which is read as null; use another value")
    elif value in ("", ".", "..") or "/" in value:
        raise ValueError(
            f"the column {name!r} has the value {value!r}, which cannot be the name of a folder; "
            "pass partitioning_flavor='hive', which encodes it"
        )
