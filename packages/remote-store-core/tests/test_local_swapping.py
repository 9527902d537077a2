"""Conditions on the version of a local file, between threads and between processes."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from remote_store.core import (
    BackendUnavailable,
    Capability,
    CapabilityNotSupported,
    LocalBackend,
    NotFound,
    PreconditionFailed,
    Store,
)
from remote_store.core.local import attributes, locking
from remote_store.core.local.attributes import can_compare

pytestmark = pytest.mark.skipif(not can_compare("/tmp"), reason="the disk has no locks, or no exact times")
COUNT = """
import sys
from remote_store.core import LocalBackend, Store
store = Store(LocalBackend(sys.argv[1]))
for _ in range(int(sys.argv[2])):
    store.update("counter", lambda content: b"%d" % (int(content) + 1), initial=b"0")
"""


def test_processes_lose_no_update(tmp_path: Path) -> None:
    command = [sys.executable, "-c", COUNT, str(tmp_path), "10"]
    processes = [subprocess.Popen(command) for _ in range(6)]
    assert [process.wait(60) for process in processes] == [0] * 6
    assert (tmp_path / "counter").read_bytes() == b"60"
    assert [path.name for path in tmp_path.iterdir()] == ["counter"]


def test_no_version_is_replaced_twice(tmp_path: Path) -> None:
    backend = LocalBackend(tmp_path)
    backend.write("a", b"start")
    replaced = list[bytes]()

    ended = threading.Event()

    def swap(worker: int) -> None:
        number = 0
        while number < 10 or not ended.is_set():
            number += 1
            # Another worker may have moved or deleted the file.
            with suppress(PreconditionFailed, NotFound):
                with backend.read("a") as file:
                    reader: Any = file
                    tag, content = reader.info.etag, file.read()
                backend.write("a", b"%d of %d" % (number, worker), overwrite=True, if_match=tag)
                replaced.append(content)

    def move() -> None:
        for number in range(20):
            with suppress(NotFound):
                backend.move("a", "b", overwrite=True)
                backend.move("b", "a", overwrite=True)
            with suppress(NotFound):
                backend.delete("a")
            backend.write("a", b"new %d" % number, overwrite=True)
        ended.set()

    threads = [threading.Thread(target=swap, args=[worker]) for worker in range(3)]
    threads.append(threading.Thread(target=move))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert replaced
    assert max(Counter(replaced).values()) == 1


def test_versions_of_one_size_have_different_tags(tmp_path: Path) -> None:
    backend = LocalBackend(tmp_path)
    tags = [backend.write("a", b"%04d" % number, overwrite=True).etag for number in range(100)]
    assert len(set(tags)) == 100


def test_moves_in_both_directions_do_not_wait_for_each_other(tmp_path: Path) -> None:
    backend = LocalBackend(tmp_path)
    failures = list[Exception]()

    def move(src: str, dst: str) -> None:
        for _ in range(50):
            try:
                backend.move(src, dst, overwrite=True)
            except NotFound:
                backend.write(src, b"", overwrite=True)
            except Exception as error:  # noqa: BLE001 - raised in a thread
                failures.append(error)

    threads = [threading.Thread(target=move, args=pair) for pair in (("a", "b/c"), ("b/c", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


CHANGES: dict[str, Any] = {
    "write": lambda backend, **condition: backend.write("a", b"new", overwrite=True, **condition),
    "delete": lambda backend, **condition: backend.delete("a", **condition),
    "move": lambda backend, **condition: backend.move("a", "b", **condition),
    "move onto it": lambda backend, **condition: backend.move("c", "a", overwrite=True),
    "delete_folder": lambda backend, **condition: backend.delete_folder("", recursive=True),
}


@pytest.mark.parametrize("change", ["write", "delete", "move", "move onto it"])
def test_a_lock_of_another_program_is_waited_for(change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fcntl = pytest.importorskip("fcntl")
    backend = LocalBackend(tmp_path)
    backend.write("a", b"old")
    backend.write("c", b"other")
    with (tmp_path / "a").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        monkeypatch.setattr(locking, "PATIENCE", 0.05)
        with pytest.raises(BackendUnavailable, match="locked the file") as caught:
            CHANGES[change](backend)
        assert caught.value.retryable
        monkeypatch.setattr(locking, "PATIENCE", 10)
        timer = threading.Timer(0.2, lambda: fcntl.flock(file, fcntl.LOCK_UN))
        timer.start()
        CHANGES[change](backend)
        timer.join()


def test_files_of_a_deleted_folder_are_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fcntl = pytest.importorskip("fcntl")
    backend = LocalBackend(tmp_path)
    backend.write("folder/a", b"old")
    monkeypatch.setattr(locking, "PATIENCE", 0.05)
    with (tmp_path / "folder" / "a").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(Exception, match="could not be deleted"):
            backend.delete_folder("folder", recursive=True)
    backend.delete_folder("folder", recursive=True)
    assert not (tmp_path / "folder").exists()


@pytest.mark.parametrize("change", ["write", "delete", "move"])
def test_a_file_system_without_locks(change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = LocalBackend(tmp_path)
    tag = backend.write("a", b"old").etag
    assert Capability.COMPARE_AND_SWAP in backend.capabilities

    def refuse(descriptor: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(locking, "_lock", refuse)
    with pytest.raises(CapabilityNotSupported, match="no locks") as caught:
        CHANGES[change](backend, if_match=tag)
    assert (caught.value.capability, caught.value.path) == ("compare_and_swap", "a")
    assert backend.read_bytes("a") == b"old"
    CHANGES[change](backend)
    again = LocalBackend(tmp_path)
    assert not attributes.SWAPS & again.capabilities
    assert Capability.CONDITIONAL_READ in again.capabilities
    with pytest.raises(CapabilityNotSupported):
        CHANGES[change](again, if_match=tag)


def test_a_file_system_with_coarse_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = LocalBackend(tmp_path)
    tag = backend.write("a", b"old").etag
    assert Capability.COMPARE_AND_SWAP in backend.capabilities
    monkeypatch.setattr(locking.time, "time_ns", lambda: 2**80)
    monkeypatch.setattr(locking.os, "utime", lambda *arguments, **options: None)
    assert not can_compare(str(tmp_path))
    with pytest.raises(CapabilityNotSupported):
        backend.write("a", b"new", overwrite=True, if_match=tag)
    assert backend.read_bytes("a") == b"old"


def test_a_fork_does_not_keep_a_lock(tmp_path: Path) -> None:
    if not hasattr(os, "fork"):
        pytest.skip("the platform has no fork")
    backend = LocalBackend(tmp_path)
    backend.write("a", b"old")
    with locking.locked(locking.Folder.at(str(tmp_path)), "a"):
        child = os.fork()
        if not child:
            threading.Event().wait(5)
            os._exit(0)
    try:
        backend.write("a", b"new", overwrite=True)
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)


def test_links(tmp_path: Path) -> None:
    backend = LocalBackend(tmp_path)
    tag = backend.write("a", b"old").etag
    (tmp_path / "link").symlink_to("a")
    with pytest.raises(PreconditionFailed):
        backend.delete("link", if_match="other")
    new = backend.write("link", b"new", overwrite=True, if_match=tag).etag
    assert (tmp_path / "a").read_bytes() == b"new"
    with pytest.raises(PreconditionFailed):
        backend.move("link", "moved", if_match=tag)
    backend.move("link", "moved", if_match=new)
    assert Store(backend).read_bytes("moved") == b"new"
    backend.copy("a", "copy", if_match=backend.get_file_info("a").etag)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "copy", "moved"]
