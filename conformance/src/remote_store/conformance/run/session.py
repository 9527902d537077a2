"""The plugin's part that runs once a conformance class was collected: it records what ran, what did not, and why."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from remote_store.conformance.checking.case import AnyCase
from remote_store.conformance.checking.expect import CheckFailed
from remote_store.conformance.contract.rulebook import ConfigurationError, rule
from remote_store.conformance.processes.watchdog import Hung, end_in_spite_of_threads
from remote_store.conformance.run.gate import Gate, in_order, is_first
from remote_store.conformance.run.manifest import in_tier, manifest, overridden, rank_of
from remote_store.conformance.run.patience import Patience
from remote_store.conformance.run.run import Run, finished
from remote_store.conformance.suite.conformance import SUITES, subject_of, suite_of
from remote_store.conformance.values.options import PROPERTY
from remote_store.conformance.values.outcome import (
    ExcusedFailure,
    HarnessFailed,
    KnownDeviation,
    NotApplicable,
    Outcome,
    Record,
    Untested,
)
from remote_store.conformance.values.redaction import escaped, redacted

_RULE = re.compile(r"\n {2}[A-Z0-9]+-\d+ (?:MUST|SHOULD|MAY): ")
_UNSAFE = re.compile(r"[^\w.-]+")
NAMES = {suite.__name__: suite for suite in SUITES}


@dataclass
class Watched:
    """One test class while it runs.

    Attributes:
        suite: Name of its suite.
        target: The target of the command, or the node id of the class.
        gone: Number of variants removed from the run, by cause and check.
        subject: The facts about the backend; `None` until it was inspected.
        records: The records, by check and variant.
    """

    suite: str
    target: str
    gone: dict[str, dict[str, int]] = field(default_factory=dict)
    subject: dict[str, Any] | None = None
    records: dict[tuple[str, str], Record] = field(default_factory=dict)


class Session:
    """The conformance classes of one pytest run."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.tier: str = config.getoption("conformance_tier")
        self.seed: int = config.getoption("conformance_seed")
        self.rules = chosen_rules(config)
        self.classes: dict[str, Watched] = {}
        self.error = ""
        self.runs: list[Run] = []
        self.written: list[Path] = []
        self.listeners: list[Callable[[Record], None]] = []
        self._kinds: dict[str, type] = {}
        self._before: dict[str, set[pytest.Item]] = {}
        self._deselected: dict[str, set[pytest.Item]] = defaultdict(set)
        self._patience = Patience()
        self._shown: dict[tuple[str, tuple[str, ...]], str] = {}
        self._crashes: list[tuple[str, str]] = []
        self._gate = Gate(config, self.rules, self._patience)

    def collected(self, items: list[pytest.Item]) -> None:
        """Record the collected checks, and deselect those that the tier or `--conformance-rule` excludes."""
        for item in items:
            if name := _name(item):
                self._before.setdefault(name, set()).add(item)
        for name, found in self._before.items():
            kind = next(iter(found)).cls  # type: ignore[attr-defined]
            suite = suite_of(kind)
            assert suite is not None
            self._kinds[name] = kind
            self.classes[name] = Watched(suite.__name__, kind.target or name)
        chosen = {item for name, found in self._before.items() for item in self._chosen(name, found)}
        left_out = [item for item in items if _name(item) and item not in chosen]
        if left_out:
            items[:] = [item for item in items if not _name(item) or item in chosen]
            self._deselected.clear()
            self.config.hook.pytest_deselected(items=left_out)
            self._deselected.clear()
        for name, found in self._before.items():
            self._before[name] = found & chosen
            in_order(items, found & chosen, partial(self._place, name))

    def _place(self, name: str, item: pytest.Item) -> tuple[int, Any]:
        rank = rank_of(NAMES[self.classes[name].suite])
        return rank.get(item.originalname, len(rank)), _order(item)  # type: ignore[attr-defined]

    def put_first(self, items: list[pytest.Item]) -> None:
        """Move the first checks of each class before its others, whatever order a plugin or a conftest chose."""
        for name in self.classes:
            in_order(items, self._before[name], lambda item: not is_first(item))

    def _chosen(self, name: str, found: set[pytest.Item]) -> list[pytest.Item]:
        by_check: dict[str, list[Any]] = defaultdict(list)
        for item in found:
            by_check[item.originalname].append(item)  # type: ignore[attr-defined]
        chosen: list[pytest.Item] = []
        for check, variants in by_check.items():
            clauses = getattr(variants[0].function, "clauses", ())
            if not self._is_chosen(clauses):
                continue
            chosen += in_tier(self.tier, variants, _order, f"{name}::{check}") if clauses else variants
        return chosen

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Record the checks that pytest or a plugin deselects."""
        for item in items:
            if name := _name(item):
                self._deselected[name].add(item)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Compare the selected checks with the manifest."""
        left = set(session.items)
        for name, watched in self.classes.items():
            kind, suite, before = self._kinds[name], NAMES[watched.suite], self._before[name]
            replaced = overridden(kind, suite)
            expected = {check: entry.in_tier(self.tier) for check, entry in manifest(suite).items()}
            chosen = {
                check: count for check, count in expected.items() if self._is_chosen(manifest(suite)[check].rules)
            }
            foreign = chosen if "case" in replaced else {}
            own = {check: count for check, count in chosen.items() if check not in replaced and not foreign}
            there = _counted(before, own)
            gone = before - left
            causes = {
                f"left out by --rule {' '.join(self.rules)}": {c: n for c, n in expected.items() if c not in chosen},
                "given their case by a fixture of the test class": foreign,
                "overridden by the test class": {c: n for c, n in chosen.items() if c in replaced and not foreign},
                self._why_deselected(): _counted(gone & self._deselected[name], own),
                "taken out of the collection by a hook": _counted(gone - self._deselected[name], own),
                "not collected": {c: n - there.get(c, 0) for c, n in own.items() if there.get(c, 0) < n},
            }
            watched.gone = {cause: checks for cause, checks in causes.items() if checks}
            self._gate.collected(name, [item for item in session.items if item in before])

    def _is_chosen(self, identifiers: Iterable[str]) -> bool:
        return not self.rules or not set(self.rules).isdisjoint(identifiers)

    def _why_deselected(self) -> str:
        options = {"-k": self.config.getoption("keyword", ""), "-m": self.config.getoption("markexpr", "")}
        chosen = " and ".join(f"{name} {value!r}" for name, value in options.items() if value)
        return f"deselected by {chosen or 'a plugin or a conftest'}"

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Skip the check if its class can no longer be judged."""
        if name := _name(item):
            self._gate.check(name, item)
        if why := self._patience.over(name, is_first=is_first(item)):
            pytest.skip(why)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Attach the record of a check to its report, which pytest-xdist sends between processes."""
        report = yield
        name = _name(item)
        if not name:
            return report
        error = call.excinfo.value if call.excinfo is not None else None
        if report.failed and (shown := str(report.longrepr)) != escaped(shown):
            report.longrepr = escaped(shown)
        if isinstance(error, ConfigurationError):
            report.longrepr = f"configuration error: {error}"
            report.user_properties.append((PROPERTY, json.dumps({"class": name, "error": str(error)})))
            item.session.shouldstop = "the conformance suite is not configured correctly"
        elif call.when == "call" or error is not None:
            case = getattr(item, "funcargs", {}).get("case")
            if trouble := self._patience.note(name, case, error, _outcome(error, call.when)[0]):
                report.longrepr, error = trouble, HarnessFailed(trouble)
            if record := self._record(item, call, error):
                self._gate.note(name, record)
                if report.failed:
                    report.longrepr = self._told(name, item.nodeid, record, error) or report.longrepr
                watched = self.classes[name]
                data = {"class": name, "suite": watched.suite, "target": watched.target, "record": record.as_dict()}
                report.user_properties.append((PROPERTY, json.dumps(data)))
        return report

    def _told(self, name: str, node: str, record: Record, error: BaseException | None) -> str:
        """The text of a failed check in pytest's output; empty for a traceback.

        The calls are shown for the first failure of a rule only.
        """
        first = self._shown.setdefault((name, record.rules), node)
        if first != node:
            text = f"{shortened(record.reason)}\n  run it alone to see its calls; {first} failed at the same rule"
            return f"{text}\n  for more: remote-store-conformance explain {' '.join(record.rules)}"
        return record.reason if isinstance(error, CheckFailed | HarnessFailed) else ""

    def _record(self, item: Any, call: pytest.CallInfo[None], error: BaseException | None) -> Record | None:
        """The record of a check; `None` for a test that is not part of the suite."""
        suite = suite_of(item.cls)
        entry = manifest(suite).get(item.originalname) if suite else None
        if suite is None or entry is None or {item.originalname, "case"} & set(overridden(item.cls, suite)):
            return None
        outcome, reason = _outcome(error, call.when)
        case = item.funcargs.get("case") if hasattr(item, "funcargs") else None
        facts = case.facts() if isinstance(case, AnyCase) else {}
        hidden = case.profile.secrets if isinstance(case, AnyCase) else ()
        lacks = error.lacks if isinstance(error, NotApplicable) else None
        known = error.deviation if isinstance(error, KnownDeviation) else None
        return Record(
            check=item.originalname,
            variant=item.callspec.id if hasattr(item, "callspec") else "",
            rules=entry.rules,
            outcome=outcome,
            reason=redacted(reason, hidden),
            seconds=round(call.duration, 4),
            node=item.nodeid,
            lacks=lacks.name if lacks else "",
            hung=error is not None and isinstance(error.__cause__, Hung),
            deviation={"reason": known.reason, "link": known.link, "expires": known.expires} if known else None,
            **facts,
        )

    def take(self, data: Mapping[str, Any]) -> None:
        """Add a record or an error from a report."""
        if "error" in data:
            self.error = self.error or data["error"]
        if "record" in data:
            watched = self.classes.setdefault(data["class"], Watched(data["suite"], data["target"]))
            record = Record.of_dict(data["record"])
            before = watched.records.get((record.check, record.variant))
            if before is None or before.outcome is Outcome.PASS:
                watched.records[record.check, record.variant] = record
                for listener in self.listeners:
                    listener(record)

    def crashed(self, node: str, text: str) -> None:
        """Note that the process in which a check ran has died."""
        self._crashes.append((node, text))

    def send(self) -> str:
        """The classes of this process without their records, for the controller of pytest-xdist."""
        self._see()
        sent = [{**asdict(watched), "name": name, "records": {}} for name, watched in self.classes.items()]
        return json.dumps(sent)

    def receive(self, text: str) -> None:
        """Add the classes from another process's `send`."""
        for data in json.loads(text):
            name = data.pop("name")
            watched = Watched(**data)
            known = self.classes.get(name)
            if known is not None:
                watched.records = known.records
                watched.subject = watched.subject or known.subject
            self.classes[name] = watched

    def _see(self) -> None:
        for name, kind in self._kinds.items():
            if subject := subject_of(kind):
                self.classes[name].subject = subject.as_dict()

    def finish(self, session: pytest.Session, exitstatus: int) -> None:
        """Compute the verdicts."""
        if self.error or self.config.getoption("collectonly"):
            session.exitstatus = pytest.ExitCode.USAGE_ERROR if self.error else session.exitstatus
            return
        self._see()
        early = str(session.shouldstop or session.shouldfail or "") or (
            "the run was interrupted" if exitstatus == pytest.ExitCode.INTERRUPTED else ""
        )
        titles = Counter(map(_title, self.classes))
        for name, watched in self.classes.items():
            run = finished(
                name=_title(name) if titles[_title(name)] == 1 else _UNSAFE.sub("_", name),
                target=watched.target,
                suite=NAMES[watched.suite],
                tier=self.tier,
                subject=watched.subject,
                records=watched.records,
                gone=watched.gone,
                early="; ".join([early] * bool(early) + [t for n, t in self._crashes if n.startswith(f"{name}::")]),
                seed=self.seed,
            )
            self.runs.append(run)
            if run.says_nothing() and not run.gaps:
                self.error = f"{run.target}: {run.why_it_says_nothing()}"
                session.exitstatus = pytest.ExitCode.USAGE_ERROR
        if any(record.hung for run in self.runs for record in run.records):
            end_in_spite_of_threads(int(session.exitstatus))


def shortened(reason: str) -> str:
    """The part of a failure's text before the rules: what was expected and what was observed."""
    head, _, _ = _RULE.split(reason, maxsplit=1)[0].partition("\n  calls:")
    return head.rstrip()


def chosen_rules(config: pytest.Config) -> list[str]:
    """Ids of the rules to run; empty for all.

    Raises:
        ConfigurationError: One of them does not exist.
    """
    return [rule(name).id for name in config.getoption("conformance_rules") or ()]


def _name(item: Any) -> str:
    """The node id of a check's conformance class; empty for other tests."""
    kind = getattr(item, "cls", None)
    if kind is None or suite_of(kind) is None:
        return ""
    return str(item.parent.nodeid)


def _title(name: str) -> str:
    """The name of a test class in its report."""
    return name.rpartition("::")[2].removeprefix("Test")


def _order(item: Any) -> Any:
    callspec = getattr(item, "callspec", None)
    return tuple(callspec.indices.values()) if callspec is not None else ()


def _counted(items: set[Any], expected: Mapping[str, int]) -> dict[str, int]:
    found = Counter(item.originalname for item in items if item.originalname in expected)
    return {check: found[check] for check in sorted(found)}


def _outcome(error: BaseException | None, when: str) -> tuple[Outcome, str]:
    """The outcome and the reason of a check that ended with an exception or with none."""
    if error is None:
        return Outcome.PASS, ""
    text = "\n".join([str(error), *(note.lstrip("\n") for note in getattr(error, "__notes__", ()))])
    kinds: tuple[tuple[type[BaseException], Outcome], ...] = (
        (NotApplicable, Outcome.NOT_APPLICABLE),
        (Untested, Outcome.UNTESTED),
        (KnownDeviation, Outcome.DEVIATION),
        (ExcusedFailure, Outcome.FAIL),
        (HarnessFailed, Outcome.ERROR),
        (pytest.skip.Exception, Outcome.NOT_RUN),
        (pytest.xfail.Exception, Outcome.NOT_RUN),
    )
    for kind, outcome in kinds:
        if isinstance(error, kind):
            return outcome, text.removeprefix(f"{outcome.value.replace('-', ' ')}: ")
    if when != "call":
        return Outcome.ERROR, f"{when}: {type(error).__name__}: {text}"
    return Outcome.FAIL, text if isinstance(error, AssertionError) else f"{type(error).__name__}: {text}"
