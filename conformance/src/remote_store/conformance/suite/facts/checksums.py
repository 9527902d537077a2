# Generated from conformance/src/remote_store/conformance/suite/aio/facts/checksums.py by tools/unasync.py; edit that.
"""Checksums that a write asks for, and content that is damaged on its way."""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.trees import fill
from remote_store.conformance.checking.wire import operations, part_size, require_s3, unseekable
from remote_store.conformance.http.faults import DamageRequest, RewriteBody
from remote_store.conformance.suite.expectations import is_honest
from remote_store.core import Capability, ChecksumMismatch

CONTENT = b"123456789"
# The check values in the catalogue of parametrised CRC algorithms by Greg Cook.
CHECKSUMS = {
    "CRC32": "cbf43926",
    "CRC32C": "e3069283",
    "CRC64NVME": "ae8b14860a799888",
    "SHA1": hashlib.sha1(CONTENT, usedforsecurity=False).hexdigest(),
    "SHA256": hashlib.sha256(CONTENT).hexdigest(),
}
KNOWN = ["CRC32", "SHA256"]
ZEROS = {"CRC32": (b"665", 4), "CRC32C": (b"40521", 4), "CRC64NVME": (b"2379", 8)}
"""Contents whose checksum begins with a byte of zeros, and the length of the checksum."""
MIB = 1024 * 1024


def flipped(content: bytes) -> bytes:
    """The content with another last byte."""
    return content[:-1] + bytes([content[-1] ^ 1]) if content else content


def writer(case: Case, **options: Any) -> Any:
    """The backend, or a new one with options, whose type does not say that its methods take a checksum."""
    return case.make(**options) if options else case.backend


def write(backend: Any, how: str, path: str, content: bytes, **options: Any) -> None:
    """Write a file by one of the three methods."""
    if how == "open_atomic":
        with backend.open_atomic(path, **options) as file:
            file.write(content)
    else:
        getattr(backend, how)(path, content, **options)


@contextmanager
def damage(case: Case) -> Iterator[None]:
    """Change the last byte of every body that is read."""
    case.endpoint.inject(RewriteBody(flipped), operation="GetObject", times=None)
    try:
        yield
    finally:
        case.endpoint.clear_faults()


class ChecksumSuite:
    """SUM: checksums."""

    @pytest.mark.parametrize("algorithm", CHECKSUMS)
    @check("SUM-001", needs=(Capability.WRITE,))
    def test_sum_a_write_returns_its_checksum(self, case: Case, algorithm: str) -> None:
        path = case.path("file")
        written = writer(case).write(path, CONTENT, checksum=algorithm)
        expected = (algorithm.lower(), b64encode(bytes.fromhex(CHECKSUMS[algorithm])).decode(), True)
        for digest, what in ((written.digest, "the result"), ((case.backend.get_file_info(path)).digest, "info")):
            seen = digest and (digest.algorithm, digest.value, digest.full_object)
            case.expect_equal(seen, expected, f"the digest of {what}")
        case.expect_equal(case.backend.read_bytes(path), CONTENT, "the content")

    @pytest.mark.parametrize("algorithm", ZEROS)
    @check("SUM-001", needs=(Capability.WRITE,))
    def test_sum_a_checksum_keeps_its_zeros(self, case: Case, algorithm: str) -> None:
        content, length = ZEROS[algorithm]
        written = writer(case).write(case.path("file"), content, checksum=algorithm)
        for digest in (written.digest, (case.backend.get_file_info(case.path("file"))).digest):
            size = len(b64decode(digest.value)) if digest else None
            case.expect_equal(size, length, f"the number of bytes of {digest}")
            case.expect(digest is not None and is_honest(digest, content), f"{digest} is the checksum of the content")

    @pytest.mark.parametrize("how", ["write_atomic", "open_atomic"])
    @check("SUM-001", needs=(Capability.WRITE, Capability.ATOMIC_WRITE))
    def test_sum_every_write_takes_a_checksum(self, case: Case, how: str) -> None:
        path = case.path("file")
        write(case.backend, how, path, b"old", checksum="SHA256")
        write(case.backend, how, path, CONTENT, overwrite=True, checksum="CRC32")
        digest = (case.backend.get_file_info(path)).digest
        seen = digest and (digest.algorithm, digest.value)
        case.expect_equal(seen, ("crc32", b64encode(bytes.fromhex(CHECKSUMS["CRC32"])).decode()), "the digest")

    @pytest.mark.parametrize("checksum", ["MD4", "crc32", "", 32])
    @check("SUM-002", needs=(Capability.WRITE,))
    def test_sum_an_unknown_checksum_is_refused(self, case: Case, checksum: Any) -> None:
        for how in ("write", "write_atomic", "open_atomic"):
            with case.expect_raises(ValueError, what=f"{how} with checksum={checksum!r}"):
                write(case.backend, how, case.path("file"), CONTENT, checksum=checksum)
        case.expect_equal(case.backend.exists(case.path("file")), False, "exists")

    @pytest.mark.parametrize("algorithm", CHECKSUMS)
    @check("SUM-003", needs=(Capability.WRITE,))
    def test_sum_a_long_stream(self, case: Case, algorithm: str) -> None:
        size = (case.profile.part_size or MIB) + 1_000
        content = case.content(size)
        written = writer(case).write(case.path("file"), unseekable(content), checksum=algorithm)
        info = case.backend.get_file_info(case.path("file"))
        for digest in (written.digest, info.digest):
            honest = digest is None or is_honest(digest, content)
            case.expect(honest, f"{digest} is the checksum of the content")
            case.expect(digest is None or digest.algorithm == algorithm.lower(), f"{digest} is of {algorithm}")
        case.expect_equal(case.backend.read_bytes(case.path("file")), content, "the content")

    @pytest.mark.parametrize("algorithm", KNOWN)
    @check("SUM-004", needs=(Capability.READ, Capability.WRITE))
    def test_sum_damaged_bytes_are_not_the_content(self, case: Case, algorithm: str) -> None:
        require_s3(case)
        path, content = case.path("file"), case.content(300_000)
        writer(case).write(path, content, checksum=algorithm)
        with damage(case):
            with case.expect_raises(
                ChecksumMismatch, path=path, what="read_bytes", where=lambda error: error.retryable
            ):
                case.backend.read_bytes(path)
            for size in (-1, 1_000, 70_000, 1_000_000):
                with case.expect_raises(ChecksumMismatch, path=path, what=f"read({size})"):
                    with case.backend.read(path) as stream:
                        while stream.read(size):
                            pass
        case.expect_equal(case.backend.read_bytes(path), content, "the bytes after that")

    @check("SUM-004", needs=(Capability.READ, Capability.WRITE))
    def test_sum_damaged_ranges_are_not_the_content(self, case: Case) -> None:
        require_s3(case)
        # Long enough for concurrent ranges, with parts as small as S3 allows.
        path, content = case.path("file"), case.content(24 * MIB)
        small = {"part_size": 5 * MIB} if "part_size" in case.harness.options else {}
        large = {"part_size": 64 * MIB} if "part_size" in case.harness.options else {}
        # One PUT, so that every algorithm covers the whole object.
        writer(case, **large).write(path, content, checksum="CRC32")
        backend = case.make(**small)
        with damage(case):
            with case.expect_raises(ChecksumMismatch, path=path, what="read_bytes"):
                backend.read_bytes(path)
            with case.expect_raises(ChecksumMismatch, path=path, what="read()"):
                with backend.read(path) as stream:
                    stream.read()
        case.expect_equal(backend.read_bytes(path), content, "the bytes after that")

    @pytest.mark.parametrize("algorithm", CHECKSUMS)
    @check("SUM-005", needs=(Capability.WRITE,))
    def test_sum_content_damaged_on_its_way_is_refused(self, case: Case, algorithm: str) -> None:
        require_s3(case)
        path = case.path("file")
        fill(case, "file", data=b"old")
        case.endpoint.inject(DamageRequest(at=3), operation="PutObject", times=None)
        with case.expect_raises(ChecksumMismatch, path=path, where=lambda error: error.retryable):
            writer(case).write(path, CONTENT, overwrite=True, checksum=algorithm)
        case.endpoint.clear_faults()
        case.expect_equal(case.backend.read_bytes(path), b"old", "the content")

    @check("SUM-005", needs=(Capability.WRITE,))
    def test_sum_a_damaged_part_is_refused(self, case: Case) -> None:
        require_s3(case)
        path, content = case.path("file"), case.content(part_size(case) + 1)
        case.endpoint.inject(DamageRequest(at=1_000), operation="UploadPart", times=None)
        with case.expect_raises(ChecksumMismatch, path=path):
            writer(case).write(path, unseekable(content), checksum="CRC32")
        case.endpoint.clear_faults()
        case.expect_equal(case.backend.exists(path), False, "exists")

    @check("SUM-006", needs=(Capability.READ, Capability.WRITE))
    def test_sum_a_checksum_costs_no_request(self, case: Case) -> None:
        require_s3(case)
        path = case.path("file")
        sent: list[list[str]] = []
        for options in ({}, {"checksum": "CRC32"}):
            with case.endpoint.recording() as requests:
                writer(case).write(path, CONTENT, overwrite=True, **options)
                case.backend.read_bytes(path)
            sent.append(operations(requests))
        case.expect_equal(sent[1], sent[0], "the requests with a checksum, and without")
        case.expect_equal(sent[1].count("GetObject"), 1, "the reads")
        case.expect_equal(sent[1].count("PutObject"), 1, "the writes")
