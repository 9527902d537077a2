"""Checks that the standard library accepts a synchronous backend's streams as files."""

from __future__ import annotations

import csv
import gzip
import io
import pickle
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.expect import CheckFailed
from remote_store.core import Capability

WRITE = (Capability.WRITE,)
METHODS = ("read", "read_seekable")


@contextmanager
def working(case: Case, what: str) -> Iterator[None]:
    """Fail if a module of the standard library cannot use a stream as a file."""
    try:
        yield
    except CheckFailed:
        raise
    except Exception as error:
        case.fail(f"{what} on the stream", "that it works", error)


class StandardSuite:
    @pytest.mark.parametrize("method", METHODS)
    @check("SEEK-012", needs=WRITE)
    def test_standard_streams_are_files(self, case: Case, method: str) -> None:
        path = stored(case, method, b"content")
        with getattr(case.backend, method)(path) as stream:
            case.expect_type(stream, io.IOBase, "the stream")
            case.expect(not isinstance(stream, io.TextIOBase), "the stream is binary", stream)
            case.expect_equal(stream.isatty(), False, "isatty() of the stream")
            case.expect_equal(stream.read(None), b"content", "read(None)")

    @pytest.mark.parametrize("method", METHODS)
    @check("SEEK-012", needs=WRITE)
    def test_standard_text(self, case: Case, method: str) -> None:
        text = "naïve\r\ncafé, 日本\nlast"
        path = stored(case, method, text.encode())
        wrapped = partial(io.TextIOWrapper, encoding="utf-8", newline="")
        with working(case, "TextIOWrapper"), wrapped(getattr(case.backend, method)(path)) as stream:
            case.expect_equal(stream.readline(), "naïve\r\n", "readline of the text")
            case.expect_equal(stream.read(), "café, 日本\nlast", "read of the rest of the text")
        with working(case, "csv"), wrapped(getattr(case.backend, method)(path)) as stream:
            case.expect_equal(list(csv.reader(stream)), [["naïve"], ["café", " 日本"], ["last"]], "the rows by csv")

    @pytest.mark.parametrize("method", METHODS)
    @check("SEEK-012", needs=WRITE)
    def test_standard_archives(self, case: Case, method: str) -> None:
        content, archive, tape = case.content(100_000), io.BytesIO(), io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr("first", b"first")
            packed.writestr("second", content)
        with tarfile.open(fileobj=tape, mode="w:gz") as packed_tape:
            entry = tarfile.TarInfo("member")
            entry.size = len(content)
            packed_tape.addfile(entry, io.BytesIO(content))
        path = stored(case, method, archive.getvalue())
        with (
            working(case, "zipfile"),
            getattr(case.backend, method)(path) as stream,
            zipfile.ZipFile(stream) as unpacked,
        ):
            case.expect_equal(unpacked.namelist(), ["first", "second"], "the names in the zip file")
            case.expect_equal(unpacked.read("second"), content, "a member of the zip file")
        path = stored(case, method, tape.getvalue())
        opened = getattr(case.backend, method)(path)
        with working(case, "tarfile"), opened as stream, tarfile.open(fileobj=stream) as tape_file:
            member = tape_file.extractfile("member")
            case.expect_equal(member and member.read(), content, "a member of the tar file")

    @pytest.mark.parametrize("method", METHODS)
    @check("SEEK-012", needs=WRITE)
    def test_standard_copies_and_loads(self, case: Case, method: str) -> None:
        content = case.content(300_000)
        path = stored(case, method, content)
        target = io.BytesIO()
        with working(case, "shutil.copyfileobj"), getattr(case.backend, method)(path) as stream:
            shutil.copyfileobj(stream, target)
        case.expect_equal(target.getvalue(), content, "the bytes that shutil.copyfileobj copied")
        path = stored(case, method, gzip.compress(content))
        with working(case, "gzip"), getattr(case.backend, method)(path) as stream, gzip.open(stream) as unpacked:
            case.expect_equal(unpacked.read(), content, "the bytes that gzip unpacked")
        path = stored(case, method, pickle.dumps({"key": [1, 2.5, content]}))
        with working(case, "pickle"), getattr(case.backend, method)(path) as stream:
            case.expect_equal(pickle.load(stream), {"key": [1, 2.5, content]}, "the object that pickle loaded")

    @pytest.mark.parametrize("method", METHODS)
    @check("SEEK-012", needs=WRITE)
    def test_standard_reads_through_a_buffer(self, case: Case, method: str) -> None:
        content = case.content(200_000)
        path = stored(case, method, content)
        with getattr(case.backend, method)(path) as stream:
            lines = stream.readlines()
        case.expect_equal(b"".join(lines), content, "readlines of random bytes")
        with getattr(case.backend, method)(path) as stream:
            buffer = bytearray(len(content))
            view, count = memoryview(buffer), 0
            while read := stream.readinto(view[count : count + 30_001]):
                count += read
        case.expect_equal(bytes(buffer[:count]), content, "readinto until the end")


def stored(case: Case, method: str, content: bytes) -> str:
    """Write a file and return its path."""
    if method == "read_seekable":
        case.require(Capability.SEEKABLE_READ)
    path = case.path("file.gz")
    case.backend.write(path, content, overwrite=True)
    return path
