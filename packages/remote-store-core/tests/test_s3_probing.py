"""The probe of an endpoint: what it finds on servers that honour, ignore or half honour conditions."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from honouring import KINDS, WAYS, Honouring, breaks, kind_of
from remote_store.conformance.fakes.s3 import AsyncFakeS3Port, FakeS3, FakeS3Port
from remote_store.core import (
    BackendUnavailable,
    CapabilityNotSupported,
    ConditionalWrites,
    InvalidPath,
    MemoryBackend,
    NotFound,
    PermissionDenied,
    RemoteStoreError,
    Store,
)
from remote_store.core.s3 import AsyncS3Backend, Call, Fault, S3Backend, S3Options

EVERY = ConditionalWrites.every(True)
PAIRS = [("put", "swap"), ("complete", "complete_swap")]
"""The conditions of one operation, which a server checks with a lock or without."""


class SyncFakeBackend(S3Backend):
    def __init__(self, s3: FakeS3) -> None:
        super().__init__(s3.bucket, S3Options.build(endpoint_url="http://s3.test"))
        self._s3 = s3

    def _connect(self) -> FakeS3Port:
        return FakeS3Port(self._s3)


class AsyncFakeBackend(AsyncS3Backend):
    def __init__(self, s3: FakeS3) -> None:
        super().__init__(s3.bucket, S3Options.build(endpoint_url="http://s3.test"))
        self._s3 = s3

    async def _connect(self) -> AsyncFakeS3Port:
        return AsyncFakeS3Port(self._s3)


@pytest.fixture
def s3(s3: FakeS3) -> Honouring:
    """A server that honours all conditions until a test says which it breaks."""
    return Honouring()


@pytest.fixture
def probe(s3: Honouring, open_lane: Any) -> Any:
    """Probes the server."""

    def probing(folder: str = "mine", **options: Any) -> ConditionalWrites:
        lane = open_lane(endpoint_url="http://s3.test", **options)
        if lane.is_async:
            s3.slow = asyncio.sleep
        found: ConditionalWrites = lane.probe_conditions(folder)
        return found

    return probing


def broken_in(way: str) -> list[Any]:
    return [pytest.param(kind, way, id=f"{kind} {way}") for kind in KINDS if breaks(kind, way)]


def test_a_server_that_honours_all_is_found_to(probe: Any, s3: Honouring) -> None:
    s3.put("mine/theirs", b"left alone")
    assert probe() == EVERY
    assert list(s3.objects) == ["mine/theirs"]
    assert not s3.uploads


@pytest.mark.parametrize("kind, way", [case for way in WAYS for case in broken_in(way)])
def test_a_condition_that_is_broken_in_one_way_is_found_out(kind: str, way: str, probe: Any, s3: Honouring) -> None:
    s3.broken = {kind: way}
    found = probe()
    affected = [kind]
    if way == "checks without a lock":
        affected += [name for pair in PAIRS for name in pair if kind in pair]
    assert {name: getattr(found, name) for name in KINDS} == dict.fromkeys(KINDS, True) | dict.fromkeys(affected, False)
    assert not s3.objects
    assert not s3.uploads


def test_a_server_that_honours_creates_and_no_swaps_is_found_to(probe: Any, s3: Honouring) -> None:
    s3.broken = dict.fromkeys(("delete", "swap", "complete_swap"), "ignores")
    assert probe() == ConditionalWrites(
        put=True, complete=True, copy=True, delete=False, swap=False, complete_swap=False
    )


@pytest.mark.parametrize("way", ["ignores", "lacks", "refuses always"])
def test_a_server_that_honours_nothing_is_found_to(way: str, probe: Any, s3: Honouring) -> None:
    s3.broken = dict.fromkeys(KINDS, way)
    assert probe() == ConditionalWrites.every(False)
    assert not s3.objects


@pytest.mark.parametrize("tag", [None, 'W/"weak"'])
def test_without_a_strong_tag_there_is_nothing_to_swap(tag: str | None, probe: Any, s3: Honouring) -> None:

    def after(call: Call, answer: Any) -> None:
        if call.operation in ("PutObject", "GetObject"):
            answer |= {"ETag": tag, "ResponseMetadata": {"HTTPHeaders": {"x-amz-request-id": "R"}}}

    s3.after = after
    found = probe()
    assert (found.put, found.swap, found.complete_swap, found.delete) == (True, False, False, False)


@pytest.mark.parametrize("operation", ["CreateMultipartUpload", "CopyObject"])
def test_a_server_without_an_operation_lacks_its_conditions(operation: str, probe: Any, s3: Honouring) -> None:

    def before(call: Call) -> None:
        if call.operation == operation:
            raise Fault("NotImplemented", 501)

    s3.before = before
    found = probe()
    lacking = ("copy",) if operation == "CopyObject" else ("complete", "complete_swap")
    assert {name: getattr(found, name) for name in KINDS} == dict.fromkeys(KINDS, True) | dict.fromkeys(lacking, False)


PROVE_NOTHING = {
    "denied": (Fault("AccessDenied", 403), PermissionDenied),
    "busy": (Fault("SlowDown", 503), BackendUnavailable),
    "reset": (Fault("ConnectionError", transport=True), BackendUnavailable),
    "a proxy's 412": (Fault("412", 412, foreign=True), RemoteStoreError),
    "a proxy's 501": (Fault("501", 501, foreign=True), RemoteStoreError),
    "a proxy's page": (Fault("NotS3", 200), RemoteStoreError),
    "a lost response before a 412": (Fault("PreconditionFailed", 412, attempts=2), RemoteStoreError),
    "no bucket": (Fault("NoSuchBucket", 404), NotFound),
}


@pytest.mark.parametrize(
    "kind, name",
    [*((kind, "denied") for kind in KINDS), *((kind, name) for name in PROVE_NOTHING for kind in KINDS[:1])],
)
def test_a_response_that_proves_nothing_is_an_error(kind: str, name: str, probe: Any, s3: Honouring) -> None:
    fault, error = PROVE_NOTHING[name]

    def before(call: Call) -> None:
        if kind_of(call) == kind:
            raise fault

    s3.before = before
    with pytest.raises(error) as caught:
        probe("mine/")
    assert caught.value.path == "mine/"
    assert not s3.objects
    assert not s3.uploads


@pytest.mark.parametrize("operation", ["PutObject", "GetObject", "UploadPart", "CompleteMultipartUpload"])
@pytest.mark.parametrize("number", [1, 2, 5])
def test_nothing_is_left_after_an_error(operation: str, number: int, probe: Any, s3: Honouring) -> None:
    fail_at(s3, operation, number, Fault("InternalError", 500))
    with pytest.raises(RemoteStoreError):
        probe()
    assert not s3.objects
    assert not s3.uploads


@pytest.mark.parametrize("number", range(1, 90, 11))
def test_nothing_is_left_after_ctrl_c(number: int, s3: Honouring) -> None:
    fail_at(s3, None, number, KeyboardInterrupt())
    with SyncFakeBackend(s3) as backend, pytest.raises(KeyboardInterrupt):
        backend.probe_conditions("mine")
    assert not s3.objects
    assert not s3.uploads


@pytest.mark.parametrize("number", range(1, 90, 11))
def test_nothing_is_left_after_a_cancellation(number: int, s3: Honouring) -> None:
    async def cancelled() -> None:
        backend = AsyncFakeBackend(s3)
        probing = asyncio.create_task(backend.probe_conditions("mine"))

        async def cancel() -> None:
            if len(s3.calls) == number:
                probing.cancel()
                await asyncio.sleep(0.001)

        s3.before = lambda _call: cancel()
        with pytest.raises(asyncio.CancelledError):
            await probing
        await backend.close()

    asyncio.run(cancelled())
    assert not s3.objects
    assert not s3.uploads


def fail_at(s3: Honouring, operation: str | None, number: int, error: BaseException) -> None:
    """Fail the call of this number, of one operation or of all."""
    seen = itertools.count(1)

    def before(call: Call) -> None:
        if operation in (None, call.operation) and next(seen) == number:
            raise error

    s3.before = before


def test_a_removal_that_fails_is_an_error(probe: Any, s3: Honouring) -> None:
    fail_at(s3, "DeleteObject", 5, Fault("AccessDenied", 403))
    with pytest.raises(PermissionDenied) as caught:
        probe()
    assert "mine/.remote-store-probe-" in notes_of(caught.value)


def test_what_could_not_be_removed_is_said(probe: Any, s3: Honouring) -> None:

    def before(call: Call) -> None:
        if call.operation == "DeleteObject" or kind_of(call) == "swap":
            raise Fault("AccessDenied", 403)

    s3.before = before
    with pytest.raises(PermissionDenied) as caught:
        probe()
    assert "mine/.remote-store-probe-" in notes_of(caught.value)


def notes_of(error: BaseException) -> str:
    """The notes of an error, or of its cause if that is a fault of the fake."""
    return "".join(getattr(error, "__notes__", ()) or getattr(error.__cause__, "__notes__", ()))


def test_every_request_is_below_the_folder(probe: Any, s3: Honouring) -> None:
    probe("a/b")
    keys = {call.params.get("Key", call.params.get("Prefix")) for call in s3.calls}
    assert all(key.startswith("a/b/.remote-store-probe-") for key in keys)


def test_two_probes_write_different_keys(probe: Any, s3: Honouring) -> None:
    probe("")
    one = {call.params["Key"] for call in s3.calls if "Key" in call.params}
    s3.calls.clear()
    probe("")
    assert one.isdisjoint(call.params.get("Key") for call in s3.calls)


def test_the_number_of_requests_is_what_the_docstring_says(probe: Any, s3: Honouring) -> None:
    probe()
    assert 90 <= len(s3.calls) <= 110


def test_options_that_a_policy_may_require_are_sent_and_those_that_lock_or_bill_are_not(
    probe: Any, s3: Honouring
) -> None:
    given = {"ServerSideEncryption": "AES256", "StorageClass": "GLACIER", "ObjectLockMode": "GOVERNANCE"}
    probe(put_options=given)
    for call in s3.calls:
        if call.operation in ("PutObject", "CreateMultipartUpload", "CopyObject"):
            assert call.params["ServerSideEncryption"] == "AES256"
        assert not {"StorageClass", "ObjectLockMode"} & call.params.keys()


@pytest.mark.parametrize("folder", ["a//b", "/a", "a/../b", "./a", "a\0b", "x" * 1020])
def test_a_folder_that_cannot_be_written_to_is_refused_without_a_request(
    folder: str, probe: Any, s3: Honouring
) -> None:
    with pytest.raises(InvalidPath):
        probe(folder)
    assert not s3.calls


def test_versions_are_removed_too(probe: Any, s3: Honouring) -> None:
    versions: set[tuple[str, str]] = set()

    def after(call: Call, answer: Any) -> None:
        if call.operation in ("PutObject", "CompleteMultipartUpload", "CopyObject", "DeleteObject"):
            if "VersionId" in call.params:
                versions.discard((call.params["Key"], call.params["VersionId"]))
                return
            answer["VersionId"] = f"v{len(s3.calls)}-{len(versions)}"
            versions.add((call.params["Key"], answer["VersionId"]))

    s3.after = after
    assert probe() == EVERY
    assert not versions


def test_other_backends_refuse() -> None:
    with pytest.raises(CapabilityNotSupported, match="over S3"):
        MemoryBackend().probe_conditions("mine")
    with pytest.raises(CapabilityNotSupported):
        Store(MemoryBackend()).probe_conditions("mine")
