# Generated from conformance/src/remote_store/conformance/suite/aio/expectations.py by tools/unasync.py; edit that.
"""Expectations about files and folders, shared by checks of several areas."""

from __future__ import annotations

import base64

from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.usages import PATH_USAGES, Usage
from remote_store.core import Capability, ContentDigest
from remote_store.core.checksums import SIZES, digest_of


def expect_content(case: Case, name: str, content: bytes) -> None:
    """Fail if the file has other bytes."""
    case.expect_equal(case.backend.read_bytes(case.path(name)), content, f"the content of {name!r}")


def expect_facts(case: Case, name: str, metadata: dict[str, str], content_type: str | None) -> None:
    """Fail if the metadata or the content type differ."""
    info = case.backend.get_file_info(case.path(name))
    case.expect_equal(dict(info.metadata or {}), metadata, f"the metadata of {name!r}")
    case.expect_equal(info.content_type, content_type, f"the content type of {name!r}")


def require_namesakes(case: Case) -> None:
    """Skip the check unless a file and a folder may share a name."""
    case.require_profile("a file and a folder cannot share a name", case.profile.flat)


def distinct(count: int, size: int) -> list[bytes]:
    """Contents that differ in every byte."""
    return [bytes([number % 256]) * (size + number) for number in range(count)]


def required(case: Case, operation: str) -> Usage:
    """The row of an operation; the check is skipped if its capability is not declared."""
    row = PATH_USAGES[operation]
    if row.capability is not None:
        case.require(row.capability)
    return row


def nothing_else(case: Case, paths: list[str]) -> None:
    """Fail if the test's folder, or the storage below it, has other files."""
    if Capability.LIST in case.backend.capabilities:
        listed = [str(entry.path) for entry in case.backend.list_files(case.folder, recursive=True)]
        case.expect_same(listed, paths, "every file in the folder")
    oracle = case.harness.oracle
    if oracle is not None:
        case.expect_same(oracle.raw_list(case.folder + "/"), paths, "every key in the storage")
        case.expect_equal(oracle.raw_uploads(case.folder + "/") or [], [], "unfinished uploads in the storage")


def unchanged(case: Case, path: str, overwrite: bool) -> None:
    """Fail if the failed write changed anything."""
    if overwrite:
        case.expect_equal(case.backend.read_bytes(path), b"old", "the file after the failed write")
    else:
        case.expect_equal(case.backend.exists(path), False, "exists after the failed write")


def is_honest(digest: ContentDigest, content: bytes) -> bool:
    """Whether a digest is the checksum of the content, in hex or base64; unknown algorithms pass."""
    if digest.algorithm not in SIZES or not digest.full_object:
        return True
    computed = digest_of(content, digest.algorithm).value
    return digest.value in (computed, base64.b64decode(computed).hex())
