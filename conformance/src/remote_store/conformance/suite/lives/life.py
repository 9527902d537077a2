# Generated from conformance/src/remote_store/conformance/suite/aio/lives/life.py by tools/unasync.py; edit that.
"""Checks of a backend as an object: threads, pickles, forks, `close`, and its description of itself."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from remote_store.conformance.checking.case import Case, not_applicable
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.fork import in_fork
from remote_store.conformance.checking.hostile import FOREIGN_KEYS, KEYS
from remote_store.conformance.checking.trees import fill, found
from remote_store.conformance.checking.usages import USAGES
from remote_store.conformance.processes.exiting import Calls, at_exit
from remote_store.core import (
    Backend,
    BackendUnavailable,
    Capability,
    CapabilityNotSupported,
    InvalidPath,
    NotFound,
    RemoteStoreError,
)

CALLERS = 16


# Operations that need the container to exist.
MISSED = (
    "read",
    "read_bytes",
    "get_file_info",
    "get_folder_info",
    "delete",
    "delete_folder",
    "copy_from",
    "move_from",
    "write",
    "overwrite",
)


class Unknown:
    """A type that `unwrap` of no backend supports."""


class LifeSuite:
    """LIFE: sharing, copying, closing, describing."""

    def _round_trip(self, backend: Backend, path: str, content: bytes) -> tuple[bytes, int]:
        backend.write(path, content)
        return backend.read_bytes(path), (backend.get_file_info(path)).size

    @check("LIFE-001", needs=(Capability.WRITE, Capability.READ, Capability.METADATA))
    def test_life_many_callers_at_once(self, case: Case) -> None:
        contents = [case.content(100 + number) for number in range(CALLERS)]
        for round_number in range(3):
            tasks = [
                partial(self._round_trip, case.backend, case.path(f"{round_number}-{number}"), content)
                for number, content in enumerate(contents)
            ]
            results = case.together(tasks)
            case.expect_equal(results, [(content, len(content)) for content in contents], "the results of the callers")

    @check("LIFE-002", needs=(Capability.WRITE, Capability.READ))
    def test_life_a_cold_start_with_many_callers(self, case: Case) -> None:
        fill(case, "file", data=b"content")
        for _ in range(3):
            fresh = case.make()
            results = case.together([partial(fresh.read_bytes, case.path("file"))] * CALLERS)
            case.expect_equal(results, [b"content"] * CALLERS, "the results of the callers")

    def _copy(self, case: Case) -> Backend:
        case.require_profile("the profile says that instances cannot be pickled", case.profile.picklable)
        try:
            copy: Backend = pickle.loads(pickle.dumps(case.backend))
        except Exception as error:
            case.fail("a pickle of the backend", "a copy", error)
        return copy

    @check("LIFE-003", needs=(Capability.WRITE, Capability.READ))
    def test_life_a_backend_pickles(self, case: Case) -> None:
        fill(case, "file", data=b"content")
        copy = self._copy(case)
        case.expect_equal(type(copy), type(case.backend), "the type of the copy")
        case.expect_equal(copy.capabilities, case.backend.capabilities, "the capabilities of the copy")
        case.expect_equal(copy.read_bytes(case.path("file")), b"content", "the content that the copy reads")
        copy.close()

    @check("LIFE-022", needs=(Capability.WRITE, Capability.READ))
    def test_life_a_pickled_copy_closes_alone(self, case: Case) -> None:
        fill(case, "file", data=b"content")
        copy, other = self._copy(case), self._copy(case)
        copy.close()
        case.expect_equal(case.backend.read_bytes(case.path("file")), b"content", "the content after its close")
        case.expect_equal(
            other.read_bytes(case.path("file")), b"content", "the content that another copy reads after it"
        )
        other.close()

    @check("LIFE-004", needs=(Capability.WRITE, Capability.READ))
    def test_life_a_fork_works_on_both_sides(self, case: Case) -> None:
        case.require_profile("the storage ends with its process", not case.profile.in_process)
        case.require_profile("the profile says that instances do not work after a fork", case.profile.forks)
        fill(case, "file", data=b"parent")
        try:
            result = in_fork(partial(self._in_the_child, case.backend, case.path("file"), case.path("child")))
        except Exception as error:
            case.fail("reading and writing in a forked child", "no exception", error)
        case.expect_equal(result, b"parent", "the content that the child reads")
        case.expect_equal(case.backend.read_bytes(case.path("file")), b"parent", "the content that the parent reads")
        case.expect_equal(case.backend.read_bytes(case.path("child")), b"child", "the content that the child wrote")

    def _in_the_child(self, backend: Backend, source: str, target: str) -> bytes:
        backend.write(target, b"child")
        return backend.read_bytes(source)

    @check("LIFE-023", needs=(Capability.WRITE, Capability.READ, Capability.DELETE, Capability.LIST))
    def test_life_work_in_an_exit_handler(self, case: Case) -> None:
        case.require_profile("the storage ends with its process", not case.profile.in_process)
        case.require_profile("the profile says that instances cannot be pickled", case.profile.picklable)
        content, folder = case.content(4 * (case.profile.part_size or 250_000) + 1), case.path("folder")
        fill(case, "folder/a", "folder/b", "folder/c/d")
        calls: Calls = [
            ("write", (case.path("large"), content), {}),
            ("read_bytes", (case.path("large"),), {}),
            ("delete_folder", (folder,), {"recursive": True}),
            ("list_files", (case.folder,), {"recursive": True}),
        ]
        try:
            _, read, _, left = at_exit(case.backend, calls)
        except Exception as error:
            case.fail("work in an exit handler", "no exception", error)
        case.expect(read == content, "the bytes read are the bytes written", len(read))
        case.expect_equal([info.path for info in left], [case.path("large")], "the files after the delete")

    @check("LIFE-005")
    def test_life_close_again_and_again(self, case: Case) -> None:
        case.backend.exists(case.path("file"))
        for _ in range(3):
            case.backend.close()

    @check("LIFE-005")
    def test_life_close_before_the_first_use(self, case: Case) -> None:
        case.backend.close()
        with case.expect_raises(BackendUnavailable):
            case.backend.exists(case.path("file"))

    @check("LIFE-006")
    def test_life_a_closed_backend_refuses(self, case: Case) -> None:
        backend, path = case.backend, case.path("file")
        backend.close()
        for key in (path, ""):
            calls: dict[str, Callable[[], Any]] = {
                "exists": partial(backend.exists, key),
                "is_file": partial(backend.is_file, key),
                "is_folder": partial(backend.is_folder, key),
                "read": partial(backend.read, key),
                "read_seekable": partial(backend.read_seekable, key),
                "read_bytes": partial(backend.read_bytes, key),
                "read_range": partial(backend.read_range, key, 0, 1),
                "write": partial(backend.write, key, b"x"),
                "write_atomic": partial(backend.write_atomic, key, b"x"),
                "delete": partial(backend.delete, key),
                "delete_folder": partial(backend.delete_folder, key, recursive=True),
                "get_file_info": partial(backend.get_file_info, key),
                "get_folder_info": partial(backend.get_folder_info, key),
                "move": partial(backend.move, key, path),
                "copy": partial(backend.copy, key, path),
                "check_health": backend.check_health,
            }
            for name, call in calls.items():
                with case.expect_raises(BackendUnavailable, what=name, where=lambda error: not error.retryable):
                    call()

    @check("LIFE-006")
    def test_life_a_closed_backend_refuses_listings_and_contexts(self, case: Case) -> None:
        backend, folder = case.backend, case.folder
        backend.close()
        with case.expect_raises(BackendUnavailable, what="list_files", where=lambda error: not error.retryable):
            found(backend.list_files(folder))
        with case.expect_raises(BackendUnavailable, what="list_folders", where=lambda error: not error.retryable):
            found(backend.list_folders(folder))
        with case.expect_raises(BackendUnavailable, what="iter_children", where=lambda error: not error.retryable):
            found(backend.iter_children(folder))
        with case.expect_raises(BackendUnavailable, what="glob", where=lambda error: not error.retryable):
            found(backend.glob("*"))
        with case.expect_raises(BackendUnavailable, what="open_atomic", where=lambda error: not error.retryable):
            with backend.open_atomic(case.path("file")):
                pass
        with case.expect_raises(BackendUnavailable, what="unwrap", where=lambda error: not error.retryable):
            backend.unwrap(Unknown)
        with case.expect_raises(BackendUnavailable, what="a context", where=lambda error: not error.retryable):
            with backend:
                pass

    @check("LIFE-007")
    def test_life_a_closed_backend_tells_what_it_was(self, case: Case) -> None:
        backend, path = case.backend, case.path("file")
        before = describe(backend, path)
        backend.close()
        case.expect_equal(describe(backend, path), before, "name, repr, paths and capabilities after the close")

    @check("LIFE-008")
    def test_life_a_context_closes(self, case: Case) -> None:
        with case.backend as entered:
            case.expect(entered is case.backend, "`with` returns the backend itself")
            entered.exists(case.path("file"))
        with case.expect_raises(BackendUnavailable):
            case.backend.exists(case.path("file"))

    @check("LIFE-008")
    def test_life_a_context_lets_exceptions_through(self, case: Case) -> None:
        mine = RuntimeError("the caller's own")
        with case.expect_raises(RuntimeError, what="`with` lets an exception of its block through") as caught:
            with case.backend:
                raise mine
        case.expect(caught.error is mine, "the exception is the caller's own")
        with case.expect_raises(BackendUnavailable):
            case.backend.exists(case.path("file"))

    @check("LIFE-009")
    def test_life_no_secret_is_shown(self, case: Case) -> None:
        case.require_profile("the profile names no secrets", case.profile.secrets)
        case.backend.exists(case.path("file"))
        for text in (repr(case.backend), str(case.backend), f"{case.backend}"):
            case.expect(not any(secret in text for secret in case.profile.secrets), f"no secret in {text!r}")

    @check("LIFE-010")
    def test_life_a_healthy_backend(self, case: Case) -> None:
        check_health: Callable[[], Any] = case.backend.check_health
        for _ in range(2):
            case.expect_equal(check_health(), None, "the result of check_health")

    @check("LIFE-011")
    def test_life_an_absent_container_is_not_healthy(self, case: Case) -> None:
        with case.expect_raises(NotFound):
            case.absent().check_health()

    @check("LIFE-012", needs=(Capability.LIST, Capability.DELETE))
    def test_life_an_absent_container_is_empty(self, case: Case) -> None:
        backend, path = case.absent(), case.path("file")
        results = [backend.exists(path), backend.is_file(path), backend.is_folder(path)]
        case.expect_equal(results, [False] * 3, "exists, is_file and is_folder")
        for folder in (case.folder, ""):
            case.expect_equal(found(backend.list_files(folder, recursive=True)), [], "list_files")
            case.expect_equal(found(backend.list_folders(folder)), [], "list_folders")
            case.expect_equal(found(backend.iter_children(folder)), [], "iter_children")
        if Capability.GLOB in backend.capabilities:
            case.expect_equal(found(backend.glob("**")), [], "glob")
        backend.delete(path, missing_ok=True)
        backend.delete_folder(path, missing_ok=True)
        backend.delete_folder(path, recursive=True, missing_ok=True)

    @check("LIFE-013")
    def test_life_an_absent_container_is_not_made(self, case: Case) -> None:
        backend, path = case.absent(), case.path("file")
        for name in MISSED:
            row = USAGES[name]
            if row.capability in backend.capabilities:
                with case.expect_raises(NotFound, what=name):
                    row.run(backend, path, case.path("other"))
        with case.expect_raises(NotFound, what="check_health"):
            backend.check_health()

    @check("LIFE-014")
    def test_life_native_paths_lead_back(self, case: Case) -> None:
        keys = [*KEYS.values(), *(FOREIGN_KEYS.values() if case.profile.foreign_keys else ())]
        natives = [case.backend.native_path(key) for key in keys]
        case.expect_equal(list(map(case.backend.to_key, natives)), keys, "the keys of the native paths")
        case.expect_equal(len(set(natives)), len(set(keys)), "the number of native paths")

    @check("LIFE-015")
    def test_life_paths_of_elsewhere_are_refused(self, case: Case) -> None:
        base = case.backend.native_path("key").removesuffix("key")
        case.require_profile("every path belongs to this backend", base.strip("/"))
        for path in (f"{base[:-1]}2/key", "somewhere-else/key", f"{base[:-1]}", "key"):
            if path + "/" != base:
                with case.expect_raises(InvalidPath, what=f"to_key({path!r})"):
                    case.backend.to_key(path)

    @check("LIFE-016")
    def test_life_a_key_resolves_without_a_look(self, case: Case) -> None:
        for key in (case.path("file"), case.path("absent/a b+c")):
            plan = case.backend.resolve(key)
            case.expect_equal((plan.key, plan.native_path), (key, case.backend.native_path(key)), "key, native path")
            case.expect_equal(plan.backend, case.backend.name, "the backend")
            case.expect(isinstance(plan.kind, str) and plan.kind, f"a kind in {plan}")
            shown = repr(plan)
            case.expect(not any(secret in shown for secret in case.profile.secrets), f"no secret in {shown}")

    @check("LIFE-017")
    def test_life_the_class_declares_the_most(self, case: Case) -> None:
        own = case.backend.capabilities
        case.expect_type(own, frozenset, "the capabilities")
        case.expect(all(isinstance(capability, Capability) for capability in own), f"only capabilities in {own}")
        declared = getattr(type(case.backend), "capabilities", None)
        if not isinstance(declared, frozenset):
            not_applicable("the class only passes on the capabilities of another backend")
        case.expect(own <= declared, f"the class declares {sorted(own - declared, key=str)} too")

    @check("LIFE-018")
    def test_life_an_unknown_handle(self, case: Case) -> None:
        for kind in (Unknown, int, Iterable):
            with case.expect_raises(CapabilityNotSupported):
                case.backend.unwrap(kind)

    @check("LIFE-019", needs=(Capability.READ,))
    def test_life_the_name_stands_in_errors(self, case: Case) -> None:
        name = case.backend.name
        case.expect(isinstance(name, str) and name.strip() == name and name, f"{name!r} is a valid name")
        with case.expect_raises(NotFound, where=lambda error: error.backend == name and name in str(error)):
            case.backend.read_bytes(case.path("absent"))

    @check("LIFE-020")
    def test_life_making_needs_no_container(self, case: Case) -> None:
        try:
            absent, key = case.absent(), case.path("file")
        except (OSError, RemoteStoreError) as error:
            case.fail("making a backend for a container that does not exist", "a backend, without a lookup", error)
        case.expect_equal(absent.to_key(absent.native_path(key)), key, "the key of its native path")
        case.expect_equal(absent.resolve(key).key, key, "the key of its plan")
        case.expect(bool(repr(absent)), "a repr")
        absent.close()

    @check("LIFE-021", needs=(Capability.WRITE, Capability.READ))
    def test_life_two_instances_share_a_storage(self, case: Case) -> None:
        other = case.make()
        fill(case, "file", data=b"one")
        case.expect_equal(other.read_bytes(case.path("file")), b"one", "the content that the other instance reads")
        case.expect_equal(
            case.backend.read_bytes(case.path("file")),
            b"one",
            "the content that the first instance reads before the write",
        )
        other.write(case.path("file"), b"two", overwrite=True)
        other.close()
        case.expect_equal(
            case.backend.read_bytes(case.path("file")),
            b"two",
            "the content that the first instance reads after the write",
        )


def describe(backend: Backend, path: str) -> list[object]:
    """The facts that a backend returns about itself without a request."""
    native = backend.native_path(path)
    return [
        backend.name,
        backend.capabilities,
        repr(backend),
        native,
        backend.to_key(native),
        backend.resolve(path),
    ]
