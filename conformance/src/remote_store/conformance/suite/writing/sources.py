# Generated from conformance/src/remote_store/conformance/suite/aio/writing/sources.py by tools/unasync.py; edit that.
"""Checks that each kind of source is written exactly, by each way to write it."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

import pytest

from remote_store.conformance.checking.buffers import VIEWS, WRITABLE, bytes_of, fill
from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.sources import ITERABLES, STREAMS
from remote_store.conformance.checking.width import is_near
from remote_store.conformance.suite.expectations import nothing_else
from remote_store.conformance.suite.reading.seeking import require_method
from remote_store.core import Capability, PreconditionFailed

READ = (Capability.READ,)
SMALL = (0, 0, 1, 17)
LARGE = (100, 4096, 70_001, 524_288, 524_289, 600_001)
FAR_KINDS = {"smoke": 3, "quick": 6, "full": 30}
"""How many kinds are drawn by tier, if each write is a request."""
Way = Callable[[Case, str, Any], Any]


def _resumed(case: Case, path: str, content: Any) -> Any:
    return case.backend.resume_upload(path, content, record={}, keep=len, overwrite=True)


def _in_a_block(case: Case, path: str, content: Any) -> None:
    with case.backend.open_atomic(path, overwrite=True) as draft:
        if not hasattr(content, "read"):
            for piece in [content] if isinstance(content, memoryview | bytes) else content:
                draft.write(piece)
            return
        while piece := content.read(100_000):
            draft.write(piece)


WAYS: dict[str, tuple[Capability, Way]] = {
    "write": (Capability.WRITE, lambda case, path, content: case.backend.write(path, content, overwrite=True)),
    "write_atomic": (
        Capability.ATOMIC_WRITE,
        lambda case, path, content: case.backend.write_atomic(path, content, overwrite=True),
    ),
    "open_atomic": (Capability.ATOMIC_WRITE, _in_a_block),
}


def way(case: Case, name: str) -> Way:
    """A way to write; the check is skipped if its capability is not declared."""
    capability, run = WAYS[name]
    case.require(capability)
    return run


def some(case: Case, kinds: dict[str, Any]) -> list[str]:
    """The kinds that the case takes: all of them nearby, else some that are drawn."""
    far = len(kinds) if is_near(case) or case.tier == "soak" else FAR_KINDS[case.tier]
    return case.rng.sample(list(kinds), min(far, len(kinds)))


def drawn_contents(case: Case) -> list[bytes]:
    """Bytes of a size that is drawn, and nearby a few bytes too; seldom several parts, where writes have parts."""
    part, few = case.profile.part_size, [case.rng.choice(SMALL)] if is_near(case) else []
    size = case.rng.choice(LARGE[:3] if case.tier in ("smoke", "quick") else LARGE)
    if part is not None and case.tier in ("full", "soak") and case.rng.random() < 0.1:
        size = case.rng.choice((part - 1, part, part + 1, 2 * part + 1))
    return [case.content(size) for size in (*few, size)]


class SourceSuite:
    """Sources of every kind, compared with their bytes."""

    @check("WRITE-003", needs=READ)
    def test_source_of_every_kind(self, case: Case) -> None:
        self._write_streams(case, "write")

    @check("WRITE-021", needs=READ)
    def test_source_that_is_an_iterable(self, case: Case) -> None:
        self._write_iterables(case, "write")

    @check("ATOM-001", needs=READ)
    def test_source_of_every_kind_of_an_atomic_write(self, case: Case) -> None:
        self._write_streams(case, "write_atomic")
        self._write_iterables(case, "write_atomic")

    @check("ATOM-011", needs=READ)
    def test_source_of_every_kind_of_a_block(self, case: Case) -> None:
        self._write_streams(case, "open_atomic")
        self._write_iterables(case, "open_atomic")

    @check("WRITE-002", needs=READ)
    def test_source_that_is_a_buffer(self, case: Case) -> None:
        self._write_buffers(case, "write")

    @check("ATOM-001", needs=READ)
    def test_source_that_is_a_buffer_of_an_atomic_write(self, case: Case) -> None:
        self._write_buffers(case, "write_atomic")

    @check("ATOM-007", needs=READ)
    def test_source_that_is_a_buffer_of_a_block(self, case: Case) -> None:
        self._write_buffers(case, "open_atomic")

    @check("PART-006", needs=READ)
    def test_source_that_is_a_buffer_of_a_resumed_upload(self, case: Case) -> None:
        for kind in some(case, VIEWS):
            buffer = VIEWS[kind](drawn_contents(case)[-1])
            _resumed(case, case.path(kind), buffer)
            observed = case.backend.read_bytes(case.path(kind))
            case.expect_equal(observed, bytes_of(buffer), f"the content after resume_upload of {kind}")

    @pytest.mark.parametrize("name", WAYS)
    @check("WRITE-013", needs=READ)
    def test_source_that_changes_after_its_write(self, case: Case, name: str) -> None:
        write = way(case, name)
        for kind in some(case, WRITABLE):
            path, buffer = case.path(kind), WRITABLE[kind](case.rng.choice((16, 4096, 70_016)))
            fill(buffer, case.content(len(bytes_of(buffer))))
            expected = bytes_of(buffer)
            forms: list[Any] = [memoryview(buffer), [memoryview(buffer), memoryview(buffer)]]
            forms.append(io.BytesIO(expected))
            for number, form in enumerate(forms):
                write(case, path, form)
                fill(buffer)
                if isinstance(form, io.BytesIO):
                    form.seek(0)
                    # It grows, which it cannot while a view of it exists.
                    form.write(b"changed" * 20_000)
                observed = case.backend.read_bytes(path)
                times = 2 if number == 1 else 1
                case.expect_equal(observed, expected * times, f"the file of {kind} by {name}, after the buffer changed")
                fill(buffer, expected)

    @pytest.mark.parametrize("method", ["read", "read_seekable"])
    @check("WRITE-003", needs=READ)
    def test_source_that_is_a_stream_of_the_backend(self, case: Case, method: str) -> None:
        require_method(case, method)
        lines = [case.content(case.rng.randrange(3_000)).replace(b"\n", b"") + b"\n" for _ in range(100)]
        source, content = case.path("source"), b"".join(lines)
        case.backend.write(source, content)
        for name, (capability, write) in WAYS.items():
            if capability not in case.backend.capabilities or name == "open_atomic":
                continue
            for begin in ("start", "read", "line", "seek", "end"):
                with getattr(case.backend, method)(source) as stream:
                    start = begun(stream, begin)
                    write(case, case.path("target"), stream)
                    what = f"the file after {name} of a stream of {method}, from {begin}"
                    observed = case.backend.read_bytes(case.path("target"))
                    case.expect_equal(observed, content[start:], what)
                    case.expect_equal(stream.closed, False, "closed of the stream")
                    case.expect_equal(stream.read(1), b"", "the rest of the stream")
        with getattr(case.backend, method)(source) as stream:
            start = begun(stream, "line")
            with suppress(PreconditionFailed):
                case.backend.write(source, stream, overwrite=True)
                content = content[start:]
        observed = case.backend.read_bytes(source)
        case.expect_equal(observed, content, "a file that was overwritten with the rest of itself")

    def _write_streams(self, case: Case, name: str) -> None:
        write, paths = way(case, name), []
        for kind, content in self._drawn(case, STREAMS):
            path = case.path(f"file of {kind}")
            with closing(STREAMS[kind](content)) as source:
                # What reads a header, before it passes the rest on.
                head = source.read(case.rng.choice((0, 1, 5, 1_000)) if case.rng.random() < 0.5 else 0)
                result = write(case, path, source)
                self._expect_written(
                    case, path, content[len(head) :], result, f"{name} from {kind}, after {len(head)} bytes"
                )
                case.expect_equal(source.closed, False, f"`closed` of {kind}")
                case.expect_equal(len(source.read(1)), 0, f"the number of bytes left in {kind}")
                if is_near(case):
                    result = write(case, path, source)
                    self._expect_written(case, path, b"", result, f"{name} of {kind} once more, from its end")
            paths.append(path)
        nothing_else(case, sorted(set(paths)))

    def _write_iterables(self, case: Case, name: str) -> None:
        write = way(case, name)
        for kind, content in self._drawn(case, ITERABLES):
            # An await for each of many tiny pieces takes seconds.
            if name == "open_atomic" and kind == "tiny":
                continue
            path = case.path(f"items of {kind}")
            result = write(case, path, ITERABLES[kind](content))
            self._expect_written(case, path, content, result, f"{name} of {kind}")

    def _write_buffers(self, case: Case, name: str) -> None:
        write = way(case, name)
        for kind, content in self._drawn(case, VIEWS):
            buffer, path = VIEWS[kind](content), case.path(kind)
            # A file on disk, which a draft may be, takes no other buffer.
            if name == "open_atomic" and not memoryview(buffer).c_contiguous:
                continue
            result = write(case, path, buffer)
            self._expect_written(case, path, bytes_of(buffer), result, f"{name} of {kind}")

    def _drawn(self, case: Case, kinds: dict[str, Any]) -> list[tuple[str, bytes]]:
        """The kinds that the case takes, with the contents for each."""
        return [(kind, content) for kind in some(case, kinds) for content in drawn_contents(case)]

    def _expect_written(self, case: Case, path: str, content: bytes, result: Any, what: str) -> None:
        if result is not None:
            case.expect_equal(result.size, len(content), f"the size in the result of {what}")
        observed = case.backend.read_bytes(path)
        case.expect_equal(observed, content, f"the content after {what}")


def begun(stream: Any, begin: str) -> int:
    """Bring a stream to a position in one of the ways that there are, and return the position."""
    if begin == "read":
        return len(stream.read(4_000))
    if begin == "seek":
        return int(stream.seek(5_001))
    if begin == "end":
        return len(stream.read())
    if begin == "line":
        for line in stream:
            return len(line)
    return 0
