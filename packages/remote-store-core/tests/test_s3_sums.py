"""Checksums of S3 objects: what a write sends, and what a read compares."""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path
from typing import Any

import pytest

from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.core import (
    AsyncStore,
    BackendUnavailable,
    CapabilityNotSupported,
    ChecksumMismatch,
    ContentDigest,
    LocalBackend,
    Store,
    WriteResult,
)
from remote_store.core.checksums import digest_of, encoded
from remote_store.core.s3 import Call, Fault
from uploads import ABORT, COMPLETE, CREATE, PART, SEND, THREE_PARTS, Stream

MIB = 1024 * 1024
ALGORITHMS = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"]
CRCS = ALGORITHMS[:3]


def stored(checksum: ContentDigest) -> Any:
    """Answers a read as a service does that stores the checksum."""

    def tell(call: Call, response: Any) -> None:
        if call.operation in ("GetObject", "HeadObject") and call.params.get("ChecksumMode"):
            response[f"Checksum{checksum.algorithm.upper()}"] = checksum.value

    return tell


def sent(s3: FakeS3, operation: str) -> list[dict[str, Any]]:
    names = ("Checksum", "ContentMD5", "MpuObjectSize")
    calls = [call.params for call in s3.calls if call.operation == operation]
    return [{name: params[name] for name in params if name.startswith(names)} for params in calls]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("endpoint", [None, "http://s3.test"])
def test_one_request_has_the_one_checksum(algorithm: str, endpoint: str | None, s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane(endpoint_url=endpoint, put_options={"ChecksumAlgorithm": "SHA1", "ObjectLockMode": "GOVERNANCE"})
    lane.write("a", b"hello", overwrite=True, checksum=algorithm)
    value = digest_of(b"hello", algorithm.lower()).value
    assert sent(s3, "PutObject") == [{"ChecksumAlgorithm": algorithm, f"Checksum{algorithm}": value}]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_upload_has_a_checksum_per_part_and_a_crc_of_the_whole(algorithm: str, s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane(part_size=PART, endpoint_url="http://s3.test")
    lane.write("a", Stream(THREE_PARTS), overwrite=True, checksum=algorithm)
    kind = {"ChecksumType": "FULL_OBJECT"} if algorithm in CRCS else {}
    assert sent(s3, CREATE) == [{"ChecksumAlgorithm": algorithm, **kind}]
    pieces = [THREE_PARTS[start : start + PART] for start in range(0, len(THREE_PARTS), PART)]
    values = [digest_of(piece, algorithm.lower()).value for piece in pieces]
    parts = sorted(map(str, sent(s3, SEND)))
    assert parts == sorted(str({"ChecksumAlgorithm": algorithm, f"Checksum{algorithm}": value}) for value in values)
    whole = {f"Checksum{algorithm}": digest_of(THREE_PARTS, algorithm.lower()).value, "MpuObjectSize": len(THREE_PARTS)}
    assert sent(s3, COMPLETE) == [{**whole, **kind} if algorithm in CRCS else {}]


def test_without_a_checksum_nothing_changes(s3: FakeS3, open_lane: Any) -> None:
    open_lane().write("a", b"hello", overwrite=True)
    open_lane(put_options={"ChecksumAlgorithm": "SHA1"}).write("a", b"hello", overwrite=True)
    assert sent(s3, "PutObject") == [{}, {"ChecksumAlgorithm": "SHA1"}]


def test_the_result_has_what_the_service_said(s3: FakeS3, lane: Any) -> None:
    assert lane.write("a", b"hello", checksum="CRC32").digest is None

    def tell(call: Call, response: Any) -> None:
        response["ChecksumCRC32"] = call.params["ChecksumCRC32"]

    s3.after = tell
    written: WriteResult = lane.write("a", b"hello", overwrite=True, checksum="CRC32")
    assert written.digest == ContentDigest("crc32", encoded(zlib.crc32(b"hello").to_bytes(4, "big")))


@pytest.mark.parametrize("checksum", ["crc32", "MD5", "", 5, ["CRC32"]])
def test_an_unknown_checksum_is_refused_before_any_request(checksum: Any, s3: FakeS3, lane: Any) -> None:
    with pytest.raises(ValueError, match=r"checksum must be one of CRC32, CRC32C, CRC64NVME, SHA1, SHA256, not"):
        lane.write("a", b"hello", checksum=checksum)
    with pytest.raises(ValueError, match="checksum must be one of"):
        lane.write_spooled("a", b"hello", checksum=checksum)
    assert not s3.calls


@pytest.mark.parametrize("code", ["BadDigest", "XAmzContentSHA256Mismatch"])
def test_content_that_arrives_damaged_is_a_mismatch_that_a_retry_may_help(code: str, s3: FakeS3, lane: Any) -> None:
    def refuse(call: Call) -> None:
        if "Body" in call.params:
            raise Fault(code, 400, "the digest does not match", "request-1")

    s3.before = refuse
    with pytest.raises(ChecksumMismatch, match="arrived damaged and was not stored") as caught:
        lane.write("a", b"hello", overwrite=True, checksum="CRC32")
    assert (caught.value.retryable, caught.value.path, caught.value.code) == (True, "a", code)
    assert isinstance(caught.value, OSError)


@pytest.mark.parametrize("operation, content", [("PutObject", b"hello"), (CREATE, THREE_PARTS)])
def test_a_server_that_does_not_know_the_checksum_is_named_as_the_reason(
    operation: str, content: Any, s3: FakeS3, open_lane: Any
) -> None:
    lane = open_lane(part_size=PART)

    def refuse(call: Call) -> None:
        if call.operation == operation:
            raise Fault("NotImplemented", 501, "a header is not implemented", "request-1")

    s3.before = refuse
    with pytest.raises(CapabilityNotSupported, match="does not implement checksum of this write") as caught:
        lane.write("a", Stream(content), overwrite=True, checksum="CRC32C")
    assert (caught.value.path, caught.value.capability) == ("a", "checksums")
    with pytest.raises(BackendUnavailable):
        lane.write("a", Stream(content), overwrite=True)
    assert not s3.objects


def test_a_damaged_part_aborts_the_upload(s3: FakeS3, open_lane: Any) -> None:
    def refuse(call: Call) -> None:
        if call.operation == SEND:
            raise Fault("BadDigest", 400, "the digest does not match", "request-1")

    s3.before = refuse
    with pytest.raises(ChecksumMismatch):
        open_lane(part_size=PART).write("a", Stream(THREE_PARTS), overwrite=True, checksum="SHA256")
    assert s3.operations()[-1] == ABORT
    assert "a" not in s3.objects


@pytest.mark.parametrize("size", [5, 300_000, 3 * MIB + 1, 21 * MIB])
@pytest.mark.parametrize("algorithm", ["crc32", "crc64nvme", "sha256", "md5"])
def test_a_whole_read_compares_the_checksum(algorithm: str, size: int, s3: FakeS3, open_lane: Any) -> None:
    lane, content = open_lane(part_size=PART), hashlib.shake_128(b"1").digest(size)
    s3.put("a", content)
    s3.after = stored(digest_of(content, algorithm))
    assert lane.read_bytes("a") == content
    s3.put("a", content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ChecksumMismatch, match="does not match its checksum") as caught:
        lane.read_bytes("a")
    assert (caught.value.path, caught.value.retryable) == ("a", True)


@pytest.mark.parametrize("size", [-1, 1, 1000, 70_000, 2 * MIB])
def test_a_read_to_the_end_compares_the_checksum(size: int, s3: FakeS3, open_lane: Any) -> None:
    content = hashlib.shake_128(b"1").digest(100_000 if size == 1 else 3 * MIB)
    s3.put("a", content)
    s3.after = stored(digest_of(b"other", "sha256"))
    lane = open_lane()
    file = lane.read("a")
    seen: list[bytes] = []

    def drink() -> None:
        while data := lane.done(file.read(size)):
            seen.append(data)

    with pytest.raises(ChecksumMismatch):
        drink()
    assert len(b"".join(seen)) < len(content)
    # The bytes that were not handed out are read and compared again.
    with pytest.raises(ChecksumMismatch):
        drink()
    lane.done(file.close())


def test_other_reads_compare_nothing(s3: FakeS3, open_lane: Any) -> None:
    lane = open_lane()
    s3.put("a", b"hello world")
    s3.after = stored(digest_of(b"other", "sha256"))
    assert lane.read_range("a", 0, 11) == b"hello world"
    file = lane.read_seekable("a")
    assert lane.done(file.read()) == b"hello world"
    lane.done(file.close())
    file = lane.read("a")
    assert lane.done(file.seek(6)) == 6
    assert lane.done(file.read()) == b"world"
    lane.done(file.close())
    assert [call.params.get("ChecksumMode") for call in s3.calls if call.operation == "GetObject"] == [
        None,
        None,
        "ENABLED",
        None,
    ]


@pytest.mark.parametrize(
    "checksum",
    [ContentDigest("xxhash64", "AAAA"), ContentDigest("crc32", "AAAA-2", full_object=False)],
    ids=["unknown", "of parts"],
)
def test_a_checksum_that_says_nothing_about_the_bytes_is_not_compared(
    checksum: ContentDigest, s3: FakeS3, lane: Any
) -> None:
    s3.put("a", b"hello world", etag='"e-2"')
    s3.after = stored(checksum)
    assert lane.read_bytes("a") == b"hello world"
    file = lane.read("a")
    assert lane.done(file.read()) == b"hello world"
    lane.done(file.close())


def test_a_damaged_download_leaves_no_file(s3: FakeS3, open_lane: Any, tmp_path: Path) -> None:
    lane = open_lane()
    s3.put("a", b"hello" * 300_000)
    s3.after = stored(digest_of(b"other", "crc32"))
    store: Any = AsyncStore(lane.backend) if lane.is_async else Store(lane.backend)
    with pytest.raises(ChecksumMismatch):
        lane.done(store.download("a", tmp_path / "a"))
    assert not list(tmp_path.iterdir())
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(ChecksumMismatch):
        lane.done(store.download("a", tmp_path / "a", overwrite=True))
    assert (tmp_path / "a").read_bytes() == b"old"


def test_an_upload_of_a_file_has_a_checksum(s3: FakeS3, open_lane: Any, tmp_path: Path) -> None:
    lane = open_lane()
    (tmp_path / "a").write_bytes(b"hello")
    store: Any = AsyncStore(lane.backend) if lane.is_async else Store(lane.backend)
    lane.done(store.upload(tmp_path / "a", "a", checksum="SHA1"))
    value = digest_of(b"hello", "sha1").value
    assert sent(s3, "PutObject") == [{"ChecksumAlgorithm": "SHA1", "ChecksumSHA1": value}]


def test_a_local_disk_keeps_no_checksums(tmp_path: Path) -> None:
    store = Store(LocalBackend(tmp_path))
    with pytest.raises(CapabilityNotSupported, match="the option checksum needs the capability CHECKSUMS"):
        store.write("a", b"hello", checksum="SHA1")
    assert not store.exists("a")
    store.write("a", b"hello")
    assert store.verify("a", digest_of(b"hello", "crc64nvme"))
    (tmp_path / "a").write_bytes(b"hellp")
    assert not store.verify("a", digest_of(b"hello", "crc64nvme"))
