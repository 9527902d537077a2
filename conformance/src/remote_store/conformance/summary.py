"""A run as a few lines of text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from remote_store.conformance.outcome import Outcome, Record
from remote_store.conformance.run import Run

SHOWN_FAILURES = 20
WIDTH = 9
KINDS = {"memory": "in memory", "emulator": "on an emulator", "real": "on the real service"}


def summary(run: Run) -> Iterator[str]:
    """The verdict, why it is so, and the numbers."""
    yield from _head(run)
    counts = run.counts()
    yield _row("rules", " · ".join(f"{count:,} {outcome.value}" for outcome, count in counts.items() if count))
    yield from _block("why", run.verdict.reasons)
    yield from _block("with", run.verdict.remarks)
    if left := sorted({record.left for record in run.records if record.left}):
        shown = ", ".join(left[:5]) + (", ..." if len(left) > 5 else "")
        yield _row("left", f"{len(left):,} folders could not be removed; delete them by hand: {shown}")
    yield from _block("noticed", run.subject.get("notes", ()))


def failures(run: Run) -> Iterator[str]:
    """What broke, rule by rule, each with one check in full."""
    shown: set[str] = set()
    for record in run.broken():
        named = " ".join(record.rules)
        if named in shown:
            continue
        shown.add(named)
        more = sum(other.rules == record.rules for other in run.broken()) - 1
        yield f"{record.outcome.value.upper()} {named}  {_check(record)}"
        yield from (f"  {line}" for line in record.reason.splitlines())
        if more:
            yield f"  and {more:,} more {'check' if more == 1 else 'checks'} of {named}"
        yield ""
        if len(shown) == SHOWN_FAILURES:
            yield f"... and more; the report has all {len(run.broken()):,}"
            return


def _head(run: Run) -> Iterator[str]:
    profile = run.subject.get("profile", {})
    kind = KINDS.get(profile.get("endpoint_kind") or ("memory" if profile.get("in_process") else ""))
    version = profile.get("endpoint_version")
    on = f", {kind}{f' ({version})' if version else ''}" if kind else ""
    yield _row("verdict", f"{run.verdict} ({run.tier} tier{on})")


def _block(name: str, texts: object) -> Iterator[str]:
    assert isinstance(texts, list | tuple)
    for number, text in enumerate(texts):
        yield _row("" if number else name, str(text))


def _row(name: str, text: str) -> str:
    return f"{name:<{WIDTH}} {text}"


def _check(record: Record) -> str:
    return f"{record.check}[{record.variant}]" if record.variant else record.check


def counted(outcomes: list[Outcome]) -> str:
    """How many failed of those that have ended, for a line of progress."""
    failed = sum(outcome in (Outcome.FAIL, Outcome.ERROR) for outcome in outcomes)
    return f"{failed:,} failed" if failed else "none failed"
