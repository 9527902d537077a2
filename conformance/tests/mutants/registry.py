"""The registry of mutants: each with the rules that it breaks and the correct backend that it is a copy of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from mutants.database import DatabaseBackend, DatabaseHarness
from mutants.drive import DriveBackend, DriveHarness
from mutants.http_s3 import HttpBackend, MotoBackend
from mutants.memory import MemoryHarness, ModestMemory, PagedMemory, ThreadedMemoryHarness
from mutants.running import AnyHarness
from mutants.tree import TreeHarness
from remote_store.conformance import Harness, ThreadedHarness, rule
from remote_store.conformance.s3 import MOTO, SEAWEEDFS, S3Harness
from remote_store.core import LocalBackend, MemoryBackend, ThreadedBackend

K = TypeVar("K", bound=type)

SUBSTRATES: dict[type, Callable[[Any], AnyHarness]] = {
    MemoryBackend: MemoryHarness,
    ModestMemory: MemoryHarness,
    PagedMemory: MemoryHarness,
    DatabaseBackend: DatabaseHarness,
    DriveBackend: DriveHarness,
    LocalBackend: TreeHarness,
    HttpBackend: lambda kind: S3Harness(kind, SEAWEEDFS),
    MotoBackend: lambda kind: S3Harness(kind, MOTO),
    ThreadedBackend: ThreadedMemoryHarness,
}
"""The correct backends, each with the harness for itself and its mutants."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A backend with one bug.

    Attributes:
        kind: Its class, which differs from a class of `SUBSTRATES` by the bug and nothing else.
        rules: The rules that the bug breaks; a check of each must fail.
    """

    kind: type
    rules: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name of the class."""
        return self.kind.__name__

    @property
    def bug(self) -> str:
        """The bug, in one sentence."""
        return (self.kind.__doc__ or "").strip()

    @property
    def control(self) -> type:
        """The correct backend that it is a copy of."""
        return next(base for base in self.kind.__mro__ if base in SUBSTRATES)


REGISTERED: list[Broken] = []


def broken(*rules: str) -> Callable[[K], K]:
    """Register a class as a backend that breaks these rules.

    Raises:
        ConfigurationError: There is no such rule.
        TypeError: The class is not a subclass of a correct backend, or has no docstring.
    """

    def register(kind: K) -> K:
        made = Broken(kind, tuple(rule(identifier).id for identifier in rules))
        if not rules or not made.bug.endswith(".") or not any(base in SUBSTRATES for base in kind.__mro__):
            raise TypeError(f"{made.name} needs rules, a docstring that names its bug, and a base in SUBSTRATES")
        REGISTERED.append(made)
        return kind

    return register


def every() -> tuple[Broken, ...]:
    """Every mutant of the modules in this folder."""
    for path in sorted(Path(__file__).parent.glob("*.py")):
        import_module(f"mutants.{path.stem}")
    return tuple(REGISTERED)


def harness_of(kind: type, identifier: str) -> AnyHarness:
    """A new harness for a class; rules about tasks reach a blocking class through threads."""
    base = next(base for base in kind.__mro__ if base in SUBSTRATES)
    harness = SUBSTRATES[base](kind)
    return ThreadedHarness(harness) if identifier.startswith("ASYNC") and isinstance(harness, Harness) else harness
