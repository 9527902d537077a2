"""A process that is forked while credentials are looked for in another thread."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from remote_store.core import BackendUnavailable, RetryPolicy
from remote_store.s3fs import S3FsBackend

SLOW = """
import os, pathlib, sys, time
pathlib.Path(sys.argv[1]).touch()
time.sleep(1.2)
print('{"Version": 1, "AccessKeyId": "a", "SecretAccessKey": "b"}')
"""
NOWHERE = {"endpoint_url": "http://127.0.0.1:9", "region_name": "eu-west-1", "retry": RetryPolicy(1)}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_neither_a_fork_nor_its_child_waits_for_credentials(tmp_path: Path) -> None:
    begun, script = tmp_path / "begun", tmp_path / "slow.py"
    script.write_text(SLOW)
    (tmp_path / "config").write_text(f"[default]\ncredential_process = {sys.executable} {script} {begun}\n")
    backend = S3FsBackend("bucket", **NOWHERE)
    outcomes: list[BaseException] = []

    def use() -> None:
        try:
            backend.read_bytes("k")
        except BackendUnavailable as error:
            outcomes.append(error)

    searching = [threading.Thread(target=use) for _ in range(2)]
    for thread in searching:
        thread.start()
    while not begun.exists():
        time.sleep(0.01)
    before = time.monotonic()
    child = os.fork()
    if not child:
        status = 1
        try:
            signal.alarm(10)
            # The one that was being connected, and another one.
            for one in (backend, S3FsBackend("bucket", key="k", secret="s", **NOWHERE)):
                with pytest.raises(BackendUnavailable, match="did not answer"):
                    one.read_bytes("k")
            status = 0
        finally:
            os._exit(status)
    took = time.monotonic() - before
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    for thread in searching:
        thread.join(30)
    backend.close()
    assert took < 1
    assert [str(error.code) for error in outcomes] == ["EndpointConnectionError"] * 2
