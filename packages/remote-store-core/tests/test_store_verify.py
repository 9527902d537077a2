from __future__ import annotations

import hashlib
import zlib
from typing import Any

import pytest

from remote_store.core import ContentDigest, InvalidPath, MemoryBackend, NotFound, Store
from remote_store.core.checksums import SIZES, digest_of

CONTENT = b"hello" * 1_000_000


@pytest.mark.parametrize("algorithm", SIZES)
def test_a_file_is_compared_by_any_algorithm(algorithm: str, store: Store) -> None:
    store.write("a/b", CONTENT)
    assert store.verify("a/b", digest_of(CONTENT, algorithm))
    assert not store.verify("a/b", digest_of(CONTENT + b"!", algorithm))


def test_a_stored_checksum_is_compared_without_a_read(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(MemoryBackend())
    store.write("a", CONTENT, checksum="SHA256")

    def read(*_args: Any, **_options: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(MemoryBackend, "read", read)
    assert store.verify("a", ContentDigest("SHA256", hashlib.sha256(CONTENT).hexdigest()))
    assert not store.verify("a", digest_of(b"other", "sha256"))
    with pytest.raises(AssertionError):
        store.verify("a", digest_of(CONTENT, "crc32"))


def test_a_wrong_digest_is_refused_before_any_request(store: Store) -> None:
    with pytest.raises(ValueError, match="must be 4 bytes"):
        store.verify("missing", ContentDigest("crc32", "0"))
    with pytest.raises(TypeError, match="ContentDigest"):
        store.verify("missing", f"{zlib.crc32(CONTENT):08x}")  # type: ignore[arg-type]


@pytest.mark.parametrize("path, error", [("missing", NotFound), ("", InvalidPath), ("a", InvalidPath)])
def test_there_must_be_a_file(path: str, error: type[Exception], store: Store) -> None:
    store.write("a/b", b"")
    with pytest.raises(error):
        store.verify(path, digest_of(CONTENT, "crc32"))
