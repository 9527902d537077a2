"""Keeps the checks of a class from running if one of the first checks failed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

import pytest

from remote_store.conformance.run.manifest import FIRST
from remote_store.conformance.run.patience import Patience
from remote_store.conformance.suite.conformance import passes
from remote_store.conformance.values.outcome import Outcome, Record


def is_first(item: Any) -> bool:
    """Whether a test is one of the checks that run before all others."""
    return str(getattr(item, "originalname", "")).startswith(FIRST)


def in_order(items: list[pytest.Item], some: Collection[pytest.Item], key: Callable[[Any], Any]) -> None:
    """Sort some of the items. The others keep their places."""
    places = [place for place, item in enumerate(items) if item in some]
    for place, item in zip(places, sorted((items[place] for place in places), key=key), strict=True):
        items[place] = item


class Gate:
    """Notes the results of the first checks of each class.

    It is open if only some rules were chosen, or if the run shall go on whatever fails.

    Args:
        config: The configuration of pytest.
        rules: Ids of the chosen rules; empty for all.
        patience: What is told of a first check that failed.
    """

    def __init__(self, config: pytest.Config, rules: Collection[str], patience: Patience) -> None:
        self._open = bool(rules) or bool(config.getoption("conformance_keep_going"))
        self._config = config
        self._patience = patience
        self._left: dict[str, dict[str, pytest.Item]] = {}

    def collected(self, name: str, items: Iterable[pytest.Item]) -> None:
        """Note the first checks of a class that were collected."""
        self._left[name] = {item.name: item for item in items if is_first(item)}

    def note(self, name: str, record: Record) -> None:
        """Note the result of a check, if it is one of the first."""
        if self._left.get(name, {}).pop(record.check, None) and record.outcome in (Outcome.FAIL, Outcome.ERROR):
            self._failed(name, record.check)

    def check(self, name: str, item: pytest.Item) -> None:
        """Before another check, run the first checks that a different process of pytest-xdist has got."""
        if self._open or is_first(item) or not hasattr(self._config, "workerinput"):
            return
        for check in [*self._left.get(name, ())]:
            first: Any = self._left[name].pop(check)
            if not passes(first.cls, first.originalname, self._config):
                self._failed(name, check)

    def _failed(self, name: str, check: str) -> None:
        if not self._open:
            self._patience.note_first(name, check)
