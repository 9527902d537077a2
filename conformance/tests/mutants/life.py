"""Backends that share what they should not, end too early or never, and say more of themselves than they may."""

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
from remote_store.core.memory import StoredFile

T = TypeVar("T")


@broken("LIFE-001", "READ-015")
class OneAnswerForAll(MemoryBackend):
    """Keeps the answer to the last request in the instance, and takes it from there."""

    def read_bytes(self, path: str) -> bytes:
        self._answer = super().read_bytes(path)
        time.sleep(0.002)
        return self._answer


@broken("LIFE-002")
class StartsTwice(MemoryBackend):
    """Calls itself started before it is, so that a second caller finds it half made."""

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
    """Pickles into a new backend that has nothing of the old one."""

    def __reduce__(self) -> tuple[type[MemoryBackend], tuple[()]]:
        return type(self), ()


def revealed(backend: HttpBackend) -> str:
    """The secret of a backend in clear."""
    secret = backend._bucket.options.secret
    return secret.reveal() if secret is not None else ""


ALIVE: dict[int, MemoryBackend] = {}


def alive(number: int) -> MemoryBackend:
    """The backend of a number that a pickle has kept."""
    return ALIVE[number]


@broken("LIFE-022")
class PicklesIntoItself(MemoryBackend):
    """Unpickles into the very instance that was pickled, which a copy then closes."""

    def __reduce__(self) -> Any:
        ALIVE[id(self)] = self
        return alive, (id(self),)


@broken("LIFE-004")
class DoesNotOutliveAFork(LocalBackend):
    """Talks to a thread of the parent that a forked child has not."""

    def __init__(self, root: Any, **options: Any) -> None:
        super().__init__(root, **options)
        self._process = os.getpid()

    def _check_open(self) -> None:
        super()._check_open()
        if os.getpid() != self._process:
            raise BackendUnavailable("the worker does not answer", backend=self.name, retryable=True)


@broken("LIFE-005")
class ClosesOnce(MemoryBackend):
    """Raises where it is closed a second time."""

    def close(self) -> None:
        self._check_open()
        super().close()


@broken("LIFE-006", "ERR-009")
class ListsWhenClosed(MemoryBackend):
    """Lists nothing, and says nothing, when it is closed."""

    def list_files(self, path: str, **options: Any) -> Any:
        with suppress(BackendUnavailable):
            return super().list_files(path, **options)
        return iter(())


@broken("LIFE-007")
class ForgetsItselfWhenClosed(MemoryBackend):
    """Does not say any more what its paths are when it is closed."""

    def native_path(self, key: str) -> str:
        self._check_open()
        return super().native_path(key)


@broken("LIFE-008")
class EntersAnother(MemoryBackend):
    """Gives a copy of itself to its context."""

    def __enter__(self) -> Self:
        self._check_open()
        other = type(self)()
        other._files, other._lock = self._files, self._lock
        return other


@broken("LIFE-008")
class StaysOpenAfterItsContext(MemoryBackend):
    """Does not close where its context ends with an exception."""

    def __exit__(self, *error: object) -> None:
        if error[0] is None:
            self.close()


@broken("LIFE-009")
class ShowsItsSecret(HttpBackend):
    """Shows in its repr how to make it, the secret included."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._bucket.name!r}, secret={revealed(self)!r})"


@broken("LIFE-010")
class SaysHowItIs(MemoryBackend):
    """Answers whether it is healthy, which nobody looks at who waits for an exception."""

    def check_health(self) -> Any:
        return not self._closed


@broken("LIFE-010")
class LooksForAFile(MemoryBackend):
    """Calls itself ill as long as it holds no file of its own making."""

    def check_health(self) -> None:
        super().check_health()
        self._file(".health")


@broken("LIFE-011", "LIFE-013")
class HealthyWithoutAFolder(LocalBackend):
    """Calls itself healthy where its folder does not exist."""

    def check_health(self) -> None:
        self._check_open()


@broken("LIFE-012")
class NothingIsAnError(LocalBackend):
    """Raises NotFound where it is asked for a file and its folder does not exist."""

    def exists(self, path: str) -> bool:
        if not Path(self._root).is_dir():
            raise NotFound("there is no such folder", path=path, backend=self.name)
        return super().exists(path)


@broken("LIFE-013")
class MakesItsFolder(LocalBackend):
    """Makes its folder where a write finds that it does not exist."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        Path(self._root).mkdir(exist_ok=True)
        return super().write(path, content, **options)


@broken("LIFE-014")
class EscapesNativePaths(MemoryBackend):
    """Escapes keys in native paths, and does not take the escapes back."""

    def native_path(self, key: str) -> str:
        return super().native_path(key.replace("%", "%25").replace(" ", "%20"))


@broken("LIFE-014")
class TidiesNativePaths(MemoryBackend):
    """Gives two keys one native path."""

    def native_path(self, key: str) -> str:
        return super().native_path(key.replace("//", "/"))


@broken("LIFE-015")
class TakesAnyPathForItsOwn(MemoryBackend):
    """Makes a key of a path that belongs elsewhere."""

    def to_key(self, path: str) -> str:
        return path.removeprefix("memory://")


@broken("LIFE-016")
class ResolvesAnotherKey(MemoryBackend):
    """Resolves a key to what it would be in a URL."""

    def resolve(self, key: str) -> ResolutionPlan:
        return replace(super().resolve(key), native_path=quote(self.native_path(key)))


@broken("LIFE-016")
class ResolvesToItsSecret(HttpBackend):
    """Puts the secret into what a key resolves to."""

    def resolve(self, key: str) -> ResolutionPlan:
        plan = super().resolve(key)
        return replace(plan, details={**plan.details, "secret": revealed(self)})


@broken("LIFE-017")
class DeclaresMoreThanItsClass(MemoryBackend):
    """Declares on the instance what the class does not."""

    capabilities = frozenset({Capability.READ, Capability.WRITE})

    def __init__(self) -> None:
        super().__init__()
        self.capabilities = frozenset(Capability)


@broken("LIFE-017")
class DeclaresWords(MemoryBackend):
    """Declares its capabilities as words."""

    capabilities: Any = tuple(capability.value for capability in Capability)


@broken("LIFE-018")
class HandsOutNothing(MemoryBackend):
    """Gives `None` where it has no handle of a type."""

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
    """Looks for its folder when it is made."""

    def __init__(self, root: Any, **options: Any) -> None:
        super().__init__(root, **options)
        self.check_health()


@broken("LIFE-021", "WRITE-012")
class KeepsItsFilesToItself(MemoryBackend):
    """Reads what it has read once from a copy of its own."""

    def read_bytes(self, path: str) -> bytes:
        known = self.__dict__.setdefault("_known_contents", {})
        known.setdefault(path, super().read_bytes(path))
        return known[path]  # type: ignore[no-any-return]


@broken("LIFE-021")
class ClosesTheOthers(MemoryBackend):
    """Ends what it shares with other instances where one of them is closed."""

    def close(self) -> None:
        self._files.clear()
        super().close()


@broken("LIFE-006")
class EntersWhenClosed(MemoryBackend):
    """Enters its context when it is closed."""

    def __enter__(self) -> Self:
        return self
