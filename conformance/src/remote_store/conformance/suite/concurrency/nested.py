# Generated from conformance/src/remote_store/conformance/suite/aio/concurrency/nested.py by tools/unasync.py; edit
# that.
"""Checks of several writers and readers of one instance that are open at the same time."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from remote_store.conformance.checking.callers import MORE_ERRORS, Boom
from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.corpora import MIB
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.hostile import Failing, FailingOnce
from remote_store.conformance.checking.trees import fill
from remote_store.conformance.checking.width import drawn
from remote_store.conformance.suite.expectations import expect_content, unchanged
from remote_store.core import Capability

READ, WRITE = Capability.READ, Capability.WRITE
# Some are kept in memory, others on disk.
LENGTHS = (0, 5, 70_000, MIB + 1, 3 * MIB)
STEPS = 4
RETRIED = ("unavailable", "ConnectionResetError", "TimeoutError", "FileNotFoundError")
"""Errors of a source that backends take for their own, and try again."""


class NestedSuite:
    """ATOM and ERR: blocks inside each other, and exceptions of callers."""

    @check("ATOM-003", needs=(READ, WRITE))
    def test_atomic_open_of_many_files_in_turns(self, case: Case) -> None:
        lengths = LENGTHS[: 3 if case.tier == "smoke" else None]
        contents = {f"file-{number}": case.content(length) for number, length in enumerate(lengths)}
        with ExitStack() as stack:
            streams = {name: stack.enter_context(case.backend.open_atomic(case.path(name))) for name in contents}
            for step in range(STEPS):
                for name, stream in streams.items():
                    size = len(contents[name]) // STEPS + 1
                    stream.write(contents[name][step * size : (step + 1) * size])
            for name in contents:
                case.expect_equal(case.backend.exists(case.path(name)), False, f"exists of {name!r} inside its block")
        for name, content in contents.items():
            expect_content(case, name, content)

    @check("ATOM-003", needs=(READ, WRITE))
    def test_atomic_open_beside_a_block_that_fails(self, case: Case) -> None:
        content = case.content(MIB + 70_000)
        with case.backend.open_atomic(case.path("outer")) as outer:
            outer.write(content[:MIB])
            with case.expect_raises(Boom):
                with case.backend.open_atomic(case.path("inner")) as inner:
                    inner.write(case.content(MIB + 5))
                    raise Boom("mine")
            outer.write(content[MIB:])
        expect_content(case, "outer", content)
        case.expect_equal(case.backend.exists(case.path("inner")), False, "exists of the file of the block that failed")

    @check("ATOM-003", needs=(READ, WRITE))
    def test_atomic_open_around_other_calls(self, case: Case) -> None:
        old, new = case.content(300_000), case.content(MIB + 3)
        fill(case, "file", "read", data=old)
        with case.backend.open_atomic(case.path("file"), overwrite=True) as writer:
            writer.write(new[:MIB])
            with case.backend.read(case.path("file")) as reader:
                case.expect_equal(reader.read(1000), old[:1000], "the old file, read inside the block")
                writer.write(new[MIB:])
                case.backend.write(case.path("other"), b"other")
                expect_content(case, "read", old)
                case.expect_equal(reader.read(), old[1000:], "the rest of the old file, read inside the block")
        expect_content(case, "file", new)
        expect_content(case, "other", b"other")

    @check("ERR-012", needs=(READ,))
    def test_error_of_the_source_of_every_kind(self, case: Case) -> None:
        for name, make in MORE_ERRORS.items():
            for good in (0, 100_000):
                for overwrite in (False, True):
                    path = case.path(f"{name}-{good}-{overwrite}")
                    if overwrite:
                        case.backend.write(path, b"old")
                    error, observed = make(), None
                    source: Any = Failing(good, error)
                    try:
                        case.backend.write(path, source, overwrite=overwrite)
                    except Exception as raised:
                        observed = raised
                    what = f"{name} of the source after {good:,} bytes is raised unchanged"
                    case.expect(observed is error, what, observed)
                    unchanged(case, path, overwrite)

    @check("ERR-012", needs=(READ,))
    def test_error_of_the_source_that_comes_once(self, case: Case) -> None:
        for name in dict.fromkeys([*RETRIED, *drawn(case, list(MORE_ERRORS))]):
            source: Any = FailingOnce(error := MORE_ERRORS[name]())
            observed: Exception | None = None
            try:
                case.backend.write(case.path(name), source)
            except Exception as raised:
                observed = raised
            case.expect(observed is error, f"{name} of the source is raised, and the write is not repeated", observed)
            case.expect_equal(case.backend.exists(case.path(name)), False, "exists after it")

    @check("ATOM-004", needs=(READ, WRITE))
    def test_atomic_open_with_an_exception_of_every_kind(self, case: Case) -> None:
        for name, make in MORE_ERRORS.items():
            error, observed = make(), None
            try:
                with case.backend.open_atomic(case.path(name)) as stream:
                    stream.write(b"half")
                    raise error
            except Exception as raised:
                observed = raised
            case.expect(observed is error, f"{name} of the block is raised unchanged", observed)
            case.expect_equal(case.backend.exists(case.path(name)), False, f"exists after {name}")
