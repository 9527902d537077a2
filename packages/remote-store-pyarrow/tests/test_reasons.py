"""Why the contract is not kept by pyarrow: each test shows, on the release that is installed, what forbids it."""

from __future__ import annotations

import pytest
from pyarrow.fs import FileInfo, FileType, S3FileSystem

from remote_store.conformance import faults

OLD = b"old old old"


def requests_of(endpoint, work):
    with endpoint.recording() as sent:
        work()
    return [request.operation for request in sent]


@pytest.fixture
def filesystem(backend):
    backend.write("k", OLD)
    return backend.unwrap(S3FileSystem)


@pytest.mark.parametrize(
    "read",
    [
        lambda filesystem, path: filesystem.open_input_file(path).read(),
        lambda filesystem, path: filesystem.open_input_file(path).read_at(4, 2),
        lambda filesystem, path: filesystem.open_input_stream(path, compression=None).read(),
    ],
)
def test_every_read_is_two_requests(filesystem, endpoint, bucket, read):
    assert requests_of(endpoint, lambda: read(filesystem, f"{bucket}/k")) == ["HeadObject", "GetObject"]


def test_a_size_that_is_known_cannot_be_told(filesystem, bucket):
    with pytest.raises(TypeError):
        filesystem.open_input_file(FileInfo(f"{bucket}/k", FileType.File, size=len(OLD)))


@pytest.mark.parametrize("new", [b"new", b"a new and much longer object"])
def test_an_object_that_is_replaced_between_the_two_is_handed_out_wrong(filesystem, endpoint, plain, bucket, new):
    replace = faults.Call(lambda request: plain.put_object(Bucket=bucket, Key="k", Body=new))
    endpoint.inject(replace, operation="GetObject")
    data = filesystem.open_input_file(f"{bucket}/k").read()
    assert len(data) == len(OLD)
    assert data not in (OLD, new)


def test_a_stream_is_a_request_for_each_256_kib(filesystem, backend, endpoint, bucket):
    backend.write("large", bytes(1024 * 1024))
    with filesystem.open_input_stream(f"{bucket}/large", compression=None) as stream:
        assert requests_of(endpoint, stream.readall) == ["GetObject"] * 4


@pytest.mark.parametrize("status,code", [(403, "AccessDenied"), (400, "ExpiredToken"), (503, "SlowDown")])
def test_no_refusal_that_is_longer_than_the_file_is_told_or_tried_again(backend, endpoint, bucket, status, code):
    backend.write("k", b"x")
    endpoint.inject(faults.Answer(status, code), operation="GetObject")
    with pytest.raises(OSError, match="INTERNAL_FAILURE") as caught:
        backend.unwrap(S3FileSystem).open_input_file(f"{bucket}/k").read()
    assert code not in str(caught.value)
    assert endpoint.count("GetObject") == 1


def test_an_exception_commits_and_metadata_is_dropped(filesystem, backend, plain, bucket):
    def fail():
        with filesystem.open_output_stream(f"{bucket}/cut", compression=None, metadata={"author": "ada"}) as stream:
            stream.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert plain.get_object(Bucket=bucket, Key="cut")["Body"].read() == b"half"
    assert backend.get_file_info("cut").metadata == {}


def test_a_delete_leaves_a_marker(filesystem, backend, plain, bucket):
    backend.write("folder/only", b"x")
    filesystem.delete_file(f"{bucket}/folder/only")
    assert [row["Key"] for row in plain.list_objects_v2(Bucket=bucket, Prefix="folder")["Contents"]] == ["folder/"]


@pytest.mark.parametrize("key", ["a//b", "/lead"])
def test_some_keys_are_out_of_reach(filesystem, plain, bucket, key):
    plain.put_object(Bucket=bucket, Key=key, Body=b"x")
    with pytest.raises(ValueError, match="Empty path component"):
        filesystem.open_input_file(f"{bucket}/{key}")


def test_a_name_unpacks_unless_it_is_told_not_to(filesystem, backend, bucket):
    backend.write("plain.gz", b"not packed at all")
    with pytest.raises(OSError, match="zlib"):
        filesystem.open_input_stream(f"{bucket}/plain.gz").read()
    with filesystem.open_input_stream(f"{bucket}/plain.gz", compression=None) as stream:
        assert stream.read() == b"not packed at all"
