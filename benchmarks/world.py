"""The data of a run: objects on a server, written without any of the SDKs, and local files."""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import shutil
import subprocess
import tempfile
import urllib.parse
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from remote_store.conformance.servers import Server, sign_v4

MIB = 1024 * 1024
BUCKET = "benchmark"
SPAN = 64 * 1024
"""Bytes of one random read."""

THREADS = 16
"""Threads of a contestant that reads concurrently."""

SMALL = os.urandom(4096)
WRITERS = 4
IN_MEMORY = Path("/dev/shm")
"""The folder in which Linux keeps files in memory."""


@dataclass(frozen=True)
class Scale:
    """How much work one measurement is.

    Attributes:
        repeated: Whether each operation is measured in all its rounds, or once.
        calls: Calls in one measurement of a small operation.
        listed: Keys in the listing.
        tree: Keys in a tree that is deleted.
        large: Bytes of the large object.
        places: Random reads in the large object.
        tasks: Concurrent reads.
    """

    repeated: bool
    calls: int
    listed: int
    tree: int
    large: int
    places: int
    tasks: int


FULL = Scale(repeated=True, calls=60, listed=20_000, tree=1_000, large=256 * MIB, places=150, tasks=1_000)
QUICK = Scale(repeated=False, calls=10, listed=1_200, tree=50, large=40 * MIB, places=20, tasks=50)


class World:
    """The objects and files of a run, the same for all contestants.

    Args:
        server: The server of the objects.
        scale: How many and how large.
        folder: The folder of local files.
    """

    def __init__(self, server: Server, scale: Scale, folder: Path) -> None:
        self.server = server
        self.scale = scale
        self.file = folder / "large"
        self.target = folder / "downloaded"
        self._taken = 0
        self._pipes: list[subprocess.Popen[bytes]] = []

    def populate(self) -> None:
        """Make the bucket, the local file, and the objects that are read and listed."""
        self.server.create_bucket(BUCKET)
        with self.file.open("wb") as file:
            for _ in range(self.scale.large // MIB):
                file.write(os.urandom(MIB))
        self.put(["small"], SMALL)
        self.put(f"listed/{number % 100:02}/{number:06}.bin" for number in range(self.scale.listed))
        with self.file.open("rb") as file:
            _request(self.server, "PUT", "large", file)

    def put(self, keys: Iterable[str], body: bytes = b"x") -> None:
        """Write small objects concurrently."""
        every = list(keys)
        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(lambda first: _put_all(self.server, every[first::WRITERS], body), range(WRITERS)))

    def fresh(self) -> str:
        """A key that does not exist."""
        self._taken += 1
        return f"fresh/{self._taken:08}"

    def tree(self) -> str:
        """A folder of small files in ten subfolders."""
        folder = self.fresh()
        self.put(f"{folder}/{number % 10}/{number:05}" for number in range(self.scale.tree))
        return folder

    def pipe(self) -> BinaryIO:
        """The large file as a pipe from another process: not seekable, and of unknown length."""
        process = subprocess.Popen(["cat", self.file], stdout=subprocess.PIPE)
        self._pipes.append(process)
        return cast("BinaryIO", process.stdout)

    def places(self) -> list[int]:
        """Offsets in the large object, the same ones each time."""
        return random.Random(7).sample(range(self.scale.large - SPAN), self.scale.places)

    def size(self, key: str) -> int:
        """Length of an object on the server."""
        return int(_request(self.server, "HEAD", key).headers["Content-Length"])

    def tidy(self) -> None:
        """Remove the local files of one measurement."""
        for process in self._pipes:
            process.stdout and process.stdout.close()
            process.wait()
        self._pipes.clear()
        self.target.unlink(missing_ok=True)


@contextlib.contextmanager
def populated(server: Server, scale: Scale) -> Iterator[World]:
    """A world whose local files are removed at the end. Its objects are removed with their server."""
    # The uploaded and the downloaded file exist at once; in a container, this folder often has only 64 MiB.
    has_room = IN_MEMORY.is_dir() and shutil.disk_usage(IN_MEMORY).free > 3 * scale.large
    with tempfile.TemporaryDirectory(prefix="remote-store-benchmark-", dir=IN_MEMORY if has_room else None) as folder:
        world = World(server, scale, Path(folder))
        world.populate()
        yield world


def _put_all(server: Server, keys: Iterable[str], body: bytes) -> None:
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(server.url).netloc, timeout=60)
    for key in keys:
        _request(server, "PUT", key, body, connection)
    connection.close()


def _request(
    server: Server,
    method: str,
    key: str,
    body: bytes | BinaryIO = b"",
    connection: http.client.HTTPConnection | None = None,
) -> http.client.HTTPResponse:
    url = f"{server.url}/{BUCKET}/{key}"
    headers = sign_v4(method, url, key=server.key, secret=server.secret, region=server.region)
    connection = connection or http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=60)
    connection.request(method, urllib.parse.urlsplit(url).path, body, headers)
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{method} {key}: {answer.status} {text[:300]!r}")
    return answer
