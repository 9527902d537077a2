"""Whatever is wrong with an answer: the right result or an error of the contract, and nothing done without proof."""

from __future__ import annotations

import asyncio
import inspect
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from remote_store.boto3 import S3Boto3Backend
from remote_store.conformance.fakes.damaged_s3 import ROOTS, DamagedS3, Reply, serving
from remote_store.conformance.fakes.s3 import StoredObject, Upload
from remote_store.core import RemoteStoreError, RetryPolicy
from remote_store.s3fs import AsyncS3FsBackend, S3FsBackend

PART = 5 * 1024 * 1024
LARGE = bytes(PART) + b"end"
DATA = b"precious content"
BOUND_S = 10.0

HTML = b"<!doctype html><html><head><meta charset=utf-8></head><body><br>ok</body></html>"
XHTML = b'<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body><p>ok</p></body></html>'
OTHERS = [f"<{root}><ETag>&quot;e&quot;</ETag><UploadId>u</UploadId></{root}>".encode() for root in ROOTS.values()]
PAGES = [HTML, XHTML, b'{"status":"ok"}', b"OK\n", b"", b"<ListAllMyBucketsResult/>", *OTHERS]
DEEP = b"<a>" * 5000
BOMB = b'<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'

WORK = {
    "copy": ["CopyObject", "HeadObject"],
    "move": ["CopyObject", "HeadObject", "DeleteObject"],
    "write": ["PutObject"],
    "write_large": ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"],
    "delete": ["HeadObject", "DeleteObject"],
    "delete_folder": ["ListObjectsV2", "DeleteObjects"],
    "read_bytes": ["GetObject"],
    "read_range": ["GetObject"],
    "get_file_info": ["HeadObject"],
    "is_file": ["HeadObject"],
    "is_folder": ["ListObjectsV2"],
    "list_files": ["ListObjectsV2"],
    "check_health": ["ListObjectsV2"],
    "list_uploads": ["ListMultipartUploads"],
    "abort_uploads": ["ListMultipartUploads", "AbortMultipartUpload"],
}
PAIRS = [(work, operation) for work, operations in WORK.items() for operation in operations]


def foreign(status: int, page: bytes, content_type: str) -> Callable[[Reply], Reply]:
    """An answer in which nothing is S3's."""
    return lambda _reply: Reply(status, [("Content-Type", content_type)], page)


def informational(status: int, *, alone: bool) -> Callable[[Reply], Reply]:
    """A status below 200, and the true answer behind it or none."""
    early = f"HTTP/1.1 {status} Early\r\nx-amz-request-id: E\r\n\r\n".encode()

    def damage(reply: Reply) -> Reply:
        return Reply(reply.status, reply.headers, reply.body, before=early, alone=alone, closes=alone)

    return damage


def with_status(status: int) -> Callable[[Reply], Reply]:
    """The true answer under a status that it cannot have."""
    return lambda reply: Reply(status, reply.headers, reply.body)


def in_document(name: str, change: str) -> Callable[[Reply], Reply]:
    """A change of one element of the document."""
    pattern = re.compile(rb"<(%s)>([^<]*)</\1>" % name.encode())
    changed = {
        "gone": rb"",
        "doubled": rb"<\1>\2</\1><\1>other</\1>",
        "empty": rb"<\1></\1>",
        "huge": rb"<\1>" + b"9" * 5000 + rb"</\1>",
        "text": rb"<\1>no such thing</\1>",
        "negative": rb"<\1>-1</\1>",
        "nested": rb"<\1>" + DEEP[:60] + rb"\2" + b"</a>" * 20 + rb"</\1>",
        "other case": rb"<x\1>\2</x\1>",
    }[change]

    def damage(reply: Reply) -> Reply:
        return Reply(reply.status, reply.headers, pattern.sub(changed, reply.body))

    return damage


def in_headers(name: str, change: str) -> Callable[[Reply], Reply]:
    """A change of one header."""

    def damage(reply: Reply) -> Reply:
        kept = [(known, value) for known, value in reply.headers if known.lower() != name]
        new = {
            "gone": [],
            "empty": [(name, "")],
            "huge": [(name, "9" * 5000)],
            "text": [(name, "no such thing")],
            "negative": [(name, "-1")],
        }[change]
        closes = name == "content-length"
        return Reply(reply.status, kept + new, reply.body, closes=closes)

    return damage


def in_body(change: str) -> Callable[[Reply], Reply]:
    """A change of a document as a whole."""

    def damage(reply: Reply) -> Reply:
        if not reply.body.startswith(b"<?xml"):
            return reply
        body = {
            "cut": reply.body[: len(reply.body) // 2],
            "bomb": BOMB + reply.body[reply.body.find(b"?>") + 2 :],
            "deep": DEEP,
            "control character": reply.body.replace(b"</", b"\x01</", 1),
            "spaces": b"<?xml version='1.0'?>\n     ",
        }[change]
        return Reply(reply.status, reply.headers, body)

    return damage


NAMES = [
    "ETag",
    "UploadId",
    "IsTruncated",
    "Key",
    "Size",
    "LastModified",
    "KeyCount",
    "EncodingType",
    "Code",
    "Initiated",
]
CHANGES = ["gone", "doubled", "empty", "huge", "text", "negative", "nested", "other case"]
FIELDS = ["etag", "content-length", "last-modified", "x-amz-request-id", "content-type", "content-range"]
replaced = st.one_of(
    st.builds(
        foreign,
        st.sampled_from([200, 201, 202, 203, 204, 206, 301, 302, 304, 307, 404]),
        st.sampled_from(PAGES),
        st.sampled_from(["text/html", "application/xml", "application/json"]),
    ),
    st.builds(informational, st.sampled_from([102, 103]), alone=st.just(True)),
)
altered = st.one_of(
    st.builds(in_document, st.sampled_from(NAMES), st.sampled_from(CHANGES)),
    st.builds(in_headers, st.sampled_from(FIELDS), st.sampled_from(["gone", "empty", "huge", "text", "negative"])),
    st.builds(in_body, st.sampled_from(["cut", "bomb", "deep", "control character", "spaces"])),
    st.builds(with_status, st.sampled_from([202, 204, 206, 304])),
    st.builds(informational, st.sampled_from([102, 103]), alone=st.booleans()),
)


class Port:
    """A backend of one lane over the server, called alike whether it is awaited or not."""

    def __init__(self, name: str, url: str, loop: asyncio.Runner) -> None:
        kind = {"boto3": S3Boto3Backend, "s3fs": S3FsBackend, "s3fs-async": AsyncS3FsBackend}[name]
        self.backend: Any = kind(
            "bucket",
            endpoint_url=url,
            region_name="us-east-1",
            key="key",
            secret="secret",
            retry=RetryPolicy.disabled(),
            read_timeout=2,
            part_size=PART,
            conditional_writes=True,
        )
        self._loop = loop

    def run(self, name: str, *arguments: Any, **options: Any) -> Any:
        value = getattr(self.backend, name)(*arguments, **options)
        if inspect.iscoroutine(value):
            return self._loop.run(value)
        if isinstance(value, AsyncIterator):
            return self._loop.run(gathered(value))
        return list(value) if isinstance(value, Iterator) else value


async def gathered(items: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in items]


@pytest.fixture(scope="module", params=["boto3", "s3fs", "s3fs-async"])
def served(request: pytest.FixtureRequest) -> Iterator[tuple[DamagedS3, Port]]:
    server = DamagedS3()
    with serving(server) as url, asyncio.Runner() as loop:
        port = Port(request.param, url, loop)
        yield server, port
        port.run("close")


def put_back(server: DamagedS3) -> None:
    server.operation = None
    server.state.objects.clear()
    server.state.uploads.clear()
    for key in ("src", "d/1", "d/2", "d/e/3"):
        server.state.put(key, DATA)
    server.state.uploads["id"] = Upload("src", StoredObject(b"", 0, ""))


def do(port: Port, work: str) -> Any:
    match work:
        case "copy" | "move":
            return port.run(work, "src", "dst", overwrite=True)
        case "write":
            return port.run("write", "new", DATA, overwrite=True)
        case "write_large":
            return port.run("write", "new", LARGE, overwrite=True)
        case "delete_folder":
            return port.run(work, "d", recursive=True)
        case "is_folder":
            return port.run(work, "d")
        case "list_files":
            return sorted(info.path for info in port.run(work, "d", recursive=True))
        case "read_range":
            return port.run(work, "src", 2, 5)
        case "check_health":
            return port.run(work)
        case "abort_uploads":
            return port.run(work, "src", older_than=timedelta())
        case _:
            return port.run(work, "src")


def check_result(server: DamagedS3, work: str, result: Any) -> None:
    objects = server.state.objects
    match work:
        case "copy":
            assert objects["dst"].data == DATA
        case "move":
            assert objects["dst"].data == DATA
            assert "src" not in objects
        case "write":
            assert objects["new"].data == DATA
        case "write_large":
            assert objects["new"].data == LARGE
        case "delete":
            assert "src" not in objects
        case "delete_folder":
            assert not [key for key in objects if key.startswith("d/")]
        case "read_bytes":
            assert result == DATA
        case "read_range":
            assert result == DATA[2:7]
        case "get_file_info":
            assert (result.path, result.size) == ("src", len(DATA))
        case "list_files":
            assert result == ["d/1", "d/2", "d/e/3"]
        case "is_file" | "is_folder":
            assert result is True
        case "list_uploads":
            assert [upload.path for upload in result] == ["src"]
        case "abort_uploads":
            assert result == (not server.state.uploads)


def hold(
    served: tuple[DamagedS3, Port], pair: tuple[str, str], damage: Callable[[Reply], Reply], *, does: bool
) -> None:
    """Do something whose answer is damaged, and hold what comes of it to what was really done."""
    server, port = served
    work, operation = pair
    # The right document, made up, is a success by all that can be seen.
    assume(does or not damage(Reply(200)).body.startswith(f"<{ROOTS.get(operation)}>".encode()))
    put_back(server)
    server.operation, server.damage, server.does = operation, damage, does
    started = time.monotonic()
    try:
        result = do(port, work)
    except RemoteStoreError:
        pass
    else:
        check_result(server, work, result)
    assert time.monotonic() - started < BOUND_S
    if work == "move":
        assert any(server.state.objects[key].data == DATA for key in ("src", "dst") if key in server.state.objects)
    put_back(server)
    assert port.run("read_bytes", "src") == DATA
    assert port.run("get_file_info", "d/1").size == len(DATA)


SETTINGS = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@SETTINGS
@given(pair=st.sampled_from(PAIRS), damage=replaced)
def test_an_answer_that_is_not_s3s_proves_nothing(
    served: tuple[DamagedS3, Port], pair: tuple[str, str], damage: Callable[[Reply], Reply]
) -> None:
    hold(served, pair, damage, does=False)


@SETTINGS
@given(pair=st.sampled_from(PAIRS), damage=altered)
def test_a_damaged_answer_is_an_error_or_still_right(
    served: tuple[DamagedS3, Port], pair: tuple[str, str], damage: Callable[[Reply], Reply]
) -> None:
    hold(served, pair, damage, does=True)
