"""Write, read, list, copy, move and delete files on a real S3 server through boto3.

Starts SeaweedFS on this machine with a request-counting proxy in front, and stops both at the end. Prints the number of
requests of each step. Exits with 1 if a result is not the expected one.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

from remote_store.boto3 import S3Boto3Backend
from remote_store.conformance.endpoint import Endpoint
from remote_store.conformance.servers import seaweedfs_server
from remote_store.core import AlreadyExists, NotFound, PreconditionFailed, Store

MIB = 1024 * 1024
CSV = b"day,sum\n23,99\n24,101\n"
LARGE = os.urandom(20 * MIB)


def run_steps(store: Store, step: Steps) -> None:
    """Call the main methods of a store, and check each result."""
    with step("write a file with metadata"):
        written = store.write("2026/nov.csv", CSV, metadata={"author": "ada"}, content_type="text/csv")
    with step("create it again"), step.refused(AlreadyExists):
        store.write("2026/nov.csv", b"oops")
    with step("read it whole"):
        step.expect(store.read_bytes("2026/nov.csv"), CSV)
    with step("read it line by line"), store.read("2026/nov.csv") as file:
        step.expect(list(file), CSV.splitlines(keepends=True))
    with step("read two bytes of its middle"):
        step.expect(store.read_range("2026/nov.csv", 11, 2), b"99")
    with step("get its size, ETag and type"):
        info = store.head("2026/nov.csv")
        step.expect((info.size, info.etag, info.content_type), (len(CSV), written.etag, "text/csv"))
    with step("copy it"):
        store.copy("2026/nov.csv", "2026/copy.csv")
    with step("move the copy"):
        store.move("2026/copy.csv", "archive/nov.csv")
    with step("get the metadata at the new path"):
        step.expect(store.head("archive/nov.csv").metadata, {"author": "ada"})
    with step("read the old path"), step.refused(NotFound):
        store.read("2026/copy.csv")

    with step("write 20 more"):
        for day in range(20):
            store.write(f"2026/days/{day:02}.txt", f"day {day}".encode())
    with step("list one level"):
        step.expect({child.path for child in store.iter_children("2026")}, {"2026/nov.csv", "2026/days"})
    with step("list everything below"):
        step.expect(len({info.path for info in store.list_files(recursive=True)}), 22)
    with step("find files by a pattern"):
        step.expect({info.name for info in store.glob("**/1[0-2].txt")}, {"10.txt", "11.txt", "12.txt"})
    with step("get the totals of a folder"):
        step.expect(store.get_folder_info("2026/days").file_count, 20)

    with step("upload a stream of 20 MiB"):
        step.expect(store.upload(io.BytesIO(LARGE), "large.bin").size, len(LARGE))
    with step("read it in one stream"), store.read("large.bin") as file:
        step.expect(b"".join(iter(lambda: file.read(MIB), b"")) == LARGE, True)
    with step("read ten places of it"), store.read_seekable("large.bin") as file:
        for place in range(MIB, 20 * MIB, 2 * MIB):
            file.seek(place)
            step.expect(file.read(1000), LARGE[place : place + 1000])
    with step("replace it under a reader"), store.read_seekable("large.bin") as file:
        step.expect(file.read(1000), LARGE[:1000])
        store.write("large.bin", b"another version", overwrite=True)
        with step.refused(PreconditionFailed):
            file.read(1000)

    with step("delete a file"):
        store.delete("large.bin")
    with step("delete two folders"):
        store.delete_folder("2026", recursive=True)
        store.delete_folder("archive", recursive=True)
    with step("find nothing left"):
        step.expect(list(store.list_files(recursive=True)), [])


class Steps:
    """Prints the number of requests of each step, and collects wrong results."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.count = 0
        self.remarks: list[str] = []
        self.wrong: list[str] = []

    @contextlib.contextmanager
    def __call__(self, title: str) -> Iterator[None]:
        self.count += 1
        with self.endpoint.recording() as requests:
            yield
        kinds = Counter(request.operation for request in requests)
        print(f"{title:36}{len(requests):4}  {', '.join(f'{kinds[kind]} {kind}' for kind in kinds)}", *self.remarks)
        self.remarks.clear()

    def expect(self, found: Any, wanted: Any) -> None:
        if found != wanted:
            self.wrong.append(f"step {self.count}: expected {wanted!r:.200}, got {found!r:.200}")
            self.remarks.append("WRONG")

    @contextlib.contextmanager
    def refused(self, error: type[Exception]) -> Iterator[None]:
        try:
            yield
        except error as caught:
            self.remarks.append(f"→ {type(caught).__name__}")
        else:
            self.expect("no error", error.__name__)


def main() -> int:
    """Start the server, run the steps, and print the results."""
    with seaweedfs_server() as server, Endpoint(server.url) as endpoint:
        server.create_bucket("quickstart")
        # SeaweedFS honours the condition of a PutObject, so a create needs no HEAD first.
        backend = S3Boto3Backend(
            "quickstart",
            endpoint_url=endpoint.url,
            key=server.key,
            secret=server.secret,
            region_name=server.region,
            conditional_writes=True,
        )
        print(f"SeaweedFS {server.version} runs at {server.url}, the counting proxy at {endpoint.url}.\n")
        steps = Steps(endpoint)
        with Store(backend, "reports") as store:
            print(f"{store!r}\n\n{'step':36}requests")
            run_steps(store, steps)
        print(f"\n{steps.count} steps, {endpoint.count()} requests.", *steps.wrong, sep="\n")
    print("Some results are wrong." if steps.wrong else "All results are as expected.")
    return 1 if steps.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
