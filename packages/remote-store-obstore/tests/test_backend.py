from __future__ import annotations

import asyncio
import gc
import os
import pickle
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import obstore
import pytest
from obstore.store import HTTPStore, LocalStore, MemoryStore, S3Store

from remote_store.core import (
    AlreadyExists,
    AsyncStore,
    BackendUnavailable,
    Capability,
    CapabilityNotSupported,
    InvalidConfiguration,
    InvalidPath,
    NotFound,
    PreconditionFailed,
    RemoteStoreError,
    Store,
)
from remote_store.obstore import (
    S3_CONFIG,
    AsyncObstoreBackend,
    ObstoreBackend,
    ObstoreLocalBackend,
    ObstoreMemoryBackend,
    ObstoreS3Backend,
)


@pytest.fixture
def local(tmp_path):
    with ObstoreLocalBackend(tmp_path) as backend:
        yield backend


@pytest.fixture
def memory():
    with ObstoreMemoryBackend() as backend:
        yield backend


KEYS = ["a%20b", "%", "%2F", "ünï/ço", "e\u0301", "😀", " a ", "a\\b", "#", "?x=1", "[a]*", "~", "C:/x", ".hidden"]


@pytest.mark.parametrize("key", KEYS)
def test_a_key_arrives_as_it_is(key, memory, local, tmp_path):
    for backend in (memory, local):
        backend.write(key, b"x")
        assert [file.path for file in backend.list_files("", recursive=True)] == [key]
        assert backend.read_bytes(key) == b"x"
    assert (tmp_path / key).read_bytes() == b"x"


@pytest.mark.parametrize("key", ["a//b", "../a", "a/../b", ".", "/a", "a/", "a\nb", "a\x7f"])
def test_a_key_that_obstore_would_change_is_refused(key, memory, local):
    for backend in (memory, local):
        with pytest.raises(InvalidPath):
            backend.write(key, b"x")
        with pytest.raises((NotFound, InvalidPath)):
            backend.read_bytes(key)


@pytest.mark.parametrize("key", ["c:", "a/C:", "d|", "a#1", "in/a#12", "x" * 256, "in/" + "ä" * 128])
def test_a_name_that_the_disk_cannot_have_is_an_invalid_path(key, local, tmp_path):
    with pytest.raises(InvalidPath):
        local.write(key, b"x")
    local.write("source", b"x")
    for transfer in (local.copy, local.move):
        with pytest.raises(InvalidPath):
            transfer("source", key)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["source"]


def test_a_name_as_long_as_the_disk_allows_is_an_invalid_path(local, tmp_path):
    # LocalStore writes to a longer name first.
    with pytest.raises(InvalidPath):
        local.write("x" * 255, b"x")
    assert list(tmp_path.iterdir()) == []


def test_no_folder_stays_when_its_last_file_is_gone(local, tmp_path):
    for name in ("moved", "deleted", "tree"):
        local.write(f"{name}/in/it/file", b"x")
    local.move("moved/in/it/file", "file")
    local.delete("deleted/in/it/file")
    local.delete_folder("tree", recursive=True)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    local.write("moved", b"x")


def test_a_folder_with_other_files_stays_after_a_move(local, tmp_path):
    local.write("in/a", b"x")
    local.write("in/b", b"x")
    local.move("in/a", "in/deep/a")
    assert (tmp_path / "in/b").exists()


def test_the_kind_of_store_decides_the_capabilities(local, memory):
    assert Capability.USER_METADATA not in local.capabilities
    assert Capability.COMPARE_AND_SWAP in memory.capabilities
    with pytest.raises(CapabilityNotSupported):
        local.write("a", b"x", metadata={"a": "b"})
    local.write("a", b"x", content_type="text/plain")


@pytest.mark.parametrize("name", ["content-type", "content-encoding", "cache-control", "storage-class"])
def test_metadata_called_like_a_header_is_refused(name, memory):
    with pytest.raises(ValueError, match=name):
        memory.write("a", b"x", metadata={name: "gzip"})
    assert not memory.exists("a")


def test_headers_of_other_tools_are_no_metadata():
    store = MemoryStore()
    obstore.put(store, "a", b"x", attributes={"Cache-Control": "no-store", "Content-Type": "text/csv", "by": "ada"})
    info = ObstoreBackend(store).get_file_info("a")
    assert (info.content_type, info.metadata) == ("text/csv", {"by": "ada"})


def test_a_write_replaces_exactly_the_expected_version(memory):
    first = memory.write("a", b"1")
    second = memory.write("a", b"2", overwrite=True, if_match=first.etag)
    for path, etag in (("a", first.etag), ("gone", second.etag)):
        with pytest.raises(PreconditionFailed):
            memory.write(path, b"3", overwrite=True, if_match=etag)
    assert memory.read_bytes("a") == b"2"
    with pytest.raises(ValueError, match="overwrite"):
        memory.write("a", b"3", if_match=second.etag)


def test_an_error_of_the_content_passes_unchanged(memory, local):
    class Broken:
        def read(self, _size=-1):
            raise FileNotFoundError("mine")

    for backend in (memory, local):
        for overwrite in (True, False):
            with pytest.raises(FileNotFoundError, match="mine") as raised:
                backend.write("a", Broken(), overwrite=overwrite)
            assert type(raised.value) is FileNotFoundError


@pytest.mark.parametrize("size", [10_001, 10_002, 30_000])
def test_a_stream_of_unknown_size_that_needs_too_many_parts_is_refused_and_nothing_is_written(size):
    class Endless:
        def __init__(self):
            self.left = size

        def read(self, size=-1):
            size = min(size, self.left)
            self.left -= size
            return b"x" * size

    with ObstoreMemoryBackend(part_size=1) as backend:
        with pytest.raises(RemoteStoreError, match="part_size") as raised:
            backend.write("a", Endless(), overwrite=True)
        assert raised.value.path == "a"
        assert not backend.exists("a")
        backend.write("a", b"x" * size, overwrite=True)
        assert backend.get_file_info("a").size == size


def test_one_of_many_creates_wins(memory):
    def create(number):
        try:
            memory.write("a", b"%d" % number)
        except AlreadyExists:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(create, range(32))) == 1


def test_a_named_memory_is_shared_and_can_be_pickled():
    with ObstoreMemoryBackend("pickled") as backend:
        backend.write("a", b"x", overwrite=True)
        with pickle.loads(pickle.dumps(backend)) as again:
            assert again.read_bytes("a") == b"x"
    with ObstoreMemoryBackend("pickled") as backend:
        assert backend.read_bytes("a") == b"x"


def test_only_a_memory_of_its_own_cannot_be_pickled(memory, local):
    with pytest.raises(TypeError, match="MemoryStore"):
        pickle.dumps(memory)
    local.write("a", b"x")
    assert pickle.loads(pickle.dumps(local)).read_bytes("a") == b"x"
    s3 = ObstoreS3Backend("bucket", region="x", endpoint="http://localhost:1")
    assert pickle.loads(pickle.dumps(s3)).unwrap(S3Store) == s3.unwrap(S3Store)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_is_refused_and_the_parent_goes_on(memory):
    memory.write("a", b"x")
    child = os.fork()
    if child == 0:
        try:
            memory.read_bytes("a")
        except BackendUnavailable:
            os._exit(7)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert memory.read_bytes("a") == b"x"


class Files(BaseHTTPRequestHandler):
    """A web server with one file and byte ranges, which keeps its connections."""

    protocol_version = "HTTP/1.1"
    content = bytes(range(256)) * 4

    def do_GET(self):
        self.answer(body=True)

    def do_HEAD(self):
        self.answer(body=False)

    def answer(self, *, body):
        found = self.path == "/files/a%20b.bin"
        start, stop = 0, len(self.content) if found else 0
        if found and (asked := self.headers["Range"]):
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start, stop = int(first), min(stop, int(last) + 1 if last else stop)
        self.send_response(404 if not found else 206 if self.headers["Range"] else 200)
        self.send_header("Content-Length", str(stop - start))
        if found:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(self.content)}")
            self.send_header("Last-Modified", "Mon, 30 Nov 2026 12:00:00 GMT")
            self.send_header("ETag", '"one"')
        self.end_headers()
        if body:
            self.wfile.write(self.content[start:stop])

    def log_message(self, *_arguments):
        pass


@pytest.fixture
def url(request):
    with ThreadingHTTPServer(("127.0.0.1", 0), getattr(request, "param", Files)) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/files"
        server.shutdown()
        thread.join()


def test_a_web_server_is_read(url):
    with Store.from_url(f"obstore+{url}") as store:
        assert store.read_bytes("a b.bin") == Files.content
        assert store.read_range("a b.bin", 250, 10) == Files.content[250:260]
        assert (store.exists("a b.bin"), store.exists("other")) == (True, False)
        with store.read_seekable("a b.bin") as file:
            file.seek(-2, os.SEEK_END)
            assert (file.info.etag, file.info.size, file.read()) == ("one", 1024, b"\xfe\xff")
        with pytest.raises(NotFound):
            store.read_bytes("other")
        store.ping()


class BrokenFiles(Files):
    """A web server whose answers break off before the last line, and whose parts are whole."""

    content = b"".join(b"line %d\n" % number for number in range(20_000))

    def answer(self, *, body):
        if self.headers["Range"] or not body:
            return super().answer(body=body)
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.content)))
        self.send_header("Last-Modified", "Mon, 30 Nov 2026 12:00:00 GMT")
        self.send_header("ETag", '"one"')
        self.end_headers()
        self.wfile.write(self.content[:-1])
        self.close_connection = True
        return None


def into_a_buffer(file):
    buffer = bytearray(90_000)
    return bytes(buffer[: file.readinto(buffer)])


@pytest.mark.parametrize("url", [BrokenFiles], indirect=True)
@pytest.mark.parametrize(
    "read",
    [
        lambda file: file.read(),
        lambda file: file.read(90_000),
        lambda file: file.read1(90_000),
        lambda file: file.readline(),
        lambda file: next(file, b""),
        into_a_buffer,
    ],
)
def test_a_read_that_failed_can_be_repeated(read, url):
    store = HTTPStore(url, client_options={"allow_http": True}, retry_config={"max_retries": 0})
    with ObstoreBackend(store) as backend, backend.read("a b.bin") as file:
        content, failures = file.read(5), []
        while True:
            try:
                part = read(file)
            except BackendUnavailable as error:
                failures.append((error.retryable, file.tell() - len(content)))
                continue
            content += part
            if not part:
                break
    assert (content == BrokenFiles.content, failures) == (True, [(True, 0)])


def test_what_is_continued_after_a_close_raises_its_class(local, url):
    for number in range(1100):
        local.write(f"in/{number}", b"x" * 100_000 if number == 0 else b"")
    lazy = [
        local.list_files(""),
        local.list_files("", recursive=True),
        local.list_folders(""),
        local.iter_children("in"),
        local.glob("**"),
    ]
    begun = local.list_files("", recursive=True)
    next(begun)
    file = local.read("in/0")
    file.seek(70_000)
    local.close()
    for listing in (*lazy, begun):
        with pytest.raises(BackendUnavailable, match="closed"):
            list(listing)
    with pytest.raises(BackendUnavailable, match="closed"):
        file.read()


def test_a_web_server_is_not_written(url):
    backend = ObstoreBackend(HTTPStore(url, client_options={"allow_http": True}))
    for call in (
        lambda: backend.write("a", b"x"),
        lambda: backend.delete("a b.bin", missing_ok=True),
        lambda: backend.delete_folder("a", missing_ok=True),
        lambda: backend.move("a b.bin", "b"),
        lambda: backend.copy("a b.bin", "b"),
        lambda: backend.list_files(""),
        lambda: backend.iter_children(""),
        lambda: backend.glob("*"),
        lambda: backend.is_folder("a"),
        lambda: backend.get_folder_info(""),
        lambda: backend.open_atomic("a").__enter__(),
    ):
        with pytest.raises(CapabilityNotSupported):
            call()


def test_closing_ends_the_connections(url):
    def connections():
        return sum(link.is_socket() for link in Path("/proc/self/fd").iterdir() if link.exists())

    before = connections()
    backend = ObstoreBackend(HTTPStore(url, client_options={"allow_http": True}))
    assert backend.read_bytes("a b.bin") == Files.content
    assert connections() > before
    backend.close()
    gc.collect()
    for _ in range(200):
        if connections() <= before:
            break
        threading.Event().wait(0.02)
    assert connections() <= before
    with pytest.raises(BackendUnavailable, match="closed"):
        backend.read_bytes("a b.bin")


def test_a_server_that_is_not_there_and_a_store_without_http_are_typed():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(BackendUnavailable) as raised:
        ObstoreS3Backend("bucket", endpoint=endpoint, region="x", skip_signature=True, retry=1).read_bytes("a")
    assert raised.value.retryable
    store = S3Store("bucket", endpoint=endpoint, region="x", skip_signature=True, config=S3_CONFIG)
    with pytest.raises(InvalidConfiguration):
        ObstoreBackend(store).read_bytes("a")


def test_a_panic_in_a_request_is_an_error_and_not_the_end(capfd):
    store = S3Store("bucket", endpoint="::::", region="x", skip_signature=True)
    with pytest.raises(InvalidConfiguration, match="endpoint"):
        ObstoreBackend(store).read_bytes("a")
    assert "panicked" in capfd.readouterr().err


async def test_the_async_backend_works_and_a_cancelled_write_leaves_nothing_or_all():
    async with AsyncStore(AsyncObstoreBackend(MemoryStore(), max_threads=2)) as store:
        await store.write_text("a", "x")
        assert [file.path async for file in store.list_files("")] == ["a"]
        begun = asyncio.Event()

        async def slow():
            yield b"x" * 10
            begun.set()
            await asyncio.Event().wait()

        writing = asyncio.ensure_future(store.write("b", slow()))
        await begun.wait()
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        assert not await store.exists("b")
        assert await store.read_text("a") == "x"


def test_the_native_store_is_handed_out(tmp_path):
    backend = ObstoreLocalBackend(tmp_path)
    assert isinstance(backend.unwrap(LocalStore), LocalStore)
    with pytest.raises(CapabilityNotSupported, match="LocalStore"):
        backend.unwrap(MemoryStore)


@pytest.mark.parametrize("start", [2**63 - 1, 2**64, 2**70])
def test_a_range_that_begins_beyond_any_file_is_empty(start: int) -> None:
    with ObstoreBackend(MemoryStore()) as backend:
        backend.write("file", b"content")
        assert backend.read_range("file", start, 5) == b""
        with pytest.raises(NotFound):
            backend.read_range("missing", start, 5)
