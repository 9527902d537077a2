"""Backends with bugs in threads, pickles, forks and `close`, or that reveal a secret."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, TypeVar, cast
from urllib.parse import quote

from mutants.http_s3 import HttpBackend
from mutants.registry import broken
from remote_store.core import (
    BackendUnavailable,
    Capability,
    CapabilityNotSupported,
    LocalBackend,
    MemoryBackend,
    NotFound,
    ResolutionPlan,
    WriteResult,
)
from remote_store.core.memory.files import StoredFile

T = TypeVar("T")


@broken("LIFE-001", "READ-015")
class OneAnswerForAll(MemoryBackend):
    """Keeps the last response in an attribute of the instance, so threads read each other's responses."""

    def read_bytes(self, path: str) -> bytes:
        self._answer = super().read_bytes(path)
        time.sleep(0.002)
        return self._answer


@broken("LIFE-002")
class StartsTwice(MemoryBackend):
    """Marks itself as started too early, so a second thread finds it half initialised."""

    def _file(self, path: str) -> StoredFile:
        if not self.__dict__.get("_started"):
            self._started = True
            self._client: Any = None
            time.sleep(0.01)
            self._client = super()._file
        return cast("StoredFile", self._client(path))


@broken("LIFE-003")
class DoesNotPickle(MemoryBackend):
    """Cannot be pickled, because it holds a lock."""

    def __getstate__(self) -> dict[str, object]:
        return {**super().__getstate__(), "lock": threading.Lock()}


@broken("LIFE-003")
class PicklesItsName(MemoryBackend):
    """Unpickles as a new backend with empty storage."""

    def __reduce__(self) -> tuple[type[MemoryBackend], tuple[()]]:
        return type(self), ()


def revealed(backend: HttpBackend) -> str:
    """The secret of a backend in plain text."""
    secret = backend._bucket.options.secret
    return secret.reveal() if secret is not None else ""


ALIVE: dict[int, MemoryBackend] = {}


def alive(number: int) -> MemoryBackend:
    """The backend that belongs to the number in a pickle."""
    return ALIVE[number]


@broken("LIFE-022")
class PicklesIntoItself(MemoryBackend):
    """Unpickles as the same instance, so closing the copy closes the original."""

    def __reduce__(self) -> Any:
        ALIVE[id(self)] = self
        return alive, (id(self),)


@broken("LIFE-004")
class DoesNotOutliveAFork(LocalBackend):
    """Depends on a thread of the parent that does not exist in a forked child."""

    def __init__(self, root: Any, **options: Any) -> None:
        super().__init__(root, **options)
        self._process = os.getpid()

    def _check_open(self) -> None:
        super()._check_open()
        if os.getpid() != self._process:
            raise BackendUnavailable("the worker does not answer", backend=self.name, retryable=True)


@broken("LIFE-005")
class ClosesOnce(MemoryBackend):
    """Raises an error when it is closed a second time."""

    def close(self) -> None:
        self._check_open()
        super().close()


@broken("LIFE-006", "ERR-009")
class ListsWhenClosed(MemoryBackend):
    """Returns empty listings after `close` instead of raising an error."""

    def list_files(self, path: str, **options: Any) -> Any:
        with suppress(BackendUnavailable):
            return super().list_files(path, **options)
        return iter(())


@broken("LIFE-007")
class ForgetsItselfWhenClosed(MemoryBackend):
    """`native_path` raises an error after `close`."""

    def native_path(self, key: str) -> str:
        self._check_open()
        return super().native_path(key)


@broken("LIFE-008")
class EntersAnother(MemoryBackend):
    """`with` returns a copy instead of the backend itself."""

    def __enter__(self) -> Self:
        self._check_open()
        other = type(self)()
        other._files, other._lock = self._files, self._lock
        return other


@broken("LIFE-008")
class StaysOpenAfterItsContext(MemoryBackend):
    """Is not closed when its context ends with an exception."""

    def __exit__(self, *error: object) -> None:
        if error[0] is None:
            self.close()


@broken("LIFE-009")
class ShowsItsSecret(HttpBackend):
    """Shows the secret in its repr."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._bucket.name!r}, secret={revealed(self)!r})"


@broken("LIFE-010")
class SaysHowItIs(MemoryBackend):
    """`check_health` returns `True` or `False` instead of raising an error."""

    def check_health(self) -> Any:
        return not self._closed


@broken("LIFE-010")
class LooksForAFile(MemoryBackend):
    """`check_health` fails until the backend has written a file."""

    def check_health(self) -> None:
        super().check_health()
        self._file(".health")


@broken("LIFE-011", "LIFE-013")
class HealthyWithoutAFolder(LocalBackend):
    """`check_health` passes although the folder does not exist."""

    def check_health(self) -> None:
        self._check_open()


@broken("LIFE-012")
class NothingIsAnError(LocalBackend):
    """`exists` raises NotFound if the container does not exist."""

    def exists(self, path: str) -> bool:
        if not Path(self._root).is_dir():
            raise NotFound("there is no such folder", path=path, backend=self.name)
        return super().exists(path)


@broken("LIFE-013")
class MakesItsFolder(LocalBackend):
    """A write creates the container if it does not exist."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        Path(self._root).mkdir(exist_ok=True)
        return super().write(path, content, **options)


@broken("LIFE-014")
class EscapesNativePaths(MemoryBackend):
    """`native_path` escapes keys, and `to_key` does not decode them."""

    def native_path(self, key: str) -> str:
        return super().native_path(key.replace("%", "%25").replace(" ", "%20"))


@broken("LIFE-014")
class TidiesNativePaths(MemoryBackend):
    """`native_path` returns the same path for two keys."""

    def native_path(self, key: str) -> str:
        return super().native_path(key.replace("//", "/"))


@broken("LIFE-015")
class TakesAnyPathForItsOwn(MemoryBackend):
    """`to_key` accepts a native path of another storage."""

    def to_key(self, path: str) -> str:
        return path.removeprefix("memory://")


@broken("LIFE-016")
class ResolvesAnotherKey(MemoryBackend):
    """`resolve` percent-encodes the key."""

    def resolve(self, key: str) -> ResolutionPlan:
        return replace(super().resolve(key), native_path=quote(self.native_path(key)))


@broken("LIFE-016")
class ResolvesToItsSecret(HttpBackend):
    """The plan that `resolve` returns contains the secret."""

    def resolve(self, key: str) -> ResolutionPlan:
        plan = super().resolve(key)
        return replace(plan, details={**plan.details, "secret": revealed(self)})


@broken("LIFE-017")
class DeclaresMoreThanItsClass(MemoryBackend):
    """The instance declares capabilities that the class does not."""

    capabilities = frozenset({Capability.READ, Capability.WRITE})

    def __init__(self) -> None:
        super().__init__()
        self.capabilities = frozenset(Capability)


@broken("LIFE-017")
class DeclaresWords(MemoryBackend):
    """Declares its capabilities as strings."""

    capabilities: Any = tuple(capability.value for capability in Capability)


@broken("LIFE-018")
class HandsOutNothing(MemoryBackend):
    """`unwrap` returns `None` for an unknown type instead of raising an error."""

    def unwrap(self, kind: type[T]) -> T:
        with suppress(CapabilityNotSupported):
            return super().unwrap(kind)
        return None  # type: ignore[return-value]


@broken("LIFE-019")
class HasNoName(MemoryBackend):
    """Has an empty name."""

    name = ""


@broken("LIFE-020")
class LooksWhenItIsMade(LocalBackend):
    """The constructor checks whether the container exists."""

    def __init__(self, root: Any, **options: Any) -> None:
        super().__init__(root, **options)
        self.check_health()


@broken("LIFE-021", "WRITE-012")
class KeepsItsFilesToItself(MemoryBackend):
    """Caches what it has read, and does not see later writes of other instances."""

    def read_bytes(self, path: str) -> bytes:
        known = self.__dict__.setdefault("_known_contents", {})
        known.setdefault(path, super().read_bytes(path))
        return known[path]  # type: ignore[no-any-return]


@broken("LIFE-021")
class ClosesTheOthers(MemoryBackend):
    """`close` of one instance closes what other instances share."""

    def close(self) -> None:
        self._files.clear()
        super().close()


@broken("LIFE-006")
class EntersWhenClosed(MemoryBackend):
    """A closed backend can be entered as a context manager."""

    def __enter__(self) -> Self:
        return self
