from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from remote_store.conformance.servers import shared as shared_server
from remote_store.conformance.servers.shared import RUN, shared_seaweedfs_server

PROGRAM = """
from remote_store.conformance.servers.shared import shared_seaweedfs_server
with shared_seaweedfs_server() as server:
    print(server.url, flush=True)
    input()
"""


@contextlib.contextmanager
def worker(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that uses the server of a run until it is told to end, and where it found the server."""
    environment = {**os.environ, "TMPDIR": str(folder), RUN: "run", "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def serves(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=10).close()
    except urllib.error.HTTPError as error:
        return error.code == 403
    except OSError:
        return False
    return True


def test_the_workers_of_a_run_share_a_server_which_ends_with_the_last_of_them(tmp_path: Path) -> None:
    with worker(tmp_path) as (first, url), worker(tmp_path) as (second, other):
        assert url == other != ""
        assert [path.name for path in tmp_path.iterdir()] == ["remote-store-seaweedfs-run"]
        first.kill()
        first.wait()
        assert serves(url)
        second.communicate("\n")
        deadline = time.monotonic() + 20
        while list(tmp_path.iterdir()):
            assert time.monotonic() < deadline, "the data of the server is still there"
            time.sleep(0.02)
    assert not serves(url)


def test_outside_of_a_run_a_server_is_its_callers_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(RUN, raising=False)
    monkeypatch.setattr(shared_server, "seaweedfs_server", lambda: contextlib.nullcontext("own"))
    with shared_seaweedfs_server() as server:
        assert server == "own"


def test_a_server_that_does_not_start_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("out of luck")

    monkeypatch.setenv(RUN, "run")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(shared_server, "start_seaweedfs", broken)
    with pytest.raises(RuntimeError, match="out of luck"), shared_seaweedfs_server():
        raise AssertionError("it started")
    assert list(tmp_path.iterdir()) == []
