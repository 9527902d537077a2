"""SeaweedFS, as a child process."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from remote_store.conformance.servers.ports import free_ports
from remote_store.conformance.servers.server import INSTALL, Server, request

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_START_SECONDS = 60.0
_ATTEMPTS = 3
_SEAWEEDFS_PORTS = (
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "s3.port",
    "s3.port.grpc",
)
# The pipe on descriptor 3 breaks when the parent dies for any reason, and then the server is killed.
_SUPERVISOR = """
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
( read -r _ <&3; kill -9 $server ) &
guard=$!
wait $server
code=$?
kill $guard 2>/dev/null
rm -f $SERVER_SOCKETS
[ $code -ne 137 ] || rm -rf "$SERVER_DIRECTORY"
exit $code
"""


# The secret is for a server that ends with the block.
@contextlib.contextmanager
def seaweedfs_server(
    *,
    key: str = "suite",
    secret: str = "suite-secret",  # noqa: S107
    others: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Run SeaweedFS as a child process until the block ends; ready after about three seconds.

    It checks signatures, keeps its data in a temporary folder that is removed at the end, and is killed when this
    process ends for any reason. Several can run at a time.

    Args:
        key: The access key of the `Server`.
        secret: The secret of `key`.
        others: The secrets of further access keys that it accepts.

    Raises:
        FileNotFoundError: The `weed` program is not installed; the message names the command that installs it.
        RuntimeError: It did not start; the message ends with its log.
    """
    directory = Path(tempfile.mkdtemp(prefix="remote-store-seaweedfs-"))
    reader, writer = os.pipe()
    try:
        process, server = start_seaweedfs(directory, reader, key, secret, others)
        try:
            yield server
        finally:
            # It takes 16 s to stop on SIGTERM, and there is no data to save.
            os.write(writer, b"\n")
            process.wait()
    finally:
        os.close(reader)
        os.close(writer)
        shutil.rmtree(directory, ignore_errors=True)


def start_seaweedfs(
    directory: Path, pipe: int, key: str, secret: str, others: Mapping[str, str] | None = None
) -> tuple[subprocess.Popen[bytes], Server]:
    """Start SeaweedFS, and return when it is ready.

    It stops and removes the folder when the pipe yields a line or has no writer left.

    Args:
        directory: The folder for its data.
        pipe: The descriptor of the read end of a pipe.
        key: The access key of the `Server`.
        secret: The secret of `key`.
        others: The secrets of further access keys that it accepts.

    Raises:
        FileNotFoundError: The `weed` program is not installed; the message names the command that installs it.
        RuntimeError: It did not start; the message ends with its log.
    """
    program = _weed()
    for attempt in reversed(range(_ATTEMPTS)):
        try:
            return _seaweedfs(program, directory, pipe, key, {**(others or {}), key: secret})
        except RuntimeError:
            # A port that was free a moment ago may be in use now.
            if not attempt:
                raise
    raise AssertionError("the last attempt returns or raises")


def _seaweedfs(
    program: str, directory: Path, pipe: int, key: str, secrets: Mapping[str, str]
) -> tuple[subprocess.Popen[bytes], Server]:
    ports = dict(zip(_SEAWEEDFS_PORTS, free_ports(len(_SEAWEEDFS_PORTS)), strict=True))
    arguments = _arguments(directory, ports, secrets)
    log = directory / "log"
    environment = {
        **os.environ,
        "WEED_MASTER_VOLUME_GROWTH_COPY_1": "1",
        "SERVER_DIRECTORY": str(directory),
        # The names are fixed, and a killed server leaves the sockets.
        "SERVER_SOCKETS": " ".join(
            f"/tmp/seaweedfs-{role}-{ports[port]}.sock"  # noqa: S108 - SeaweedFS chooses the name
            for role, port in (
                ("master-grpc", "master.port.grpc"),
                ("volume-grpc", "volume.port.grpc"),
                ("filer-grpc", "filer.port.grpc"),
                ("s3-grpc", "s3.port.grpc"),
                ("filer", "filer.port"),
                ("s3", "s3.port"),
            )
        ),
    }
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - the program is the one found on the path
            ["/bin/sh", "-c", _SUPERVISOR, "sh", program, *arguments],
            stdin=pipe,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=directory,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{ports['s3.port']}"
    master = f"http://127.0.0.1:{ports['master.port']}"
    try:
        _wait_until_ready(process, f"{url}/", f"{master}/dir/assign", log)
    except BaseException:
        # The supervisor and the server are one session.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    return process, Server("seaweedfs", url, key, secrets[key], "us-east-1", _version(program), master)


def _arguments(directory: Path, ports: Mapping[str, int], secrets: Mapping[str, str]) -> list[str]:
    identity = directory / "identity.json"
    user = {
        "name": "suite",
        "credentials": [{"accessKey": key, "secretKey": secret} for key, secret in secrets.items()],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    identity.write_text(json.dumps({"identities": [user]}))
    identity.chmod(0o600)
    return [
        "-logtostderr=true",
        "server",
        f"-dir={directory}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        *(f"-{name}={port}" for name, port in ports.items()),
        "-filer",
        "-s3",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-s3.autoCreateBucket=false",
        f"-s3.config={identity}",
        # A single master skips the election, which would take up to five seconds.
        "-master.peers=none",
        "-master.telemetry=false",
        "-master.volumePreallocate=false",
        # Each bucket needs its own volume, whose file grows with its content.
        "-master.volumeSizeLimitMB=1024",
        "-volume.max=10000",
    ]


def _wait_until_ready(process: subprocess.Popen[bytes], endpoint: str, assign: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    pending = [(endpoint, 403), (assign, 200)]
    while pending:
        if process.poll() is not None or time.monotonic() > deadline:
            tail = log.read_text(errors="replace")[-2000:]
            raise RuntimeError(f"SeaweedFS did not start (exit code {process.returncode}); its log ends:\n{tail}")
        url, expected = pending[0]
        try:
            status, _ = request("GET", url, {})
        except (OSError, http.client.HTTPException):
            status = 0
        if status == expected:
            pending.pop(0)
        else:
            time.sleep(0.02)


def _weed() -> str:
    # This interpreter's environment may not be on PATH.
    program = shutil.which("weed", path=sysconfig.get_path("scripts")) or shutil.which("weed")
    if program is None:
        raise FileNotFoundError(f"seaweedfs_server() needs the program weed: {INSTALL}")
    return program


def _version(program: str) -> str:
    # The program is the one that was found.
    result = subprocess.run([program, "version"], capture_output=True, text=True, check=True)  # noqa: S603
    words = result.stdout.split()
    return next((word for word in words if word[0].isdigit() and not word.endswith("GB")), "unknown")
