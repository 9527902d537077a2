"""What the page of a rule tells beyond its clause: why it matters, wrong and right code, and what often breaks it."""

from __future__ import annotations

import textwrap
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from remote_store.conformance.contract.rulebook import ConfigurationError, areas, rules
from remote_store.core.home import public


@public("remote_store.conformance")
@dataclass(frozen=True, slots=True)
class RulePage:
    """What the page of a rule tells beyond its clause.

    Attributes:
        why: What a user loses if the rule is broken.
        wrong: Python code that breaks the rule.
        right: The same code without the bug.
        breaks: Kinds of backend that often break the rule.
    """

    why: str
    wrong: str
    right: str
    breaks: str


@public("remote_store.conformance")
@cache
def rule_pages() -> Mapping[str, RulePage]:
    """The pages by the id of their rule, in the order of the catalogue.

    Raises:
        ConfigurationError: A file is malformed, or has a page that belongs to no rule of its area.
    """
    folder = files("remote_store.conformance.catalogue.pages")
    texts = {entry.name: entry.read_text("utf-8") for entry in folder.iterdir() if entry.name.endswith(".toml")}
    found: dict[str, RulePage] = {}
    for name, text in texts.items():
        found |= pages_of(name, text)
    return MappingProxyType({identifier: found[identifier] for identifier in rules() if identifier in found})


def pages_of(name: str, text: str) -> dict[str, RulePage]:
    """The pages in the file of an area.

    Args:
        name: Name of the file, such as `read.toml`.
        text: Its text.

    Raises:
        ConfigurationError: The text is malformed, or has a page that belongs to no rule of the area.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"pages/{name}: {error}") from error
    area = name.removesuffix(".toml").upper()
    known = {entry.id for entry in next((found.rules for found in areas() if found.name == area), ())}
    if strangers := table.keys() - known:
        raise ConfigurationError(f"pages/{name}: {', '.join(sorted(strangers))} is not a rule of the area {area}")
    return {identifier: _page(f"pages/{name}: {identifier}", row) for identifier, row in table.items()}


def _page(place: str, row: object) -> RulePage:
    names = [field.name for field in fields(RulePage)]
    if not isinstance(row, dict) or sorted(row) != sorted(names):
        raise ConfigurationError(f"{place} must have exactly {', '.join(names)}")
    for name, value in row.items():
        if not isinstance(value, str) or not value.strip():
            raise ConfigurationError(f"{place}: {name} must be text")
    return RulePage(
        why=row["why"].strip(),
        wrong=textwrap.dedent(row["wrong"]).strip("\n"),
        right=textwrap.dedent(row["right"]).strip("\n"),
        breaks=row["breaks"].strip(),
    )
