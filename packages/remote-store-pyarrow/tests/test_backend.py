from __future__ import annotations

import asyncio
import inspect
import io
import pickle
import subprocess
import sys

import boto3
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
import pytest
from botocore.client import BaseClient
from pyarrow.fs import FileSystem, LocalFileSystem, S3FileSystem

import remote_store.pyarrow
from remote_store.botocore.settings import warn_of_redirects
from remote_store.conformance import faults
from remote_store.conformance.servers import dead_endpoint
from remote_store.core import (
    AlreadyExists,
    AsyncBackend,
    BackendUnavailable,
    Capability,
    CapabilityNotSupported,
    NotFound,
    PreconditionFailed,
    RetryPolicy,
    Store,
)
from remote_store.core.s3 import S3Backend
from remote_store.pyarrow import AsyncS3PyArrowBackend, S3PyArrowBackend

TABLE = pa.table({"number": list(range(1000)), "text": [f"row {number}" for number in range(1000)]})


def test_public_names_have_one_home():
    assert {"AsyncS3PyArrowBackend", "S3PyArrowBackend"} < set(remote_store.pyarrow.__all__)
    for name in remote_store.pyarrow.__all__:
        assert getattr(remote_store.pyarrow, name).__module__ == "remote_store.pyarrow"
    assert issubclass(S3PyArrowBackend, S3Backend)
    assert issubclass(AsyncS3PyArrowBackend, AsyncBackend)


def test_the_sdk_is_the_real_one():
    assert "site-packages" in inspect.getfile(pa)
    assert pa.__name__ == "pyarrow"


def test_making_one_does_no_request_and_shows_no_secret(bucket):
    backend = S3PyArrowBackend(bucket, endpoint_url=dead_endpoint(), key="KEY", secret="HIDDEN", session_token="HIDDEN")
    assert "HIDDEN" not in repr(backend)
    assert backend.name == "s3-pyarrow"
    backend.close()


def test_capabilities_are_those_of_every_s3_backend(bucket):
    every = S3Backend.capabilities | {Capability.PRESIGN}
    assert S3PyArrowBackend(bucket).capabilities == every
    custom = S3PyArrowBackend(bucket, endpoint_url="http://127.0.0.1:9")
    unknown = {Capability.ATOMIC_CREATE, Capability.COMPARE_AND_SWAP, Capability.CONDITIONAL_DELETE}
    assert custom.capabilities == every - unknown


@pytest.mark.parametrize("kind", [S3FileSystem, FileSystem])
def test_unwrap_hands_out_the_filesystem(backend, bucket, kind):
    backend.write("a/k", b"hello")
    filesystem = backend.unwrap(kind)
    assert isinstance(filesystem, S3FileSystem)
    assert filesystem is backend.unwrap(S3FileSystem)
    with filesystem.open_input_file(backend.native_path("a/k")) as file:
        assert file.read() == b"hello"


def test_pyarrows_filesystem_is_warned_of_once(backend, caplog):
    warn_of_redirects.cache_clear()
    for _ in range(2):
        backend.unwrap(S3FileSystem)
    assert [record.name for record in caplog.records if "redirect" in record.message] == ["remote_store"]


def test_unwrap_hands_out_the_client(backend, bucket):
    backend.write("k", b"x")
    assert backend.unwrap(BaseClient).head_object(Bucket=bucket, Key="k")["ContentLength"] == 1


def test_the_client_has_what_boto3_adds(backend, bucket):
    backend.unwrap(BaseClient).upload_fileobj(io.BytesIO(b"hello"), bucket, "k")
    assert backend.read_bytes("k") == b"hello"


def test_boto3_need_not_be_installed(backend, monkeypatch):
    session = boto3.Session("key", "secret")
    for name in [name for name in sys.modules if name.partition(".")[0] == "boto3"]:
        # Python then raises `ModuleNotFoundError` for an import of it.
        monkeypatch.setitem(sys.modules, name, None)
    backend.write("k", b"hello")
    assert backend.read_bytes("k") == b"hello"
    assert not hasattr(backend.unwrap(BaseClient), "upload_fileobj")
    with pytest.raises(TypeError, match="session cannot be a boto3"):
        S3PyArrowBackend("bucket", session=session)


def test_the_lane_does_not_import_boto3():
    code = "import sys, remote_store.pyarrow; sys.exit('boto3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize("kind", [object, str, LocalFileSystem])
def test_unwrap_refuses_what_it_has_not(backend, kind):
    with pytest.raises(CapabilityNotSupported):
        backend.unwrap(kind)


def test_a_closed_backend_refuses(backend):
    backend.close()
    for kind in (S3FileSystem, BaseClient, str):
        with pytest.raises(BackendUnavailable) as caught:
            backend.unwrap(kind)
        assert not caught.value.retryable


def test_it_pickles_as_its_configuration(backend, bucket):
    backend.write("k", b"x")
    backend.unwrap(S3FileSystem)
    with pickle.loads(pickle.dumps(backend)) as copy:
        assert copy.read_bytes("k") == b"x"
        assert copy.unwrap(S3FileSystem) is not backend.unwrap(S3FileSystem)
        assert copy.unwrap(S3FileSystem).open_input_file(f"{bucket}/k").read() == b"x"


def test_what_arrow_writes_the_store_reads_and_the_other_way_round(backend):
    store = Store(backend, "reports")
    filesystem = backend.unwrap(S3FileSystem)
    pyarrow.parquet.write_table(TABLE, backend.native_path("reports/arrow.parquet"), filesystem=filesystem)
    for buffer_size in (0, 1000):
        with store.read_seekable("arrow.parquet", buffer_size) as file:
            assert pyarrow.parquet.read_table(file) == TABLE
    with store.read("arrow.parquet") as file:
        assert pyarrow.parquet.read_table(file) == TABLE
    content = io.BytesIO()
    pyarrow.parquet.write_table(TABLE, content)
    store.write("store.parquet", content.getvalue())
    path = backend.native_path("reports/store.parquet")
    assert pyarrow.parquet.read_table(path, filesystem=filesystem) == TABLE
    dataset = pyarrow.dataset.dataset(backend.native_path("reports"), filesystem=backend.unwrap(FileSystem))
    assert dataset.count_rows() == 2000


def test_a_table_that_is_replaced_while_it_is_read_is_an_error(backend):
    content = io.BytesIO()
    pyarrow.parquet.write_table(TABLE, content)
    backend.write("k", content.getvalue())
    with backend.read_seekable("k") as file:
        table = pyarrow.parquet.ParquetFile(file)
        backend.write("k", b"x" * len(content.getvalue()), overwrite=True)
        with pytest.raises(PreconditionFailed):
            table.read()


def test_metadata_is_kept(backend, plain, bucket):
    backend.write("k", b"x", metadata={"author": "ada"}, content_type="text/plain")
    backend.copy("k", "copy")
    for key in ("k", "copy"):
        head = plain.head_object(Bucket=bucket, Key=key)
        assert (head["Metadata"], head["ContentType"]) == ({"author": "ada"}, "text/plain")


def test_foreign_keys_are_exact(backend, plain, bucket):
    for key in ("a//b", "/lead", "a*b", "axb"):
        plain.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert {info.path for info in backend.list_files("", recursive=True)} == {"a//b", "/lead", "a*b", "axb"}
    assert backend.read_bytes("a//b") == b"a//b"
    backend.delete("a*b")
    backend.delete("a//b")
    assert [row["Key"] for row in plain.list_objects_v2(Bucket=bucket)["Contents"]] == ["/lead", "axb"]


@pytest.mark.parametrize("key", ["404.csv", "AWS Error NO_SUCH_KEY during GetObject", "(HTTP status 404)", "NoSuchKey"])
def test_a_key_is_no_error(bucket, key):
    options = {"endpoint_url": dead_endpoint(), "key": "k", "secret": "s", "region_name": "us-east-1"}
    with S3PyArrowBackend(bucket, **options, retry=RetryPolicy.disabled()) as backend:
        for operation in (backend.read_bytes, backend.get_file_info, backend.is_file, backend.delete):
            with pytest.raises(BackendUnavailable):
                operation(key)


@pytest.mark.parametrize(
    "work,requests",
    [
        (lambda backend: backend.read_bytes("k"), ["GetObject"]),
        (lambda backend: backend.read_range("k", 1, 2), ["GetObject"]),
        (lambda backend: backend.read("k").read(), ["GetObject"]),
        (lambda backend: backend.read_seekable("k").read(2), ["HeadObject", "GetObject"]),
        (lambda backend: backend.write("new", b"x"), ["PutObject"]),
        (lambda backend: backend.delete("k"), ["HeadObject", "DeleteObject"]),
    ],
)
def test_what_an_operation_costs(backend, endpoint, work, requests):
    backend.write("k", b"content")
    with endpoint.recording() as sent:
        work(backend)
    assert [request.operation for request in sent] == requests


def test_a_create_has_one_winner_and_a_miss_is_told(backend, endpoint):
    backend.write("k", b"x")
    with pytest.raises(AlreadyExists):
        backend.write("k", b"y")
    with endpoint.recording() as sent, pytest.raises(NotFound):
        backend.read_bytes("absent")
    assert [request.operation for request in sent] == ["GetObject", "ListObjectsV2"]


def test_an_object_that_is_replaced_in_the_middle_of_a_whole_read_is_whole(backend, endpoint, plain, bucket):
    backend.write("k", b"old old old")
    replace = faults.Call(lambda request: plain.put_object(Bucket=bucket, Key="k", Body=b"new"))
    endpoint.inject(replace, operation="GetObject")
    assert backend.read_bytes("k") == b"new"


def test_the_async_backend_does_the_same(place, bucket):
    async def work():
        async with AsyncS3PyArrowBackend(bucket, **place) as backend:
            await asyncio.gather(*(backend.write(f"{number}", b"x") for number in range(40)))
            assert await backend.read_bytes("7") == b"x"
            assert backend.name == "s3-pyarrow"
            assert backend.unwrap(S3FileSystem).open_input_file(f"{bucket}/7").read() == b"x"
            return [found.path async for found in backend.list_files("", recursive=True)]

    assert len(asyncio.run(work())) == 40
    with pytest.raises(TypeError, match="colour"):
        AsyncS3PyArrowBackend(bucket, colour="blue")
