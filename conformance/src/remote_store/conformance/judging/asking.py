"""The plugin of pytest that runs only the checks that answer questions, and keeps the exceptions that end them."""

from __future__ import annotations

import time
from collections.abc import Collection, Generator, Sequence
from typing import Any

import pytest

from remote_store.conformance.checking.case import AnyCase
from remote_store.conformance.judging.questions import Question, Topic
from remote_store.conformance.run.patience import trouble_of
from remote_store.conformance.values.outcome import HarnessFailed


class Asking:
    """Runs the checks that answer the questions of some topics.

    Args:
        topics: The topics. If the first question of the first one is answered wrong, nothing else is asked.
        rules: Ids of the rules whose checks may run; empty for all.
        seconds: Time limit of the whole run.

    Attributes:
        errors: The exceptions with which checks ended, by node id.
        ended: Why the run ended early; empty if it did not.
    """

    def __init__(self, topics: Sequence[Topic], rules: Collection[str], seconds: float) -> None:
        self.errors: dict[str, BaseException] = {}
        self.ended = ""
        self._questions: list[Question] = [question for topic in topics for question in topic.questions]
        self._rules = frozenset(rules)
        self._limit = seconds
        self._began = time.monotonic()

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Deselect the checks that answer no question, and put those first on which all others rely."""
        kept = [item for item in items if self._is_asked(item)]
        left = [item for item in items if not self._is_asked(item)]
        items[:] = kept
        config.hook.pytest_deselected(items=left)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: Any, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Keep the exception of a check, and end the run if its time is over or nothing works."""
        report = yield
        error = call.excinfo.value if call.excinfo is not None else None
        if error is not None:
            self.errors.setdefault(item.nodeid, error)
        if isinstance(error, Exception | HarnessFailed) and self._questions[0].is_answered_by(item.originalname, ""):
            case = getattr(item, "funcargs", {}).get("case")
            trouble = trouble_of(case) if isinstance(case, AnyCase) else ""
            self._end(item, trouble or "objects are not even written, read, listed and deleted correctly")
        elif time.monotonic() - self._began > self._limit:
            self._end(item, f"the time limit of {self._limit:g} s was exceeded")
        return report

    def _end(self, item: Any, why: str) -> None:
        self.ended = self.ended or why
        item.session.shouldstop = why

    def _is_asked(self, item: Any) -> bool:
        variant = item.callspec.id if hasattr(item, "callspec") else ""
        if self._rules and self._rules.isdisjoint(getattr(item.function, "clauses", ())):
            return False
        return any(question.is_answered_by(item.originalname, variant) for question in self._questions)
