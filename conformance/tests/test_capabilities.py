from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from remote_store.conformance import BackendConformance, Case, CheckFailed, Harness, Oracle, Profile, rules
from remote_store.conformance.checking.decorators import identifiers_of
from remote_store.conformance.checking.usages import USAGES
from remote_store.core import (
    Backend,
    Capability,
    CapabilityNotSupported,
    ContentDigest,
    MemoryBackend,
    RemoteStoreError,
    WriteResult,
)

METHODS = {
    Capability.READ: ("read", "read_bytes", "read_range"),
    Capability.WRITE: ("write",),
    Capability.DELETE: ("delete", "delete_folder"),
    Capability.LIST: ("list_files", "list_folders", "iter_children"),
    Capability.GLOB: ("glob",),
    Capability.MOVE: ("move",),
    Capability.COPY: ("copy",),
    Capability.METADATA: ("get_file_info", "get_folder_info"),
    Capability.ATOMIC_WRITE: ("write_atomic", "open_atomic"),
    Capability.SEEKABLE_READ: ("read_seekable",),
}
QUALITIES = set(Capability) - set(METHODS) - {Capability.USER_METADATA}


def without(lacking: Capability, refuse: Callable[..., None]) -> type[MemoryBackend]:
    """A memory backend that lacks a capability on the instance, and how its methods refuse."""

    class Without(MemoryBackend):
        def __init__(self) -> None:
            super().__init__()
            self.capabilities = self.capabilities - {lacking}

        def write(self, path: str, content: Any, **options: Any) -> WriteResult:
            if lacking is Capability.WRITE or (lacking is Capability.USER_METADATA and options.get("metadata")):
                self._check_open()
                refuse(self, lacking)
            return super().write(path, content, **options)

    def refusing(name: str) -> Callable[..., Any]:
        whole = getattr(MemoryBackend, name)

        def method(self: MemoryBackend, *arguments: Any, **options: Any) -> Any:
            self._check_open()
            refuse(self, lacking, *arguments)
            return whole(self, *arguments, **options)

        return method

    for name in set(METHODS.get(lacking, ())) - {"write"}:
        setattr(Without, name, refusing(name))
    return Without


def honestly(backend: MemoryBackend, capability: Capability, *_arguments: Any) -> None:
    raise CapabilityNotSupported("not here", capability=capability.value, backend=backend.name)


def by_another_name(backend: MemoryBackend, capability: Capability, *_arguments: Any) -> None:
    raise CapabilityNotSupported("not here", capability="something", backend=backend.name)


def by_another_error(backend: MemoryBackend, capability: Capability, *_arguments: Any) -> None:
    raise RemoteStoreError("not here", backend=backend.name)


def not_at_all(backend: MemoryBackend, capability: Capability, *_arguments: Any) -> None:
    pass


def too_late(backend: MemoryBackend, capability: Capability, *arguments: Any) -> None:
    for path in arguments[:1]:
        with suppress(KeyError):
            del backend._files[path]
        for key in [key for key in backend._files if key.startswith(f"{path}/")]:
            del backend._files[key]
    honestly(backend, capability)


class FilesOracle(Oracle):
    def __init__(self, files: dict[str, Any]) -> None:
        self.files = files

    def raw_put(self, key: str, data: bytes = b"", **facts: Any) -> None:
        spare = MemoryBackend()
        spare.write("spare", data)
        self.files[key] = spare._files["spare"]

    def raw_get(self, key: str) -> bytes | None:
        return self.files[key].content if key in self.files else None

    def raw_list(self, prefix: str = "") -> list[str]:
        return [key for key in self.files if key.startswith(prefix)]

    def raw_delete(self, key: str) -> None:
        self.files.pop(key, None)


class One(Harness):
    profile = Profile(max_key_bytes=None, in_process=True, contenders=4)

    def __init__(self, kind: type[MemoryBackend]) -> None:
        self.backend = kind()

    def make(self, **options: Any) -> Backend:
        return self.backend

    @property
    def oracle(self) -> Oracle:
        return FilesOracle(self.backend._files)


def outcomes(kind: type[MemoryBackend], identifier: str) -> Iterator[tuple[str, BaseException | None]]:
    """Every check of a rule with its parameters, and what it ended with."""
    for name in dir(BackendConformance):
        method = getattr(BackendConformance, name)
        if identifier not in identifiers_of(method):
            continue
        marks = [mark.args for mark in getattr(method, "pytestmark", ()) if mark.name == "parametrize"]
        for values in itertools.product(*(list(values) for _, values in marks)):
            parameters = {names: value for (names, _), value in zip(marks, values, strict=True)}
            try:
                getattr(BackendConformance(), name)(case=Case(One(kind), name), **parameters)
            except (Exception, pytest.skip.Exception) as error:  # noqa: BLE001 - every end is an outcome
                yield f"{name}{parameters}", error
            else:
                yield f"{name}{parameters}", None


def failed(kind: type[MemoryBackend], identifier: str) -> list[str]:
    return [str(error) for _, error in outcomes(kind, identifier) if isinstance(error, Exception)]


def passed(kind: type[MemoryBackend], identifier: str) -> list[str]:
    return [name for name, error in outcomes(kind, identifier) if error is None]


def test_every_capability_has_a_rule_that_it_must_keep() -> None:
    assert {rule.capability for rule in rules().values()} >= set(Capability)


def test_every_capability_with_an_operation_has_one_that_must_be_refused() -> None:
    assert {row.capability for row in USAGES.values()} - {None} == set(Capability) - QUALITIES


@pytest.mark.parametrize("capability", sorted(set(Capability) - QUALITIES, key=str))
def test_a_capability_that_is_missing_and_refused_is_right(capability: Capability) -> None:
    kind = without(capability, honestly)
    assert failed(kind, "ERR-015") == []
    assert passed(kind, "ERR-015") != []


@pytest.mark.parametrize("capability", sorted(set(Capability) - QUALITIES, key=str))
@pytest.mark.parametrize("refuse", [not_at_all, by_another_name, by_another_error])
def test_a_capability_that_is_missing_and_refused_wrongly_is_noticed(
    capability: Capability, refuse: Callable[..., None]
) -> None:
    found = failed(without(capability, refuse), "ERR-015")
    assert found != []
    if refuse is not_at_all:
        assert any("(under-claimed if it works)" in text and capability.name in text for text in found)


@pytest.mark.parametrize("capability", [Capability.DELETE, Capability.MOVE, Capability.COPY, Capability.ATOMIC_WRITE])
def test_a_refusal_that_comes_after_the_change_is_noticed(capability: Capability) -> None:
    assert any("the files after" in text for text in failed(without(capability, too_late), "ERR-015"))


@pytest.mark.parametrize("capability", sorted(QUALITIES, key=str))
def test_a_quality_that_is_not_declared_is_not_asked_for(capability: Capability) -> None:
    kind = without(capability, honestly)
    for rule in rules().values():
        if rule.capability is capability:
            ended = [error for _, error in outcomes(kind, rule.id)]
            reason = capability.name if rule.kind == "every" else "it binds only"
            assert ended
            assert all(isinstance(error, pytest.skip.Exception) and reason in str(error) for error in ended)


class DescribesTheLast(MemoryBackend):
    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        result = super().write(path, content, **options)
        info = self.get_file_info(path)
        digest = ContentDigest("md5", info.digest.value[::-1]) if info.digest else None
        return WriteResult(path, result.size, info.etag, digest=digest)


class TellsNothing(MemoryBackend):
    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        return WriteResult(path, super().write(path, content, **options).size)


class TellsAnotherTag(MemoryBackend):
    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        return WriteResult(path, super().write(path, content, **options).size, etag="always")


@pytest.mark.parametrize("kind", [DescribesTheLast, TellsNothing, TellsAnotherTag])
def test_a_result_that_is_not_of_the_write_is_noticed(kind: type[MemoryBackend]) -> None:
    with pytest.raises(CheckFailed):
        BackendConformance().test_capability_of_native_results(case=Case(One(kind), "test_x"))
    BackendConformance().test_capability_of_native_results(case=Case(One(MemoryBackend), "test_x"))
