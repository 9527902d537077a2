"""What Arrow's jobs cost through a store, and through pyarrow's own filesystem, on the same objects."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
import s3fs
from pyarrow.fs import FileSelector, S3FileSystem

from remote_store.conformance.endpoint import Endpoint
from remote_store.conformance.servers import Server
from remote_store.core import Store
from remote_store.pyarrow import dataset, delete_old_files, filesystem, write_dataset

TABLE = pa.table({"year": [2020, 2020, 2021, 2022], "value": [1.5, 2.5, 3.5, 4.5]})
HIVE: dict[str, Any] = {"format": "parquet", "partitioning": ["year"], "partitioning_flavor": "hive"}
ROWS = 1_085_000
COLUMNS = ["c1", "c5"]


def open_hive(root: str, fs: Any) -> ds.Dataset:
    return ds.dataset(f"{root}hive", filesystem=fs, partitioning="hive")


JOBS: dict[str, Callable[[str, Any], Any]] = {
    "read_table": lambda root, fs: pq.read_table(f"{root}one.parquet", filesystem=fs),
    "read columns": lambda root, fs: pq.read_table(f"{root}one.parquet", filesystem=fs, columns=["value"]),
    "ParquetFile": lambda root, fs: pq.ParquetFile(f"{root}one.parquet", filesystem=fs).read(),
    "read_metadata": lambda root, fs: pq.read_metadata(f"{root}one.parquet", filesystem=fs),
    "read_schema": lambda root, fs: pq.read_schema(f"{root}one.parquet", filesystem=fs),
    "pandas": lambda root, fs: pd.read_parquet(f"{root}one.parquet", filesystem=fs),
    "discover": open_hive,
    "scan": lambda root, fs: open_hive(root, fs).to_table(),
    "scan twice": lambda root, fs: [found := open_hive(root, fs), found.to_table(), found.to_table()],
    "filter": lambda root, fs: open_hive(root, fs).to_table(filter=ds.field("year") == 2021),
    "count_rows": lambda root, fs: open_hive(root, fs).count_rows(),
    "read_table of a folder": lambda root, fs: pq.read_table(f"{root}hive", filesystem=fs),
    "files by name": lambda root, fs: ds.dataset(
        [f"{root}hive/year={year}/part-0.parquet" for year in (2020, 2021)], filesystem=fs
    ).to_table(),
    "csv": lambda root, fs: pyarrow.csv.read_csv(fs.open_input_stream(f"{root}x.csv")),
    "csv dataset": lambda root, fs: ds.dataset(f"{root}x.csv", filesystem=fs, format="csv").to_table(),
    "get_file_info": lambda root, fs: fs.get_file_info([f"{root}hive", f"{root}none", f"{root}one.parquet"]),
    "list": lambda root, fs: fs.get_file_info(FileSelector(f"{root}hive", recursive=True)),
    "list a folder": lambda root, fs: fs.get_file_info(FileSelector(f"{root}hive")),
    "write_table": lambda root, fs: pq.write_table(TABLE, f"{root}new.parquet", filesystem=fs),
    "write_dataset": lambda root, fs: ds.write_dataset(TABLE, f"{root}new/{next(NUMBERS)}", filesystem=fs, **HIVE),
    "write_dataset over": lambda root, fs: ds.write_dataset(
        TABLE, f"{root}hive", filesystem=fs, existing_data_behavior="delete_matching", **HIVE
    ),
    "copy": lambda root, fs: fs.copy_file(f"{root}one.parquet", f"{root}copy.parquet"),
    "delete": lambda root, fs: fs.delete_file(f"{root}copy.parquet"),
    "delete_dir": lambda root, fs: fs.delete_dir(f"{root}hive"),
}
NUMBERS = count()


@pytest.mark.parametrize("whole_file_size", [0, 1 << 20])
def test_no_job_costs_more_requests_than_through_pyarrows_own_filesystem(
    store: Store, raw: S3FileSystem, bucket: str, operations: Callable[..., list[str]], whole_file_size: int
) -> None:
    fs = filesystem(store, whole_file_size=whole_file_size)
    pq.write_table(TABLE, "one.parquet", filesystem=fs)
    ds.write_dataset(TABLE, "hive", filesystem=fs, **HIVE)
    with fs.open_output_stream("x.csv") as file:
        pyarrow.csv.write_csv(TABLE, file)
    dearer = {}
    for name, job in JOBS.items():
        if name in ("copy", "delete", "delete_dir"):
            pq.write_table(TABLE, "copy.parquet", filesystem=fs)
            ds.write_dataset(TABLE, "hive", filesystem=fs, existing_data_behavior="delete_matching", **HIVE)
        theirs = operations(lambda job=job: job(f"{bucket}/", raw))
        if name in ("delete", "delete_dir"):
            pq.write_table(TABLE, "copy.parquet", filesystem=fs)
            ds.write_dataset(TABLE, "hive", filesystem=fs, existing_data_behavior="delete_matching", **HIVE)
        ours = operations(lambda job=job: job("", fs))
        if len(ours) > len(theirs):
            dearer[name] = (ours, theirs)
        if name not in ("read_table of a folder", "files by name"):
            heads = [request for request in ours if request.startswith("HeadObject")]
            assert len(heads) == len(set(heads)), name
    assert dearer == {}


def test_a_dataset_with_a_manifest_sends_no_head_and_lists_nothing_to_read(
    store: Store, operations: Callable[..., list[str]]
) -> None:
    folder = re.compile(r"[0-9a-f]{32}")

    def seen(job: Callable[[], object]) -> list[str]:
        return sorted(folder.sub("ID", request) for request in operations(job))

    files = [f"lake/_files/ID/year={year}/part-0.parquet" for year in (2020, 2021, 2022)]
    manifest = "lake/_manifest.json"
    # The first listing tells a missing manifest from a folder.
    writes = [f"PutObject {file}" for file in files]
    asked = [f"GetObject {manifest}", "ListObjectsV2 ", *writes, "ListObjectsV2 ", f"PutObject {manifest}"]
    job = partial(write_dataset, TABLE, store, "lake", partitioning=["year"], partitioning_flavor="hive")
    assert seen(job) == sorted(asked)
    assert seen(lambda: dataset(store, "lake")) == [f"GetObject {manifest}"]
    found = dataset(store, "lake")
    assert seen(found.to_table) == [f"GetObject {file}" for file in files]
    assert seen(lambda: found.to_table(filter=ds.field("year") == 2021)) == [f"GetObject {files[1]}"]
    assert seen(lambda: delete_old_files(store, "lake")) == [f"GetObject {manifest}", "ListObjectsV2 "]


# The table on the page


def write_90_mb(store: Store) -> int:
    random = np.random.default_rng(0)
    with store.open_atomic("large.parquet") as file:
        pd.DataFrame({f"c{number}": random.random(ROWS) for number in range(10)}).to_parquet(file)
    return store.head("large.parquet").size


def shown() -> dict[str, tuple[int, int, float]]:
    """The rows of the table on the page: HEAD, GET, and megabytes."""
    page = Path("docs/pyarrow.md").read_text("utf-8")
    table = page.partition("| through | HEAD | GET | MB read |")[2].partition("\n\n")[0]
    cells = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    return {name: (int(heads), int(gets), float(size)) for name, heads, gets, size in cells}


def cost(endpoint: Endpoint, size: int, job: Callable[[], object]) -> tuple[int, int, float]:
    """The HEADs and GETs of a job, and the megabytes that its GETs asked for."""
    with endpoint.recording() as requests:
        job()
    heads = sum(request.method == "HEAD" for request in requests)
    gets = [request.headers.get("range", "") for request in requests if request.method == "GET" and request.key]
    total = 0
    for header in gets:
        first, last = header.removeprefix("bytes=").split("-") if header else ("0", "")
        total += min(int(last or size), size - 1) - int(first) + 1
    return heads, len(gets), round(total / 1e6, 1)


@pytest.mark.smoke
def test_two_columns_of_90_mb_cost_what_the_page_says(
    store: Store, raw: S3FileSystem, bucket: str, endpoint: Endpoint, moto: Server
) -> None:
    size = write_90_mb(store)
    assert 90e6 < size < 91e6
    table = shown()
    ways: dict[str, tuple[str, Any]] = {
        "remote_store.pyarrow.filesystem(store)": ("large.parquet", filesystem(store)),
        'fsspec.filesystem("remote-store", store=store)': (
            "large.parquet",
            fsspec.filesystem("remote-store", store=store, skip_instance_cache=True),
        ),
        "pyarrow.fs.S3FileSystem": (f"{bucket}/large.parquet", raw),
        "s3fs.S3FileSystem": (
            f"{bucket}/large.parquet",
            s3fs.S3FileSystem(
                endpoint_url=endpoint.url,
                key=moto.key,
                secret=moto.secret,
                client_kwargs={"region_name": moto.region},
                skip_instance_cache=True,
            ),
        ),
    }
    costs = {
        name: cost(endpoint, size, lambda way=way: pd.read_parquet(way[0], filesystem=way[1], columns=COLUMNS))
        for name, way in ways.items()
    }
    assert costs.keys() == table.keys()
    for name, theirs in costs.items():
        if "store)" in name:
            assert theirs == table[name]
            continue
        for ours in (cost for other, cost in costs.items() if "store)" in other):
            assert ours[0] + ours[1] <= theirs[0] + theirs[1], costs
            assert ours[2] <= theirs[2], costs
        # Retries of others add to what the page says, and threads share s3fs's read-ahead by chance.
        assert theirs[0] + theirs[1] >= table[name][0] + table[name][1], (name, theirs)
        assert theirs[2] >= 0.8 * table[name][2], (name, theirs)
