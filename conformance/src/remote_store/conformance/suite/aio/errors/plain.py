"""Checks of errors that need no server: the class, the attributes, and the precedence."""

from __future__ import annotations

import errno
import inspect
import io
import pickle
from contextlib import suppress
from typing import Any

import pytest

from remote_store.conformance.checking.async_usages import (
    DATA,
    FILE_USAGES,
    FOLDER_USAGES,
    PATH_USAGES,
    TOLERANT_USAGES,
    USAGES,
)
from remote_store.conformance.checking.callers import CALLERS_ERRORS, Caught
from remote_store.conformance.checking.case import AsyncCase, not_applicable
from remote_store.conformance.checking.decorators import async_check
from remote_store.conformance.checking.hostile import PYTHONS_OWN, WRONG_CONTENT, Failing
from remote_store.conformance.suite.aio.expectations import required, unchanged
from remote_store.core import (
    AlreadyExists,
    BackendUnavailable,
    Capability,
    CapabilityNotSupported,
    DirectoryNotEmpty,
    InvalidPath,
    NotFound,
    RemoteStoreError,
)

READ, WRITE, DELETE, COPY = Capability.READ, Capability.WRITE, Capability.DELETE, Capability.COPY
BUILTINS = {
    "not_found": (NotFound, FileNotFoundError),
    "already_exists": (AlreadyExists, FileExistsError),
    "invalid_path": (InvalidPath, ValueError),
    "not_empty": (DirectoryNotEmpty, OSError),
}


NUMBERS: dict[type[Exception], int] = {
    NotFound: errno.ENOENT,
    AlreadyExists: errno.EEXIST,
    DirectoryNotEmpty: errno.ENOTEMPTY,
}


class AsyncErrSuite:
    @pytest.mark.parametrize("name", BUILTINS)
    @async_check("ERR-001", needs=(READ, WRITE, DELETE))
    async def test_error_is_a_builtin_too(self, case: AsyncCase, name: str) -> None:
        kind, builtin = BUILTINS[name]
        error, _ = await provoke(case, name)
        case.expect_equal(type(error), kind, "the class of the error")
        case.expect_type(error, builtin, "the builtin base class of the error")

    @pytest.mark.parametrize("name", BUILTINS)
    @async_check("ERR-002", needs=(READ, WRITE, DELETE))
    async def test_error_says_who_and_where(self, case: AsyncCase, name: str) -> None:
        error, path = await provoke(case, name)
        case.expect_equal(error.path, path, "the error's path")
        case.expect_equal(error.backend, case.backend.name, "the error's backend")
        case.expect(repr(path) in str(error), "the error shows its path", str(error))

    @pytest.mark.parametrize("name", BUILTINS)
    @async_check("ERR-003", needs=(READ, WRITE, DELETE))
    async def test_error_has_a_message(self, case: AsyncCase, name: str) -> None:
        error, path = await provoke(case, name)
        case.expect(error.message, "the error has a message", error)
        case.expect(path not in error.message, "the message does not repeat the path", error.message)

    @pytest.mark.parametrize("name", [name for name, (kind, _) in BUILTINS.items() if issubclass(kind, OSError)])
    @async_check("ERR-018", needs=(READ, WRITE, DELETE))
    async def test_error_has_the_facts_of_an_os_error(self, case: AsyncCase, name: str) -> None:
        error, path = await provoke(case, name)
        for each in (error, pickle.loads(pickle.dumps(error))):
            facts = getattr(each, "errno", None), getattr(each, "filename", None)
            case.expect_equal(facts, (NUMBERS[BUILTINS[name][0]], path), "errno and filename")

    @pytest.mark.parametrize("operation", PATH_USAGES)
    @async_check("ERR-002")
    async def test_error_of_a_malformed_path_says_who_and_where(self, case: AsyncCase, operation: str) -> None:
        error, path = await provoke_by_nul(case, operation)
        case.expect_equal(error.path, path, "the error's path")
        case.expect_equal(error.backend, case.backend.name, "the error's backend")

    @pytest.mark.parametrize("operation", PATH_USAGES)
    @async_check("ERR-003")
    async def test_error_of_a_malformed_path_has_a_message(self, case: AsyncCase, operation: str) -> None:
        error, path = await provoke_by_nul(case, operation)
        case.expect(path not in error.message, "the message does not repeat the path", error.message)

    @pytest.mark.parametrize("name", BUILTINS)
    @async_check("ERR-004", needs=(READ, WRITE, DELETE))
    async def test_error_pickles(self, case: AsyncCase, name: str) -> None:
        error, _ = await provoke(case, name)
        copy = pickle.loads(pickle.dumps(error))
        case.expect_equal(type(copy), type(error), "the class of the copy")
        case.expect_equal(str(copy), str(error), "the text of the copy")
        facts = ("path", "paths", "backend", "code", "status", "request_id", "retryable", "message")
        for fact in facts:
            case.expect_equal(getattr(copy, fact), getattr(error, fact), f"the {fact} of the copy")

    @pytest.mark.parametrize("name", BUILTINS)
    @async_check("ERR-016", needs=(READ, WRITE, DELETE))
    async def test_error_is_not_retryable(self, case: AsyncCase, name: str) -> None:
        error, _ = await provoke(case, name)
        case.expect_equal(error.retryable, False, "retryable of a permanent error")

    @pytest.mark.parametrize("operation", FILE_USAGES)
    @async_check("ERR-005")
    async def test_error_of_a_missing_file(self, case: AsyncCase, operation: str) -> None:
        row, path = required(case, operation), case.path("missing")
        with case.expect_raises(NotFound, path=path, what=f"{operation} of a missing file"):
            await row.run(case.backend, path, case.path("other"))

    @pytest.mark.parametrize("operation", FOLDER_USAGES)
    @async_check("ERR-005")
    async def test_error_of_a_missing_folder(self, case: AsyncCase, operation: str) -> None:
        row, path = required(case, operation), case.path("missing")
        with case.expect_raises(NotFound, path=path, what=f"{operation} of a missing folder"):
            await row.run(case.backend, path, case.path("other"))

    @pytest.mark.parametrize("operation", [*FILE_USAGES, *FOLDER_USAGES])
    @async_check("ERR-005", needs=(WRITE,))
    async def test_error_of_a_path_below_a_file(self, case: AsyncCase, operation: str) -> None:
        row, path = required(case, operation), case.path("file/below")
        await case.backend.write(case.path("file"), DATA)
        kinds = NotFound if case.profile.flat else (NotFound, InvalidPath)
        with case.expect_raises(kinds, path=path, what=f"{operation} of a path below a file"):
            await row.run(case.backend, path, case.path("other"))
        case.expect_equal(await case.backend.is_file(case.path("file")), True, "is_file of the file")

    @pytest.mark.parametrize("operation", FILE_USAGES)
    @async_check("ERR-006")
    async def test_error_of_a_folder_as_a_file(self, case: AsyncCase, operation: str) -> None:
        row, path, kept = required(case, operation), case.path("folder"), case.path("folder/file")
        await case.backend.write(kept, DATA)
        with case.expect_raises(InvalidPath, path=path, what=f"{operation} of a folder"):
            await row.run(case.backend, path, case.path("other"))
        case.expect_equal(await case.backend.is_file(kept), True, "is_file of the file in the folder")

    @pytest.mark.parametrize("operation", FOLDER_USAGES)
    @async_check("ERR-007")
    async def test_error_of_a_file_as_a_folder(self, case: AsyncCase, operation: str) -> None:
        row, path = required(case, operation), case.path("file")
        await case.backend.write(path, DATA)
        with case.expect_raises(InvalidPath, path=path, what=f"{operation} of a file"):
            await row.run(case.backend, path, case.path("other"))
        case.expect_equal(await case.backend.is_file(path), True, "is_file of the file")

    @async_check("ERR-008", needs=(WRITE,))
    async def test_error_of_wrong_kind_with_missing_ok(self, case: AsyncCase) -> None:
        folder, file = case.path("folder"), case.path("folder/file")
        await case.backend.write(file, DATA)
        with case.expect_raises(InvalidPath, path=folder, what="delete of a folder with missing_ok"):
            await case.backend.delete(folder, missing_ok=True)
        for recursive in (False, True):
            with case.expect_raises(InvalidPath, path=file, what="delete_folder of a file with missing_ok"):
                await case.backend.delete_folder(file, recursive=recursive, missing_ok=True)
        case.expect_equal(await case.backend.is_file(file), True, "is_file of the file, which was not deleted")

    @pytest.mark.parametrize("operation", PATH_USAGES)
    @async_check("ERR-009")
    async def test_error_of_a_closed_backend(self, case: AsyncCase, operation: str) -> None:
        row = required(case, operation)
        await case.backend.close()
        for path in (case.path("file"), "", "a\0b"):
            with (
                case.expect_no_request(f"{operation} on a closed backend"),
                case.expect_raises(BackendUnavailable, what=f"{operation} of {path!r}, closed") as caught,
            ):
                await row.run(case.backend, path, case.path("other"))
            case.expect_equal(caught.error.retryable, False, "retryable of a closed backend's error")

    @pytest.mark.parametrize("operation", ["copy", "move"])
    @async_check("ERR-010", needs=(WRITE,))
    async def test_error_of_the_path_outranks_a_missing_source(self, case: AsyncCase, operation: str) -> None:
        case.require(Capability[operation.upper()])
        method, missing, existing = getattr(case.backend, operation), case.path("missing"), case.path("existing")
        await case.backend.write(existing, DATA)
        for src, dst, wrong in (
            (missing, case.path("a//b"), case.path("a//b")),
            (missing, "", ""),
            ("", existing, ""),
            ("", case.path("a//b"), ""),
            ("a\0b", existing, "a\0b"),
        ):
            with (
                case.expect_no_request(f"{operation} with a wrong path"),
                case.expect_raises(InvalidPath, path=wrong, what=f"{operation} from {src!r} to {dst!r}"),
            ):
                await method(src, dst)

    @pytest.mark.parametrize("operation", ["copy", "move"])
    @async_check("ERR-011")
    async def test_error_of_the_source_outranks_a_conflict(self, case: AsyncCase, operation: str) -> None:
        case.require(Capability[operation.upper()])
        method, existing = getattr(case.backend, operation), case.path("existing")
        await case.backend.write(existing, DATA)
        await case.backend.write(case.path("folder/file"), DATA)
        with case.expect_raises(NotFound, path=case.path("missing"), what=f"{operation} from a missing file"):
            await method(case.path("missing"), existing)
        with case.expect_raises(InvalidPath, path=case.path("folder"), what=f"{operation} from a folder"):
            await method(case.path("folder"), existing)

    @pytest.mark.parametrize("operation", ["copy", "move"])
    @async_check("ERR-011")
    async def test_error_of_the_source_outranks_a_file_as_ancestor(self, case: AsyncCase, operation: str) -> None:
        case.require(Capability[operation.upper()])
        option = "reject_write_under_file_ancestor"
        optional = not case.profile.rejects_file_ancestor
        if optional and option not in case.harness.options:
            not_applicable("the storage allows a file below another file")
        backend = case.make(**{option: True}) if optional else case.backend
        method, below = getattr(backend, operation), case.path("existing/below")
        await case.backend.write(case.path("existing"), DATA)
        await case.backend.write(case.path("folder/file"), DATA)
        with case.expect_raises(NotFound, path=case.path("missing"), what=f"{operation} from a missing file"):
            await method(case.path("missing"), below)
        with case.expect_raises(InvalidPath, path=case.path("folder"), what=f"{operation} from a folder"):
            await method(case.path("folder"), below)
        with case.expect_raises(InvalidPath, path=below, what=f"{operation} to below a file"):
            await method(case.path("folder/file"), below)

    @pytest.mark.parametrize("good", [0, 100_000, 12_000_000])
    @pytest.mark.parametrize("name", CALLERS_ERRORS)
    @async_check("ERR-012")
    async def test_error_of_the_source_stream(self, case: AsyncCase, name: str, good: int) -> None:
        error = CALLERS_ERRORS[name]()
        before = str(error)
        for method in (case.backend.write, case.backend.write_atomic):
            if method == case.backend.write_atomic and Capability.ATOMIC_WRITE not in case.backend.capabilities:
                continue
            with Caught() as caught:
                await method(case.path("file"), Failing(good, error))
            observed = caught.error
            case.expect(observed is error, "the exception of the source is raised unchanged", observed)
            case.expect_equal(str(observed), before, "the text of the exception")
        case.expect_equal(await case.backend.exists(case.path("file")), False, "exists after the source failed")

    @pytest.mark.parametrize("good", [0, 100_000])
    @pytest.mark.parametrize("kind", PYTHONS_OWN)
    @async_check("ERR-019")
    async def test_error_of_the_source_that_python_uses_itself(
        self, case: AsyncCase, kind: type[BaseException], good: int
    ) -> None:
        error = kind("mine")
        with Caught() as caught:
            await case.backend.write(case.path("file"), Failing(good, error))
        observed = caught.error
        if kind is StopIteration and inspect.iscoroutinefunction(case.backend.write):
            case.expect_type(observed, RuntimeError, "the exception of the coroutine")
            observed = getattr(observed, "__cause__", None)
        case.expect(observed is error, "the exception of the source is raised unchanged", observed)
        case.expect_equal(await case.backend.exists(case.path("file")), False, "exists after the source failed")

    @pytest.mark.parametrize("method", ["read", "read_seekable"])
    @pytest.mark.parametrize("name", CALLERS_ERRORS)
    @async_check("ERR-013", needs=(WRITE,))
    async def test_error_in_the_block_of_a_stream(self, case: AsyncCase, name: str, method: str) -> None:
        if method == "read_seekable":
            case.require(Capability.SEEKABLE_READ)
        error = CALLERS_ERRORS[name]()
        before = str(error)
        await case.backend.write(case.path("file"), DATA)
        stream = await getattr(case.backend, method)(case.path("file"))
        with Caught() as caught:
            async with stream:
                await stream.read(1)
                raise error
        observed = caught.error
        case.expect(observed is error, "the exception of the block is raised unchanged", observed)
        case.expect_equal(str(observed), before, "the text of the exception")
        case.expect_equal(stream.closed, True, "closed after the block")

    @pytest.mark.parametrize("overwrite", [False, True])
    @pytest.mark.parametrize("kind", WRONG_CONTENT)
    @async_check("ERR-014", needs=(READ,))
    async def test_error_of_content_that_is_no_bytes(self, case: AsyncCase, kind: str, overwrite: bool) -> None:
        path = case.path("file")
        if overwrite:
            await case.backend.write(path, b"old")
        wrong: Any = WRONG_CONTENT[kind]()
        with (
            case.expect_no_request("a write of no bytes"),
            case.expect_raises(TypeError, what=f"write of {type(wrong).__name__}"),
        ):
            await case.backend.write(path, wrong, overwrite=overwrite)
        await unchanged(case, path, overwrite)

    @pytest.mark.parametrize("overwrite", [False, True])
    @async_check("ERR-014", needs=(READ,))
    async def test_error_of_a_stream_that_gives_text(self, case: AsyncCase, overwrite: bool) -> None:
        path = case.path("file")
        if overwrite:
            await case.backend.write(path, b"old")
        with case.expect_raises(TypeError, what="write of a stream whose read returns text"):
            await case.backend.write(path, TextInDisguise("text"), overwrite=overwrite)
        await unchanged(case, path, overwrite)

    @pytest.mark.parametrize("operation", USAGES)
    @async_check("ERR-015")
    async def test_error_of_an_undeclared_capability(self, case: AsyncCase, operation: str) -> None:
        row, path, other = USAGES[operation], case.path("file"), case.path("other")
        if row.capability is None or row.capability in case.backend.capabilities:
            not_applicable("the backend declares the capability that the operation needs")
        if operation == "user_metadata":
            case.require(WRITE)
        with suppress(CapabilityNotSupported):
            await case.backend.write(path if operation in FILE_USAGES else other, DATA)
        under = f"{operation}, whose {row.capability.name} is not declared (under-claimed if it works)"
        with (
            case.expect_no_request(f"{operation}, which the backend does not declare"),
            case.expect_raises(CapabilityNotSupported, what=under) as caught,
        ):
            await row.run(case.backend, path, other)
        names = (row.capability.name, row.capability.value)
        case.expect(caught.error.capability in names, f"the error names {names[1]}", caught.error.capability)
        case.expect(not caught.error.retryable, "a missing capability is not retryable", caught.error)

    @pytest.mark.parametrize("operation", TOLERANT_USAGES)
    @async_check("ERR-005")
    async def test_error_of_nothing_with_missing_ok(self, case: AsyncCase, operation: str) -> None:
        row = required(case, operation)
        case.expect_equal(await row.run(case.backend, case.path("missing"), ""), None, f"{operation} of nothing")

    @async_check("ERR-017", needs=(READ,))
    async def test_error_of_a_refused_write_changes_nothing(self, case: AsyncCase) -> None:
        path = case.path("file")
        await case.backend.write(path, b"old")
        refused: list[tuple[type[Exception], dict[str, Any]]] = [
            (AlreadyExists, {}),
            ((ValueError, TypeError), {"overwrite": True, "metadata": {"Upper": "case"}}),  # type: ignore[list-item]
            ((ValueError, TypeError), {"overwrite": True, "metadata": {"name": "naïve"}}),  # type: ignore[list-item]
            ((ValueError, TypeError), {"overwrite": True, "metadata": {"name": "a\nb"}}),  # type: ignore[list-item]
            ((ValueError, TypeError), {"overwrite": True, "content_type": "text/\nplain"}),  # type: ignore[list-item]
        ]
        for kind, options in refused:
            if "metadata" in options and Capability.USER_METADATA not in case.backend.capabilities:
                continue
            with case.expect_raises(kind, what=f"write with {options}"):
                await case.backend.write(path, b"new", **options)
            await unchanged(case, path, overwrite=True)


class TextInDisguise(io.RawIOBase):
    """A stream that looks binary but returns text."""

    def __init__(self, text: str) -> None:
        self._text = io.StringIO(text)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> Any:
        return self._text.read(size)


async def provoke(case: AsyncCase, name: str) -> tuple[RemoteStoreError, str]:
    """Make the backend raise one of its errors; return the error and its path."""
    backend, path = case.backend, case.path("folder/file")
    await backend.write(path, DATA)
    about = {
        "not_found": case.path("missing"),
        "already_exists": path,
        "invalid_path": case.path("folder"),
        "not_empty": case.path("folder"),
    }[name]
    with case.expect_raises(RemoteStoreError, what=f"a call that should raise {name}") as caught:
        if name == "already_exists":
            await backend.write(about, DATA)
        elif name == "not_empty":
            await backend.delete_folder(about)
        else:
            await backend.read_bytes(about)
    return caught.error, about


async def provoke_by_nul(case: AsyncCase, operation: str) -> tuple[RemoteStoreError, str]:
    """Make an operation refuse a malformed path; return the error and the path."""
    row, path = required(case, operation), case.path("a\0b")
    with case.expect_raises(InvalidPath, what=f"{operation} of a malformed path") as caught:
        await row.run(case.backend, path, case.path("other"))
    return caught.error, path
