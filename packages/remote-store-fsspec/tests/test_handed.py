from __future__ import annotations

import time

import fsspec
import pytest

from remote_store.core import DelegatingBackend, MemoryBackend, PreconditionFailed, Store

SIZE = 3 << 20


class Counting(DelegatingBackend):
    """Notes which methods are called, with the length of ranges."""

    def __init__(self, inner):
        super().__init__(inner)
        self.calls = []

    def get_file_info(self, path, **options):
        self.calls.append("get_file_info")
        return super().get_file_info(path, **options)

    def read_seekable(self, path, **options):
        self.calls.append("read_seekable")
        return super().read_seekable(path, **options)

    def read_range(self, path, start, length, **options):
        self.calls.append(("read_range", start, length))
        return super().read_range(path, start, length, **options)


@pytest.fixture
def backend():
    backend = Counting(MemoryBackend())
    backend.write("a.bin", bytes(SIZE))
    return backend


@pytest.fixture
def fs(backend):
    return fsspec.filesystem("remote-store", store=Store(backend))


def test_a_file_that_isfile_saw_is_opened_without_a_request(fs, backend):
    assert fs.isfile("a.bin")
    with fs.open("a.bin") as file:
        assert backend.calls == ["get_file_info"]
        assert file.size == SIZE
        file.seek(-(1 << 16), 2)
        assert file.read() == bytes(1 << 16)
    assert backend.calls == ["get_file_info", ("read_range", SIZE - (1 << 16), 1 << 16)]


def test_the_file_is_handed_over_once(fs, backend):
    assert fs.isfile("a.bin")
    fs.open("a.bin").close()
    fs.open("a.bin").close()
    assert backend.calls == ["get_file_info", "read_seekable"]


def test_the_file_of_another_name_is_not_handed_over(fs, backend):
    backend.write("b.bin", b"b")
    assert fs.isfile("a.bin")
    with fs.open("b.bin") as file:
        assert file.read() == b"b"


def test_a_file_that_was_seen_long_ago_is_asked_for_again(fs, backend, monkeypatch):
    assert fs.isfile("a.bin")
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 1.5)
    fs.open("a.bin").close()
    assert backend.calls == ["get_file_info", "read_seekable"]


@pytest.mark.parametrize("read", ["read", "readline"])
def test_a_file_replaced_between_isfile_and_open_is_read_as_it_is_now(fs, backend, read):
    assert fs.isfile("a.bin")
    backend.write("a.bin", b"new", overwrite=True)
    with fs.open("a.bin") as file:
        assert getattr(file, read)() == b"new"
        assert file.size == 3


def test_a_file_whose_size_the_caller_knows_is_not_read_in_another_version(fs, backend):
    assert fs.isfile("a.bin")
    backend.write("a.bin", bytes(SIZE + 1), overwrite=True)
    with fs.open("a.bin") as file:
        file.seek(-10, 2)
        with pytest.raises(PreconditionFailed):
            file.read()


def test_a_file_removed_between_isfile_and_open_is_missing(fs, backend):
    assert fs.isfile("a.bin")
    backend.delete("a.bin")
    with fs.open("a.bin") as file, pytest.raises((FileNotFoundError, PreconditionFailed)):
        file.read()


def test_small_reads_after_a_seek_share_a_block(fs, backend):
    assert fs.isfile("a.bin")
    with fs.open("a.bin") as file:
        for offset in range(1 << 20, (1 << 20) + 10_000, 1000):
            file.seek(offset)
            assert file.read(10) == bytes(10)
    assert backend.calls == ["get_file_info", "read_seekable"]


def test_large_reads_that_go_on_after_a_seek_share_blocks(fs, backend):
    with fs.open("a.bin") as file:
        file.seek(1 << 20)
        for _ in range(8):
            assert len(file.read(1 << 16)) == 1 << 16
    assert backend.calls == ["read_seekable", ("read_range", 1 << 20, 1 << 16)]


def test_a_file_that_the_filesystem_changed_since_is_looked_at_again(backend):
    fs = fsspec.filesystem("remote-store", store=Store(backend))
    changes = {
        "pipe": lambda: fs.pipe({"x": b"longer", "y": b""}),
        "open": lambda: written(fs),
        "cp": lambda: fs.cp_file("other", "x"),
        "mv": lambda: fs.mv("moved", "x"),
        "rm": lambda: fs.rm("x"),
        "rm many": lambda: fs.rm(["x", "y"]),
        "rm folder": lambda: fs.rm("x", recursive=True),
    }
    for name, change in changes.items():
        fs.pipe({"x": b"old", "y": b"", "other": b"longer", "moved": b"longer"})
        assert fs.isfile("x")
        change()
        if name.startswith("rm"):
            with pytest.raises(FileNotFoundError):
                fs.open("x")
        else:
            with fs.open("x") as file:
                assert (file.size, file.read()) == (6, b"longer")


def written(fs):
    with fs.open("x", "wb") as file:
        file.write(b"longer")
