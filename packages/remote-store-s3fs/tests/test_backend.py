from __future__ import annotations

import asyncio
import gc
import inspect
import io
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import traceback
import warnings
from concurrent.futures import ThreadPoolExecutor

import fsspec
import fsspec.asyn
import pytest
from fsspec.spec import AbstractFileSystem
from s3fs import S3FileSystem

from remote_store.conformance.faults import Call, LostAnswer
from remote_store.core import (
    AlreadyExists,
    BackendUnavailable,
    Capability,
    CapabilityNotSupported,
    PermissionDenied,
    RetryPolicy,
    Secret,
)
from remote_store.core.s3 import S3Options
from remote_store.s3fs import AsyncS3FsBackend, S3FsBackend

MIB = 1024 * 1024


@pytest.fixture
def theirs(place):
    """A filesystem as a user makes one, its caches switched on."""
    made = []

    def new(**options):
        made.append(
            S3FileSystem(
                key=place["key"],
                secret=place["secret"],
                endpoint_url=place["endpoint_url"],
                client_kwargs={"region_name": place["region_name"]},
                skip_instance_cache=True,
                **options,
            )
        )
        return made[-1]

    return new


def in_child(work) -> int:
    """What the exit code of a forked child says that does the work; 0 for a true result."""
    with warnings.catch_warnings():
        # Newer Pythons warn of a fork beside threads, which is what is tested.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        code = 1
        try:
            code = 0 if work() else 2
        finally:
            os._exit(code)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return 3


class Interrupt:
    """Interrupts the main thread while a request of it waits, which goes on when the interrupt has been noticed."""

    def __init__(self, endpoint, operation):
        self._endpoint, self._operation = endpoint, operation
        self._noticed = threading.Event()
        self.place = "nowhere"
        endpoint.inject(Call(lambda _request: self._noticed.wait(30)), operation=operation, times=None)
        signal.signal(signal.SIGINT, self._raise)
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def end(self):
        self._thread.join()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def _send(self):
        while self._operation not in self._endpoint.operations():
            time.sleep(0.005)
        time.sleep(0.05)
        # A signal to that very thread wakes it; an interrupt that is only noted comes at the end of its wait, or later.
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        self._noticed.wait(30)

    def _raise(self, _number, frame):
        self.place = "".join(traceback.format_stack(frame))
        self._noticed.set()
        raise KeyboardInterrupt


@pytest.mark.parametrize("key", ["a//b", "/lead", "a/./b", "a/../b", "..", "s3://x", "double//", "//"])
def test_a_key_of_another_tool_is_exact(make, plain, bucket, key):
    backend = make()
    plain.put_object(Bucket=bucket, Key=key, Body=b"foreign")
    assert [info.path for info in backend.list_files("", recursive=True)] == [key]
    assert backend.read_bytes(key) == b"foreign"
    backend.copy(key, "copied")
    backend.delete(key)
    assert [info.path for info in backend.list_files("", recursive=True)] == ["copied"]


def test_what_others_change_is_seen_at_once(make, plain, bucket):
    backend = make()
    assert list(backend.list_files("")) == []
    plain.put_object(Bucket=bucket, Key="new", Body=b"1")
    assert backend.exists("new")
    assert [info.path for info in backend.list_files("")] == ["new"]
    plain.put_object(Bucket=bucket, Key="new", Body=b"22")
    assert backend.get_file_info("new").size == 2
    plain.delete_object(Bucket=bucket, Key="new")
    assert not backend.exists("new")
    assert list(backend.list_files("")) == []


def test_threads_that_start_at_once_share_one_client(make, endpoint):
    backend = make()
    start = threading.Barrier(32)

    def work(number):
        start.wait()
        backend.write(f"k{number}", b"%d" % number)
        return backend.read_bytes(f"k{number}")

    with ThreadPoolExecutor(32) as threads:
        assert list(threads.map(work, range(32))) == [b"%d" % number for number in range(32)]
    assert len(list(backend.list_files(""))) == 32
    assert endpoint.open_connections <= 32


def test_readers_that_are_held_open_keep_no_thread_waiting(make):
    backend = make(max_connections=2, max_concurrency=2)
    backend.write("k", b"x" * 4 * MIB)
    readers = [backend.read("k") for _ in range(8)]
    backend.write("other", readers[0])
    assert backend.get_file_info("other").size == 4 * MIB
    for reader in readers:
        reader.close()


def test_the_loop_of_the_requests_refuses_to_wait_for_itself(make):
    backend = make()
    backend.write("k", b"x" * MIB)
    reader = backend.read("k")

    async def inside():
        for call in (lambda: backend.read_bytes("k"), reader.read, lambda: backend.write("other", b"x")):
            with pytest.raises(BackendUnavailable) as caught:
                call()
            assert not caught.value.retryable
        return True

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fsspec.asyn.sync(backend.unwrap(S3FileSystem).loop, inside)
    assert backend.read_bytes("k") == b"x" * MIB


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_works_on_with_connections_of_its_own(make, endpoint):
    backend = make()
    backend.write("k", b"parent")
    assert in_child(lambda: backend.read_bytes("k") == b"parent" and backend.write("child", b"c").size == 1) == 0
    assert backend.read_bytes("child") == b"c"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_reader_goes_on_in_a_forked_child(make):
    backend = make()
    data = os.urandom(4 * MIB)
    backend.write("k", data)
    with backend.read("k") as reader:
        assert reader.read(100_000) == data[:100_000]
        assert in_child(lambda: reader.read() == data[100_000:]) == 0
        assert reader.read() == data[100_000:]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_forked_while_fsspec_makes_its_loop_makes_another(make):
    backend = make()
    with fsspec.asyn.get_lock():
        assert in_child(lambda: backend.write("k", b"x").size == 1) == 0
    assert backend.read_bytes("k") == b"x"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_filesystem_that_was_handed_in_is_made_anew_in_a_forked_child(make, theirs):
    backend = make(fs=theirs())
    backend.write("k", b"parent")
    assert in_child(lambda: backend.read_bytes("k") == b"parent" and backend.write("child", b"c").size == 1) == 0
    assert backend.read_bytes("child") == b"c"


def test_it_pickles_as_its_configuration(make, theirs):
    for backend in (make(), make(fs=theirs())):
        backend.write("k", b"x", overwrite=True)
        with pickle.loads(pickle.dumps(backend)) as copy:
            assert type(copy) is S3FsBackend
            assert copy.read_bytes("k") == b"x"


def test_unwrap_hands_out_the_filesystem_that_is_used(make, endpoint, bucket):
    backend = make(max_connections=7)
    backend.write("k*", b"hello")
    filesystem = backend.unwrap(S3FileSystem)
    assert filesystem is backend.unwrap(S3FileSystem) is backend.unwrap(AbstractFileSystem)
    assert filesystem.cat_file(f"{bucket}/k*") == b"hello"
    assert filesystem.s3 is backend._runner.port()._port._client
    with filesystem.open(f"{bucket}/made", "wb") as file:
        file.write(b"theirs")
    assert backend.read_bytes("made") == b"theirs"
    assert filesystem.ls(bucket) == filesystem.ls(bucket) == [f"{bucket}/k*", f"{bucket}/made"]
    backend.delete("made")
    assert filesystem.ls(bucket) == [f"{bucket}/k*"]
    assert pickle.loads(pickle.dumps(filesystem)).cat_file(f"{bucket}/k*") == b"hello"


@pytest.mark.parametrize("kind", [int, dict, asyncio.AbstractEventLoop])
def test_unwrap_refuses_what_there_is_not(make, kind):
    backend = make()
    with pytest.raises(CapabilityNotSupported):
        backend.unwrap(kind)
    backend.close()
    with pytest.raises(BackendUnavailable):
        backend.unwrap(S3FileSystem)


@pytest.mark.parametrize("credentials", [{"key": "HUSH\n"}, {"secret": "HUSH\n"}, {"token": "HU SH"}])
def test_malformed_credentials_of_a_filesystem_that_was_handed_in_are_refused(place, endpoint, bucket, credentials):
    given = {"key": place["key"], "secret": place["secret"], **credentials}
    filesystem = S3FileSystem(endpoint_url=place["endpoint_url"], skip_instance_cache=True, **given)
    with S3FsBackend(bucket, fs=filesystem) as backend, pytest.raises(PermissionDenied) as caught:
        backend.read_bytes("k")
    assert "invalid character" in str(caught.value)
    assert "SH" not in "".join(traceback.format_exception(caught.value))
    assert endpoint.count() == 0


def test_close_closes_a_client_that_only_the_handle_used(make, endpoint, bucket, eventually):
    backend = make()
    assert backend.unwrap(S3FileSystem).ls(bucket) == []
    assert endpoint.open_connections == 1
    backend.close()
    assert eventually(lambda: endpoint.open_connections == 0)


def test_close_leaves_the_client_of_a_filesystem_that_was_handed_in(make, theirs, endpoint, bucket):
    filesystem = theirs()
    backend = make(fs=filesystem)
    assert backend.unwrap(S3FileSystem).ls(bucket) == []
    opened = endpoint.open_connections
    backend.close()
    assert filesystem.ls(bucket, refresh=True) == []
    assert endpoint.open_connections == opened


def test_two_backends_share_neither_filesystem_nor_client(make):
    assert make().unwrap(S3FileSystem) is not make().unwrap(S3FileSystem)


def test_a_filesystem_that_was_handed_in_sees_what_is_changed(make, theirs, bucket):
    filesystem = theirs()
    backend = make(fs=filesystem)
    assert backend.unwrap(S3FileSystem) is filesystem
    backend.write("a/b/one", b"1")
    for path in (bucket, f"{bucket}/a", f"{bucket}/a/b"):
        assert len(filesystem.ls(path)) == 1
    backend.write("a/b/two", b"22")
    assert [name[-3:] for name in filesystem.ls(f"{bucket}/a/b")] == ["one", "two"]
    backend.write("a/b/two", b"333", overwrite=True)
    assert filesystem.info(f"{bucket}/a/b/two")["size"] == 3
    backend.copy("a/b/two", "a/b/copy")
    assert len(filesystem.ls(f"{bucket}/a/b")) == 3
    backend.move("a/b/copy", "moved")
    assert len(filesystem.ls(f"{bucket}/a/b")) == 2
    assert filesystem.exists(f"{bucket}/moved")
    backend.delete("a/b/one")
    assert len(filesystem.ls(f"{bucket}/a/b")) == 1
    backend.delete_folder("a", recursive=True)
    assert not filesystem.exists(f"{bucket}/a")
    assert filesystem.ls(bucket) == [f"{bucket}/moved"]
    backend.close()
    assert filesystem.cat_file(f"{bucket}/moved") == b"333"


def test_a_filesystem_that_was_handed_in_sees_a_multipart_upload(make, theirs, bucket):
    filesystem = theirs()
    backend = make(fs=filesystem, part_size=5 * MIB)
    assert filesystem.ls(bucket) == []
    backend.write("large", io.BytesIO(b"x" * 11 * MIB))
    assert filesystem.ls(bucket) == [f"{bucket}/large"]


def test_what_a_filesystem_adds_to_its_requests_is_added_here_too(make, theirs, endpoint):
    filesystem = theirs(s3_additional_kwargs={"StorageClass": "STANDARD_IA"}, requester_pays=True)
    backend = make(fs=filesystem, put_options={"CacheControl": "no-cache"})
    backend.write("k", b"x")
    backend.read_bytes("k")
    put, get = endpoint.requests
    assert put.headers["x-amz-storage-class"] == "STANDARD_IA"
    assert put.headers["cache-control"] == "no-cache"
    assert put.headers["x-amz-request-payer"] == get.headers["x-amz-request-payer"] == "requester"


def test_our_own_object_is_known_after_an_answer_lost_below_a_filesystem_that_was_handed_in(make, theirs, endpoint):
    backend = make(fs=theirs())
    backend.exists("warm")
    endpoint.inject(LostAnswer(), operation="PutObject")
    assert backend.write("k", b"mine").size == 4
    assert endpoint.count("PutObject") > 1
    with pytest.raises(AlreadyExists):
        backend.write("k", b"other")


def test_a_filesystem_on_another_server_than_aws_is_not_trusted_with_conditions(theirs, bucket):
    backend = S3FsBackend(bucket, fs=theirs())
    assert Capability.ATOMIC_CREATE not in backend.capabilities
    trusting = S3FsBackend(bucket, fs=theirs(), conditional_writes=True)
    assert Capability.ATOMIC_CREATE in trusting.capabilities


@pytest.mark.parametrize("option", ["endpoint_url", "key", "retry", "max_connections", "profile", "client_options"])
def test_options_of_the_client_do_not_go_with_a_filesystem(theirs, option):
    value = {"retry": RetryPolicy(), "max_connections": 4, "client_options": {"verify": False}}.get(option, "http://x")
    more = {"secret": "s"} if option == "key" else {}
    with pytest.raises(ValueError, match=option):
        S3FsBackend("bucket", fs=theirs(), **{option: value, **more})


def test_only_the_right_kind_of_filesystem_is_taken(theirs):
    with pytest.raises(TypeError, match="LocalFileSystem"):
        S3FsBackend("bucket", fs=fsspec.filesystem("file"))
    with pytest.raises(ValueError, match="asynchronous=False"):
        S3FsBackend("bucket", fs=theirs(asynchronous=True))
    with pytest.raises(ValueError, match="asynchronous=True"):
        AsyncS3FsBackend("bucket", fs=theirs())


@pytest.mark.parametrize("lane", [S3FsBackend, AsyncS3FsBackend])
def test_what_cannot_be_meant_is_refused_by_name(lane):
    with pytest.raises(TypeError, match="part_sise"):
        lane("bucket", part_sise=1)
    with pytest.raises(TypeError, match="endpoint_url"):
        lane("bucket", client_options={"endpoint_url": "http://x"})
    with pytest.raises(TypeError, match="config"):
        lane("bucket", client_options={"config": {"retries": 1}})
    with pytest.raises(FileNotFoundError, match="absent.pem"):
        lane("bucket", tls_ca_bundle="absent.pem")
    with pytest.raises(ValueError, match="bucket"):
        lane("")


def test_both_lanes_take_the_options_of_every_lane():
    for lane in (S3FsBackend, AsyncS3FsBackend):
        assert list(inspect.signature(lane).parameters) == ["bucket", "fs", "options"]
        assert lane.__module__ == "remote_store.s3fs"
    assert S3FsBackend("bucket", region_name="eu-west-1")._bucket.options == S3Options(region_name="eu-west-1")


def test_nothing_shows_the_secret(make):
    backend = make(secret=Secret("suite-secret"))
    backend.write("k", b"x")
    for shown in (repr(backend), str(backend), repr(backend._handle.options), repr(backend.unwrap(S3FileSystem))):
        assert "suite-secret" not in shown


@pytest.fixture
def no_collection():
    """No garbage is collected: an interrupt that comes while a finaliser or a callback of that runs is lost."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collection")
def test_an_interrupt_ends_the_request_it_waits_for(make, endpoint, eventually, uploads):
    backend = make(part_size=5 * MIB, max_concurrency=2)
    backend.write("k", b"x")
    for operation, call in {
        "GetObject": lambda: backend.read_bytes("k"),
        "UploadPart": lambda: backend.write("large", io.BytesIO(b"x" * 17 * MIB)),
    }.items():
        endpoint.reset()
        interrupt = Interrupt(endpoint, operation)
        try:
            answer = call()
        except KeyboardInterrupt:
            answer = None
        finally:
            interrupt.end()
        assert answer is None, f"lost at {interrupt.place}"
    endpoint.clear_faults()
    assert uploads() == []
    assert backend.read_bytes("k") == b"x"
    backend.close()
    assert eventually(lambda: endpoint.open_connections == 0)


def test_closing_gives_every_connection_back(make, endpoint, eventually):
    backend = make()
    backend.write("k", b"x" * 4 * MIB)
    reader = backend.read("k")
    reader.read(10)
    backend.close()
    backend.close()
    assert eventually(lambda: endpoint.open_connections == 0)
    with pytest.raises(BackendUnavailable):
        backend.read_bytes("k")


def test_a_forgotten_reader_gives_its_connection_back(make, endpoint, eventually):
    backend = make()
    backend.write("k", b"x" * 4 * MIB)
    reader = backend.read("k")
    assert reader.read(10) == b"x" * 10
    before = endpoint.open_connections
    del reader
    gc.collect()
    assert eventually(lambda: endpoint.open_connections < before)


END = """
import sys
from s3fs import S3FileSystem
from remote_store.s3fs import S3FsBackend

backend = S3FsBackend(sys.argv[1], endpoint_url=sys.argv[2], key="k", secret="s", region_name="us-east-1")
backend.write("k", b"x" * 4_000_000)
reader = backend.read("k")
reader.read(10)
filesystem = backend.unwrap(S3FileSystem)
with S3FsBackend("absent", endpoint_url=sys.argv[2], key="k", secret="s", region_name="us-east-1") as other:
    assert not other.exists("k")
"""


def test_what_is_still_open_does_not_disturb_the_end_of_the_process(place, bucket):
    command = [sys.executable, "-W", "error", "-c", END, bucket, place["endpoint_url"]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
