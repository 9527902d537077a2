"""Files that a filesystem over a store opens."""

from __future__ import annotations

import gzip
import io
import pickle
import zipfile
from contextlib import closing

import fsspec
import pytest

from remote_store.core import MemoryBackend, PreconditionFailed

CONTENT = bytes(range(256)) * 40


class Stop(Exception):
    pass


@pytest.fixture(autouse=True)
def fresh():
    yield
    MemoryBackend.reset()


def test_a_written_file_appears_when_it_is_closed(fs):
    with fs.open("x", "wb", metadata={"author": "ada"}, content_type="text/plain") as file:
        assert (file.write(b"one"), file.write(bytearray(b"two")), file.tell()) == (3, 3, 6)
        assert file.writable()
        assert not file.readable()
        file.flush()
        assert not fs.exists("x")
    assert file.closed
    assert fs.cat_file("x") == b"onetwo"
    entry = fs.info("x")
    assert (entry["metadata"], entry["ContentType"]) == ({"author": "ada"}, "text/plain")
    file.close()
    file = fs.open("x", "wb")
    file.write(b"new")
    assert fs.cat_file("x") == b"onetwo"
    file.close()
    assert fs.cat_file("x") == b"new"


@pytest.mark.parametrize("compression", [None, "gzip", "bz2", "xz", "infer"])
@pytest.mark.parametrize("mode", ["wb", "xb", "w", "x", "wt"])
def test_nothing_is_written_after_an_exception_or_without_a_close(fs, mode, compression):
    data = b"half" if "b" in mode else "half"

    def write(path):
        with fs.open(path, mode, compression=compression) as file:
            file.write(data)
            raise Stop

    for path in ("new", "zipped.gz"):
        with pytest.raises(Stop):
            write(path)
        assert not fs.exists(path)
        file = fs.open(path, mode, compression=compression)
        file.write(data)
        del file
        assert not fs.exists(path)


@pytest.mark.parametrize("compression", [None, "gzip", "bz2", "xz", "infer"])
@pytest.mark.parametrize("mode", ["wb", "xb", "w", "x"])
def test_what_is_written_is_read_back(fs, mode, compression):
    data = "ä\nb\n" * 100 if "b" not in mode else "ä\nb\n".encode() * 100
    with fs.open("a.gz", mode, compression=compression) as file:
        file.write(data)
    read = "rb" if "b" in mode else "r"
    with fs.open("a.gz", read, compression=compression) as file:
        assert file.read() == data
    if compression in ("gzip", "infer"):
        text = data.encode() if isinstance(data, str) else data
        assert gzip.decompress(fs.cat_file("a.gz")) == text


@pytest.mark.parametrize("mode", ["wb", "w"])
def test_the_wrapper_of_fsspec_open_writes_nothing_after_an_exception(mode):
    url = "remote-store+memory://wrapped/x.gz"

    def write(compression):
        with fsspec.open(url, mode, compression=compression) as file:
            file.write("half" if mode == "w" else b"half")
            raise Stop

    for compression in (None, "gzip"):
        with pytest.raises(Stop):
            write(compression)
    fs, key = fsspec.url_to_fs(url)
    assert not fs.exists(key)
    with fsspec.open(url, mode) as file:
        file.write("whole" if mode == "w" else b"whole")
    assert fs.cat_file(key) == b"whole"


def test_a_file_that_is_closed_while_another_exception_is_handled_is_written(fs):
    try:
        int("no number")
    except ValueError:
        with fs.open("inner", "wb") as file:
            file.write(b"1")
        with fsspec.open("remote-store+memory://handled/x", "wb") as file:
            file.write(b"2")
    file = fs.open("outer", "wb")
    file.write(b"3")
    try:
        next(iter(()))
    except StopIteration:
        file.close()
    assert fs.cat(["inner", "outer"]) == {"inner": b"1", "outer": b"3"}
    assert fsspec.filesystem("remote-store", url="memory://handled").cat_file("x") == b"2"


def test_a_block_of_a_wrapper_that_fails_writes_nothing_and_one_of_yours_decides(fs):
    class Job:
        def __enter__(self):
            self.log = fs.open("log", "wb")
            return self

        def __exit__(self, kind, error, traceback):
            self.log.write(repr(kind).encode())
            self.log.close()

    def job():
        with Job():
            raise Stop

    def wrapped():
        with closing(fs.open("wrapped", "wb")) as file:
            file.write(b"half")
            raise Stop

    for call in (job, wrapped):
        with pytest.raises(Stop):
            call()
    assert b"Stop" in fs.cat_file("log")
    assert not fs.exists("wrapped")


def test_create(fs):
    with fs.open("x", "xb") as file:
        file.write(b"first")
    for mode in ("xb", "x"):
        with pytest.raises(FileExistsError):
            fs.open("x", mode)
    file = fs.open("race", "xb")
    file.write(b"late")
    fs.pipe_file("race", b"early")
    with pytest.raises(FileExistsError):
        file.close()
    assert fs.cat(["x", "race"]) == {"x": b"first", "race": b"early"}


@pytest.mark.parametrize("mode", ["ab", "a", "r+b", "w+", "rb+"])
def test_a_file_cannot_be_appended_to_or_updated(fs, mode):
    fs.pipe_file("x", b"kept")
    with pytest.raises(NotImplementedError, match="written as a whole"):
        fs.open("x", mode)
    for wrong in ("", "z", "rwb"):
        with pytest.raises((ValueError, NotImplementedError)):
            fs.open("x", wrong)
    assert fs.cat_file("x") == b"kept"


def test_a_missing_file_and_a_folder_cannot_be_opened(fs):
    fs.pipe_file("a/b", b"")
    for mode in ("rb", "r"):
        with pytest.raises(FileNotFoundError):
            fs.open("none", mode)
        with pytest.raises(IsADirectoryError):
            fs.open("a", mode)
    with pytest.raises(IsADirectoryError):
        fs.open("", "wb")


@pytest.mark.parametrize("block_size", [None, 100, 4096, 1 << 20, "default"])
def test_reading(fs, block_size):
    fs.pipe_file("x", CONTENT)
    with fs.open("x", block_size=block_size) as file, io.BytesIO(CONTENT) as twin:
        assert (file.size, file.path, file.mode, file.name) == (len(CONTENT), "x", "rb", "x")
        assert file.readable()
        assert file.seekable()
        assert not file.writable()
        assert file.info() == fs.info("x") == file.details
        for step in (3, 300, 0, 5000, 7):
            assert file.read(step) == twin.read(step)
            assert file.tell() == twin.tell()
        for offset, whence in ((10, 0), (-20, 2), (5, 1), (0, 0), (0, 2), (20000, 0)):
            assert file.seek(offset, whence) == twin.seek(offset, whence)
            assert file.read(50) == twin.read(50)
        file.seek(250)
        twin.seek(250)
        assert file.readline() == twin.readline()
        assert next(file) == next(twin)
        assert file.readline(5) == twin.readline(5)
        buffer, other = bytearray(1000), bytearray(1000)
        assert file.readinto(buffer) == twin.readinto(other)
        assert buffer == other
        assert file.readlines() == twin.readlines()
        assert file.read() == b""
        with pytest.raises(ValueError, match="before the start"):
            file.seek(-1)
        with pytest.raises(ValueError, match="whence"):
            file.seek(0, 5)
        file.seek(9)
        assert file.readuntil(bytes([255, 0]), blocks=16) == CONTENT[9:257]
        assert file.readuntil(b"none") == CONTENT[257:]
    for call in (file.read, file.tell, lambda: file.seek(0)):
        with pytest.raises(ValueError, match="closed"):
            call()


def test_the_wrappers_of_the_standard_library_read_it(fs):
    with fs.open("z.zip", "wb") as file, zipfile.ZipFile(file, "w") as archive:
        archive.writestr("in", b"zipped" * 1000)
    with fs.open("z.zip") as file, zipfile.ZipFile(file) as archive:
        assert archive.read("in") == b"zipped" * 1000
    fs.pipe_file("t", "ä\r\nb".encode("utf-16"))
    with fs.open("t", "r", encoding="utf-16", newline="") as file:
        assert list(file) == ["ä\r\n", "b"]
    assert fs.read_text("t", encoding="utf-16") == "ä\nb"
    fs.write_text("t", "x", encoding="utf-16")
    assert fs.cat_file("t").decode("utf-16") == "x"


@pytest.mark.parametrize("block_size", [100, 1 << 20])
@pytest.mark.parametrize("begins", [False, True])
def test_a_reader_never_mixes_two_versions(fs, block_size, begins):
    fs.pipe_file("x", CONTENT)
    with fs.open("x", block_size=block_size) as file:
        read = file.read(10) if begins else b""
        fs.pipe_file("x", bytes(len(CONTENT)))
        try:
            while part := file.read(5000):
                read += part
        except PreconditionFailed:
            pass
        else:
            assert read == CONTENT
    assert CONTENT.startswith(read)


def test_a_file_opened_for_reading_pickles_with_its_version(fs):
    if fs.async_impl:
        fs = fsspec.filesystem("remote-store", url="memory://pickled", asynchronous=False)
    fs.pipe_file("x", CONTENT)
    with fs.open("x", block_size=512) as file:
        file.seek(100)
        data = pickle.dumps(file)
    with pickle.loads(data) as again:
        assert (again.tell(), again.read(5), again.blocksize) == (100, CONTENT[100:105], 512)
    with fs.open("y", "wb") as file, pytest.raises((TypeError, RuntimeError)):
        pickle.dumps(file)


def test_a_transaction_writes_all_at_its_end(fs, tmp_path):
    (tmp_path / "local").write_bytes(b"put")
    with fs.transaction:
        with fs.open("a", "wb") as file:
            file.write(b"open")
        with fs.open("t", "w") as text:
            text.write("text")
        with fs.open("g.gz", "wb", compression="gzip") as packed:
            packed.write(b"packed")
        fs.pipe_file("b", b"pipe")
        fs.pipe({"c": b"pipes"})
        fs.put_file(str(tmp_path / "local"), "d")
        (tmp_path / "local").unlink()
        assert fs.find("") == []
    assert {name: fs.cat_file(name) for name in "abcdt"} == {
        "a": b"open",
        "b": b"pipe",
        "c": b"pipes",
        "d": b"put",
        "t": b"text",
    }
    assert gzip.decompress(fs.cat_file("g.gz")) == b"packed"
    fs.pipe_file("after", b"now")
    assert fs.cat_file("after") == b"now"


def test_a_transaction_that_fails_writes_nothing(fs):
    fs.pipe_file("old", b"old")

    def fail():
        with fs.transaction:
            fs.pipe_file("old", b"new")
            fs.pipe_file("a", b"")
            with fs.open("b", "wb") as file:
                file.write(b"")
            fs.open("never closed", "wb")
            raise Stop

    with pytest.raises(Stop):
        fail()
    assert fs.find("") == ["old"]
    assert fs.cat_file("old") == b"old"
    fs.pipe_file("after", b"now")
    assert fs.exists("after")


def test_a_file_that_failed_or_is_open_is_not_in_the_transaction(fs):
    def fail(path):
        with fs.open(path, "wb") as file:
            file.write(b"half")
            raise Stop

    with fs.transaction:
        with pytest.raises(Stop):
            fail("failed")
        fs.pipe_file("fine", b"")
    assert fs.find("") == ["fine"]


def test_a_commit_that_fails_ends_the_transaction(fs, store):
    def fail():
        with fs.transaction:
            fs.pipe_file("a", b"1")
            fs.pipe_file("b", b"2", mode="create")
            fs.pipe_file("c", b"3")
            store.write("b", b"other")

    with pytest.raises(FileExistsError):
        fail()
    assert fs.cat(fs.find("")) == {"a": b"1", "b": b"other"}
    fs.pipe_file("c", b"now")
    assert fs.cat_file("c") == b"now"


def test_a_transaction_by_its_functions(fs):
    fs.start_transaction()
    fs.pipe_file("x", b"1")
    assert not fs.exists("x")
    fs.end_transaction()
    assert fs.cat_file("x") == b"1"


def test_an_open_file_can_be_committed_or_discarded(fs):
    file = fs.open("x", "wb", autocommit=False)
    file.write(b"kept back")
    file.close()
    assert not fs.exists("x")
    file.commit()
    assert fs.cat_file("x") == b"kept back"
    file = fs.open("y", "wb")
    file.write(b"gone")
    file.discard()
    file.close()
    assert not fs.exists("y")


@pytest.mark.parametrize("mode, compression", [("wb", None), ("w", None), ("wb", "gzip")])
def test_a_transaction_with_an_open_file_writes_nothing(fs, mode, compression):
    """The text layer or the codec may hold the end of the file."""
    kept = []

    def leave_open():
        with fs.transaction:
            fs.pipe_file("before", b"1")
            kept.append(fs.open("open", mode, compression=compression))
            kept[0].write("half" if mode == "w" else b"half")

    with pytest.raises(ValueError, match="'open' is still open; close it"):
        leave_open()
    assert fs.find("") == []
    fs.pipe_file("after", b"now")
    assert fs.find("") == ["after"]


def test_a_transaction_in_a_transaction_is_refused_and_loses_nothing(fs):
    def nested():
        with fs.transaction:
            fs.pipe_file("x", b"outer")
            with fs.transaction:
                fs.pipe_file("y", b"inner")

    with pytest.raises(RuntimeError, match="transaction of this filesystem is open"):
        nested()
    assert fs.find("") == []
    fs.start_transaction()
    fs.pipe_file("x", b"first")
    with pytest.raises(RuntimeError, match="transaction of this filesystem is open"):
        fs.start_transaction()
    fs.end_transaction()
    assert fs.cat_file("x") == b"first"


@pytest.mark.parametrize("value", [3, "text", [1, 2]])
def test_only_bytes_are_piped_into_a_transaction(fs, value):
    with fs.transaction, pytest.raises(TypeError):
        fs.pipe_file("x", value)
    assert fs.find("") == []


def test_a_wrapper_whose_block_ended_well_writes_while_an_exception_is_handled(fs):
    file = fs.open("x", "wb")
    file.write(b"1")
    try:
        int("no number")
    except ValueError:
        with closing(file):
            file.write(b"2")
    assert fs.cat_file("x") == b"12"
