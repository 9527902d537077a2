from __future__ import annotations

import secrets

import parquet_requests
import pytest

OURS = ["remote-store URL", "remote-store filesystem"]


@pytest.mark.parametrize("layout", [pytest.param("1 row group", marks=pytest.mark.smoke), "8 row groups"])
def test_two_columns_cost_no_more_than_by_pyarrow_or_s3fs(moto, layout):
    bucket = f"bucket-{secrets.token_hex(4)}"
    moto.create_bucket(bucket)
    content = parquet_requests.parquet(layout)
    assert len(content) > 90_000_000
    costs = parquet_requests.measure(moto, bucket, content)
    for name in OURS:
        assert costs[name].requests <= costs["pyarrow"].requests, costs
        assert costs[name].bytes <= costs["pyarrow"].bytes, costs
        # With 8 row groups s3fs may send fewer requests, each for a half of the file.
        assert costs[name].bytes <= costs["s3fs"].bytes, costs
        assert layout != "1 row group" or costs[name].requests <= costs["s3fs"].requests, costs
