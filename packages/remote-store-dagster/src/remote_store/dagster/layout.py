"""Where the value of an asset or of an op is kept: pure functions from Dagster's keys to paths in a store.

| what | path |
|---|---|
| asset `["sales", "orders"]` | `sales/orders.pkl` |
| its partition `2026-01-01` | `sales/orders/partition=2026-01-01/data.pkl` |
| its partition `2026-01-01` of `day`, `eu` of `region` | `sales/orders/day=2026-01-01/region=eu/data.pkl` |
| output `result` of the op `load` | `run=RUN_ID/load/result.pkl` |

This is the layout of Apache Hive, which pyarrow, DuckDB and Polars read as one table. The parts of keys are
percent-encoded, so that each is one segment of a path. `=` is encoded too, so no asset is in the folder of a partition.
`urllib.parse.unquote` is the inverse.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote

from remote_store.core import InvalidPath

PARTITION = "partition"
"""Name of the only dimension, which has no name in Dagster."""

EXTENSION = re.compile(r"(\.\w+)*", re.ASCII)


def segment(part: str) -> str:
    """A text as one segment of a path. No two texts have the same segment.

    Raises:
        InvalidPath: The text is empty.
    """
    if not part:
        raise InvalidPath("a part of the asset's key is empty, and so cannot be in a path; give it a name", path=part)
    # `quote` leaves dots alone, and a store accepts no segment "." or "..".
    return encoded(part) if part.strip(".") else part.replace(".", "%2E")


def encoded(part: str) -> str:
    """A text of letters and digits of ASCII, `_`, `.`, `-`, `~`, and `%` with two hexadecimal digits."""
    return quote(part, safe="", errors="surrogatepass")


def asset_path(parts: Iterable[str], dimensions: Mapping[str, str], extension: str) -> str:
    """The path of the value of an asset.

    Args:
        parts: The parts of the asset's key.
        dimensions: The key of the partition in each dimension; empty if the asset has no partitions.
        extension: What the name of the file ends with.

    Raises:
        InvalidPath: The key of the asset is empty or has an empty part.
        ValueError: The extension is malformed.
    """
    folder = "/".join(map(segment, parts))
    if not folder:
        raise InvalidPath("the key of the asset is empty, and so cannot be a path; give it a name", path="")
    if not dimensions:
        return folder + checked(extension)
    folders = [f"{encoded(name)}={encoded(key)}" for name, key in sorted(dimensions.items())]
    return "/".join([folder, *folders, f"data{checked(extension)}"])


def output_path(identifier: Iterable[str], extension: str) -> str:
    """The path of an output of an op.

    Args:
        identifier: The run, the step, the output, and the key of a mapped output, as `get_identifier` returns them.
        extension: What the name of the file ends with.

    Raises:
        ValueError: The extension is malformed.
    """
    run, *others = identifier
    return "/".join([f"run={encoded(run)}", *map(segment, others)]) + checked(extension)


def checked(extension: str) -> str:
    """The extension, if it is one.

    Raises:
        ValueError: It is malformed.
    """
    if not EXTENSION.fullmatch(extension):
        raise ValueError(f"the extension of a serializer is {extension!r}; write it like '.csv' or '.csv.gz'")
    return extension
