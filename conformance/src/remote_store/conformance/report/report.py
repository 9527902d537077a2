"""A run as plain data, and the report files made from it."""

from __future__ import annotations

import json
import os
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from remote_store.conformance.contract.rulebook import CONTRACT_VERSION, ConfigurationError
from remote_store.conformance.contract.versions import installed
from remote_store.conformance.report.badge import badge
from remote_store.conformance.report.html import html_page
from remote_store.conformance.report.junit import junit
from remote_store.conformance.run.run import Run
from remote_store.conformance.run.verdict import RuleResult

FORMAT = 1
Report = Mapping[str, Any]
FORMS: Mapping[str, Callable[[Report], str]] = {
    "json": lambda report: json.dumps(report, indent=1, ensure_ascii=False) + "\n",
    "xml": junit,
    "html": html_page,
    "svg": badge,
}


def write(run: Run, folder: Path) -> list[Path]:
    """Write a run's report in every format into a folder, which is created if missing. Returns the paths.

    Raises:
        ConfigurationError: The folder cannot be written to, or one of the files is a symbolic link.
    """
    report = report_of(run)
    paths = {folder / f"{run.name}.{ending}": form(report) for ending, form in FORMS.items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in paths.items():
            if path.is_symlink():
                raise ConfigurationError(f"the report {path} is a symbolic link, which is not followed: remove it")
            _replace(path, text)
    except OSError as error:
        raise ConfigurationError(f"the report cannot be written to {folder}: {error}") from error
    return list(paths)


def _replace(path: Path, text: str) -> None:
    """Write a temporary file and rename it, so that an existing file or link is replaced, not written through."""
    new = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o666)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def schema() -> Mapping[str, Any]:
    """The JSON schema of the report."""
    found: Mapping[str, Any] = json.loads(
        (files("remote_store.conformance.report") / "report.schema.json").read_text("utf-8")
    )
    return found


def report_of(run: Run) -> Report:
    """The run as plain data that matches the schema."""
    verdict = run.verdict
    return {
        "format": FORMAT,
        "name": run.name,
        "target": run.target,
        "suite": run.suite,
        "tier": run.tier,
        "seed": run.seed,
        "date": run.date.isoformat(timespec="seconds"),
        "versions": {"contract": CONTRACT_VERSION, **installed()},
        "backend": dict(run.subject),
        "verdict": {
            "text": str(verdict),
            "level": verdict.grade.value,
            "capabilities": list(verdict.capabilities),
            "reasons": list(verdict.reasons),
            "remarks": list(verdict.remarks),
        },
        "counts": {
            "rules": {outcome.value: count for outcome, count in run.counts().items()},
            "checks": dict(Counter(record.outcome.value for record in run.records)),
        },
        "totals": {
            "seconds": round(sum(record.seconds for record in run.records), 3),
            "requests": _sum(record.requests for record in run.records),
            "sent": _sum(record.sent for record in run.records),
            "retries": sum(record.retries for record in run.records),
            "waited": round(sum(record.waited for record in run.records), 3),
        },
        "gaps": [{"cause": gap.cause, "checks": dict(gap.checks)} for gap in run.gaps],
        "under_claimed": sorted({record.under_claimed for record in run.records if record.under_claimed}),
        "left": sorted({record.left for record in run.records if record.left}),
        "rules": [_rule(entry, run.kind) for entry in run.rules],
        "checks": [record.as_dict() for record in run.records],
        "deviations": list(run.deviations()),
    }


def _rule(entry: RuleResult, kind: str) -> Mapping[str, Any]:
    return {
        "id": entry.rule.id,
        "level": entry.rule.level,
        "kind": entry.rule.kind,
        "binds": entry.rule.binds(kind),
        "capability": entry.rule.capability.name if entry.rule.capability else None,
        "provisional": entry.rule.provisional,
        "text": entry.rule.text,
        "hint": entry.rule.hint_for(kind),
        "outcome": entry.outcome.value,
        "reason": entry.reason,
        "counts": {outcome.value: count for outcome, count in entry.counts.items()},
        "seconds": round(sum(record.seconds for record in entry.records), 4),
        "requests": _sum(record.requests for record in entry.records),
    }


def _sum(numbers: Iterable[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None
