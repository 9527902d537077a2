"""The catalogue of the contract as data: each rule with its level and rationale."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal, get_args

from remote_store.core import Capability
from remote_store.core.home import public

CONTRACT_VERSION = "0.2"
"""The version of the contract, which is independent of the suite's version."""

Level = Literal["MUST", "SHOULD", "MAY"]
Kind = Literal["every", "http", "s3"]
SCOPES: Mapping[Kind, str] = {
    "every": "every storage",
    "http": "storages over HTTP (S3 included)",
    "s3": "storages over S3",
}
"""What the rules of a kind bind."""


@public("remote_store.conformance")
class ConfigurationError(Exception):
    """The configuration, the harness or the catalogue is wrong. The message says what to correct."""


@public("remote_store.conformance")
@dataclass(frozen=True, slots=True)
class Rule:
    """One clause of the contract.

    Attributes:
        id: Stable id, such as `READ-001`.
        level: `MUST`, `SHOULD` or `MAY`. A backend that breaks a `SHOULD` is told so, and does not fail.
        text: The clause in one sentence.
        rationale: Why the rule exists.
        hint: Where to look if a backend breaks it, whatever its storage.
        since: Version of the contract that introduced it.
        capability: The capability that it needs; `None` if it always applies.
        untested: Why it has no check; empty if it has one.
        provisional: The rule is new. A failure is reported but does not change the verdict.
        aliases: Former ids, which still work.
        hint_http: The hint for a storage that is reached over HTTP; empty if `hint` fits it.
        hint_s3: The hint for S3; empty if one of the others fits it.
        kind: What it binds: `every` storage, only storages over HTTP (`http`, S3 included), or only those over S3
            (`s3`). It does not apply to other backends.
    """

    id: str
    level: Level
    text: str
    rationale: str
    hint: str
    since: str
    capability: Capability | None = None
    untested: str = ""
    provisional: bool = False
    aliases: tuple[str, ...] = ()
    hint_http: str = ""
    hint_s3: str = ""
    kind: Kind = "every"

    @property
    def is_required(self) -> bool:
        """Whether a backend that breaks it fails: it is a `MUST`, and not provisional."""
        return self.level == "MUST" and not self.provisional

    def binds(self, storage: str) -> bool:
        """Whether it binds a kind of storage.

        Args:
            storage: The kind, as in `Profile.kind`: `s3`, `http`, or another.
        """
        return self.kind == "every" or storage in ("s3", self.kind)

    def hint_for(self, kind: str) -> str:
        """The hint that fits a kind of storage.

        Args:
            kind: The kind, as in `Profile.kind`: `s3`, `http`, or another.
        """
        if kind == "s3":
            return self.hint_s3 or self.hint_http or self.hint
        return self.hint_http or self.hint if kind == "http" else self.hint


@public("remote_store.conformance")
@dataclass(frozen=True, slots=True)
class Area:
    """A group of related rules, which is one file of the catalogue.

    Attributes:
        name: Prefix of the ids, such as `READ`.
        title: Heading of the area.
        about: Description in a sentence or two.
        rules: The rules, ordered by id.
    """

    name: str
    title: str
    about: str
    rules: tuple[Rule, ...]


@public("remote_store.conformance")
@cache
def areas() -> tuple[Area, ...]:
    """Every area, in the order in which a reader meets them.

    Raises:
        ConfigurationError: A file of the catalogue is malformed.
    """
    entries = [entry for entry in files("remote_store.conformance.catalogue").iterdir() if entry.name.endswith(".toml")]
    tables = {entry.name: tomllib.loads(entry.read_text("utf-8")) for entry in entries}
    headings = tables.pop("areas.toml")["area"]
    names = [f"{heading['name'].lower()}.toml" for heading in headings]
    if unknown := tables.keys() - set(names):
        raise ConfigurationError(f"areas.toml has no heading for {', '.join(sorted(unknown))}")
    return tuple(
        area_of(heading, tables[name]) for heading, name in zip(headings, names, strict=True) if name in tables
    )


@public("remote_store.conformance")
@cache
def rules() -> Mapping[str, Rule]:
    """Every rule by its id."""
    return MappingProxyType({rule.id: rule for area in areas() for rule in area.rules})


@public("remote_store.conformance")
def rule(identifier: str) -> Rule:
    """The rule with this id or alias.

    Raises:
        ConfigurationError: There is no such rule.
    """
    found = rules().get(identifier) or _aliases().get(identifier)
    if found is None:
        nearest = get_close_matches(identifier.upper(), rules(), n=1)
        hint = f"; did you mean {nearest[0]}?" if nearest else ""
        raise ConfigurationError(f"{identifier!r} is not a rule of the contract{hint}")
    return found


def out_of_scope(entry: Rule) -> str:
    """Why a rule does not apply to a backend whose storage it does not bind."""
    return f"it binds only {SCOPES[entry.kind]}"


@cache
def _aliases() -> Mapping[str, Rule]:
    found: dict[str, Rule] = {}
    for entry in rules().values():
        for alias in entry.aliases:
            if alias in rules() or alias in found:
                raise ConfigurationError(f"{alias}, an alias of {entry.id}, is the id or alias of another rule too")
            found[alias] = entry
    return MappingProxyType(found)


def area_of(heading: Mapping[str, str], table: Mapping[str, Any]) -> Area:
    """The area made from its heading and its file.

    Raises:
        ConfigurationError: A rule is malformed, or the ids are not sorted.
    """
    found = tuple(_rule(heading["name"], row) for row in table["rule"])
    identifiers = [entry.id for entry in found]
    if identifiers != sorted(set(identifiers)):
        raise ConfigurationError(f"the ids of area {heading['name']} are not sorted or not unique")
    return Area(heading["name"], heading["title"], heading["about"], found)


def _rule(area: str, row: Mapping[str, Any]) -> Rule:
    capability = row.get("capability")
    try:
        typed = {"capability": Capability[capability] if capability else None, "aliases": tuple(row.get("aliases", ()))}
        made = Rule(**{**row, **typed})
    except (TypeError, KeyError) as error:
        raise ConfigurationError(f"rule {row.get('id')!r} of area {area}: {error}") from error
    if made.kind not in get_args(Kind):
        raise ConfigurationError(f"rule {made.id!r} has the kind {made.kind!r}, not one of {', '.join(get_args(Kind))}")
    name, _, number = made.id.rpartition("-")
    if name != area or not number.isdigit() or made.level not in get_args(Level):
        raise ConfigurationError(f"rule {made.id!r} has a wrong id or level for area {area}")
    return made
