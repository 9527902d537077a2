"""A run as a few lines of text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from remote_store.conformance.outcome import Record
from remote_store.conformance.rulebook import CONTRACT_VERSION
from remote_store.conformance.run import Run
from remote_store.conformance.versions import installed

SHOWN_FAILURES = 20
WIDTH = 9
KINDS = {"memory": "in memory", "emulator": "on an emulator", "real": "on the real service"}


def summary(run: Run) -> Iterator[str]:
    """The verdict, why it is so, and the numbers."""
    yield from _head(run)
    found = installed()
    versions = f"contract {CONTRACT_VERSION} · suite {found['suite']} · core {found['core']}"
    backend = run.subject.get("distribution")
    yield _row("", f"{versions}{f' · {backend}' if backend else ''} · {run.date:%Y-%m-%d}")
    counts = run.counts()
    yield _row("rules", " · ".join(f"{count:,} {outcome.value}" for outcome, count in counts.items() if count))
    yield from _block("why", run.verdict.reasons)
    yield from _block("with", run.verdict.remarks)
    if left := sorted({record.left for record in run.records if record.left}):
        shown = ", ".join(left[:5]) + (", ..." if len(left) > 5 else "")
        yield _row("left", f"{len(left):,} of the folders could not be removed; delete by hand: {shown}")
    yield from _block("noticed", run.subject.get("notes", ()))


def failures(run: Run) -> Iterator[str]:
    """What broke, rule by rule, each with one check in full."""
    groups = run.broken()
    for records in groups[:SHOWN_FAILURES]:
        first, more = records[0], len(records) - 1
        named = " ".join(first.rules)
        yield f"{first.outcome.value.upper()} {named}  {_check(first)}"
        yield from (f"  {line}" for line in first.reason.splitlines())
        if more:
            yield f"  and {more:,} more {'check' if more == 1 else 'checks'} of {named}"
        yield ""
    if len(groups) > SHOWN_FAILURES:
        yield f"... and {len(groups) - SHOWN_FAILURES:,} more; the report has them all\n"


def _head(run: Run) -> Iterator[str]:
    where = endpoint(run.subject)
    yield _row("verdict", f"{run.verdict} ({run.tier} tier{f', {where}' if where else ''})")


def endpoint(backend: Mapping[str, Any]) -> str:
    """What a run was against, as far as anybody says."""
    profile = backend.get("profile", {})
    kind = profile.get("endpoint_kind") or ("memory" if profile.get("in_process") and backend.get("stated") else "")
    version = profile.get("endpoint_version")
    return KINDS.get(kind, "") + (f" ({version})" if version else "")


def _block(name: str, texts: object) -> Iterator[str]:
    assert isinstance(texts, list | tuple)
    for number, text in enumerate(texts):
        yield _row("" if number else name, str(text))


def _row(name: str, text: str) -> str:
    return f"{name:<{WIDTH}} {text}"


def _check(record: Record) -> str:
    return f"{record.check}[{record.variant}]" if record.variant else record.check
