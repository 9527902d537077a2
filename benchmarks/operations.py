"""The measured operations: their arguments, expected results and targets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from world import SMALL, SPAN, World

Arguments = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Operation:
    """One row of the table.

    Attributes:
        name: Name of the method of a contestant.
        title: What it does, for the table.
        prepare: Returns the arguments of each call of one measurement. Its time is not measured.
        expects: What every call must return.
        leaves: The large object that a call must have written completely.
        rounds: Measurements of each contestant, whose median is the result.
        large: Whether it moves the large object.
        grows: Whether to measure memory; always done for a large one.
        memory: Most MiB by which a lane's process may grow.
    """

    name: str
    title: str
    prepare: Callable[[World], Arguments]
    expects: Callable[[World], int] | None = None
    leaves: str | None = None
    rounds: int = 5
    large: bool = False
    grows: bool = False
    memory: int | None = None


def _calls(make: Callable[[World], tuple[Any, ...]], part: int = 1) -> Callable[[World], Arguments]:
    return lambda world: [make(world) for _ in range(max(1, world.scale.calls // part))]


def _large(world: World) -> int:
    return world.scale.large


OPERATIONS = (
    Operation("head", "head", _calls(lambda _: ("small",)), lambda _: len(SMALL), rounds=15),
    Operation("get", "get 4 KiB", _calls(lambda _: ("small",)), lambda _: len(SMALL), rounds=15),
    Operation("put", "put 4 KiB", _calls(lambda _: ("put", SMALL)), rounds=15),
    Operation("create", "create 4 KiB", _calls(lambda world: (world.fresh(), SMALL)), rounds=15),
    Operation(
        "get_many",
        "get 4 KiB, 16 threads",
        lambda world: [(["small"] * world.scale.calls * 2,)],
        lambda world: len(SMALL) * world.scale.calls * 2,
    ),
    Operation(
        "get_at_once",
        "get 4 KiB, {tasks:,} at once",
        lambda world: [(["small"] * world.scale.tasks,)],
        lambda world: len(SMALL) * world.scale.tasks,
        grows=True,
        memory=64,
    ),
    Operation("list_all", "list {listed:,} keys", lambda _: [("listed",)], lambda world: world.scale.listed),
    Operation("stream", "stream {large} MiB", lambda _: [("large",)], _large, rounds=9, large=True, memory=64),
    Operation("read", "read {large} MiB whole", lambda _: [("large",)], _large, rounds=9, large=True),
    Operation(
        "download", "download {large} MiB", lambda world: [("large", world.target)], _large, rounds=9, large=True
    ),
    Operation(
        "upload_file",
        "upload {large} MiB, file",
        lambda world: [("uploaded", world.file)],
        leaves="uploaded",
        rounds=7,
        large=True,
        memory=64,
    ),
    Operation(
        "upload_stream",
        "upload {large} MiB, pipe",
        lambda world: [("piped", world.pipe())],
        leaves="piped",
        rounds=7,
        large=True,
        memory=64,
    ),
    Operation(
        "random_reads",
        "{places} random reads of 64 KiB",
        lambda world: [("large", world.places())],
        lambda world: world.scale.places * SPAN,
        rounds=15,
    ),
    Operation("copy", "copy 4 KiB", _calls(lambda _: ("small", "copied"), 2), rounds=15),
    Operation("delete_tree", "delete {tree:,} files of a tree", lambda world: [(world.tree(),)]),
)
"""The rows, in the order of the table."""
