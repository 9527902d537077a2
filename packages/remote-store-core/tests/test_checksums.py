from __future__ import annotations

import hashlib
import random
import zlib
from base64 import b64encode
from typing import Any

import pytest

from remote_store.core import ContentDigest, checksums
from remote_store.core.checksums import (
    InOrder,
    comparable,
    digest_of,
    encoded,
    expected_of,
    joined,
    pieces,
    running,
    update_of,
)
from remote_store.core.crc import CRC32, CRC32C, CRC64NVME, Crc

# The check values in the catalogue of parametrised CRC algorithms by Greg Cook.
CHECK = b"123456789"
VALUES = {"crc32": "cbf43926", "crc32c": "e3069283", "crc64nvme": "ae8b14860a799888"}
RANDOM = random.Random(1)
SIZES = [*range(20), *range(60, 80), 127, 128, 129, 135, 136, 137, 1000, 4095, 4096, 4097, 70_001, 1024 * 1024]


def bit_by_bit(crc: Crc, content: bytes) -> int:
    ones = (1 << crc.width) - 1
    remainder = ones
    for byte in content:
        remainder ^= byte
        for _ in range(8):
            remainder = (remainder >> 1) ^ (crc.polynomial if remainder & 1 else 0)
    return remainder ^ ones


@pytest.mark.parametrize("crc", [CRC32, CRC32C, CRC64NVME])
def test_a_crc_is_that_of_a_division_bit_by_bit(crc: Crc) -> None:
    for size in [size for size in SIZES if size < 5000]:
        content = RANDOM.randbytes(size)
        assert crc.update(content) == bit_by_bit(crc, content), size


def test_a_crc_is_zlibs_for_any_size_and_beginning() -> None:
    for size in SIZES:
        content, before = RANDOM.randbytes(size), RANDOM.randbytes(10)
        assert CRC32.update(content, zlib.crc32(before)) == zlib.crc32(before + content), size


@pytest.mark.parametrize("name", ["crc32c", "crc64nvme"])
def test_a_crc_is_that_of_awscrt(name: str) -> None:
    awscrt: Any = pytest.importorskip("awscrt.checksums")
    crc = checksums.CRCS[name]
    for size in SIZES:
        content, before = RANDOM.randbytes(size), RANDOM.getrandbits(crc.width)
        assert crc.update(content, before) == getattr(awscrt, name)(content, before), size


@pytest.mark.parametrize("name", VALUES)
def test_the_check_values_come_out_with_awscrt_and_without(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert digest_of(CHECK, name) == ContentDigest(name, encoded(bytes.fromhex(VALUES[name])))
    monkeypatch.setattr(checksums, "update_of", lambda name: checksums.CRCS[name].update)
    assert digest_of(CHECK, name) == ContentDigest(name, encoded(bytes.fromhex(VALUES[name])))


@pytest.mark.parametrize("error", [ModuleNotFoundError, ImportError, OSError])
def test_without_a_working_awscrt_core_computes(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> Any:
        raise error(name)

    monkeypatch.setattr(checksums, "import_module", fail)
    update_of.cache_clear()
    assert update_of("crc32c") == CRC32C.update
    assert update_of("crc32") == zlib.crc32
    update_of.cache_clear()


@pytest.mark.parametrize("name", ["crc32", "crc32c", "crc64nvme"])
def test_the_crcs_of_parts_make_that_of_the_whole(name: str) -> None:
    parts = [RANDOM.randbytes(size) for size in (5000, 1, 0, 70_000, 3)]
    summed = [(_sum(name, part), len(part)) for part in parts]
    assert joined(name, summed) == _sum(name, b"".join(parts))
    assert joined(name, []) == _sum(name, b"")


def _sum(name: str, content: bytes) -> bytes:
    checksum = running(name)
    checksum.update(content)
    return checksum.digest()


@pytest.mark.parametrize("name", checksums.SIZES)
def test_a_checksum_grows_and_is_copied(name: str) -> None:
    first, second = RANDOM.randbytes(3_000_000), RANDOM.randbytes(10)
    checksum = running(name)
    for piece in pieces(first):
        checksum.update(piece)
    copy = checksum.copy()
    checksum.update(memoryview(second))
    assert checksum.digest() == _sum(name, first + second)
    assert copy.digest() == _sum(name, first)
    assert len(copy.digest()) == checksums.SIZES[name]


def test_an_unknown_algorithm_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown algorithm 'xxhash64'; known algorithms: md5, sha1"):
        running("xxhash64")


def test_a_digest_is_in_base64_or_hexadecimal() -> None:
    value = zlib.crc32(b"hello").to_bytes(4, "big")
    for text in (b64encode(value).decode(), value.hex(), value.hex().upper()):
        assert expected_of(ContentDigest("crc32", text)) == value
        assert expected_of(ContentDigest("CRC32", text)) == value
    sha = hashlib.sha256(b"hello")
    assert expected_of(ContentDigest("sha256", sha.hexdigest())) == sha.digest()


@pytest.mark.parametrize(
    "digest, words",
    [
        (ContentDigest("crc32", ""), "the value of a crc32 digest must be 4 bytes in base64 or hexadecimal"),
        (ContentDigest("crc32", "zzzzzzzz"), "must be 4 bytes"),
        (ContentDigest("sha256", "AAAA"), "must be 32 bytes"),
        (ContentDigest("crc32", "é"), "must be 4 bytes"),
        (ContentDigest("xxhash3", "AAAA"), "unknown algorithm 'xxhash3'"),
        (ContentDigest("sha256", "AAAA-2", full_object=False), "a checksum of part checksums"),
    ],
)
def test_a_digest_that_cannot_be_compared_is_refused(digest: ContentDigest, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        expected_of(digest)


def test_a_digest_is_a_content_digest() -> None:
    with pytest.raises(TypeError, match="digest must be a ContentDigest, not str"):
        expected_of("abc")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "digest",
    [
        None,
        ContentDigest("xxhash64", "AAAAAAAAAAA="),
        ContentDigest("sha256", "not base64!"),
        ContentDigest("sha256", "AAAA"),
        ContentDigest("crc32", "AAAAAAAAAAAA"),
        ContentDigest("crc32", "AAAAAA==", full_object=False),
    ],
)
def test_a_digest_of_a_service_that_cannot_be_compared_is_left_alone(digest: ContentDigest | None) -> None:
    assert comparable(digest) is None


def test_bytes_in_order_are_compared_at_the_end() -> None:
    right = digest_of(b"hello world", "crc32")
    check = InOrder(right, 11)
    assert check.saw(0, b"hello ")
    assert check.saw(6, b"world")
    assert InOrder(right, 11).saw(0, b"hello world")
    assert not InOrder(right, 11).saw(0, b"hello worle")
    assert InOrder(None, 11).saw(0, b"hello worle")
    assert InOrder(ContentDigest("xxhash64", "AA"), 11).saw(0, b"hello worle")
    assert InOrder(ContentDigest("crc32", right.value, full_object=False), 11).saw(0, b"hello worle")


def test_after_a_gap_the_check_waits_for_the_next_start() -> None:
    check = InOrder(digest_of(b"hello world", "sha256"), 11)
    assert check.saw(0, b"hello ")
    assert check.saw(8, b"xxx")
    assert check.saw(6, b"xxxxx")
    assert check.saw(0, b"hello ")
    assert not check.saw(6, b"xxxxx")


def test_a_read_that_failed_is_summed_again() -> None:
    check = InOrder(digest_of(b"hello world", "sha256"), 11)
    assert check.saw(0, b"hello ")
    before = check.state
    assert not check.saw(6, b"xxxxx")
    check.state = before
    assert check.saw(6, b"world")
