from __future__ import annotations

import hashlib
import io
import multiprocessing
import pickle
import threading
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from remote_store.core import (
    AlreadyExists,
    BackendUnavailable,
    CapabilityNotSupported,
    DirectoryNotEmpty,
    FolderEntry,
    InvalidPath,
    MemoryBackend,
    NotFound,
)
from remote_store.core.capabilities import CONTRACT_0_1


class Caller(Exception):
    pass


@pytest.fixture
def backend() -> MemoryBackend:
    return MemoryBackend()


def paths(listing: Any) -> list[str]:
    return sorted(entry.path for entry in listing)


def test_facts_of_a_write_and_of_the_file_agree(backend: MemoryBackend) -> None:
    before = datetime.now(UTC)
    result = backend.write("d/a.txt", b"hello", metadata={"k": "v"}, content_type="text/plain")
    info = backend.get_file_info("d/a.txt")
    md5 = hashlib.md5(b"hello")
    assert result.etag == info.etag == md5.hexdigest()
    assert result.digest == info.digest
    assert info.digest is not None
    assert (info.digest.algorithm, info.digest.value) == ("md5", b64encode(md5.digest()).decode())
    assert (info.name, info.size, info.content_type, info.metadata) == ("a.txt", 5, "text/plain", {"k": "v"})
    assert info.modified_at is not None
    assert before <= info.modified_at <= datetime.now(UTC)
    assert list(backend.list_files("d")) == [info]


def test_metadata_that_was_handed_out_is_the_callers(backend: MemoryBackend) -> None:
    given = {"k": "v"}
    backend.write("a", b"", metadata=given)
    given["k"] = "changed"
    handed: Any = backend.get_file_info("a").metadata
    handed["k"] = "changed"
    assert backend.get_file_info("a").metadata == {"k": "v"}


def test_a_file_beside_a_folder_of_its_name(backend: MemoryBackend) -> None:
    backend.write("a/b", b"1")
    backend.write("a", b"22")
    assert (backend.is_file("a"), backend.is_folder("a")) == (True, True)
    assert paths(backend.iter_children("")) == ["a", "a"]
    backend.delete_folder("a", recursive=True)
    assert paths(backend.list_files("", recursive=True)) == ["a"]
    assert not backend.is_folder("a")


def test_a_reader_keeps_the_version_that_it_opened(backend: MemoryBackend) -> None:
    backend.write("a", b"old" * 10_000)
    with backend.read("a") as file:
        first = file.read(3)
        backend.write("a", b"new" * 10_000, overwrite=True)
        assert first + file.read() == b"old" * 10_000


def test_a_reader_is_a_real_file_that_cannot_be_written(backend: MemoryBackend) -> None:
    backend.write("a", "é\nb".encode())
    with io.TextIOWrapper(backend.read("a"), encoding="utf-8") as text:
        assert list(text) == ["é\n", "b"]
    with backend.read("a") as file:
        assert (file.readable(), file.writable(), file.seekable()) == (True, False, True)
        with pytest.raises(io.UnsupportedOperation):
            file.write(b"x")


def test_ranges(backend: MemoryBackend) -> None:
    backend.write("a", b"012345")
    ranges = [(0, 2), (4, 10), (6, 1), (100, 1), (2, 0), (1, 1 << 70)]
    assert [backend.read_range("a", *span) for span in ranges] == [b"01", b"45", b"", b"", b"", b"12345"]


def test_depth(backend: MemoryBackend) -> None:
    for key in ("a", "d/b", "d/e/c", "d/e/f/g", "d2/h"):
        backend.write(key, b"")
    assert paths(backend.list_files("d", recursive=True, max_depth=0)) == ["d/b"]
    assert paths(backend.list_files("d", recursive=True, max_depth=1)) == ["d/b", "d/e/c"]
    assert paths(backend.list_files("d/", recursive=True)) == ["d/b", "d/e/c", "d/e/f/g"]
    assert paths(backend.list_files("d", max_depth=1)) == ["d/b"]
    assert list(backend.list_folders("d")) == [FolderEntry("d/e", "e")]
    assert paths(backend.list_files("missing", recursive=True)) == paths(backend.list_files("a")) == []


def test_folders_of_keys_that_nobody_can_write(backend: MemoryBackend) -> None:
    backend.write("a", b"")
    backend._files = dict.fromkeys(("a//b", "/c", "a/d"), backend._files["a"])
    assert set(backend.list_folders("")) == {FolderEntry("a", "a"), FolderEntry("/", "")}
    assert list(backend.list_folders("a")) == [FolderEntry("a//", "")]
    assert (paths(backend.list_files("a//")), paths(backend.list_files("/"))) == (["a//b"], ["/c"])


def test_glob(backend: MemoryBackend) -> None:
    for key in ("a.txt", "d/b.txt", "d/e/c.txt", "d/e/c.csv"):
        backend.write(key, b"")
    assert paths(backend.glob("**/*.txt")) == ["a.txt", "d/b.txt", "d/e/c.txt"]
    assert paths(backend.glob("d/*/c.*")) == ["d/e/c.csv", "d/e/c.txt"]
    assert paths(backend.glob("d/b.txt")) == ["d/b.txt"]


@pytest.mark.parametrize("path", ["", "a//b", "/a", "a/", "./a", "a/../b"])
def test_what_is_not_canonical_is_not_written(backend: MemoryBackend, path: str) -> None:
    backend.write("source", b"")
    with pytest.raises(InvalidPath):
        backend.write(path, b"")
    with pytest.raises(InvalidPath):
        backend.copy("source", path)
    with pytest.raises(InvalidPath), backend.open_atomic(path):
        pytest.fail("the block is not entered")
    assert paths(backend.list_files("", recursive=True)) == ["source"]


def test_wrong_kinds(backend: MemoryBackend) -> None:
    backend.write("d/a", b"")
    for operation in (backend.read, backend.read_bytes, backend.get_file_info, backend.delete):
        with pytest.raises(InvalidPath):
            operation("d")
        with pytest.raises(InvalidPath):
            operation("")
        with pytest.raises(NotFound):
            operation("d/missing")
    with pytest.raises(InvalidPath):
        backend.delete("d", missing_ok=True)
    with pytest.raises(InvalidPath):
        backend.move("d", "e")
    for missing_ok in (False, True):
        with pytest.raises(InvalidPath):
            backend.delete_folder("d/a", missing_ok=missing_ok)
        with pytest.raises(InvalidPath):
            backend.delete_folder("", recursive=True, missing_ok=missing_ok)
    with pytest.raises(InvalidPath):
        backend.get_folder_info("d/a")
    with pytest.raises(NotFound):
        backend.get_folder_info("e")


def test_deleting_a_folder(backend: MemoryBackend) -> None:
    backend.write("d/a", b"")
    backend.write("d2/a", b"")
    with pytest.raises(DirectoryNotEmpty):
        backend.delete_folder("d")
    backend.delete_folder("d", recursive=True)
    assert paths(backend.list_files("", recursive=True)) == ["d2/a"]
    with pytest.raises(NotFound):
        backend.delete_folder("d")
    backend.delete_folder("d", missing_ok=True)


def test_totals(backend: MemoryBackend) -> None:
    root = backend.get_folder_info("")
    assert (root.file_count, root.total_size, root.modified_at) == (0, 0, None)
    backend.write("d/a", b"12")
    backend.write("d/e/b", b"345")
    info = backend.get_folder_info("d")
    assert (info.file_count, info.total_size) == (2, 5)
    assert info.modified_at == backend.get_file_info("d/e/b").modified_at


def test_copy_and_move_keep_everything(backend: MemoryBackend) -> None:
    backend.write("a", b"1", metadata={"k": "v"}, content_type="text/plain")
    backend.copy("a", "b")
    backend.move("a", "c")
    assert paths(backend.list_files("")) == ["b", "c"]
    for path in ("b", "c"):
        info = backend.get_file_info(path)
        assert (info.size, info.metadata, info.content_type) == (1, {"k": "v"}, "text/plain")
    with pytest.raises(AlreadyExists):
        backend.move("b", "c")
    backend.move("b", "c", overwrite=True)
    backend.move("c", "c")
    backend.copy("c", "c", overwrite=True)
    assert paths(backend.list_files("")) == ["c"]
    with pytest.raises(NotFound):
        backend.move("b", "b")


def test_open_atomic_commits_on_a_clean_exit_only(backend: MemoryBackend) -> None:
    with pytest.raises(Caller), backend.open_atomic("a") as file:  # noqa: PT012 - the block is what is tested
        file.write(b"12")
        raise Caller
    assert not backend.exists("a")
    with backend.open_atomic("a", metadata={"k": "v"}) as file:
        file.write(b"12")
        file.close()
    assert (backend.read_bytes("a"), backend.get_file_info("a").metadata) == (b"12", {"k": "v"})


def test_open_atomic_yields_to_who_was_faster(backend: MemoryBackend) -> None:
    with pytest.raises(AlreadyExists), backend.open_atomic("a") as file:  # noqa: PT012 - the block is what is tested
        file.write(b"mine")
        backend.write("a", b"theirs")
    assert backend.read_bytes("a") == b"theirs"


def test_a_failing_stream_leaves_nothing_and_stays_open(backend: MemoryBackend) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise Caller
            return super().read(1)

    stream = Failing(b"12345")
    with pytest.raises(Caller):
        backend.write("a", stream)
    assert not backend.exists("a")
    assert not stream.closed


def test_of_many_creators_one_wins(backend: MemoryBackend) -> None:
    start = threading.Barrier(8)

    def create(number: int) -> bool:
        start.wait(30)
        try:
            backend.write("a", bytes([number]) * 1000)
        except AlreadyExists:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(create, range(8)))
    assert won.count(True) == 1
    assert backend.read_bytes("a") == bytes([won.index(True)]) * 1000


def test_a_listing_survives_writes(backend: MemoryBackend) -> None:
    for number in range(10):
        backend.write(f"{number}", b"")
    listing = backend.list_files("")
    first = next(listing)
    backend.delete("5")
    backend.write("new", b"")
    seen = [first.path, *(file.path for file in listing)]
    assert len(seen) == len(set(seen))
    assert set("012346789") <= set(seen)


def test_a_pickle_takes_the_files_along(backend: MemoryBackend) -> None:
    backend.write("a", b"1", metadata={"k": "v"})
    copy = pickle.loads(pickle.dumps(backend))
    copy.write("b", b"2")
    assert copy.get_file_info("a") == backend.get_file_info("a")
    assert not backend.exists("b")


def in_child(backend: MemoryBackend, answers: Any) -> None:
    backend.write("b", b"2")
    answers.send(backend.read_bytes("a"))


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_is_not_stuck_at_a_lock_of_its_parent(backend: MemoryBackend) -> None:
    backend.write("a", b"1")
    context = multiprocessing.get_context("fork")
    answers, sender = context.Pipe(duplex=False)
    child = context.Process(target=in_child, args=(backend, sender))
    with backend._lock:
        child.start()
    assert answers.poll(30)
    assert answers.recv() == b"1"
    child.join(30)
    assert not backend.exists("b")


def test_closing_is_final(backend: MemoryBackend) -> None:
    with backend:
        backend.write("a", b"")
    backend.close()
    operations: list[Any] = [
        backend.exists,
        backend.read,
        backend.delete,
        backend.list_files,
        backend.glob,
        backend.unwrap,
    ]
    for operation in operations:
        with pytest.raises(BackendUnavailable) as raised:
            operation("a")
        assert not raised.value.retryable
    with pytest.raises(BackendUnavailable):
        backend.check_health()
    with pytest.raises(BackendUnavailable), backend:
        pytest.fail("the block is not entered")
    assert backend.native_path("a") == "memory://a"


def test_what_it_says_of_itself(backend: MemoryBackend) -> None:
    assert backend.capabilities == MemoryBackend.capabilities > CONTRACT_0_1
    assert repr(backend) == "MemoryBackend()"
    plan = backend.resolve("a/b")
    assert (plan.kind, plan.key, plan.native_path) == ("memory", "a/b", "memory://a/b")
    assert backend.to_key(plan.native_path) == "a/b"
    with pytest.raises(InvalidPath):
        backend.to_key("a/b")
    with pytest.raises(CapabilityNotSupported):
        backend.unwrap(dict)
    backend.check_health()
