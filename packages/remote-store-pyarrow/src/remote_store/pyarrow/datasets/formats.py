"""Arrow's objects for what a manifest says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

FORMATS = {"parquet": "ParquetFileFormat", "ipc": "IpcFileFormat", "csv": "CsvFileFormat"}
"""The formats, and their classes in `pyarrow.dataset`."""
FLAVORS = (None, "hive")
"""With Arrow's `filename`, `delete_matching` could not tell the partitions apart: they are not folders."""


def format_of(name: str) -> Any:
    """The format of a name.

    Raises:
        ValueError: There is no such format.
    """
    import pyarrow.dataset

    if name not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(FORMATS)}, not {name!r}")
    return getattr(pyarrow.dataset, FORMATS[name])()


def partitioning_of(schema: pa.Schema, names: Sequence[str], flavor: str | None) -> Any:
    """The partitioning by some columns of a schema; `None` if there are none.

    Raises:
        TypeError: The names are not a sequence of texts.
        ValueError: The schema does not have a column, or there is no such flavor.
    """
    import pyarrow.dataset

    if isinstance(names, str) or not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"partitioning must be a list of column names, such as ['year'], not {names!r}")
    if flavor not in FLAVORS:
        raise ValueError(f"partitioning_flavor must be 'hive' or None, not {flavor!r}")
    if missing := [name for name in names if name not in schema.names]:
        raise ValueError(f"partitioning has {missing[0]!r}, which is no column of the data: {schema.names}")
    if not names:
        return None
    fields = pa.schema([schema.field(name) for name in names])
    if flavor is None:
        # Arrow does not encode the values of such folders, so it must not decode them either.
        return pyarrow.dataset.DirectoryPartitioning(fields, segment_encoding="none")
    return pyarrow.dataset.partitioning(fields, flavor=flavor)


def without_dictionaries(schema: pa.Schema) -> pa.Schema:
    """The schema with plain columns, as names of folders are parsed without a dictionary."""
    return pa.schema(
        [field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field for field in schema]
    )
