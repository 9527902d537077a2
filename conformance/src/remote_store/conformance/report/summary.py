"""A run as lines of text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from remote_store.conformance.contract.rulebook import CONTRACT_VERSION
from remote_store.conformance.contract.versions import installed
from remote_store.conformance.run.run import Run
from remote_store.conformance.run.verdict import Grade
from remote_store.conformance.values.outcome import Outcome

WIDTH = 9
CONFORMING = frozenset({Grade.CORE, Grade.CORE_AND_CAPABILITIES})
KINDS = {
    "memory": "in memory",
    "emulator": "on an emulator",
    "files": "on disk, with a library in this process",
    "server": "on a server of this machine",
    "real": "on the real service",
}


def summary(run: Run) -> Iterator[str]:
    """The verdict, its reasons, and the numbers."""
    yield from _head(run)
    found = installed()
    versions = f"contract {CONTRACT_VERSION} · suite {found['suite']} · core {found['core']}"
    backend = run.subject.get("distribution")
    yield _row("", f"{versions}{f' · {backend}' if backend else ''} · {run.date:%Y-%m-%d} · seed {run.seed}")
    counts = run.counts()
    yield _row("rules", " · ".join(f"{count:,} {outcome.value}" for outcome, count in counts.items() if count))
    yield from _block("why", run.verdict.reasons)
    yield from _block("with", run.verdict.remarks)
    if left := sorted({record.left for record in run.records if record.left}):
        shown = ", ".join(left[:5]) + (", ..." if len(left) > 5 else "")
        yield _row("left", f"{_plural(len(left), 'folder')} could not be removed; delete by hand: {shown}")
    yield from _block("noticed", run.subject.get("notes", ()))


def sections(runs: Sequence[Run], *, brief: bool) -> Iterator[tuple[str, list[str]]]:
    """The terminal output of several runs: titles with their lines.

    Args:
        runs: The runs.
        brief: Show all conforming runs in one section.
    """
    ran = [run for run in runs if run.records]
    fine = [run for run in ran if brief and run.verdict.grade in CONFORMING]
    if fine:
        yield f"conformance: {len(fine)} of {len(ran)} backends keep the contract", list(overview(fine))
    for run in ran:
        if run not in fine:
            yield f"conformance of {run.target}", list(summary(run))
    for run in runs:
        if not run.records and not brief:
            yield f"conformance of {run.target}: {run.verdict}, no check ran", []


def overview(runs: Sequence[Run]) -> Iterator[str]:
    """One line per server or kind of storage: the number of conforming backends, of rules held, and of deviations."""
    by_place: dict[str, list[Run]] = {}
    for run in runs:
        by_place.setdefault(_place(run), []).append(run)
    width = max(map(len, by_place), default=0)
    for place, there in sorted(by_place.items()):
        held = sum(run.counts()[Outcome.PASS] for run in there)
        deviating = {entry.rule.id for run in there for entry in run.rules if entry.outcome is Outcome.DEVIATION}
        yield (
            f"{place:<{width}}  {_plural(len(there), 'backend')} ({there[0].tier} tier), {held:,} rules held, "
            f"{_plural(len(deviating), 'rule')} deviating as declared"
        )


def _head(run: Run) -> Iterator[str]:
    where = endpoint(run.subject)
    yield _row("verdict", f"{run.verdict} ({run.tier} tier{f', {where}' if where else ''})")


def endpoint(backend: Mapping[str, Any]) -> str:
    """The kind and version of the server that a run tested, as far as known."""
    profile = backend.get("profile", {})
    kind = profile.get("endpoint_kind") or ("memory" if profile.get("in_process") and backend.get("stated") else "")
    version = profile.get("endpoint_version")
    return KINDS.get(kind, "") + (f" ({version})" if version else "")


def _place(run: Run) -> str:
    profile = run.subject.get("profile", {})
    return str(profile.get("endpoint_version") or profile.get("kind") or "unknown")


def _plural(count: int, word: str) -> str:
    return f"{count:,} {word}" + ("" if count == 1 else "s")


def _block(name: str, texts: object) -> Iterator[str]:
    assert isinstance(texts, list | tuple)
    for number, text in enumerate(texts):
        yield _row("" if number else name, str(text))


def _row(name: str, text: str) -> str:
    return f"{name:<{WIDTH}} {text}"
