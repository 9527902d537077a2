"""One SeaweedFS for all workers of a pytest-xdist run."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from remote_store.conformance.servers.seaweedfs import seaweedfs_server, start_seaweedfs
from remote_store.conformance.servers.server import Server

__all__ = ["shared_seaweedfs_server"]

RUN = "PYTEST_XDIST_TESTRUNUID"


@contextmanager
def shared_seaweedfs_server() -> Iterator[Server]:
    """Run SeaweedFS until the block ends, and share it with the other workers of a pytest-xdist run.

    The first worker that needs the server starts it. Each worker holds a named pipe open for writing, and the server
    stops when the last of them has closed it or ended. Outside of pytest-xdist, and on a platform without named pipes,
    this is `seaweedfs_server()`.

    Raises:
        FileNotFoundError: The `weed` program is not installed; the message names the command that installs it.
        RuntimeError: It did not start; the message ends with its log.
    """
    run = os.environ.get(RUN)
    if not run or not hasattr(os, "mkfifo"):
        with seaweedfs_server() as server:
            yield server
        return
    server, pipe = _joined(Path(tempfile.gettempdir(), f"remote-store-seaweedfs-{run}"))
    try:
        yield server
    finally:
        os.close(pipe)


def _joined(directory: Path) -> tuple[Server, int]:
    """The server of a run, started if necessary, and the pipe that keeps it running."""
    state, pipe = directory / "server.json", directory / "pipe"
    with _locked(directory.parent):
        if state.exists():
            return Server(**json.loads(state.read_text("utf-8"))), os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        directory.mkdir(mode=0o700)
        os.mkfifo(pipe, mode=0o600)
        # Non-blocking, because the next line opens the other end.
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        writer = os.open(pipe, os.O_WRONLY)
        os.set_blocking(reader, True)
        try:
            _, server = start_seaweedfs(directory, reader, "suite", "suite-secret")
        except BaseException:
            os.close(writer)
            shutil.rmtree(directory, ignore_errors=True)
            raise
        finally:
            os.close(reader)
        state.touch(mode=0o600)
        state.write_text(json.dumps(asdict(server)), "utf-8")
        return server, writer


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one process at a time into the block. The folder itself is locked, so no lock file is left behind."""
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
