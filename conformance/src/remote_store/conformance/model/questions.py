"""The questions about a tree: every way to look at every folder, file and missing name, as a product."""

from __future__ import annotations

import glob
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from remote_store.conformance.model.actions import Action
from remote_store.core import Capability

PROBES = ("exists", "is_file", "is_folder")
DEPTHS: tuple[dict[str, Any], ...] = (
    {},
    {"max_depth": 0},
    {"recursive": True},
    *({"recursive": True, "max_depth": depth} for depth in range(3)),
)
PATTERNS = ("*", "**", "*/*", "**/*", "[!b]*", "?", "**/b")
READS = {
    Capability.READ: (
        Action("read_bytes"),
        Action("read", numbers=(1, 65_536)),
        Action("read_range", numbers=(3, 5)),
        Action("read_range", numbers=(65_530, 10)),
    ),
    Capability.SEEKABLE_READ: (
        Action("read_ranges", numbers=(3, 1, 0, 2, 3, 9, 65_530, 80_000, 3, 9)),
        Action("read_seekable", steps=(("seek", 0, 2), ("seek", 5), ("readinto", "H", 8), ("tell",), ("read", 70_000))),
        Action("read_seekable", steps=(("readline",), ("read", 3), ("seek", 65_530), ("readinto", "B", 20), ("read",))),
    ),
    Capability.METADATA: (Action("get_file_info"),),
    Capability.TAGS: (Action("get_tags"),),
}


def questions(
    folder: str, files: Sequence[str], missing: Sequence[str], capabilities: Collection[Capability]
) -> Iterator[Action]:
    """Every question about a tree.

    Args:
        folder: The folder.
        files: The files in it, at every depth.
        missing: Paths in it that are no files.
        capabilities: What the backend declares.
    """
    for path in {folder: None, **dict.fromkeys(parents(folder, [*files, *missing]))}:
        yield from of_folder(path, capabilities)
    reads = [read for capability, ways in READS.items() if capability in capabilities for read in ways]
    for path in (*files, *missing):
        yield from (Action(probe, (spelled,)) for probe in PROBES for spelled in (path, f"{path}/"))
        yield from (Action(read.method, (path,), numbers=read.numbers, steps=read.steps) for read in reads)


def parents(folder: str, paths: Sequence[str]) -> list[str]:
    """The folders below a folder that are the beginning of a path."""
    start = len(folder) + 1
    return [path[:place] for path in paths for place in range(start, len(path)) if path[place] == "/"]


def of_folder(path: str, capabilities: Collection[Capability]) -> Iterator[Action]:
    """Every question about a folder.

    Args:
        path: The folder.
        capabilities: What the backend declares.
    """
    for spelled in (path, f"{path}/"):
        yield from (Action(probe, (spelled,)) for probe in PROBES)
        if Capability.LIST in capabilities:
            yield from (Action("list_files", (spelled,), depth) for depth in DEPTHS)
            yield from (Action(listing, (spelled,)) for listing in ("list_folders", "iter_children"))
        if Capability.METADATA in capabilities:
            yield Action("get_folder_info", (spelled,))
    if Capability.GLOB in capabilities:
        yield from (Action("glob", (f"{glob.escape(path)}/{pattern}",)) for pattern in PATTERNS)
