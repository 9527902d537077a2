"""Credentials that a function returns, on every lane, against a server that checks signatures."""

from __future__ import annotations

import asyncio
import io
import logging
import os
import pickle
import secrets
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from remote_store.conformance.endpoint import Endpoint
from remote_store.conformance.servers import Server, seaweedfs_server
from remote_store.core import AsyncBackend, Backend, PermissionDenied, S3Credentials, Secret
from remote_store.s3fs import AsyncS3FsBackend

MIB = 1024 * 1024
FIRST, SECOND = "first-key", "second-key"
SECRETS = {FIRST: "first-secret", SECOND: "second-secret"}


class Rotating:
    """Returns the first key, and after it the second.

    Args:
        life: Seconds until the first expires; `None` for never.
        pause: Seconds that a call takes.
    """

    def __init__(self, life: float | None = None, pause: float = 0.0) -> None:
        self.life, self.pause, self.calls = life, pause, 0

    def __call__(self) -> S3Credentials:
        self.calls += 1
        time.sleep(self.pause)
        if self.calls > 1:
            return S3Credentials(SECOND, SECRETS[SECOND])
        expires_at = None if self.life is None else datetime.now(UTC) + timedelta(seconds=self.life)
        return S3Credentials(FIRST, SECRETS[FIRST], expires_at=expires_at)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with seaweedfs_server(others=SECRETS) as running:
        yield running


@pytest.fixture
def endpoint(server: Server) -> Iterator[Endpoint]:
    with Endpoint(server.url) as running:
        yield running


@pytest.fixture
def place(server: Server, endpoint: Endpoint) -> dict[str, Any]:
    name = f"credentials-{secrets.token_hex(6)}"
    server.create_bucket(name)
    return {"bucket": name, "endpoint_url": endpoint.url, "region_name": server.region, "conditional_writes": True}


@pytest.fixture(autouse=True)
def other_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials in the environment, which must not be used."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "environment")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "environment-secret")


def keys_of(endpoint: Endpoint) -> list[str]:
    """The access keys that the requests were signed with, without repetitions in a row."""
    found = [
        request.headers["authorization"].partition("Credential=")[2].partition("/")[0] for request in endpoint.requests
    ]
    return [key for number, key in enumerate(found) if number == 0 or key != found[number - 1]]


def test_the_function_is_called_at_the_first_request_and_not_again(
    lane: Callable[..., Backend], place: dict[str, Any], endpoint: Endpoint
) -> None:
    function = Rotating()
    with lane(**place, credentials=function) as backend:
        assert function.calls == 0
        backend.write("a", b"one")
        assert backend.read_bytes("a") == b"one"
    assert function.calls == 1
    assert keys_of(endpoint) == [FIRST]


async def test_the_function_is_called_at_the_first_request_and_not_again_async(
    async_lane: Callable[..., AsyncBackend], place: dict[str, Any], endpoint: Endpoint
) -> None:
    function = Rotating()
    async with async_lane(**place, credentials=function) as backend:
        await backend.write("a", b"one")
        assert await backend.read_bytes("a") == b"one"
    assert function.calls == 1
    assert keys_of(endpoint) == [FIRST]


def test_an_upload_goes_on_with_new_credentials(
    lane: Callable[..., Backend], place: dict[str, Any], endpoint: Endpoint
) -> None:
    content = secrets.token_bytes(1 * MIB) * 24

    class Slow(io.BytesIO):
        def readinto(self, buffer: Any) -> int:
            time.sleep(0.1)
            return super().readinto(buffer)

        def read(self, size: int | None = -1) -> bytes:
            time.sleep(0.1)
            return super().read(size)

    with lane(**place, part_size=5 * MIB, credentials=(function := Rotating(life=0.6))) as backend:
        backend.write("a", Slow(content))
        assert backend.read_bytes("a") == content
    assert function.calls == 2
    assert keys_of(endpoint) == [FIRST, SECOND]


async def test_an_upload_goes_on_with_new_credentials_async(
    async_lane: Callable[..., AsyncBackend], place: dict[str, Any], endpoint: Endpoint
) -> None:
    part = secrets.token_bytes(5 * MIB)

    async def parts() -> Any:
        for _ in range(4):
            await asyncio.sleep(0.3)
            yield part

    function = Rotating(life=0.6)
    async with async_lane(**place, part_size=5 * MIB, credentials=function) as backend:
        await backend.write("a", parts())
        assert await backend.read_bytes("a") == part * 4
    assert function.calls == 2
    assert keys_of(endpoint) == [FIRST, SECOND]


def test_many_threads_call_the_function_once(lane: Callable[..., Backend], place: dict[str, Any]) -> None:
    function = Rotating(pause=0.3)
    with lane(**place, credentials=function) as backend, ThreadPoolExecutor(8) as pool:
        assert list(pool.map(backend.exists, "abcdefgh")) == [False] * 8
        assert function.calls == 1


async def test_many_tasks_call_the_function_once(
    async_lane: Callable[..., AsyncBackend], place: dict[str, Any]
) -> None:
    function = Rotating(pause=0.3)
    async with async_lane(**place, credentials=function) as backend:
        assert await asyncio.gather(*map(backend.exists, "abcdefgh")) == [False] * 8
    assert function.calls == 1


async def test_a_plain_function_does_not_block_the_event_loop(
    async_lane: Callable[..., AsyncBackend], place: dict[str, Any]
) -> None:
    slowest, stop = 0.0, False

    async def tick() -> None:
        nonlocal slowest
        while not stop:
            began = time.perf_counter()
            await asyncio.sleep(0.01)
            slowest = max(slowest, time.perf_counter() - began)

    async with async_lane(**place, credentials=Rotating()) as backend:
        # Making the client takes time too, so it is made before.
        await backend.exists("a")
    async with async_lane(**place, credentials=Rotating(pause=2.0)) as backend:
        ticking = asyncio.create_task(tick())
        await backend.exists("a")
        stop = True
        await ticking
    assert slowest < 1.5


async def test_a_coroutine_function_is_awaited_in_the_event_loop(place: dict[str, Any], endpoint: Endpoint) -> None:
    loops = []

    async def function() -> S3Credentials:
        loops.append(asyncio.get_running_loop())
        return S3Credentials(FIRST, SECRETS[FIRST])

    async with AsyncS3FsBackend(**place, credentials=function) as backend:
        await backend.write("a", b"one")
    async with AsyncS3FsBackend(**place, credentials=lambda: function()) as backend:  # noqa: PLW0108 - not known as one
        assert await backend.read_bytes("a") == b"one"
    assert loops == [asyncio.get_running_loop()] * 2
    assert keys_of(endpoint) == [FIRST]


def test_a_coroutine_function_is_refused_where_nothing_awaits_it(lane: Callable[..., Backend]) -> None:
    async def function() -> S3Credentials:
        raise AssertionError

    class Awaited:
        async def __call__(self) -> S3Credentials:
            raise AssertionError

    for each in (function, Awaited()):
        with pytest.raises(TypeError, match="credentials must be a plain function, not a coroutine function"):
            lane("bucket", credentials=each)


def usable() -> S3Credentials:
    return S3Credentials(FIRST, SECRETS[FIRST])


def one_after_the_other(*functions: Callable[[], Any]) -> Callable[[], Any]:
    """A function that calls another one each time."""
    left = list(functions)

    def function() -> Any:
        return left.pop(0)()

    return function


HIDDEN = "HIDDEN-SECRET"
UNUSABLE: dict[str, tuple[Callable[[], Any], str]] = {
    "an exception": (lambda: os.environ["HIDDEN-SECRET"], "it raised KeyError"),
    "half a credential": (lambda: S3Credentials(FIRST, ""), "it raised ValueError"),
    "no secret": (lambda: S3Credentials(FIRST, None), "it raised TypeError"),  # type: ignore[arg-type]
    "a line break": (lambda: S3Credentials(FIRST, f"{HIDDEN}\n"), "it raised ValueError"),
    "a space": (lambda: S3Credentials(f"{HIDDEN} ", HIDDEN), "it raised ValueError"),
    "a naive time": (lambda: S3Credentials(FIRST, HIDDEN, expires_at=datetime.now()), "it raised ValueError"),  # noqa: DTZ005
    "a past time": (
        lambda: S3Credentials(FIRST, HIDDEN, expires_at=datetime.now(UTC) - timedelta(seconds=1)),
        "it returned credentials whose expires_at is in the past; check the clock too",
    ),
    "a tuple": (lambda: (FIRST, HIDDEN), "it returned an object of type tuple, not S3Credentials"),
    "nothing": (lambda: None, "it returned an object of type NoneType, not S3Credentials"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_unusable_credentials_send_nothing_and_are_asked_for_again(
    lane: Callable[..., Backend], place: dict[str, Any], endpoint: Endpoint, name: str, caplog: Any
) -> None:
    unusable, problem = UNUSABLE[name]
    caplog.set_level(logging.DEBUG, "remote_store")
    with lane(**place, credentials=one_after_the_other(unusable, usable)) as backend:
        with pytest.raises(PermissionDenied) as caught:
            backend.write("a", b"one")
        assert caught.value.message.endswith(
            f"returned no usable credentials, so the request was not sent; correct it ({problem})"
        )
        assert (caught.value.code, caught.value.path) == ("CredentialsFunctionFailed", "a")
        assert not caught.value.retryable
        assert type(caught.value.__cause__).__name__ in (problem.split()[-1], "ValueError", "TypeError")
        assert not endpoint.requests
        backend.write("a", b"one")
    assert keys_of(endpoint) == [FIRST]
    shown = f"{caught.value!r} {caught.value} {backend!r} {caplog.text}"
    assert HIDDEN not in shown
    assert not any(secret in shown for secret in SECRETS.values())


async def test_unusable_credentials_send_nothing_and_are_asked_for_again_async(
    async_lane: Callable[..., AsyncBackend], place: dict[str, Any], endpoint: Endpoint
) -> None:
    for unusable, problem in UNUSABLE.values():
        async with async_lane(**place, credentials=one_after_the_other(unusable, usable)) as backend:
            with pytest.raises(PermissionDenied, match=problem) as caught:
                await backend.exists("a")
            assert not endpoint.requests
            assert not await backend.exists("a")
        assert HIDDEN not in f"{caught.value!r} {caught.value}"
        endpoint.reset()


def test_a_function_that_uses_its_own_backend_gets_an_error_and_no_deadlock(
    lane: Callable[..., Backend], place: dict[str, Any], endpoint: Endpoint
) -> None:
    def function() -> S3Credentials:
        backend.read_bytes("credentials")
        raise AssertionError

    expected = pytest.raises(PermissionDenied, match="it raised PermissionDenied")
    with lane(**place, credentials=function) as backend, expected as caught:
        backend.exists("a")
    assert "it used the backend that waits for its result" in str(caught.value.__cause__)
    assert not endpoint.requests


def test_a_function_may_use_another_backend(
    lane: Callable[..., Backend], place: dict[str, Any], endpoint: Endpoint
) -> None:
    with lane(**place, credentials=Rotating()) as first:
        first.write("credentials", SECRETS[SECOND].encode())

        def function() -> S3Credentials:
            return S3Credentials(SECOND, first.read_bytes("credentials").decode())

        with lane(**place, credentials=function) as second:
            second.write("a", b"one")
    assert keys_of(endpoint) == [FIRST, SECOND]


def test_a_refused_signature_is_an_error_that_shows_no_secret(
    lane: Callable[..., Backend], place: dict[str, Any]
) -> None:
    function = partial(S3Credentials, FIRST, HIDDEN)
    with lane(**place, credentials=function) as backend, pytest.raises(PermissionDenied) as caught:
        backend.read_bytes("a")
    assert caught.value.code == "SignatureDoesNotMatch"
    assert HIDDEN not in f"{caught.value!r} {caught.value}"


def test_a_session_token_is_sent(lane: Callable[..., Backend], place: dict[str, Any], endpoint: Endpoint) -> None:
    function = partial(S3Credentials, FIRST, SECRETS[FIRST], Secret("token"))
    with lane(**place, credentials=function) as backend, pytest.raises(PermissionDenied):
        backend.read_bytes("a")
    assert {request.headers["x-amz-security-token"] for request in endpoint.requests} == {"token"}


def test_a_url_is_presigned_with_the_credentials_of_the_moment(
    lane: Callable[..., Backend], place: dict[str, Any]
) -> None:
    with lane(**place, credentials=Rotating(life=0.8)) as backend:
        backend.write("a", b"one")
        for key in (FIRST, SECOND):
            url = backend.presign("a", expires_in=60)
            assert f"X-Amz-Credential={key}%2F" in url
            with urllib.request.urlopen(url) as response:
                assert response.read() == b"one"
            assert f"{key}/" in backend.presign_post("below/").fields["x-amz-credential"]
            time.sleep(0.8)


async def test_a_url_is_presigned_with_the_credentials_of_the_moment_async(
    async_lane: Callable[..., AsyncBackend], place: dict[str, Any]
) -> None:
    async with async_lane(**place, credentials=one_after_the_other(dict, usable)) as backend:
        with pytest.raises(PermissionDenied, match="it returned an object of type dict"):
            await backend.presign("a")
        assert FIRST in await backend.presign("a")


def test_the_filesystem_of_pyarrow_gets_the_credentials_of_the_moment(
    lanes: dict[str, Any], place: dict[str, Any]
) -> None:
    from pyarrow.fs import S3FileSystem

    with lanes["pyarrow"][0](**place, credentials=(function := Rotating(life=1.0))) as backend:
        backend.write("a", b"one")
        filesystem = backend.unwrap(S3FileSystem)
        assert filesystem.open_input_stream(f"{place['bucket']}/a").read() == b"one"
        time.sleep(1.1)
        renewed = backend.unwrap(S3FileSystem)
        assert renewed.open_input_stream(f"{place['bucket']}/a").read() == b"one"
    assert renewed is not filesystem
    assert function.calls == 2


def test_the_filesystem_of_s3fs_uses_them(lanes: dict[str, Any], place: dict[str, Any], endpoint: Endpoint) -> None:
    from s3fs import S3FileSystem

    with lanes["s3fs"][0](**place, credentials=Rotating(life=0.5)) as backend:
        backend.write("a", b"one")
        filesystem = backend.unwrap(S3FileSystem)
        assert filesystem.cat_file(f"{place['bucket']}/a") == b"one"
        time.sleep(0.6)
        assert filesystem.cat_file(f"{place['bucket']}/a") == b"one"
    assert keys_of(endpoint) == [FIRST, SECOND]


def test_a_backend_can_be_pickled_if_its_function_can(
    lane: Callable[..., Backend], place: dict[str, Any], endpoint: Endpoint
) -> None:
    with lane(**place, credentials=Rotating()) as backend:
        backend.write("a", b"one")
        with pickle.loads(pickle.dumps(backend)) as copy:
            assert copy.read_bytes("a") == b"one"
    assert keys_of(endpoint) == [FIRST, SECOND]
    local = one_after_the_other()
    with lane(**place, credentials=local) as backend, pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(backend)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_asks_for_itself_although_another_thread_is_asking(
    lane: Callable[..., Backend], place: dict[str, Any]
) -> None:
    entered, parent = threading.Event(), os.getpid()

    def function() -> S3Credentials:
        if os.getpid() == parent:
            entered.set()
            time.sleep(1.0)
        return S3Credentials(FIRST, SECRETS[FIRST])

    with lane(**place, credentials=function) as backend:
        thread = threading.Thread(target=backend.exists, args=("a",))
        thread.start()
        assert entered.wait(10)
        child = os.fork()
        if child == 0:
            try:
                os._exit(0 if backend.exists("a") is False else 1)
            finally:
                os._exit(2)
        deadline = time.monotonic() + 60
        while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0) and time.monotonic() < deadline:
            time.sleep(0.05)
        if ended == (0, 0):
            os.kill(child, 9)
            os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(ended[1]) == 0
        assert ended != (0, 0)
        thread.join()


@pytest.mark.parametrize(
    "others, name",
    [
        ({"key": "k", "secret": "s"}, "key, secret"),
        ({"session_token": "t"}, "session_token"),
        ({"profile": "p"}, "profile"),
        ({"anon": True}, "anon"),
    ],
)
def test_other_credentials_are_refused_beside_a_function(
    lane: Callable[..., Backend], others: dict[str, Any], name: str
) -> None:
    with pytest.raises(ValueError, match=f"credentials are those that the function returns, so omit {name}"):
        lane("bucket", credentials=Rotating(), **others)


def test_a_handle_has_credentials_of_its_own(lanes: dict[str, Any], place: dict[str, Any]) -> None:
    import boto3
    from s3fs import S3FileSystem

    session = boto3.Session()
    for name, handle in (
        ("boto3", {"client": session.client("s3", region_name="us-east-1")}),
        ("boto3", {"session": session}),
        ("pyarrow", {"session": session}),
        ("s3fs", {"fs": S3FileSystem(skip_instance_cache=True)}),
    ):
        with pytest.raises(ValueError, match="determines these options itself, so omit them: credentials"):
            lanes[name][0]("bucket", credentials=Rotating(), **handle)
