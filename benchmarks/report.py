"""Writes the page of a run, from the run itself."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lanes import Rival
from measuring import Times
from operations import OPERATIONS, Operation
from remote_store.conformance.servers import Server
from world import MIB, Scale

KINDS = {"cpu": "CPU time", "wall": "wall time"}
METHOD = """\
## How it is measured

One process runs all contestants against one server, which is a process of its own on the same machine. For each
operation they take turns, the order turned round after each round; a first call of each is not counted. The table has
the median of the rounds. CPU time is the user and system time of the client's process, all its threads included. A
ratio is the other's time by the lane's, so that more than 1 speaks for the lane; the range behind it is that of single
rounds. Every call is checked: a listing has every key, a read every byte, and an upload is asked for its size. What a
measurement needs (fresh keys, a tree to delete) is made outside it, without any SDK. Local files are in memory, where
the system has a place for that, or a disk would be measured.

There are more rounds where most do it in less than a second, and most where both sides only wait for the server, so
that a per cent decides.

Memory is measured in a fresh process for each number: it connects, reads one small object, notes its resident memory,
does the operation once, and reads the high-water mark of its resident memory from the kernel.

Client and server share the machine with whatever else runs there, whose load stands below: other work makes every time
longer and lets single rounds differ more. Times on the clock say nothing about a server across a network.
"""


@dataclass(frozen=True)
class Run:
    """What was measured.

    Attributes:
        server: Against what.
        scale: How much.
        contestants: Who, by title.
        times: By operation and contestant.
        growth: Bytes of memory by operation and contestant.
        command: What was typed.
        loads: How many processes wanted a core, over the last minute, before and after.
    """

    server: Server
    scale: Scale
    contestants: dict[str, type[Any]]
    times: dict[str, dict[str, Times]]
    growth: dict[str, dict[str, int | None]]
    command: str
    loads: list[float]

    def lanes(self) -> Iterator[tuple[str, Rival]]:
        """Each lane with each of those that it stands against."""
        for title, contestant in self.contestants.items():
            for rival in getattr(contestant, "rivals", ()):
                yield title, rival

    def measured(self, lane: str, rival: Rival) -> Iterator[tuple[Operation, Times, Times]]:
        """The operations that both can do."""
        for operation in OPERATIONS:
            times = self.times.get(operation.name, {})
            if lane in times and rival.title in times:
                yield operation, times[lane], times[rival.title]


def page(run: Run) -> str:
    """The page, in Markdown."""
    parts = ["# Performance\n", f"Written by `{run.command}`.\n"]
    for lane, rival in run.lanes():
        parts += [
            f"## {lane} beside {rival.title}\n",
            table(run, lane, rival),
            verdict(run, lane, rival),
            memory(run, lane, rival),
        ]
        parts += [what_each_does(run, lane, rival)]
    parts += [METHOD, machine(run)]
    return "\n".join(parts)


def results(run: Run) -> dict[str, Any]:
    """The medians of CPU time in seconds and the growth of memory in bytes, for other pages."""
    chosen = [operation for operation in OPERATIONS if operation.name in run.times]
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": f"{processor()}, {os.cpu_count()} cores",
        "titles": list(run.contestants),
        "cpu": {
            title(operation, run.scale): {
                name: round(times.median("cpu"), 7) for name, times in run.times[operation.name].items()
            }
            for operation in chosen
        },
        "growth": {title(one, run.scale): run.growth[one.name] for one in chosen if one.name in run.growth},
    }


def table(run: Run, lane: str, rival: Rival) -> str:
    """Times and ratios of a lane, with what is to be reached."""
    columns = "".join(f" {kind} {rival.title} | {kind} lane | ratio | to reach |" for kind in ("CPU", "wall"))
    lines = [
        f"| operation |{columns}",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for operation, ours, theirs in run.measured(lane, rival):
        cells = [title(operation, run.scale)]
        for kind, target in targets(operation, rival).items():
            cells += [duration(theirs.median(kind)), duration(ours.median(kind)), spread(ours, theirs, kind)]
            cells += [reached(ratio(ours, theirs, kind), target)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def targets(operation: Operation, rival: Rival) -> dict[str, float | None]:
    """What is to be reached for an operation, by kind of time; `None` where nothing is."""
    return {"cpu": rival.cpu.get(operation.name), "wall": rival.wall.get(operation.name, rival.floor)}


def verdict(run: Run, lane: str, rival: Rival) -> str:
    """Which targets were missed."""
    missed = []
    for operation, ours, theirs in run.measured(lane, rival):
        for kind, target in targets(operation, rival).items():
            if target is not None and ratio(ours, theirs, kind) < target:
                missed.append(f"{KINDS[kind]} of {title(operation, run.scale)}")
        grown = run.growth.get(operation.name, {}).get(lane)
        if operation.memory is not None and grown is not None and grown > operation.memory * MIB:
            missed.append(f"memory of {title(operation, run.scale)}")
    return f"Not reached: {', '.join(missed)}.\n" if missed else "Every target is reached.\n"


def memory(run: Run, lane: str, rival: Rival) -> str:
    """Growth of memory."""
    lines = [f"| growth of memory, MiB | {rival.title} | lane | to stay below |", "|---|--:|--:|--:|"]
    for operation in OPERATIONS:
        grown = run.growth.get(operation.name, {})
        theirs, ours = (grown.get(name) for name in (rival.title, lane))
        if ours is None or theirs is None:
            continue
        limit = "" if operation.memory is None else f"{operation.memory} {_mark(ours <= operation.memory * MIB)}"
        lines.append(f"| {title(operation, run.scale)} | {theirs / MIB:.0f} | {ours / MIB:.0f} | {limit} |")
    return "\n".join(lines) + "\n"


def what_each_does(run: Run, lane: str, rival: Rival) -> str:
    """The calls that were measured, as the contestants' own docstrings say."""
    ours, theirs = run.contestants[lane], run.contestants[rival.title]
    lines = [
        f"{rival.title}: {theirs.__doc__}\n",
        f"{lane}: {ours.__doc__}\n",
        f"| operation | {rival.title} | lane | rounds |",
        "|---|---|---|--:|",
    ]
    for operation, times, _ in run.measured(lane, rival):
        calls = (getattr(side, operation.name).__doc__ for side in (theirs, ours))
        lines.append(f"| {title(operation, run.scale)} | {' | '.join(calls)} | {len(times.cpu)} |")
    return "\n".join(lines) + "\n"


def machine(run: Run) -> str:
    """Where and with what it was run."""
    names = sorted({name for contestant in run.contestants.values() for name in contestant.distributions})
    versions = [f"{name} {importlib.metadata.version(name)}" for name in names]
    lines = [
        "## Where\n",
        "| | |",
        "|---|---|",
        f"| date | {datetime.now(UTC):%Y-%m-%d %H:%M} UTC |",
        f"| machine | {processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()} |",
        f"| load | {run.loads[0]:.1f} before, {run.loads[-1]:.1f} after (processes that wanted a core) |",
        f"| Python | {platform.python_implementation()} {platform.python_version()} |",
        f"| server | {run.server.kind} {run.server.version} |",
        f"| versions | {', '.join(versions)} |",
        f"| command | `{run.command}` |",
    ]
    return "\n".join(lines) + "\n"


def processor() -> str:
    """Name of the processor, as the kernel says it."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def title(operation: Operation, scale: Scale) -> str:
    """What an operation does, with its numbers."""
    return operation.title.format(**{**asdict(scale), "large": scale.large // MIB})


def ratio(ours: Times, theirs: Times, kind: str) -> float:
    """How many times more the other one takes, by the medians."""
    return round(theirs.median(kind) / ours.median(kind), 2)


def spread(ours: Times, theirs: Times, kind: str) -> str:
    """The ratio, and its range over the rounds."""
    rounds = [other / own for own, other in zip(getattr(ours, kind), getattr(theirs, kind), strict=True)]
    return f"**{ratio(ours, theirs, kind):.2f}** ({min(rounds):.2f} to {max(rounds):.2f})"


def reached(value: float, target: float | None) -> str:
    """The target, and whether it is reached."""
    return "" if target is None else f"{target:g} {_mark(value >= target)}"


def duration(seconds: float) -> str:
    """Seconds as a reader wants them."""
    if seconds < 0.01:
        return f"{seconds * 1e6:,.0f} µs"
    return f"{seconds * 1e3:,.0f} ms" if seconds < 10 else f"{seconds:.1f} s"


def _mark(good: bool) -> str:
    return "✓" if good else "✗"
