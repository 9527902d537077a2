from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.client import BaseClient
from botocore.credentials import RefreshableCredentials
from pyarrow.fs import S3FileSystem

from remote_store.conformance import faults
from remote_store.core import BackendUnavailable, CapabilityNotSupported, PermissionDenied, RetryPolicy
from remote_store.pyarrow import S3PyArrowBackend, port
from remote_store.pyarrow.port import in_time

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")


def in_child(work):
    """The exit code of a forked child that does the work; 9 where an exception came out of it."""
    child = os.fork()
    if not child:
        code = 9
        with contextlib.suppress(BaseException):
            code = work() or 0
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_there_is_one_filesystem_for_all_threads(backend):
    with ThreadPoolExecutor(16) as threads:
        assert len(set(threads.map(lambda _: id(backend.unwrap(S3FileSystem)), range(64)))) == 1


@pytest.mark.parametrize("attempts", [1, 3])
def test_attempts_are_requests(backend, endpoint, place, bucket, attempts):
    # An answer that is longer than the file is not tried again.
    backend.write("k", bytes(4096))
    with S3PyArrowBackend(bucket, **place, retry=RetryPolicy(attempts)) as other:
        endpoint.reset()
        endpoint.inject(faults.Answer(500, "InternalError"), operation="GetObject", times=None)
        with pytest.raises(OSError, match="INTERNAL_FAILURE"):
            other.unwrap(S3FileSystem).open_input_file(f"{bucket}/k").read()
    assert endpoint.count("GetObject") == attempts


def test_a_server_that_falls_silent_is_given_up(backend, endpoint, place, bucket):
    backend.write("k", b"x")
    with S3PyArrowBackend(bucket, **place, read_timeout=1.0, retry=RetryPolicy.disabled()) as other:
        endpoint.inject(faults.Stall(30), operation="GetObject", times=None)
        with pytest.raises(OSError, match="NETWORK_CONNECTION"):
            other.unwrap(S3FileSystem).open_input_file(f"{bucket}/k").read()
        with pytest.raises(BackendUnavailable):
            other.read_bytes("k")
    assert endpoint.count("GetObject") == 2


def test_without_credentials_there_is_no_filesystem(endpoint, bucket):
    backend = S3PyArrowBackend(bucket, endpoint_url=endpoint.url, region_name="us-east-1")
    with pytest.raises(PermissionDenied) as caught:
        backend.unwrap(S3FileSystem)
    assert caught.value.code == "NoCredentialsError"
    assert endpoint.count() == 0


def test_credentials_that_fail_are_no_permission(endpoint, bucket, monkeypatch):
    with S3PyArrowBackend(bucket, endpoint_url=endpoint.url, region_name="us-east-1", key="k", secret="s") as backend:
        backend.unwrap(BaseClient)
        monkeypatch.setenv("AWS_PROFILE", "absent")
        other = S3PyArrowBackend(bucket, endpoint_url=endpoint.url, region_name="us-east-1")
        with pytest.raises(PermissionDenied) as caught:
            other.unwrap(S3FileSystem)
    assert caught.value.code == "ProfileNotFound"


def test_renewed_credentials_give_a_new_filesystem(backend, monkeypatch):
    given = []

    def renew():
        given.append(f"KEY{len(given)}")
        return {"access_key": given[-1], "secret_key": "s", "token": "t", "expiry_time": "2000-01-01T00:00:00Z"}

    found = RefreshableCredentials.create_from_metadata(renew(), renew, "test", mandatory_timeout=0)
    monkeypatch.setattr(port, "find_credentials", lambda options, session: found)
    monkeypatch.setattr(RefreshableCredentials, "_is_expired", lambda self: False, raising=False)
    monkeypatch.setattr(RefreshableCredentials, "refresh_needed", lambda self, refresh_in=None: len(given) < 2)
    first = backend.unwrap(S3FileSystem)
    assert first is backend.unwrap(S3FileSystem)
    assert first.__reduce__()[1][0]["access_key"] == given[-1]
    monkeypatch.setattr(RefreshableCredentials, "refresh_needed", lambda self, refresh_in=None: len(given) < 3)
    second = backend.unwrap(S3FileSystem)
    assert second is not first
    assert second.__reduce__()[1][0]["access_key"] == given[-1]


def test_what_goes_wrong_in_the_making_is_told():
    with pytest.raises(ZeroDivisionError):
        in_time(5, lambda: 1 // 0)


@needs_fork
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_has_a_filesystem_of_its_own(backend, bucket):
    backend.write("k", b"x")
    filesystem = backend.unwrap(S3FileSystem)
    assert filesystem.open_input_file(f"{bucket}/k").read() == b"x"

    def work():
        own = backend.unwrap(S3FileSystem)
        return own is filesystem or own.open_input_file(f"{bucket}/k").read() != b"x"

    assert in_child(work) == 0
    assert filesystem.open_input_file(f"{bucket}/k").read() == b"x"


@needs_fork
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_forked_while_pyarrow_works_keeps_the_contract_and_does_not_hang(backend, endpoint, place, bucket):
    with S3PyArrowBackend(bucket, **place, connect_timeout=1.0) as other:
        other.write("k", b"x")
        filesystem = other.unwrap(S3FileSystem)
        endpoint.inject(faults.Stall(2), operation="GetObject", times=1)
        reading = threading.Thread(target=lambda: filesystem.open_input_file(f"{bucket}/k").read())
        reading.start()
        while not endpoint.count("GetObject"):
            time.sleep(0.01)

        def work():
            if other.read_bytes("k") != b"x":
                return 1
            try:
                own = other.unwrap(S3FileSystem)
            except CapabilityNotSupported as error:
                return 0 if "fork" in str(error) else 2
            return own.open_input_file(f"{bucket}/k").read() != b"x"

        code = in_child(work)
        reading.join()
    assert code == 0


GLOBAL = """
import logging, sys
import pyarrow.fs
from remote_store.pyarrow import S3PyArrowBackend

logging.getLogger("remote_store").setLevel(logging.ERROR)
url, bucket, key, secret, region = sys.argv[1:]
backend = S3PyArrowBackend(bucket, endpoint_url=url, key=key, secret=secret, region_name=region)
filesystem = backend.unwrap(pyarrow.fs.S3FileSystem)
stream = filesystem.open_output_stream(f"{bucket}/k", compression=None)
stream.write(b"x" * 100)
stream.close()
file = filesystem.open_input_file(f"{bucket}/k")
print(len(file.read()), len(backend.read_bytes("k")))
"""


def test_an_interpreter_ends_in_peace_with_a_filesystem_in_a_global(server, bucket):
    arguments = (server.url, bucket, server.key, server.secret, server.region)
    result = subprocess.run([sys.executable, "-W", "error", "-c", GLOBAL, *arguments], capture_output=True, text=True)
    assert (result.returncode, result.stdout, result.stderr) == (0, "100 100\n", "")
