"""Measures contestants in turn: CPU and wall time in one process, memory in a new process for each number."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from operations import OPERATIONS, Operation
from world import World

STATUS = Path("/proc/self/status")


@dataclass
class Times:
    """The seconds per call of one contestant for one operation, one number per round.

    Attributes:
        cpu: User and system time of this process, all its threads included.
        wall: Time on the clock.
    """

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    def median(self, kind: str) -> float:
        """The median of `cpu` or `wall`."""
        numbers: list[float] = getattr(self, kind)
        return statistics.median(numbers)


def measure(operation: Operation, contestants: dict[str, Any], world: World) -> dict[str, Times]:
    """Measure all contestants that have the operation, in turn, and reverse the order after each round.

    Raises:
        RuntimeError: The result of a contestant is wrong.
    """
    able = [name for name, contestant in contestants.items() if hasattr(contestant, operation.name)]
    times = {name: Times() for name in able}
    for name in able:
        _once(operation, contestants[name], world)
    for count in range(operation.rounds if world.scale.repeated else 1):
        for name in able if count % 2 else reversed(able):
            cpu, wall = _once(operation, contestants[name], world)
            times[name].cpu.append(cpu)
            times[name].wall.append(wall)
    return times


def _once(operation: Operation, contestant: Any, world: World) -> tuple[float, float]:
    calls = operation.prepare(world)
    run = getattr(contestant, operation.name)
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    results = [run(*arguments) for arguments in calls]
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    world.tidy()
    if operation.expects is not None and set(results) != {operation.expects(world)}:
        raise RuntimeError(f"{contestant.title}: {operation.name} returned {set(results)}")
    if operation.leaves is not None and world.size(operation.leaves) != world.scale.large:
        raise RuntimeError(f"{contestant.title}: {operation.name} left {world.size(operation.leaves)} bytes")
    return cpu / len(calls), wall / len(calls)


def growth(operation: Operation, contestant: type[Any], world: World) -> int | None:
    """The peak growth of memory in bytes, in a new process; `None` if the system does not report it."""
    if not STATUS.exists():
        return None
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(_growth, operation.name, contestant, world).result()


def _growth(name: str, contestant: type[Any], world: World) -> int:
    operation = next(operation for operation in OPERATIONS if operation.name == name)
    client = contestant(world.server)
    client.head("small")
    client.get("small")
    calls = operation.prepare(world)
    gc.collect()
    with contextlib.suppress(OSError):
        # Resets the high-water mark to the resident memory (proc(5)). If that is not permitted, the growth is larger.
        Path("/proc/self/clear_refs").write_text("5")
    before = _resident("VmRSS")
    for arguments in calls:
        getattr(client, name)(*arguments)
    after = _resident("VmHWM")
    world.tidy()
    client.close()
    return after - before


def _resident(field: str) -> int:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024
