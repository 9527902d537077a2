"""Arrow's objects for what a manifest says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

FORMATS = {"parquet": "ParquetFileFormat", "ipc": "IpcFileFormat", "csv": "CsvFileFormat"}
"""The formats, and their classes in `pyarrow.dataset`."""


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
        ValueError: The schema does not have a column, or there is no such flavor.
    """
    import pyarrow.dataset

    if missing := [name for name in names if name not in schema.names]:
        raise ValueError(f"partitioning has {missing[0]!r}, which is no column of the data: {schema.names}")
    if not names:
        return None
    return pyarrow.dataset.partitioning(pa.schema([schema.field(name) for name in names]), flavor=flavor)
