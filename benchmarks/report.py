"""Writes the page of a run from its results."""

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
from plot import bars
from remote_store.conformance.servers import Server
from world import MIB, Scale

AWAITED = ", awaited"
KINDS = {"cpu": "CPU", "wall": "time"}
METHOD = """\
## How it is measured

All contestants run in one process, against one SeaweedFS server in another process on the same machine. For each
operation they take turns, and the order is reversed after every round. The first call of each is not counted. Numbers
are medians over the rounds. CPU time is the user and system time of the client's process with all its threads. A ratio
is the SDK's time divided by the lane's: above 1 the lane is faster. Every call is checked: a listing must have every
key, a read every byte, and an upload the right size afterwards. Fresh keys and trees to delete are made outside of the
measurement, without any SDK. Local files are in memory where the system allows it.

Memory is measured in a fresh process for each number: it connects, reads one small object, notes its resident memory,
does the operation once, and reads the kernel's high-water mark.

Client and server share the machine, so a number says nothing about a server across a network, where the time of a
small call is mostly the round trip.
"""

LIMITS = """\
## What limits it

A small call on the boto3 lane takes about nine tenths of boto3's CPU time. The rest is botocore itself: its endpoint
rules, signing, parsing and urllib3 run for every call. Replacing them made small calls a third faster, but only through
private names of botocore, which any release may change.

Over a far server, a sequential `read` uses several connections. `benchmarks/far.py` measures it through a proxy with
20 ms of latency and 80 MB/s a connection: 2.4 times the speed of boto3 (79 and 193 MB/s on 2026-11-29), with client,
proxy and server on the same two cores.
"""

SMALL_CALLS = ("head", "get", "put", "create")


@dataclass(frozen=True)
class Run:
    """The results of a run.

    Attributes:
        server: The server.
        scale: How much work was measured.
        contestants: The contestants, by title.
        times: Times by operation and contestant.
        growth: Bytes of memory by operation and contestant.
        command: The command line.
        loads: The load average of the last minute, before and after the run.
    """

    server: Server
    scale: Scale
    contestants: dict[str, type[Any]]
    times: dict[str, dict[str, Times]]
    growth: dict[str, dict[str, int | None]]
    command: str
    loads: list[float]

    def lanes(self) -> Iterator[tuple[str, Rival]]:
        """Each lane with each contestant that it is compared with."""
        for title, contestant in self.contestants.items():
            for rival in getattr(contestant, "rivals", ()):
                yield title, rival

    def measured(self, lane: str, rival: Rival) -> Iterator[tuple[Operation, Times, Times]]:
        """The operations that both contestants have."""
        for operation in OPERATIONS:
            times = self.times.get(operation.name, {})
            if lane in times and rival.title in times:
                yield operation, times[lane], times[rival.title]


def page(run: Run) -> str:
    """The page, in Markdown."""
    parts = [f"<!-- Written by `{run.command}`; edit benchmarks/report.py. -->", "# Performance\n", meaning(run)]
    for lane, rivals in sections(run):
        parts += [
            f"## {lane}\n",
            f"![How many times faster {lane} is than its SDK]({chart_of(lane)})\n",
            table(run, lane, rivals),
            *(verdict(run, ours, rival) for ours, rival in rivals),
        ]
    parts += [LIMITS, calls(run), METHOD, machine(run)]
    return "\n".join(parts)


def sections(run: Run) -> Iterator[tuple[str, list[tuple[str, Rival]]]]:
    """Each lane with its sync and awaited backends, each beside the first of those that it stands against."""
    pairs: dict[str, list[tuple[str, Rival]]] = {}
    for ours, contestant in run.contestants.items():
        for rival in getattr(contestant, "rivals", ())[:1]:
            pairs.setdefault(ours.removesuffix(AWAITED), []).append((ours, rival))
    return iter(pairs.items())


def chart_of(lane: str) -> str:
    """The file of a lane's chart, beside the page."""
    return f"performance-{lane.rpartition('-')[2]}.svg"


def charts(run: Run) -> dict[str, str]:
    """The chart of each lane by the name of its file: its sync backend beside the bare SDK, by the clock."""
    drawn = {}
    for lane, rivals in sections(run):
        ours, rival = rivals[0]
        rows = [(title(row, run.scale), ratio(own, other, "wall")) for row, own, other in run.measured(ours, rival)]
        drawn[chart_of(lane)] = bars(f"{lane}: times faster than {rival.title}, by the clock", rows)
    return drawn


def meaning(run: Run) -> str:
    """A summary of each lane's results in one or two sentences."""
    lines = ["## What it means for you\n"]
    for lane, rivals in sections(run):
        ours, rival = rivals[0]
        found = {row.name: (own, other) for row, own, other in run.measured(ours, rival)}
        small = [ratio(*found[name], "cpu") for name in SMALL_CALLS if name in found]
        lines.append(f"- **{lane}** beside {rival.title}: {_small_calls(small)}{_large_reads(run, found)}")
    grown = [
        size or 0
        for operation, sizes in run.growth.items()
        for name, size in sizes.items()
        if operation != "read" and not name.startswith("raw")
    ]
    lines += [
        f"- **Memory** grows by {max(grown, default=0) / MIB:.0f} MiB at most, beside what `read_bytes` returns.",
        "- **Across a network** a small call takes its round trip on any lane, and several connections pay off.\n",
    ]
    return "\n".join(lines)


def _small_calls(ratios: list[float]) -> str:
    if not ratios:
        return ""
    least, most = (f"{number:.1f}" for number in (min(ratios), max(ratios)))
    times = least if least == most else f"{least} to {most}"
    return f"the SDK takes {times} times the CPU of the lane for a small call. "


def _large_reads(run: Run, found: dict[str, tuple[Times, Times]]) -> str:
    if "list_all" not in found or "stream" not in found:
        return ""
    (own, other), (stream, theirs) = found["list_all"], found["stream"]
    return (
        f"A listing of {run.scale.listed:,} keys takes {duration(own.median('wall'))} instead of "
        f"{duration(other.median('wall'))}, and a stream of {run.scale.large // MIB} MiB "
        f"{duration(stream.median('wall'))} instead of {duration(theirs.median('wall'))}."
    )


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


def table(run: Run, lane: str, rivals: list[tuple[str, Rival]]) -> str:
    """Times of a lane's backends and of the SDKs beside them, by the clock and in CPU, and how memory grows."""
    names = list(dict.fromkeys(name for ours, rival in rivals for name in (rival.title, ours)))
    columns = [f"{kind} {name}" for kind in ("wall", "CPU") for name in names] + [f"memory {name}" for name in names]
    lines = [f"| operation | {' | '.join(columns)} |", f"|---{'|--:' * len(columns)}|"]
    for operation in OPERATIONS:
        times = run.times.get(operation.name, {})
        if not any(name in times for name in names if name.startswith(lane)):
            continue
        cells = [
            duration(times[name].median(kind)) if name in times else "" for kind in ("wall", "cpu") for name in names
        ]
        grown = run.growth.get(operation.name, {})
        cells += ["" if grown.get(name) is None else f"{(grown[name] or 0) / MIB:.0f} MiB" for name in names]
        lines.append(f"| {title(operation, run.scale)} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def targets(operation: Operation, rival: Rival) -> dict[str, float | None]:
    """The target of an operation, by kind of time; `None` if there is none."""
    return {"cpu": rival.cpu.get(operation.name), "wall": rival.wall.get(operation.name, rival.floor)}


def verdict(run: Run, lane: str, rival: Rival) -> str:
    """Each target with the measured value."""
    told = []
    for operation, ours, theirs in run.measured(lane, rival):
        for kind, target in targets(operation, rival).items():
            if target is not None:
                found = ratio(ours, theirs, kind)
                told.append(f"{KINDS[kind]} of {title(operation, run.scale)} {found:.2f} ({reached(found, target)})")
        grown = run.growth.get(operation.name, {}).get(lane)
        if operation.memory is not None and grown is not None:
            limit = f"at most {operation.memory} {_mark(grown <= operation.memory * MIB)}"
            told.append(f"memory of {title(operation, run.scale)} {grown / MIB:.0f} MiB ({limit})")
    return f"Targets of {lane} against {rival.title}: {'; '.join(told)}.\n" if told else ""


def calls(run: Run) -> str:
    """The calls that were measured, as the contestants' own docstrings say."""
    lines = ["## The calls\n"]
    for name, contestant in run.contestants.items():
        lines += [f"### {name}\n", f"{contestant.__doc__}\n", "| operation | call | rounds |", "|---|---|--:|"]
        for operation in OPERATIONS:
            if (times := run.times.get(operation.name, {}).get(name)) is not None:
                call = getattr(contestant, operation.name).__doc__
                lines.append(f"| {title(operation, run.scale)} | {call} | {len(times.cpu)} |")
        lines.append("")
    return "\n".join(lines)


def machine(run: Run) -> str:
    """The machine and the versions of the run."""
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
    """Name of the processor according to the kernel."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def title(operation: Operation, scale: Scale) -> str:
    """What an operation does, with its numbers."""
    return operation.title.format(**{**asdict(scale), "large": scale.large // MIB})


def ratio(ours: Times, theirs: Times, kind: str) -> float:
    """The ratio of the other contestant's median to the lane's."""
    return round(theirs.median(kind) / ours.median(kind), 2)


def reached(value: float, target: float) -> str:
    """The target, and whether it is reached."""
    return f"at least {target:g} {_mark(value >= target)}"


def duration(seconds: float) -> str:
    """Seconds as a reader wants them."""
    if seconds < 0.01:
        return f"{seconds * 1e6:,.0f} µs"
    return f"{seconds * 1e3:,.0f} ms" if seconds < 10 else f"{seconds:.1f} s"


def _mark(good: bool) -> str:
    return "✓" if good else "✗"
