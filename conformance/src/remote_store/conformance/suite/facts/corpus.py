# Generated from conformance/src/remote_store/conformance/suite/aio/facts/corpus.py by tools/unasync.py; edit that.
"""Checks that go through a corpus of metadata, by each way to store, copy, replace and refuse it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.corpora import LARGE_METADATA, METADATA
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.width import metadata, named, refused
from remote_store.conformance.suite.expectations import expect_content
from remote_store.core import Backend, Capability, RemoteStoreError

READ, WRITE, COPY = Capability.READ, Capability.WRITE, Capability.COPY
INFO, USER_METADATA = Capability.METADATA, Capability.USER_METADATA
OLD = {"old": "1", "a": "old"}


class FactSuite:
    """Metadata of every kind."""

    @pytest.mark.parametrize("kind", METADATA)
    @check("META-009", "META-010", needs=(WRITE,))
    def test_meta_metadata_of_each_kind_comes_back(self, case: Case, kind: str) -> None:
        case.backend.write(case.path("file"), b"x", metadata=METADATA[kind])
        expect_metadata(case, "file", METADATA[kind], f"the metadata after a write with {kind}")

    @check("META-009", needs=(WRITE,))
    def test_meta_names_may_differ_in_a_dash_or_an_underscore(self, case: Case) -> None:
        given = {"a-b": "dash", "a_b": "underscore", "_": "underscore alone"}
        case.backend.write(case.path("file"), b"x", metadata=given)
        expect_metadata(case, "file", given, "the metadata")

    @check("META-013", needs=(WRITE,))
    def test_meta_the_result_tells_every_metadata(self, case: Case) -> None:
        for name, given in metadata(case):
            result = case.backend.write(case.path("file"), b"x", metadata=given, overwrite=True)
            told = given if result.metadata is None else result.metadata
            case.expect_equal(dict(told), dict(given), f"the metadata in the result of a write with {name}")

    @check("META-014", needs=(WRITE,))
    def test_meta_an_overwrite_replaces_every_metadata(self, case: Case) -> None:
        for name, given in metadata(case):
            case.backend.write(case.path("file"), b"x", metadata=OLD, overwrite=True)
            case.backend.write(case.path("file"), b"x", metadata=given, overwrite=True)
            expect_metadata(case, "file", given, f"the metadata after an overwrite with {name}")
        case.backend.write(case.path("file"), b"x", metadata=OLD, overwrite=True)
        case.backend.write(case.path("file"), b"x", overwrite=True)
        expect_metadata(case, "file", {}, "the metadata after an overwrite without metadata")

    @check("ATOM-001", needs=(INFO, USER_METADATA, WRITE))
    def test_atomic_write_keeps_every_metadata(self, case: Case) -> None:
        for name, given in metadata(case):
            case.backend.write_atomic(case.path("file"), b"x", metadata=given, overwrite=True)
            expect_metadata(case, "file", given, f"the metadata after write_atomic with {name}")

    @check("ATOM-011", needs=(INFO, USER_METADATA, WRITE))
    def test_atomic_open_keeps_every_metadata(self, case: Case) -> None:
        for name, given in metadata(case):
            with case.backend.open_atomic(case.path("file"), metadata=given, overwrite=True) as stream:
                stream.write(b"x")
            expect_metadata(case, "file", given, f"the metadata after open_atomic with {name}")

    @check("COPY-002", needs=(USER_METADATA, WRITE, INFO))
    def test_copy_keeps_every_metadata(self, case: Case) -> None:
        for number, (name, given) in enumerate(metadata(case)):
            case.backend.write(case.path("source"), b"x", metadata=given, overwrite=True)
            case.backend.copy(case.path("source"), case.path(f"copy-{number}"))
            expect_metadata(case, f"copy-{number}", given, f"the metadata of a copy of {name}")
            expect_metadata(case, "source", given, f"the metadata of the source with {name}")

    @check("COPY-004", needs=(USER_METADATA, WRITE, INFO))
    def test_copy_replaces_every_metadata(self, case: Case) -> None:
        for name, given in metadata(case):
            case.backend.write(case.path("source"), b"x", metadata=given, overwrite=True)
            case.backend.write(case.path("copy"), b"x", metadata=OLD, overwrite=True)
            case.backend.copy(case.path("source"), case.path("copy"), overwrite=True)
            expect_metadata(case, "copy", given, f"the metadata after a copy of {name} onto a file")

    @check("COPY-015", needs=(USER_METADATA, WRITE, INFO))
    def test_move_keeps_every_metadata(self, case: Case) -> None:
        for number, (name, given) in enumerate(metadata(case)):
            case.backend.write(case.path("source"), b"x", metadata=given)
            case.backend.move(case.path("source"), case.path(f"moved-{number}"))
            expect_metadata(case, f"moved-{number}", given, f"the metadata after a move of {name}")

    @check("COPY-017", needs=(USER_METADATA, WRITE, INFO))
    def test_move_replaces_every_metadata(self, case: Case) -> None:
        for name, given in metadata(case):
            case.backend.write(case.path("source"), b"x", metadata=given)
            case.backend.write(case.path("target"), b"x", metadata=OLD, overwrite=True)
            case.backend.move(case.path("source"), case.path("target"), overwrite=True)
            expect_metadata(case, "target", given, f"the metadata after a move of {name} onto a file")

    @check("META-027", needs=(READ, WRITE))
    def test_meta_large_metadata_is_stored_or_refused(self, case: Case) -> None:
        for name, given in named(case, LARGE_METADATA):
            case.backend.write(case.path("file"), b"old", metadata=OLD, overwrite=True)
            content, expected = b"new", given
            try:
                case.backend.write(case.path("file"), b"new", metadata=given, overwrite=True)
            except (RemoteStoreError, ValueError):
                content, expected = b"old", OLD
            expect_content(case, "file", content)
            expect_metadata(case, "file", expected, f"the metadata after a write with {name}")

    @check("META-012", needs=(READ, WRITE))
    def test_meta_every_way_to_write_refuses_unfit_metadata(self, case: Case) -> None:
        case.backend.write(case.path("old"), b"old", metadata=OLD)
        for name, given in refused(case):
            for way, write in WAYS.items():
                if way != "write" and Capability.ATOMIC_WRITE not in case.backend.capabilities:
                    continue
                for file in ("old", "new"):
                    with case.expect_raises((ValueError, TypeError), what=f"{way} with {name} in its metadata"):
                        write(case.backend, case.path(file), given)
                case.expect_equal(case.backend.exists(case.path("new")), False, f"exists after {way} with {name}")
        expect_content(case, "old", b"old")
        expect_metadata(case, "old", OLD, "the metadata of the file that was not overwritten")


def _write(backend: Backend, path: str, given: Mapping[str, str]) -> None:
    backend.write(path, b"new", metadata=given, overwrite=True)


def _write_atomic(backend: Backend, path: str, given: Mapping[str, str]) -> None:
    backend.write_atomic(path, b"new", metadata=given, overwrite=True)


def _open_atomic(backend: Backend, path: str, given: Mapping[str, str]) -> None:
    with backend.open_atomic(path, metadata=given, overwrite=True) as stream:
        stream.write(b"new")


WAYS: dict[str, Any] = {"write": _write, "write_atomic": _write_atomic, "open_atomic": _open_atomic}


def expect_metadata(case: Case, name: str, expected: Mapping[str, str], what: str) -> None:
    """Fail unless the file has exactly this metadata."""
    info = case.backend.get_file_info(case.path(name))
    case.expect_equal(dict(info.metadata or {}), dict(expected), what)
