"""The sets of broken backends that were written before a check was run on them, and what the first run said.

A set is a folder beside this module. `tools/holdout_verdicts.py` runs the suite on it once and writes `verdicts.json`
into the folder. Neither the folder nor its verdicts change after that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlite_store import SQLiteBackend
from sqlite_store.harness import SQLiteHarness

from mutants.memory import MemoryHarness
from mutants.tree import TreeHarness
from remote_store.conformance import Harness
from remote_store.core import LocalBackend, MemoryBackend

HERE = Path(__file__).parent
ORDER = ("first", "second", "third", "fourth", "fifth", "sixth")
SETS = tuple(sorted((path.parent.name for path in HERE.glob("*/__init__.py")), key=ORDER.index))

BASES: dict[type, Callable[[Any], Harness]] = {
    MemoryBackend: MemoryHarness,
    LocalBackend: TreeHarness,
    SQLiteBackend: SQLiteHarness,
}
"""The correct backends, each with the harness for itself and for its broken copies."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A broken backend of a set.

    Attributes:
        kind: Its class.
        breaks: The rule that its author says it breaks.
    """

    kind: type
    breaks: str

    @property
    def bug(self) -> str:
        """The bug, in one sentence."""
        return (self.kind.__doc__ or "").strip()

    @property
    def target(self) -> str:
        """Its name, as `module:class`."""
        return f"{self.kind.__module__}:{self.kind.__name__}"


def modules_of(name: str) -> list[Path]:
    """The modules of a set."""
    return sorted(path for path in (HERE / name).glob("*.py") if path.name != "__init__.py")


def members(name: str) -> list[HeldOut]:
    """The broken backends of a set: the classes of its modules that say what they break."""
    found: list[HeldOut] = []
    for path in modules_of(name):
        module = import_module(f"holdout.{name}.{path.stem}")
        kinds = [kind for kind in vars(module).values() if isinstance(kind, type) and "breaks" in vars(kind)]
        found += [HeldOut(kind, vars(kind)["breaks"]) for kind in kinds if kind.__module__ == module.__name__]
    return found


def harness_of(kind: type) -> Harness:
    """A new harness for a class, which is that of the correct backend that it inherits from."""
    base = next(base for base in kind.__mro__ if base in BASES)
    return BASES[base](kind)


def fingerprint(name: str) -> str:
    """The SHA-256 of the modules of a set."""
    digest = hashlib.sha256()
    for path in modules_of(name):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def verdicts(name: str) -> dict[str, Any] | None:
    """What the first run of a set said; `None` if it has not been run."""
    path = HERE / name / "verdicts.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else None
