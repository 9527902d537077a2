"""Many processes that change one file on a real S3 server."""

from __future__ import annotations

import secrets
import subprocess
import sys

import pytest

from remote_store.conformance.servers import seaweedfs_server
from remote_store.core import Store

PROCESSES, UPDATES = 16, 25
COUNT = """
import sys
from remote_store.core import Store
store = Store.from_url(sys.argv[1], conditional_writes=True, key=sys.argv[2], secret=sys.argv[3])
for _ in range(int(sys.argv[4])):
    store.update("counter", lambda content: b"%d" % (int(content) + 1), initial=b"0")
"""


@pytest.mark.parametrize("lane", ["boto3", "s3fs", "pyarrow"])
def test_processes_count_and_lose_nothing(lane: str) -> None:
    # One lane counts with all processes, the others with fewer.
    processes, updates = (PROCESSES, UPDATES) if lane == "boto3" else (4, 10)
    with seaweedfs_server() as server:
        bucket = f"counting-{secrets.token_hex(6)}"
        server.create_bucket(bucket)
        url = f"s3+{lane}://{bucket}/folder?endpoint_url={server.url}&region_name={server.region}"
        command = [sys.executable, "-c", COUNT, url, server.key, server.secret, str(updates)]
        running = [subprocess.Popen(command) for _ in range(processes)]
        assert [process.wait(240) for process in running] == [0] * processes
        with Store.from_url(url, conditional_writes=True, key=server.key, secret=server.secret) as store:
            assert store.read_bytes("counter") == b"%d" % (processes * updates)
