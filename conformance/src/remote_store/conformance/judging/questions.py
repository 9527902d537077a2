"""What is asked about a server, as data."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Any

from remote_store.conformance.contract.rulebook import ConfigurationError


@dataclass(frozen=True, slots=True)
class Question:
    """Something that a server gets right or wrong.

    Attributes:
        topic: Name of its topic.
        id: Its id within the topic.
        right: What the server does if the answer is right.
        wrong: What it does if the answer is wrong.
        checks: Names of the checks of the suite that answer it.
        variants: The parameters of these checks that count, as shell patterns.
        option: The condition of `conditional_writes` to turn off if the answer is wrong; empty if no option helps.
        sometimes: The answer depends on a race, so that a run may miss what is wrong.
        plain: Name of the function of `plain` that answers it instead of checks; empty if checks do.
    """

    topic: str
    id: str
    right: str
    wrong: str
    checks: tuple[str, ...]
    variants: tuple[str, ...] = ("*",)
    option: str = ""
    sometimes: bool = False
    plain: str = ""

    def is_answered_by(self, check: str, variant: str) -> bool:
        """Whether a check with these parameters is one of those that answer the question."""
        return check in self.checks and any(fnmatchcase(variant, pattern) for pattern in self.variants)


@dataclass(frozen=True, slots=True)
class Topic:
    """Related questions.

    Attributes:
        name: A word for the command line.
        title: Heading.
        questions: The questions.
    """

    name: str
    title: str
    questions: tuple[Question, ...]


@cache
def topics() -> tuple[Topic, ...]:
    """Every topic, in the order in which they are shown. The first one has what all others rely on."""
    table = tomllib.loads((files("remote_store.conformance.judging") / "questions.toml").read_text("utf-8"))
    return tuple(
        Topic(row["name"], row["title"], tuple(_question(row, entry) for entry in row["question"]))
        for row in table["topic"]
    )


def chosen(names: Collection[str]) -> tuple[Topic, ...]:
    """The topics with these names, and the question on which all others rely; all topics if there are no names.

    Raises:
        ConfigurationError: There is no such topic.
    """
    known = [topic.name for topic in topics()]
    for name in names:
        if name not in known:
            nearest = get_close_matches(name, known, n=1)
            hint = f"did you mean {nearest[0]}?" if nearest else f"the topics are {', '.join(known)}"
            raise ConfigurationError(f"{name!r} is not a topic; {hint}")
    first, *others = topics()
    if names and first.name not in names:
        first = replace(first, questions=first.questions[:1])
    return (first, *(topic for topic in others if not names or topic.name in names))


def _question(topic: Mapping[str, Any], row: Mapping[str, Any]) -> Question:
    lists = {name: tuple(row[name]) for name in ("checks", "variants") if name in row}
    usual = () if "plain" in row else tuple(topic.get("checks", ()))
    return Question(**{"topic": topic["name"], "checks": usual, **row, **lists})
