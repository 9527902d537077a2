from __future__ import annotations

import asyncio
import inspect
import os
import pickle
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest
from botocore.client import BaseClient
from botocore.config import Config

import remote_store.boto3
from remote_store.boto3 import AsyncS3Boto3Backend, S3Boto3Backend
from remote_store.conformance.faults import Answer
from remote_store.conformance.servers import dead_endpoint
from remote_store.core import (
    AlreadyExists,
    AsyncBackend,
    Backend,
    BackendUnavailable,
    Capability,
    CapabilityNotSupported,
    NotFound,
    PermissionDenied,
    RetryPolicy,
)


def plain_client(place, **arguments):
    return boto3.session.Session().client(
        "s3",
        endpoint_url=place["endpoint_url"],
        aws_access_key_id=place["key"],
        aws_secret_access_key=place["secret"],
        region_name=place["region_name"],
        **arguments,
    )


@pytest.fixture
def backend(place, bucket):
    with S3Boto3Backend(bucket, **place) as made:
        yield made


def test_public_names_have_one_home():
    assert remote_store.boto3.__all__ == ["AsyncS3Boto3Backend", "S3Boto3Backend"]
    for name in remote_store.boto3.__all__:
        assert getattr(remote_store.boto3, name).__module__ == "remote_store.boto3"
    assert issubclass(S3Boto3Backend, Backend)
    assert issubclass(AsyncS3Boto3Backend, AsyncBackend)


def test_the_sdk_is_the_real_one():
    assert "site-packages" in inspect.getfile(boto3)
    assert boto3.__name__ == "boto3"


def test_a_file_goes_there_and_back(backend):
    backend.write("a/b.txt", b"hello", metadata={"a": "b"}, content_type="text/plain")
    info = backend.get_file_info("a/b.txt")
    assert (info.size, info.metadata, info.content_type) == (5, {"a": "b"}, "text/plain")
    assert backend.read_bytes("a/b.txt") == b"hello"
    with backend.read("a/b.txt") as file:
        assert file.read() == b"hello"
    assert [found.path for found in backend.list_files("", recursive=True)] == ["a/b.txt"]
    backend.delete("a/b.txt")
    with pytest.raises(NotFound):
        backend.read_bytes("a/b.txt")


def test_making_one_does_no_request_and_shows_no_secret(bucket):
    backend = S3Boto3Backend(bucket, endpoint_url=dead_endpoint(), key="KEY", secret="HIDDEN", session_token="HIDDEN")
    assert "HIDDEN" not in repr(backend)
    assert backend.name == "s3-boto3"
    backend.close()


def test_capabilities_follow_what_the_server_is_trusted_with(bucket):
    assert Capability.ATOMIC_CREATE in S3Boto3Backend(bucket).capabilities
    assert Capability.ATOMIC_CREATE not in S3Boto3Backend(bucket, endpoint_url="http://127.0.0.1:9").capabilities
    trusted = S3Boto3Backend(bucket, endpoint_url="http://127.0.0.1:9", conditional_writes=True)
    assert Capability.ATOMIC_CREATE in trusted.capabilities


def test_a_dead_server_is_unavailable(bucket, place):
    backend = S3Boto3Backend(bucket, **{**place, "endpoint_url": dead_endpoint()}, retry=RetryPolicy.disabled())
    with pytest.raises(BackendUnavailable) as caught:
        backend.check_health()
    assert caught.value.retryable
    assert caught.value.code == "EndpointConnectionError"


@pytest.mark.parametrize(
    "environment,options,code",
    [
        ({}, {}, "NoCredentialsError"),
        ({"AWS_ACCESS_KEY_ID": "only"}, {}, "PartialCredentialsError"),
        ({}, {"profile": "absent"}, "ProfileNotFound"),
    ],
)
def test_missing_credentials_are_no_permission(monkeypatch, endpoint, bucket, environment, options, code):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    backend = S3Boto3Backend(bucket, endpoint_url=endpoint.url, region_name="us-east-1", **options)
    for operation in (backend.check_health, lambda: backend.unwrap(BaseClient).list_objects_v2(Bucket=bucket)):
        if code == "NoCredentialsError" and operation != backend.check_health:
            continue
        with pytest.raises(PermissionDenied) as caught:
            operation()
        assert caught.value.code == code
        assert not caught.value.retryable
    assert endpoint.count() == 0


def test_a_profile_gives_credentials(endpoint, place, bucket):
    credentials = Path(os.environ["AWS_SHARED_CREDENTIALS_FILE"])
    credentials.write_text("[mine]\naws_access_key_id = PROFILEKEY\naws_secret_access_key = s\n")
    options = {"endpoint_url": endpoint.url, "region_name": "us-east-1", "profile": "mine"}
    with S3Boto3Backend(bucket, **options) as backend:
        backend.check_health()
    assert "Credential=PROFILEKEY/" in endpoint.requests[-1].headers["authorization"]


def test_unwrap_hands_out_the_client_that_is_used(backend, endpoint, bucket):
    backend.write("k", b"x")
    client = backend.unwrap(BaseClient)
    assert client is backend.unwrap(BaseClient)
    assert client is backend.unwrap(type(client))
    assert client.head_object(Bucket=bucket, Key="k")["ContentLength"] == 1
    assert endpoint.open_connections == 1


@pytest.mark.parametrize("kind", [object, str, boto3.Session, type("Other", (BaseClient,), {})])
def test_unwrap_refuses_what_it_has_not(backend, kind):
    with pytest.raises(CapabilityNotSupported):
        backend.unwrap(kind)


def test_a_closed_backend_refuses(backend):
    backend.close()
    backend.close()
    for operation in (backend.check_health, lambda: backend.unwrap(BaseClient), lambda: backend.unwrap(str)):
        with pytest.raises(BackendUnavailable) as caught:
            operation()
        assert not caught.value.retryable


def test_threads_share_one_client(place, bucket):
    backend = S3Boto3Backend(bucket, **place)
    barrier = threading.Barrier(16)

    def ask(number):
        barrier.wait()
        backend.write(f"{number}", b"x")
        return id(backend.unwrap(BaseClient))

    with ThreadPoolExecutor(16) as threads:
        assert len(set(threads.map(ask, range(16)))) == 1
    backend.close()


def test_it_pickles_as_its_configuration(backend, bucket):
    backend.write("k", b"x")
    with pickle.loads(pickle.dumps(backend)) as copy:
        assert copy.read_bytes("k") == b"x"
        assert copy.unwrap(BaseClient) is not backend.unwrap(BaseClient)


def test_it_pickles_with_a_config_of_the_user(place, bucket):
    backend = S3Boto3Backend(bucket, **place, client_options={"config": Config(read_timeout=7)})
    copy = pickle.loads(pickle.dumps(backend))
    assert copy.unwrap(BaseClient).meta.config.read_timeout == 7
    copy.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_has_a_client_of_its_own(backend):
    backend.write("k", b"x")
    client = backend.unwrap(BaseClient)
    child = os.fork()
    if not child:
        os._exit(0 if backend.read_bytes("k") == b"x" and backend.unwrap(BaseClient) is not client else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert backend.read_bytes("k") == b"x"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("read", [0, 10])
def test_a_forked_child_reads_an_open_file_over_a_connection_of_its_own(backend, read):
    content = bytes(range(256)) * 8192
    backend.write("k", content)
    file = backend.read("k")
    file.read(read)
    child = os.fork()
    if not child:
        os._exit(0 if file.read() == content[read:] and file.close() is None else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert file.read() == content[read:]


def test_a_client_that_is_lent_is_used_as_it_is(place, endpoint, bucket):
    client = plain_client(place)
    with S3Boto3Backend(bucket, client=client) as backend:
        assert backend.unwrap(BaseClient) is client
        backend.write("a b+c/é", b"x")
        assert [found.path for found in backend.list_files("", recursive=True)] == ["a b+c/é"]
        assert backend.read_bytes("a b+c/é") == b"x"
        sent = next(request.headers for request in endpoint.requests if request.operation == "PutObject")
        assert sent["expect"] == "100-continue"
        assert "Boto3/" in sent["user-agent"]
        assert "remote-store" not in sent["user-agent"]
    assert endpoint.open_connections == 1
    assert client.head_bucket(Bucket=bucket)


def test_a_lent_client_is_trusted_by_where_it_leads(place, bucket):
    elsewhere = S3Boto3Backend(bucket, client=plain_client(place))
    assert Capability.ATOMIC_CREATE not in elsewhere.capabilities
    assert elsewhere.resolve("k").details["endpoint_url"] == place["endpoint_url"]
    assert (
        Capability.ATOMIC_CREATE
        in S3Boto3Backend(bucket, client=plain_client(place), conditional_writes=True).capabilities
    )
    aws = boto3.session.Session().client("s3", region_name="eu-west-1")
    assert Capability.ATOMIC_CREATE in S3Boto3Backend(bucket, client=aws).capabilities


def test_an_untrusted_create_looks_first(place, endpoint, bucket):
    with S3Boto3Backend(bucket, client=plain_client(place)) as backend:
        backend.write("k", b"x")
        assert endpoint.operations() == ["HeadObject", "PutObject"]
        with pytest.raises(AlreadyExists):
            backend.write("k", b"y")


@pytest.mark.parametrize("credentials", [{"key": "HU\nSH"}, {"token": "HUSH\n"}], ids=["key", "token"])
def test_malformed_credentials_of_a_lent_client_are_refused_and_not_shown(place, endpoint, bucket, credentials):
    token = credentials.get("token")
    backend = S3Boto3Backend(bucket, client=plain_client({**place, **credentials}, aws_session_token=token))
    for call in (lambda: backend.read_bytes("k"), lambda: backend.write("k", b"x", overwrite=True)):
        with pytest.raises(PermissionDenied, match="line break; check the credentials of the client") as caught:
            call()
        shown = "".join(traceback.format_exception(caught.value))
        assert "SH" not in shown
        assert not caught.value.retryable
    assert endpoint.count() == 0


def test_a_lent_client_with_a_wrong_secret_is_told_of_white_space(place, endpoint, bucket):
    backend = S3Boto3Backend(bucket, client=plain_client({**place, "secret": "HUSH\n"}))
    endpoint.inject(Answer(403, "SignatureDoesNotMatch"))
    with pytest.raises(PermissionDenied, match="ends with white space") as caught:
        backend.read_bytes("k")
    assert "HUSH" not in "".join(traceback.format_exception(caught.value))


def test_the_attempts_of_a_lent_client_are_its_own(place, endpoint, bucket):
    client = plain_client(place, config=Config(retries={"total_max_attempts": 3}))
    assert S3Boto3Backend(bucket, client=client)._connect()._attempts == 3


def test_a_session_lends_its_credentials(place, endpoint, bucket):
    session = boto3.session.Session("SESSIONKEY", "s", region_name="eu-west-1")
    with S3Boto3Backend(bucket, session=session, endpoint_url=place["endpoint_url"]) as backend:
        backend.write("k", b"x")
        assert backend.read_bytes("k") == b"x"
    credential = endpoint.requests[-1].headers["authorization"].split("Credential=")[1].split("/")
    assert (credential[0], credential[2]) == ("SESSIONKEY", "eu-west-1")


def test_what_was_lent_cannot_be_pickled(place, bucket):
    for lent in ({"client": plain_client(place)}, {"session": boto3.session.Session()}):
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(S3Boto3Backend(bucket, **lent))


@pytest.mark.parametrize(
    "option",
    [
        {"endpoint_url": "http://127.0.0.1:9"},
        {"key": "k", "secret": "s"},
        {"profile": "p"},
        {"anon": True},
        {"retry": RetryPolicy(1)},
        {"read_timeout": 1.0},
        {"client_options": {"verify": False}},
        {"session": boto3.session.Session()},
    ],
)
def test_options_of_a_client_are_refused_beside_one(place, bucket, option):
    with pytest.raises(ValueError, match=next(iter(option))):
        S3Boto3Backend(bucket, client=plain_client(place), **option)


def test_other_options_go_with_a_client(place, bucket):
    options = {"part_size": 5 * 1024 * 1024, "max_concurrency": 2, "put_options": {"StorageClass": "STANDARD_IA"}}
    with S3Boto3Backend(bucket, client=plain_client(place), **options, endpoint_url=None) as backend:
        backend.write("k", b"x")
        assert backend.get_file_info("k").storage_class == "STANDARD_IA"


@pytest.mark.parametrize("option", [{"key": "k", "secret": "s"}, {"profile": "p"}])
def test_credentials_are_refused_beside_a_session(bucket, option):
    with pytest.raises(ValueError, match=next(iter(option))):
        S3Boto3Backend(bucket, session=boto3.session.Session(), **option)


@pytest.mark.parametrize(
    "options",
    [
        {"client": object()},
        {"client": boto3.session.Session().client("sts", region_name="us-east-1")},
        {"session": object()},
        {"client_options": {"endpoint_url": "http://127.0.0.1:9"}},
        {"client_options": {"aws_secret_access_key": "HIDDEN"}},
        {"client_options": {"retries": 3}},
        {"client_options": {"config": {}}},
        {"colour": "blue"},
    ],
)
def test_what_is_not_known_is_a_type_error(bucket, options):
    with pytest.raises(TypeError) as caught:
        S3Boto3Backend(bucket, **options)
    assert "HIDDEN" not in str(caught.value)


def test_a_bundle_of_certificates_has_to_exist(bucket, tmp_path):
    with pytest.raises(FileNotFoundError, match="tls_ca_bundle"):
        S3Boto3Backend(bucket, tls_ca_bundle=str(tmp_path / "absent"))


@pytest.mark.parametrize("put_options", [{"Tagging": {"a": "b"}}, {"StorageClass": 5}, {"BucketKeyEnabled": "yes"}])
def test_put_options_of_a_wrong_type_are_refused_before_any_request(place, endpoint, bucket, put_options):
    backend = S3Boto3Backend(bucket, **place, put_options=put_options)
    with pytest.raises(ValueError, match=next(iter(put_options))):
        backend.write("k", b"x")
    assert endpoint.count() == 0


def test_the_async_backend_does_the_same(place, bucket):
    async def work():
        async with AsyncS3Boto3Backend(bucket, **place) as backend:
            await asyncio.gather(*(backend.write(f"{number}", b"x") for number in range(40)))
            assert await backend.read_bytes("7") == b"x"
            assert backend.name == "s3-boto3"
            assert isinstance(backend.unwrap(BaseClient), BaseClient)
            return [found.path async for found in backend.list_files("", recursive=True)]

    assert len(asyncio.run(work())) == 40


def test_the_async_backend_takes_the_same_options(place, bucket):
    client = plain_client(place)
    assert AsyncS3Boto3Backend(bucket, client=client).unwrap(BaseClient) is client
    with pytest.raises(TypeError, match="colour"):
        AsyncS3Boto3Backend(bucket, colour="blue")
