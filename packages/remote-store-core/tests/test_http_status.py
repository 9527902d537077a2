"""The status for those who serve files over HTTP: 404 for what is not there, and for a folder in place of a file."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.core import AsyncStore, InvalidPath, LocalBackend, MemoryBackend, RemoteStoreError, Store
from remote_store.core.s3 import Fault


@pytest.fixture(params=["memory", "local", "s3"])
def served(request: pytest.FixtureRequest, open_lane: Any, tmp_path: Path) -> Any:
    lane = open_lane()
    if request.param == "s3":
        return lane, (AsyncStore if lane.is_async else Store)(lane.backend, "site")
    return lane, Store(MemoryBackend() if request.param == "memory" else LocalBackend(tmp_path), "site")


def status(lane: Any, call: Any) -> tuple[int, RemoteStoreError]:
    with pytest.raises(RemoteStoreError) as caught:
        lane.done(call())
    assert pickle.loads(pickle.dumps(caught.value)).http_status == caught.value.http_status
    return caught.value.http_status, caught.value


@pytest.mark.parametrize("method", ["read", "read_bytes", "read_seekable", "head", "get_file_info", "delete"])
def test_what_is_no_file_is_not_found_and_a_malformed_path_is_a_bad_request(served: Any, method: str) -> None:
    lane, store = served
    lane.done(store.write("folder/file", b"x"))
    for path, expected in (
        ("none", 404),
        ("folder", 404),
        ("folder/", 404),
        ("", 404),
        ("/", 404),
        (".", 404),
        ("../up", 400),
        ("nul\0", 400),
    ):
        got, error = status(lane, lambda path=path: getattr(store, method)(path))
        assert got == expected, (path, error)
        assert isinstance(error, InvalidPath) == (path != "none")


@pytest.mark.parametrize("call", ["write", "copy", "move"])
def test_a_local_path_that_cannot_be_a_file_has_one_status(tmp_path: Path, call: str) -> None:
    store = Store(LocalBackend(tmp_path))
    store.write("folder/file", b"x")
    store.write("source", b"x")
    for path in ("folder", "folder/file/below"):
        with pytest.raises(InvalidPath) as caught:
            store.write(path, b"y") if call == "write" else getattr(store, call)("source", path)
        assert caught.value.http_status == 404, path


def test_a_file_in_place_of_a_folder_is_not_found(served: Any) -> None:
    lane, store = served
    lane.done(store.write("file", b"x"))
    for call in (lambda: store.get_folder_info("file"), lambda: store.delete_folder("file", recursive=True)):
        assert status(lane, call)[0] == 404


def test_conflicts(served: Any) -> None:
    lane, store = served
    lane.done(store.write("folder/file", b"x"))
    assert status(lane, lambda: store.write("folder/file", b"y"))[0] == 409
    assert status(lane, lambda: store.delete_folder("folder"))[0] == 409


@pytest.mark.parametrize(
    "code, answered, expected", [("AccessDenied", 403, 403), ("SlowDown", 503, 503), ("Odd", 418, 500)]
)
def test_the_status_of_the_service_is_another_one(
    open_lane: Any, s3: FakeS3, code: str, answered: int, expected: int
) -> None:
    lane = open_lane()

    def fail(_call: Any) -> None:
        raise Fault(code, answered)

    s3.before = fail
    got, error = status(lane, lambda: lane.backend.read_bytes("a"))
    assert (got, error.status) == (expected, answered)
