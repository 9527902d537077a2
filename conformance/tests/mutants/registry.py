"""Which backends are wrong on purpose, which rules each of them breaks, and what each of them is a broken copy of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from mutants.http_s3 import HttpBackend, MotoBackend
from mutants.memory import MemoryHarness, ModestMemory, ThreadedMemoryHarness
from mutants.running import AnyHarness
from mutants.tree import TreeHarness
from remote_store.conformance import Harness, ThreadedHarness, rule
from remote_store.conformance.s3 import MOTO, SEAWEEDFS, S3Harness
from remote_store.core import LocalBackend, MemoryBackend, ThreadedBackend

K = TypeVar("K", bound=type)

SUBSTRATES: dict[type, Callable[[Any], AnyHarness]] = {
    MemoryBackend: MemoryHarness,
    ModestMemory: MemoryHarness,
    LocalBackend: TreeHarness,
    HttpBackend: lambda kind: S3Harness(kind, SEAWEEDFS),
    MotoBackend: lambda kind: S3Harness(kind, MOTO),
    ThreadedBackend: ThreadedMemoryHarness,
}
"""Backends that are right, each with the harness that it and its broken copies are run by."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A backend with one bug.

    Attributes:
        kind: Its class, which differs from a class of `SUBSTRATES` by the bug and nothing else.
        rules: The rules that the bug breaks; each of them has to notice.
    """

    kind: type
    rules: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name of its class."""
        return self.kind.__name__

    @property
    def bug(self) -> str:
        """What it does wrong, in a sentence."""
        return (self.kind.__doc__ or "").strip()

    @property
    def control(self) -> type:
        """The backend that it is a broken copy of."""
        return next(base for base in self.kind.__mro__ if base in SUBSTRATES)


REGISTERED: list[Broken] = []


def broken(*rules: str) -> Callable[[K], K]:
    """Register a class as a backend that breaks these rules.

    Raises:
        ConfigurationError: There is no such rule.
        TypeError: It is no subclass of a backend that is right, or has no sentence that says what is wrong.
    """

    def register(kind: K) -> K:
        made = Broken(kind, tuple(rule(identifier).id for identifier in rules))
        if not rules or not made.bug.endswith(".") or not any(base in SUBSTRATES for base in kind.__mro__):
            raise TypeError(f"{made.name} needs rules, a docstring that names its bug, and a base in SUBSTRATES")
        REGISTERED.append(made)
        return kind

    return register


def every() -> tuple[Broken, ...]:
    """Every broken backend, of all modules beside this one."""
    for path in sorted(Path(__file__).parent.glob("*.py")):
        import_module(f"mutants.{path.stem}")
    return tuple(REGISTERED)


def harness_of(kind: type, identifier: str) -> AnyHarness:
    """A new harness for a class; a rule about tasks is asked through threads where the class is blocking."""
    base = next(base for base in kind.__mro__ if base in SUBSTRATES)
    harness = SUBSTRATES[base](kind)
    return ThreadedHarness(harness) if identifier.startswith("ASYNC") and isinstance(harness, Harness) else harness
