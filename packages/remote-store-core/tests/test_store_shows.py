"""What a store below a root shows: its own paths, never those of the backend."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.core import (
    AsyncStore,
    Backend,
    InvalidPath,
    LocalBackend,
    MemoryBackend,
    NotFound,
    PermissionDenied,
    Store,
    ThreadedBackend,
)
from remote_store.core.s3 import Fault

ROOT = "team/a*b"


@pytest.fixture(params=["memory", "local"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    made = MemoryBackend() if request.param == "memory" else LocalBackend(tmp_path)
    made.write(f"{ROOT}/file", b"123")
    return made


def opened(store: Store) -> list[Any]:
    files: list[Any] = [store.read("file"), store.read_seekable("file")]
    with store.open_atomic("new") as file:
        return [*files, file]


async def opened_async(store: AsyncStore) -> list[Any]:
    files: list[Any] = [await store.read("file"), await store.read_seekable("file")]
    async with store.open_atomic("new") as file:
        return [*files, file]


def check_names(files: list[Any]) -> None:
    assert [file.name for file in files] == ["file", "file", "new"]
    for file in files:
        assert "team" not in repr(file)
        for attribute in ("raw", "buffer", "file", "blocking", "_file_of_the_backend"):
            assert not hasattr(file, attribute)


def test_files_are_named_by_the_store(backend: Backend) -> None:
    files = opened(Store(backend, ROOT))
    check_names(files)
    for file in files[:2]:
        assert file.bytes_left() == 3
        file.close()


def test_awaited_files_are_named_by_the_store(backend: Backend) -> None:
    async def work() -> None:
        files = await opened_async(AsyncStore(ThreadedBackend(backend), ROOT))
        check_names(files)
        for file in files[:2]:
            await file.close()

    asyncio.run(work())


def test_objects_are_named_by_the_store(open_lane: Any, s3: FakeS3) -> None:
    lane = open_lane()
    s3.put(f"{ROOT}/file", b"123")
    store = (AsyncStore if lane.is_async else Store)(lane.backend, ROOT, owns_backend=False)
    files = lane.done(opened_async(store)) if lane.is_async else opened(store)
    check_names(files)
    for file in files[:2]:
        lane.done(file.close())


def test_a_store_at_the_root_hands_out_the_backends_files(backend: Backend) -> None:
    with Store(backend).read(f"{ROOT}/file") as file:
        assert type(file).__name__ != "ScopedFile"


def errors_of(lane: Any, s3: FakeS3, root: str, act: Callable[[Any], Any]) -> Any:
    def before(_call: Any) -> None:
        raise Fault("AccessDenied", 403)

    s3.before = before
    store = (AsyncStore if lane.is_async else Store)(lane.backend, root, owns_backend=False)
    with pytest.raises(PermissionDenied) as caught:
        lane.done(act(store))
    return caught.value


@pytest.mark.parametrize("root", ["team", ROOT, "a[b]?"])
@pytest.mark.parametrize(
    "act, path",
    [
        (lambda store: store.ping(), None),
        (lambda store: store.glob("d/*.txt"), "d/*.txt"),
        (lambda store: store.glob("[*]"), "[*]"),
        (lambda store: store.list_files("d"), "d"),
        (lambda store: store.list_files(), ""),
        (lambda store: store.get_folder_info(), ""),
        (lambda store: store.read("file"), "file"),
    ],
)
def test_errors_have_the_stores_paths(open_lane: Any, s3: FakeS3, root: str, act: Any, path: str | None) -> None:
    error = errors_of(open_lane(), s3, root, act)
    assert error.path == path
    assert root not in str(error)


@pytest.mark.parametrize("root", ["team/a", "team/a/b/c"])
def test_a_file_in_the_place_of_a_folder_above_the_root_is_the_root(open_lane: Any, s3: FakeS3, root: str) -> None:
    s3.put("team/a", b"")
    lane = open_lane(reject_write_under_file_ancestor=True)
    store = (AsyncStore if lane.is_async else Store)(lane.backend, root, owns_backend=False)
    with pytest.raises(InvalidPath) as caught:
        lane.done(store.write("d/file", b""))
    assert (caught.value.path, caught.value.paths) == ("d/file", ("",))
    assert "team" not in str(caught.value)


def test_a_local_root_that_is_gone_is_not_spelt_out(tmp_path: Path) -> None:
    backend = LocalBackend(tmp_path / "root", create=True)
    (tmp_path / "root").write_bytes(b"")
    for store in (Store(backend), Store(backend, ROOT)):
        with pytest.raises(NotFound) as caught:
            store.ping()
        assert caught.value.path == ""
        assert str(tmp_path) not in str(caught.value)
