"""The lane of docs/writing-a-lane.md, in short; tests/test_guide.py runs the contract's checks on it."""

from __future__ import annotations

import ast
import importlib
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from remote_store.conformance.faults import Answer, Reset
from remote_store.conformance.s3 import MOTO, S3Harness
from remote_store.core import (
    AlreadyExists,
    Backend,
    NotFound,
    NotModified,
    PermissionDenied,
    PreconditionFailed,
    RetryPolicy,
)

GUIDE = Path(__file__).resolve().parent.parent / "docs" / "writing-a-lane.md"
FILE = re.compile(r'^```python title="(?P<name>[^"]+)"\n(?P<text>.*?)^```$', re.MULTILINE | re.DOTALL)
FILES = {match["name"]: match["text"] for match in FILE.finditer(GUIDE.read_text("utf-8"))}
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def lane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The package that the guide writes."""
    folder = tmp_path_factory.mktemp("lane")
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    sys.path.insert(0, str(folder / "src"))
    yield importlib.import_module("urllib3_lane")
    sys.path.remove(str(folder / "src"))


@pytest.fixture(scope="module")
def harness(lane: Any) -> S3Harness:
    return S3Harness(lane.S3Urllib3Backend, MOTO, retry=RetryPolicy(2))


@pytest.fixture
def backend(harness: S3Harness) -> Iterator[Backend]:
    harness.endpoint.reset()
    with harness.make() as backend:
        yield backend
    harness.endpoint.reset()


def test_the_lane_imports_the_lane_api_and_urllib3() -> None:
    imported = {
        node.module if isinstance(node, ast.ImportFrom) else alias.name
        for name, text in FILES.items()
        if name.startswith("src/")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    foreign = {name for name in imported if str(name).partition(".")[0] not in sys.stdlib_module_names}
    assert {name for name in foreign if not str(name).startswith(("urllib3.", "urllib3_lane."))} == {
        "remote_store.core",
        "remote_store.core.s3",
        "urllib3",
    }


def test_files_are_written_read_listed_copied_and_deleted(backend: Backend) -> None:
    result = backend.write("a b/é+%.txt", b"data", metadata={"author": "ada"}, content_type="text/csv")
    info = backend.get_file_info("a b/é+%.txt")
    assert (info.size, info.etag, info.metadata, info.content_type) == (4, result.etag, {"author": "ada"}, "text/csv")
    large = bytes(range(256)) * (11 * MIB // 256)
    backend.write("large", io.BytesIO(large))
    assert backend.read_bytes("large") == large
    backend.copy("large", "copy")
    backend.move("a b/é+%.txt", "moved")
    assert [info.path for info in backend.list_files("", recursive=True)] == ["copy", "large", "moved"]
    with pytest.raises(AlreadyExists):
        backend.write("moved", b"x")
    with pytest.raises(NotFound):
        backend.read("a b/é+%.txt")
    for path in ("copy", "large", "moved"):
        backend.delete(path)
    backend.write("dir/a", b"")
    backend.write("dir/b", b"")
    backend.delete_folder("dir", recursive=True)
    assert list(backend.list_files("", recursive=True)) == []


def test_conditions_on_the_version_of_a_file(backend: Any) -> None:
    old = backend.write("a", b"old").etag
    new = backend.write("a", b"new", overwrite=True, if_match=old).etag
    with pytest.raises(PreconditionFailed):
        backend.write("a", b"lost", overwrite=True, if_match=old)
    assert backend.read_bytes("a", if_none_match=new) == NotModified("a", new)
    assert backend.get_file_info("a", if_none_match=new) == NotModified("a", new)
    assert backend.read_bytes("a", if_none_match=old) == backend.read_bytes("a", if_match=new) == b"new"
    for read in (backend.read_bytes, backend.get_file_info, backend.read, backend.read_seekable):
        with pytest.raises(PreconditionFailed):
            read("a", if_match=old)
    with pytest.raises(PreconditionFailed):
        backend.delete("a", if_match=old)
    backend.delete("a", if_match=new)
    assert not backend.exists("a")


def test_what_passes_is_sent_again_and_what_does_not_is_an_error(harness: S3Harness, backend: Backend) -> None:
    backend.write("k", b"x" * 300_000)
    for fault in (Answer(503, "SlowDown"), Reset(), Reset(after_bytes=100_000)):
        harness.endpoint.inject(fault, operation="GetObject")
        assert backend.read_bytes("k") == b"x" * 300_000
    harness.endpoint.inject(Answer(403, "AccessDenied"), times=None)
    with harness.endpoint.recording() as sent, pytest.raises(PermissionDenied) as caught:
        backend.read_bytes("k")
    assert (len(sent), caught.value.code, caught.value.__cause__ is not None) == (1, "AccessDenied", True)


@pytest.mark.parametrize(
    "options, named",
    [
        ({}, "endpoint_url"),
        ({"endpoint_url": "http://127.0.0.1:9", "region_name": "eu"}, "key"),
        ({"profile": "p"}, "profile"),
        ({"client_options": {}}, "client_options"),
        ({"part_sise": 1, "endpoint_url": "http://127.0.0.1:9", "region_name": "eu", "anon": True}, "part_sise"),
    ],
)
def test_an_option_that_cannot_be_honoured_is_refused_by_name(lane: Any, options: dict[str, Any], named: str) -> None:
    with pytest.raises((TypeError, ValueError), match=named):
        lane.S3Urllib3Backend("bucket", **options)


def test_a_function_returns_the_credentials(lane: Any, harness: S3Harness) -> None:
    answers: list[Any] = [None, harness.credentials]
    with harness.make(credentials=lambda: answers.pop(0)) as backend:
        with pytest.raises(PermissionDenied, match="it returned an object of type NoneType"):
            backend.write("a", b"one")
        backend.write("a", b"one")
        assert backend.read_bytes("a") == b"one"
    with pytest.raises(ValueError, match="and key and secret, credentials or anon=True"):
        lane.S3Urllib3Backend("bucket", endpoint_url="http://127.0.0.1:9", region_name="eu", anon=False)
