# Generated from conformance/src/remote_store/conformance/suite/aio/failures/failing.py by tools/unasync.py; edit that.
"""What must be true of a backend while its storage fails, whether a proxy or the harness makes it fail."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeAlias

from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.usages import PATH_USAGES, Usage
from remote_store.core import Backend, BackendUnavailable, Capability, RemoteStoreError

SIZE = 300_000
Failing: TypeAlias = Callable[[], AbstractContextManager[object]]
"""Makes a block in which the storage fails; `nullcontext` if it always does."""


def declared(case: Case) -> dict[str, Usage]:
    """The operations that the backend declares, with deletes and moves at the end."""
    capabilities = case.backend.capabilities
    rows = {name: row for name, row in PATH_USAGES.items() if row.capability in (None, *capabilities)}
    removes = (Capability.DELETE, Capability.MOVE)
    return dict(sorted(rows.items(), key=lambda item: item[1].capability in removes))


def expect_own_errors(case: Case, backend: Backend, failing: Failing, what: str) -> None:
    """Fail if an operation raises an error that is not one of core."""
    for operation, row in declared(case).items():
        with failing():
            try:
                row.run(backend, case.path("file"), case.path("other"))
            except RemoteStoreError:
                continue
            except Exception as error:
                case.fail(f"{operation} while {what}", RemoteStoreError, error)


def expect_whole_reads(case: Case, backend: Backend, failing: Failing, content: bytes) -> None:
    """Fail if a read returns anything but the whole content or an error that says that the storage is unavailable."""
    seekable = Capability.SEEKABLE_READ in backend.capabilities
    for method in ("read", "read_bytes", "read_range", *(["read_seekable"] if seekable else [])):
        with failing():
            try:
                data = _read_by(backend, method, case.path("file"))
            except BackendUnavailable as error:
                case.expect(error.retryable, f"the error of {method} is retryable", error)
            else:
                case.expect(data == content, f"{method} of content that was cut returns all of it", len(data))


def expect_whole_file(case: Case, backend: Backend, failing: Failing, method: str, *, overwrite: bool) -> None:
    """Write in one of three ways, and fail if the file is then neither the old one nor the new one."""
    path, content = case.path("file"), case.content(SIZE)
    if overwrite:
        case.backend.write(path, b"old")
    written = True
    with failing():
        try:
            if method == "open_atomic":
                with backend.open_atomic(path, overwrite=overwrite) as stream:
                    stream.write(content)
            else:
                getattr(backend, method)(path, content, overwrite=overwrite)
        except RemoteStoreError:
            written = False
    there = case.backend.exists(path)
    case.expect(there or not (written or overwrite), "the old file or the new one exists")
    if there:
        data = case.backend.read_bytes(path)
        whole = data == content or (overwrite and not written and data == b"old")
        case.expect(whole, "the file is the old one or the new one", f"{len(data):,} bytes")


def expect_unchanged(case: Case) -> None:
    """Fail if a write that failed has changed the file `file` or created the file `new`."""
    case.expect_equal(case.backend.read_bytes(case.path("file")), b"old", "the file to be replaced")
    case.expect_equal(case.backend.exists(case.path("new")), False, "exists of the file to be created")


def _read_by(backend: Backend, method: str, path: str) -> bytes:
    """The content of a file by one of the methods for reading; a stream is read in pieces."""
    if method == "read_bytes":
        return backend.read_bytes(path)
    if method == "read_range":
        return backend.read_range(path, 0, SIZE)
    pieces = []
    with getattr(backend, method)(path) as stream:
        while piece := stream.read(40_000):
            pieces.append(piece)
    return b"".join(pieces)
