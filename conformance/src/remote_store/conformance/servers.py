"""S3 servers that a test run starts on loopback and leaves nothing of behind."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import http.client
import json
import logging
import os
import random
import shutil
import signal
import socket
import subprocess
import sysconfig
import tempfile
import threading
import time
import urllib.parse
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

__all__ = ["Server", "dead_endpoint", "moto_server", "seaweedfs_server", "sign_v4"]

_INSTALL = 'pip install "remote-store-conformance[servers]"'
_START_SECONDS = 60.0
_ATTEMPTS = 3
# Below the range that outgoing connections take their ports from.
_PORTS = range(10_300, 32_000)
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
# The pipe on descriptor 3 breaks when the parent dies, however it dies, and the server goes with it.
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


@dataclass(frozen=True, slots=True)
class Server:
    """An S3 server that runs now.

    Attributes:
        kind: `"moto"` or `"seaweedfs"`.
        url: The endpoint, without a trailing slash.
        key: The access key that may do everything.
        secret: The secret of `key`.
        region: The region to sign for.
        version: The release that runs, for reports.
        fill: Stores empty objects in a bucket by a shorter way than a request for each; `None` where there is none.
    """

    kind: str
    url: str
    key: str
    secret: str = field(repr=False)
    region: str
    version: str
    volumes: str | None = field(default=None, repr=False)
    fill: Callable[[str, Iterable[str]], None] | None = field(default=None, repr=False)

    def create_bucket(self, name: str) -> None:
        """Create an empty bucket, ready to be written to; about 5 ms.

        Raises:
            RuntimeError: The server refused, for instance because the bucket exists.
        """
        url = f"{self.url}/{urllib.parse.quote(name)}"
        headers = sign_v4("PUT", url, key=self.key, secret=self.secret, region=self.region)
        status, body = _request("PUT", url, headers)
        if status != 200:
            raise RuntimeError(f"{self.kind} did not create the bucket {name!r}: {status} {body[:300]!r}")
        if self.volumes:
            # SeaweedFS otherwise makes the first write into each bucket wait for a volume, for 200 ms up to 5 s.
            grow = f"{self.volumes}/vol/grow?count=1&replication=000&collection={urllib.parse.quote(name)}"
            status, body = _request("POST", grow, {})
            if status != 200:
                raise RuntimeError(f"{self.kind} has no room for the bucket {name!r}: {status} {body[:300]!r}")


@contextlib.contextmanager
def moto_server() -> Iterator[Server]:
    """Run moto in a thread of this process until the block ends.

    It is fast and everywhere, accepts any key and secret, and keeps its buckets as long as the process lives:
    two of them in one process share their buckets.

    Raises:
        ImportError: moto is not installed; the message names the command that installs it.
    """
    try:
        from moto import __version__
        from moto.moto_server import werkzeug_app
        from werkzeug.serving import make_server
    except ImportError as error:
        raise ImportError(f"moto_server() needs moto with its server: {_INSTALL}") from error
    log = logging.getLogger("werkzeug")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)
    # The S3 application alone: moto's own server finds the service of each request anew, a quarter of a request's time.
    application = werkzeug_app.create_backend_app("s3")
    # Newer releases keep the spelling of header names with it.
    handler = getattr(werkzeug_app, "MotoRequestHandler", None)
    running = make_server("127.0.0.1", 0, application, threaded=True, request_handler=handler)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    try:
        url = f"http://127.0.0.1:{running.server_port}"
        yield Server("moto", url, "suite", "suite-secret", "us-east-1", __version__, fill=_fill_moto)
    finally:
        running.shutdown()
        running.server_close()
        thread.join()
        log.setLevel(level)


def _fill_moto(bucket: str, keys: Iterable[str]) -> None:
    # A request takes moto 7 ms, a hundred times as long as the object itself.
    from moto.core.models import DEFAULT_ACCOUNT_ID
    from moto.s3.models import s3_backends

    for key in keys:
        s3_backends[DEFAULT_ACCOUNT_ID]["aws"].put_object(bucket, key, b"")


# The secret opens a server that ends with its block.
@contextlib.contextmanager
def seaweedfs_server(*, key: str = "suite", secret: str = "suite-secret") -> Iterator[Server]:  # noqa: S107
    """Run SeaweedFS as a child process until the block ends; ready after about three seconds.

    It checks signatures, keeps its data in a temporary folder that is removed at the end, and dies with
    this process whatever ends it. Several can run at a time.

    Args:
        key: The one access key that it accepts.
        secret: The secret of `key`.

    Raises:
        FileNotFoundError: The `weed` program is not installed; the message names the command that installs it.
        RuntimeError: It did not start; the message ends with its log.
    """
    directory = Path(tempfile.mkdtemp(prefix="remote-store-seaweedfs-"))
    reader, writer = os.pipe()
    try:
        process, server = start_seaweedfs(directory, reader, key, secret)
        try:
            yield server
        finally:
            # SIGTERM takes it 16 s, and there is no data to save.
            os.write(writer, b"\n")
            process.wait()
    finally:
        os.close(reader)
        os.close(writer)
        shutil.rmtree(directory, ignore_errors=True)


def start_seaweedfs(directory: Path, pipe: int, key: str, secret: str) -> tuple[subprocess.Popen[bytes], Server]:
    """Start SeaweedFS, and return once it serves.

    It ends and removes the folder when the pipe gives a line, or has no writer any more.

    Args:
        directory: The folder for its data.
        pipe: The descriptor of the read end of a pipe.
        key: The one access key that it accepts.
        secret: The secret of `key`.

    Raises:
        FileNotFoundError: The `weed` program is not installed; the message names the command that installs it.
        RuntimeError: It did not start; the message ends with its log.
    """
    program = _weed()
    for attempt in reversed(range(_ATTEMPTS)):
        try:
            return _seaweedfs(program, directory, pipe, key, secret)
        except RuntimeError:
            # A port that was free a moment ago may be taken by now.
            if not attempt:
                raise
    raise AssertionError("the last attempt returns or raises")


def dead_endpoint() -> str:
    """Return an http URL on loopback where nothing listens."""
    return f"http://127.0.0.1:{_free_ports(1)[0]}"


def sign_v4(
    method: str, url: str, *, key: str, secret: str, region: str, headers: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the headers that sign a request to S3 without an SDK; the body stays unsigned.

    Args:
        method: The HTTP method.
        url: The whole URL, percent-encoded, with its query.
        key: The access key.
        secret: The secret of `key`.
        region: The region to sign for.
        headers: More headers to sign; they are part of the result.
    """
    parts = urllib.parse.urlsplit(url)
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{moment[:8]}/{region}/s3/aws4_request"
    signed = {name.lower(): value for name, value in (headers or {}).items()}
    signed |= {"host": parts.netloc, "x-amz-content-sha256": "UNSIGNED-PAYLOAD", "x-amz-date": moment}
    names = ";".join(sorted(signed))
    query = sorted(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
    canonical = "\n".join(
        [
            method,
            parts.path or "/",
            "&".join(
                f"{urllib.parse.quote(name, safe='')}={urllib.parse.quote(value, safe='')}" for name, value in query
            ),
            *(f"{name}:{signed[name].strip()}" for name in sorted(signed)),
            "",
            names,
            "UNSIGNED-PAYLOAD",
        ]
    )
    text = "\n".join(["AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    digest = f"AWS4{secret}".encode()
    for piece in (*scope.split("/"), text):
        digest = hmac.digest(digest, piece.encode(), "sha256")
    signed["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={digest.hex()}"
    )
    return signed


def _seaweedfs(
    program: str, directory: Path, pipe: int, key: str, secret: str
) -> tuple[subprocess.Popen[bytes], Server]:
    ports = dict(zip(_SEAWEEDFS_PORTS, _free_ports(len(_SEAWEEDFS_PORTS)), strict=True))
    arguments = _arguments(directory, ports, key, secret)
    log = directory / "log"
    environment = {
        **os.environ,
        "WEED_MASTER_VOLUME_GROWTH_COPY_1": "1",
        "SERVER_DIRECTORY": str(directory),
        # Their names are fixed, and a killed server leaves them.
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
    return process, Server("seaweedfs", url, key, secret, "us-east-1", _version(program), master)


def _arguments(directory: Path, ports: Mapping[str, int], key: str, secret: str) -> list[str]:
    identity = directory / "identity.json"
    user = {
        "name": "suite",
        "credentials": [{"accessKey": key, "secretKey": secret}],
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
        # One master needs no election, which would cost up to five seconds.
        "-master.peers=none",
        "-master.telemetry=false",
        "-master.volumePreallocate=false",
        # Each bucket takes a volume of its own, whose file grows with its content.
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
            status, _ = _request("GET", url, {})
        except (OSError, http.client.HTTPException):
            status = 0
        if status == expected:
            pending.pop(0)
        else:
            time.sleep(0.02)


def _request(method: str, url: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    try:
        connection.request(method, url.removeprefix(f"{parts.scheme}://{parts.netloc}"), headers=dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _weed() -> str:
    # The environment of this interpreter need not be on PATH.
    program = shutil.which("weed", path=sysconfig.get_path("scripts")) or shutil.which("weed")
    if program is None:
        raise FileNotFoundError(f"seaweedfs_server() needs the program weed: {_INSTALL}")
    return program


def _version(program: str) -> str:
    # The program is the one that was found.
    answer = subprocess.run([program, "version"], capture_output=True, text=True, check=True)  # noqa: S603
    words = answer.stdout.split()
    return next((word for word in words if word[0].isdigit() and not word.endswith("GB")), "unknown")


def _free_ports(count: int) -> list[int]:
    """Return ports that nothing listens on, all different."""
    with contextlib.ExitStack() as stack:
        found: list[int] = []
        for port in random.sample(_PORTS, 2_000):
            if len(found) == count:
                break
            probe = stack.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                found.append(port)
    if len(found) < count:
        raise OSError(f"found no {count} free ports on 127.0.0.1")
    return found
