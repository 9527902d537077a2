"""Counts what it costs to read two columns of a Parquet file of 90 MB from S3, by each way that leads there.

    python parquet_requests.py

It needs pandas, pyarrow, s3fs, `remote-store-boto3`, `remote-store-fsspec` and
`remote-store-conformance[endpoint,servers]`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq

from remote_store.boto3 import S3Boto3Backend
from remote_store.conformance.endpoint import Endpoint
from remote_store.conformance.faults import Request
from remote_store.conformance.servers import Server, moto_server
from remote_store.core import Store

COLUMNS = 12
ROWS = 960_000
LAYOUTS = {"1 row group": ROWS, "8 row groups": ROWS // 8}
"""Rows in a row group, by layout. The first is what `DataFrame.to_parquet` writes."""
KEY = "lake/measured.parquet"
READ = ["c3", "c8"]


def parquet(layout: str) -> bytes:
    """A table of 12 columns of random doubles: 92 MB."""
    random = np.random.default_rng(1)
    table = pa.table({f"c{number}": random.random(ROWS) for number in range(COLUMNS)})
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=LAYOUTS[layout], compression="none", use_dictionary=False)
    return sink.getvalue()


@dataclass(frozen=True)
class Cost:
    """What a read costs.

    Attributes:
        operations: The S3 operations, in order of arrival.
        bytes: How many bytes of the object were asked for.
    """

    operations: tuple[str, ...]
    bytes: int

    @property
    def requests(self) -> int:
        return len(self.operations)


def asked(request: Request, size: int) -> int:
    """How many bytes of an object a request asks for."""
    if request.operation != "GetObject":
        return 0
    if not (found := re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("range", ""))):
        return size
    first, last = found.groups()
    if not first:
        return min(int(last), size)
    return min(int(last or size), size - 1) - int(first) + 1


def readers(bucket: str, server: Server, url: str) -> dict[str, Callable[[], pd.DataFrame]]:
    """What reads the two columns, by name. `url` is the endpoint in front of the server."""
    store = Store(
        S3Boto3Backend(bucket, endpoint_url=url, key=server.key, secret=server.secret, region_name=server.region)
    )
    options = {"key": server.key, "secret": server.secret, "endpoint_url": url}
    native = pyarrow.fs.S3FileSystem(
        access_key=server.key,
        secret_key=server.secret,
        endpoint_override=url,
        region=server.region,
        # By default it gives up after 3 seconds, and a repeated request would count.
        request_timeout=60,
        connect_timeout=60,
    )

    def by_s3fs() -> pd.DataFrame:
        return pd.read_parquet(
            f"s3://{bucket}/{KEY}",
            columns=READ,
            storage_options={**options, "skip_instance_cache": True, "client_kwargs": {"region_name": server.region}},
        )

    def by_pyarrow() -> pd.DataFrame:
        return pd.read_parquet(f"{bucket}/{KEY}", columns=READ, filesystem=native)

    def by_url() -> pd.DataFrame:
        return pd.read_parquet(
            f"remote-store+s3+boto3://{bucket}/{KEY}",
            columns=READ,
            storage_options={**options, "region_name": server.region, "skip_instance_cache": True},
        )

    def by_store() -> pd.DataFrame:
        import fsspec

        fs = fsspec.filesystem("remote-store", store=store, skip_instance_cache=True)
        return pd.read_parquet(KEY, columns=READ, filesystem=fs)

    return {"s3fs": by_s3fs, "pyarrow": by_pyarrow, "remote-store URL": by_url, "remote-store filesystem": by_store}


def measure(server: Server, bucket: str, content: bytes) -> dict[str, Cost]:
    """The cost of each way.

    Args:
        server: The server.
        bucket: An empty bucket on it.
        content: The file, as `parquet` makes it.
    """
    with Store(
        S3Boto3Backend(bucket, endpoint_url=server.url, key=server.key, secret=server.secret, region_name=server.region)
    ) as store:
        store.write(KEY, content, overwrite=True)
    costs = {}
    with Endpoint(server.url) as endpoint:
        for name, read in readers(bucket, server, endpoint.url).items():
            with endpoint.recording() as requests:
                frame = read()
            assert frame.shape == (ROWS, len(READ))
            bytes_asked = sum(asked(request, len(content)) for request in requests)
            costs[name] = Cost(tuple(request.operation for request in requests), bytes_asked)
    return costs


def main() -> None:
    """Print the costs."""
    with moto_server() as server:
        server.create_bucket("measured")
        for layout in LAYOUTS:
            content = parquet(layout)
            print(f"{layout}, {len(content):,} bytes")  # noqa: T201 - what this program is for
            for name, cost in measure(server, "measured", content).items():
                print(f"  {name:24} {cost.requests:4} requests {cost.bytes:12,} bytes")  # noqa: T201


if __name__ == "__main__":
    main()
