"""vcrpy, which replaces connections inside aiohttp, works with clients of ours as with any other."""

from __future__ import annotations

import pytest
import vcr

from remote_store.s3fs import S3FsBackend


@pytest.mark.parametrize("made", ["before", "inside"])
def test_a_cassette_records_and_plays(place, endpoint, plain, bucket, tmp_path, made):
    plain.put_object(Bucket=bucket, Key="k", Body=b"data")
    for requests in (2, 0):
        backend = S3FsBackend(bucket, **place)
        if made == "before":
            assert backend.exists("k")
        endpoint.reset()
        with vcr.use_cassette(tmp_path / "cassette.yaml", match_on=["method", "path"]):
            assert backend.read_bytes("k") == b"data"
            assert backend.get_file_info("k").size == 4
        assert endpoint.count() == requests
    assert S3FsBackend(bucket, **place).read_bytes("k") == b"data"
    assert endpoint.count() == 1
