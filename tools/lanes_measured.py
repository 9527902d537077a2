"""Measures how the lanes differ: the distributions they install, the requests they send, the options they refuse."""

from __future__ import annotations

import io
import os
import pickle
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pyarrow.fs
import s3fs
from botocore.client import BaseClient
from botocore.config import Config

from lane_alone import LANES, ROOT, UV, Broken, build, closure, run
from remote_store.boto3 import S3Boto3Backend
from remote_store.conformance.endpoint import Endpoint
from remote_store.conformance.servers import Server, moto_server
from remote_store.pyarrow import S3PyArrowBackend
from remote_store.s3fs import S3FsBackend

sys.path.insert(0, str(ROOT / "benchmarks"))

from contestants import CONTESTANTS
from world import BUCKET, MIB, SMALL

PLACE: dict[str, Any] = {"endpoint_url": "http://127.0.0.1:9", "region_name": "us-east-1", "key": "k", "secret": "s"}
BACKENDS: dict[str, type[Any]] = {"boto3": S3Boto3Backend, "s3fs": S3FsBackend, "pyarrow": S3PyArrowBackend}
LISTED = 1_200
LARGE = 20 * MIB
PIN = ("boto3", "s3fs", "boto3 s3fs")

Found = dict[str, Any]


def measured() -> Found:
    """All measurements as plain data. Takes some minutes and accesses the package index."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "pin": {words: resolved(words.split()) for words in PIN},
        "closures": {name: installed(name) for name in LANES},
        "requests": dict(requests()),
        "accepts": {title: {name: attempt(name) for name in BACKENDS} for title, attempt in ATTEMPTS.items()},
    }


def resolved(words: list[str]) -> dict[str, str]:
    """The SDK versions that a resolver selects for these distributions without version bounds."""
    with tempfile.TemporaryDirectory(prefix="lanes-") as folder:
        wanted = Path(folder, "wanted.in")
        wanted.write_text("\n".join(words), "utf-8")
        text = run(UV, "pip", "compile", "--quiet", "--no-header", "--no-annotate", wanted, cwd=Path(folder))
    versions = dict(line.split("==") for line in text.splitlines() if "==" in line)
    return {name: versions[name] for name in ("boto3", "botocore", "s3fs", "aiobotocore") if name in versions}


def installed(name: str) -> Found:
    """The distributions that a lane's wheel installs, with the newest release of its SDK."""
    with tempfile.TemporaryDirectory(prefix="lanes-") as text:
        folder = Path(text).resolve()
        wheels = [
            build(f"remote-store-{part}", folder / "dist")
            for part in dict.fromkeys(["core", *LANES[name].built_on, name])
        ]
        run(UV, "venv", "--quiet", "--no-project", "--python", sys.executable, folder / "venv", cwd=folder)
        python = folder / "venv" / "bin" / "python"
        bare = _bytes_of(folder / "venv")
        run(UV, "pip", "install", "--quiet", "--python", python, *wheels, cwd=folder)
        return {"versions": closure(python, folder), "bytes": _bytes_of(folder / "venv") - bare}


def requests() -> Iterator[tuple[str, dict[str, dict[str, int]]]]:
    """The number of requests that each contestant of the benchmark sends for each operation."""
    with moto_server() as server, Endpoint(server.url) as endpoint:
        server.create_bucket(BUCKET)
        through = Server(server.kind, endpoint.url, server.key, server.secret, server.region, server.version)
        contestants = [one(through) for one in CONTESTANTS]
        first = contestants[1]
        first.put("small", SMALL)
        first.upload_stream("large", io.BytesIO(os.urandom(LARGE)))
        for number in range(LISTED):
            first.put(f"listed/{number % 7}/{number:05}", b"x")
        for title, (method, arguments) in OPERATIONS.items():
            rows: dict[str, dict[str, int]] = {}
            for contestant in contestants:
                if hasattr(contestant, method):
                    values = arguments(contestant)
                    with endpoint.recording() as sent:
                        getattr(contestant, method)(*values)
                    rows[contestant.title] = dict(Counter(request.operation for request in sent))
            yield title, rows
        for contestant in contestants:
            contestant.close()


def fresh(contestant: Any) -> str:
    """A key that nothing has been written to."""
    return f"fresh/{contestant.title}"


def tree(contestant: Any) -> tuple[str]:
    """A folder with a few files in it."""
    folder = f"tree/{contestant.title}"
    for number in range(5):
        contestant.put(f"{folder}/{number}", b"x")
    return (folder,)


OPERATIONS: dict[str, tuple[str, Callable[[Any], tuple[Any, ...]]]] = {
    "facts of a file": ("head", lambda _: ("small",)),
    "read 4 KiB": ("get", lambda _: ("small",)),
    "write 4 KiB": ("put", lambda _: ("put", SMALL)),
    "create 4 KiB": ("create", lambda one: (fresh(one), SMALL)),
    f"list {LISTED:,} keys in 7 folders": ("list_all", lambda _: ("listed",)),
    "5 random reads": ("random_reads", lambda _: ("large", [MIB * number for number in (17, 3, 11, 5, 2)])),
    f"stream {LARGE // MIB} MiB": ("stream", lambda _: ("large",)),
    f"upload {LARGE // MIB} MiB of unknown length": (
        "upload_stream",
        lambda one: (f"up/{one.title}", io.BufferedReader(io.BytesIO(os.urandom(LARGE)))),
    ),
    "copy": ("copy", lambda one: ("small", f"copied/{one.title}")),
    "delete a folder of 5": ("delete_tree", tree),
}


def tried(make: Callable[[str], object]) -> Callable[[str], str]:
    """Make a function that tries something on a lane, and returns the error or, if it works, ""."""

    def attempt(name: str) -> str:
        try:
            make(name)
        except Exception as error:  # noqa: BLE001 - any refusal is a result
            text, _, _ = f"{type(error).__name__}: {error}".partition("\n")
            # The list of other options is not part of the result.
            return text.partition("; did you mean")[0].partition("; known options")[0]
        return ""

    return attempt


def made(name: str, **options: Any) -> Any:
    """A backend of a lane, which does no I/O."""
    return BACKENDS[name]("bucket", **{**PLACE, **options})


def handed(name: str, **handle: Any) -> Any:
    """A backend of a lane that uses the user's client or filesystem."""
    return BACKENDS[name]("bucket", **handle)


def client(**options: Any) -> Any:
    """A client as a user makes one."""
    return boto3.session.Session(region_name="us-east-1").client("s3", **options)


ATTEMPTS: dict[str, Callable[[str], str]] = {
    "`client=`, a boto3 client of yours": tried(lambda name: handed(name, client=client())),
    "`session=`, a boto3 session of yours": tried(lambda name: handed(name, session=boto3.session.Session())),
    "`fs=`, an s3fs filesystem of yours": tried(
        lambda name: handed(name, fs=s3fs.S3FileSystem(skip_instance_cache=True))
    ),
    '`client_options={"verify": False}`': tried(lambda name: made(name, client_options={"verify": False})),
    "`client_options` with a `config` that has `proxies`": tried(
        lambda name: made(name, client_options={"config": Config(proxies={"http": "http://proxy:1"})})
    ),
    "`client_options` with a `config` that has `client_cert`": tried(
        lambda name: made(name, client_options={"config": Config(client_cert="cert.pem")})
    ),
    "`unwrap(botocore.client.BaseClient)`": tried(lambda name: made(name).unwrap(BaseClient)),
    "`unwrap(s3fs.S3FileSystem)`": tried(lambda name: made(name).unwrap(s3fs.S3FileSystem)),
    "`unwrap(pyarrow.fs.FileSystem)`": tried(lambda name: made(name).unwrap(pyarrow.fs.FileSystem)),
    "pickling": tried(lambda name: pickle.loads(pickle.dumps(made(name)))),  # noqa: S301 - it was made a moment ago
}


def _bytes_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")


__all__ = ["BACKENDS", "Broken", "measured"]
