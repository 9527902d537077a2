from __future__ import annotations

import asyncio
import json
import os
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from remote_store.conformance.fakes.s3 import AsyncFakeS3Port, FakeS3, FakeS3Port
from remote_store.core import (
    AlreadyExists,
    AsyncStore,
    BackendUnavailable,
    CapabilityNotSupported,
    MemoryBackend,
    PermissionDenied,
    PreconditionFailed,
    Store,
    WriteResult,
)
from remote_store.core.s3 import AsyncS3Backend, Call, Fault, S3Backend, S3Options
from uploads import ABORT, COMPLETE, CREATE, HEAD, PART, PUT, SEND, Reports, fail

DATA = random.Random(7).randbytes(3 * PART + 1000)
LIST = "ListParts"
Upload = Callable[..., WriteResult]


class FakeBackend(S3Backend):
    def __init__(self, s3: FakeS3, **options: Any) -> None:
        super().__init__("bucket", S3Options.build(part_size=PART, max_concurrency=1, **options))
        self._s3 = s3

    def _connect(self) -> FakeS3Port:
        return FakeS3Port(self._s3)


class AsyncFakeBackend(AsyncS3Backend):
    def __init__(self, s3: FakeS3, **options: Any) -> None:
        super().__init__("bucket", S3Options.build(part_size=PART, max_concurrency=1, **options))
        self._s3 = s3

    async def _connect(self) -> AsyncFakeS3Port:
        return AsyncFakeS3Port(self._s3)


@pytest.fixture
def s3() -> FakeS3:
    return FakeS3()


@pytest.fixture(params=["sync", "async"])
def upload(request: pytest.FixtureRequest, s3: FakeS3) -> Upload:
    """Uploads in a store of its own, as another process would."""

    async def in_loop(source: Any, made: dict[str, Any], **options: Any) -> WriteResult:
        async with AsyncStore(AsyncFakeBackend(s3, **made), "team") as store:
            return await store.upload(source, "a", resume=True, **options)

    def uploader(source: Any, made: dict[str, Any] | None = None, **options: Any) -> WriteResult:
        if request.param == "async":
            return asyncio.run(in_loop(source, made or {}, **options))
        with Store(FakeBackend(s3, **(made or {})), "team") as store:
            return store.upload(source, "a", resume=True, **options)

    return uploader


@pytest.fixture
def local(tmp_path: Path) -> Path:
    file = tmp_path / "local"
    file.write_bytes(DATA)
    return file


def stop(upload: Upload, s3: FakeS3, local: Path, number: int = 3, **options: Any) -> BaseException:
    """Let an upload fail at a part, and return its error."""
    fail(s3, SEND, Fault("InternalError", 500, "oops"), number=number)
    with pytest.raises(BackendUnavailable) as caught:
        upload(local, **options)
    s3.before = None
    s3.calls.clear()
    return caught.value


def sent(s3: FakeS3) -> list[tuple[str, int | None]]:
    return [(call.operation, call.params.get("PartNumber")) for call in s3.calls]


def record_of(local: Path) -> Path:
    return next(path for path in local.parent.iterdir() if path.suffix == ".json")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_upload_that_succeeds_leaves_no_record(upload: Upload, s3: FakeS3, local: Path) -> None:
    seen = Reports()
    result = upload(local, progress=seen, metadata={"a": "b"}, content_type="text/z")
    assert (result.path, result.size, result.metadata) == ("a", len(DATA), {"a": "b"})
    assert s3.objects["team/a"].data == DATA
    assert s3.operations() == [CREATE, *[SEND] * 4, COMPLETE]
    assert (seen[0].done, seen[-1].done) == (0, len(DATA))
    assert names(local.parent) == ["local"]
    assert not s3.uploads


def test_an_upload_goes_on_with_the_parts_that_are_missing(upload: Upload, s3: FakeS3, local: Path) -> None:
    error = stop(upload, s3, local)
    assert "upload with resume=True again" in error.__notes__[-1]
    assert (len(s3.uploads), record_of(local).stat().st_mode & 0o777) == (1, 0o600)
    seen = Reports()
    result = upload(local, progress=seen)
    assert s3.objects["team/a"].data == DATA
    assert result.etag == s3.objects["team/a"].etag.strip('"')
    assert sent(s3) == [(LIST, None), (SEND, 3), (SEND, 4), (COMPLETE, None)]
    assert (seen[0].done, seen[-1].done) == (0, len(DATA))
    assert (names(local.parent), s3.uploads) == (["local"], {})


def test_more_parts_than_a_page_has_are_listed(upload: Upload, s3: FakeS3, local: Path) -> None:
    stop(upload, s3, local, number=4)
    s3.page_size = 1
    upload(local)
    assert sent(s3) == [*[(LIST, None)] * 3, (SEND, 4), (COMPLETE, None)]
    assert s3.objects["team/a"].data == DATA


@pytest.mark.parametrize("place", [0, PART, len(DATA) - 1])
def test_a_changed_file_is_never_mixed_with_old_parts(upload: Upload, s3: FakeS3, local: Path, place: int) -> None:
    stop(upload, s3, local, number=4)
    changed = DATA[:place] + bytes([DATA[place] ^ 1]) + DATA[place + 1 :]
    local.write_bytes(changed)
    upload(local)
    assert s3.objects["team/a"].data == changed
    assert sent(s3)[1:-1] == sorted({(SEND, place // PART + 1), (SEND, 4)})


@pytest.mark.parametrize("size", [2 * PART + 1, 2 * PART, 5 * PART])
def test_a_file_of_another_length_has_its_own_parts(upload: Upload, s3: FakeS3, local: Path, size: int) -> None:
    stop(upload, s3, local, number=4)
    content = (DATA * 2)[:size]
    local.write_bytes(content)
    upload(local)
    assert (s3.objects["team/a"].data, s3.uploads) == (content, {})


def test_a_file_that_became_small_is_written_at_once_and_its_old_upload_is_aborted(
    upload: Upload, s3: FakeS3, local: Path
) -> None:
    stop(upload, s3, local)
    local.write_bytes(b"small")
    upload(local)
    assert (s3.objects["team/a"].data, s3.operations()) == (b"small", [PUT, ABORT])
    assert (names(local.parent), s3.uploads) == (["local"], {})


def test_a_file_that_changes_meanwhile_is_not_completed(upload: Upload, s3: FakeS3, local: Path) -> None:
    def change(done: int, _total: int | None, _delta: int) -> None:
        if done > 2 * PART and local.read_bytes() == DATA:
            local.write_bytes(DATA[::-1])

    with pytest.raises(OSError, match="changed while it was uploaded") as caught:
        upload(local, progress=change)
    assert (caught.value.filename, s3.objects) == (str(local), {})
    upload(local)
    assert (s3.objects["team/a"].data, s3.uploads) == (DATA[::-1], {})


@pytest.mark.parametrize(
    "other",
    [
        {"metadata": {"a": "c"}},
        {"content_type": "text/y"},
        {"made": {"put_options": {"StorageClass": "STANDARD_IA"}}},
    ],
)
def test_an_upload_that_was_begun_otherwise_is_aborted(
    upload: Upload, s3: FakeS3, local: Path, other: dict[str, Any]
) -> None:
    first: dict[str, Any] = {"metadata": {"a": "b"}, "content_type": "text/z"}
    stop(upload, s3, local, **first)
    upload(local, **(first | other))
    assert s3.operations() == [ABORT, CREATE, *[SEND] * 4, COMPLETE]
    assert not s3.uploads


def test_no_upload_of_anybody_else_is_taken_or_aborted(upload: Upload, s3: FakeS3, local: Path) -> None:
    stop(upload, s3, local)
    theirs = dict(s3.uploads)
    record_of(local).unlink()
    upload(local)
    assert s3.operations() == [CREATE, *[SEND] * 4, COMPLETE]
    assert (s3.uploads, s3.objects["team/a"].data) == (theirs, DATA)


def test_an_upload_that_was_aborted_begins_anew(upload: Upload, s3: FakeS3, local: Path) -> None:
    stop(upload, s3, local)
    s3.uploads.clear()
    upload(local)
    assert s3.operations() == [LIST, HEAD, CREATE, *[SEND] * 4, COMPLETE]
    assert s3.objects["team/a"].data == DATA


@pytest.mark.parametrize("overwrite", [False, True])
def test_an_upload_that_was_completed_by_a_call_that_was_killed_is_found(
    upload: Upload, s3: FakeS3, local: Path, overwrite: bool
) -> None:
    def after(call: Call, _response: Any) -> None:
        if call.operation == COMPLETE:
            raise KeyboardInterrupt

    s3.after = after
    with pytest.raises(KeyboardInterrupt):
        upload(local, overwrite=overwrite)
    s3.after = None
    made = s3.objects["team/a"]
    s3.calls.clear()
    result = upload(local, overwrite=overwrite)
    assert (s3.operations(), s3.objects["team/a"], result.etag) == ([LIST, HEAD], made, made.etag.strip('"'))
    assert names(local.parent) == ["local"]


def test_what_another_writer_completed_is_not_taken_for_ours(upload: Upload, s3: FakeS3, local: Path) -> None:
    stop(upload, s3, local)
    s3.uploads.clear()
    s3.put("team/a", DATA[::-1], etag='"0123456789abcdef0123456789abcdef-4"')
    with pytest.raises(AlreadyExists):
        upload(local)
    assert s3.objects["team/a"].data == DATA[::-1]
    stop(upload, s3, local, overwrite=True)
    s3.uploads.clear()
    with pytest.raises(BackendUnavailable, match="upload again"):
        upload(local, overwrite=True)
    upload(local, overwrite=True)
    assert s3.objects["team/a"].data == DATA


def test_the_conditions_hold_at_the_end(upload: Upload, s3: FakeS3, local: Path) -> None:
    stop(upload, s3, local)
    theirs = s3.put("team/a", b"theirs")
    with pytest.raises(AlreadyExists) as caught:
        upload(local)
    assert (caught.value.path, s3.objects["team/a"], len(s3.uploads)) == ("a", theirs, 1)
    assert any("with overwrite=True" in note for note in caught.value.__notes__)
    with pytest.raises(PreconditionFailed):
        upload(local, overwrite=True, if_match="0123")
    assert s3.objects["team/a"] == theirs
    s3.calls.clear()
    upload(local, overwrite=True, if_match=theirs.etag.strip('"'))
    assert (s3.objects["team/a"].data, s3.operations()) == (DATA, [LIST, COMPLETE])


def test_an_endpoint_that_is_not_trusted_is_looked_at_first(upload: Upload, s3: FakeS3, local: Path) -> None:
    made = {"endpoint_url": "http://s3.test"}
    stop(upload, s3, local, made=made)
    s3.put("team/a", b"theirs")
    with pytest.raises(AlreadyExists):
        upload(local, made=made)
    assert (s3.operations(), s3.objects["team/a"].data) == ([LIST, HEAD], b"theirs")


def test_without_a_digest_all_parts_are_sent_again(upload: Upload, s3: FakeS3, local: Path) -> None:
    stop(upload, s3, local)
    for begun in s3.uploads.values():
        begun.parts = {number: replace(part, etag=f'"{number:032}"') for number, part in begun.parts.items()}
    upload(local)
    assert sent(s3) == [(LIST, None), *((SEND, number) for number in (1, 2, 3, 4)), (COMPLETE, None)]


@pytest.mark.parametrize(
    "fault, kept",
    [
        (Fault("NotImplemented", 501, "no"), False),
        (Fault("NotS3", 200, "is not a ListPartsResult"), False),
        (Fault("AccessDenied", 403, "no", "r"), True),
    ],
)
def test_a_server_that_lists_no_parts(upload: Upload, s3: FakeS3, local: Path, fault: Fault, kept: bool) -> None:
    stop(upload, s3, local)
    fail(s3, LIST, fault)
    if kept:
        with pytest.raises(PermissionDenied):
            upload(local)
        assert len(s3.uploads) == 1
        s3.before = None
    upload(local)
    assert (s3.objects["team/a"].data, s3.uploads) == (DATA, {})


def test_two_uploads_of_one_file_to_one_path_are_refused(upload: Upload, s3: FakeS3, local: Path) -> None:
    refused = []

    def second(done: int, _total: int | None, _delta: int) -> None:
        if done == PART:
            with pytest.raises(BlockingIOError, match="another call is uploading") as caught:
                Store(FakeBackend(s3), "team").upload(local, "a", resume=True)
            refused.append(caught.value.filename)
            Store(FakeBackend(s3), "team").upload(local, "b", resume=True)

    upload(local, progress=second)
    assert refused == [str(local)]
    assert (s3.objects["team/a"].data, s3.objects["team/b"].data) == (DATA, DATA)
    assert names(local.parent) == ["local"]


def test_a_record_that_cannot_be_written_aborts_the_upload(
    upload: Upload, s3: FakeS3, local: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("remote_store.core.local.kept.write_all", full)
    with pytest.raises(OSError, match="No space left"):
        upload(local)
    assert (s3.operations(), s3.uploads, names(local.parent)) == ([CREATE, ABORT], {}, ["local"])


@pytest.mark.parametrize("document", [b"", b"{", b"[]", b'{"upload_id": 7}', b'{"upload_id": "none"}'])
def test_a_damaged_record_begins_anew(upload: Upload, s3: FakeS3, local: Path, document: bytes) -> None:
    stop(upload, s3, local)
    record_of(local).write_bytes(document)
    upload(local)
    assert s3.objects["team/a"].data == DATA


def test_the_record_has_no_secret(upload: Upload, s3: FakeS3, local: Path) -> None:
    key = "A" * 32
    stop(upload, s3, local, made={"put_options": {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": key}})
    record = json.loads(record_of(local).read_bytes())
    assert (record.keys(), record["key"]) == ({"upload_id", "key", "described"}, "team/a")
    assert not any(text in record_of(local).read_text() for text in (key, "QUFB"))


@pytest.mark.parametrize("source", [b"content", iter([b"a"]), os.devnull, "."])
def test_only_a_local_file_can_be_resumed(upload: Upload, s3: FakeS3, source: Any) -> None:
    with pytest.raises(ValueError, match="resume=True needs"):
        upload(source)
    assert s3.calls == []


def test_a_checksum_is_refused(upload: Upload, s3: FakeS3, local: Path) -> None:
    with pytest.raises((ValueError, CapabilityNotSupported)):
        upload(local, checksum="SHA256")
    assert (s3.calls, names(local.parent)) == ([], ["local"])


def test_a_backend_without_uploads_refuses(local: Path) -> None:
    with pytest.raises(CapabilityNotSupported, match="MULTIPART_UPLOADS") as caught:
        Store(MemoryBackend(), "team").upload(local, "a", resume=True)
    assert (caught.value.path, names(local.parent)) == ("a", ["local"])


def test_a_local_file_that_does_not_exist_is_the_systems_own_error(upload: Upload, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        upload(tmp_path / "none")
    assert names(tmp_path) == []


def test_links_to_one_file_have_one_record(upload: Upload, s3: FakeS3, local: Path, tmp_path: Path) -> None:
    stop(upload, s3, local)
    link = tmp_path / "link"
    link.symlink_to("local")
    upload(link)
    assert (names(tmp_path), sent(s3)[0]) == (["link", "local"], (LIST, None))
