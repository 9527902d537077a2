"""Run the whole test matrix before a release: each lane, server, installation, sync and async, each variant of a check.

uv run tools/matrix.py            run what has not passed for this commit yet; print a line for each cell
uv run tools/matrix.py --list     print the cells and the state of each; run nothing

What passed is recorded under `.matrix/`, by commit, so an interrupted run continues where it stopped. With uncommitted
changes nothing is reused. A failed cell does not end the run; its output is beside its reports.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

# `python -P` does not add the script's folder to `sys.path`.
sys.path.insert(0, str(Path(__file__).resolve().parent))

import cells
import integrations
import lane_alone
import lanes_page
import mutants_alone
import third_party
from lane_alone import ROOT, Broken, Environment

KEPT = ROOT / ".matrix"
DONE = "passed"
CONFORMING = {"core", "core + capabilities"}


@dataclass(frozen=True, slots=True)
class Task:
    """A line of the matrix.

    Attributes:
        name: What it is called; also the name of its folder.
        run: Runs it, and writes reports into a folder.
    """

    name: str
    run: Callable[[Path], None]


class Environments:
    """The environments of lanes, each installed when its first cell runs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._installed: dict[tuple[str, str], Environment] = {}

    def of(self, lane: str, installation: str) -> Environment:
        """The environment of a lane, built wheel or workspace.

        Raises:
            Broken: It cannot be installed.
        """
        key = lane, installation
        if key not in self._installed:
            if installation == "workspace":
                tests = ROOT / "packages" / f"remote-store-{lane}" / "tests"
                self._installed[key] = Environment(Path(sys.executable), tests)
            else:
                folder = self._folder / f"{lane}-{installation}"
                folder.mkdir()
                self._installed[key] = lane_alone.install(lane, installation, folder)
        return self._installed[key]


def tasks(environments: Environments) -> Iterator[Task]:
    """Every line of the matrix."""
    yield Task("core", lambda reports: environments.of("core", "newest").check([], "full", reports=reports))
    for cell in cells.MATRIX:
        yield Task(str(cell), lambda reports, cell=cell: conformance(environments, cell, reports))  # type: ignore[misc]
    for name in cells.BACKENDS:
        yield Task(f"{name}-classes", partial(backends, environments, name))
    yield Task("mutants", in_empty_folder(mutants_alone.prove))
    for name in third_party.NAMES:
        yield Task(f"third-party-{name}", in_empty_folder(lambda folder, name=name: foreign(name, folder)))  # type: ignore[misc]
    for name, resolution in itertools.product(integrations.FOLDERS, integrations.RESOLUTIONS):
        prove = partial(integrations.prove, name, resolution)
        yield Task(f"{name}-{resolution}", in_empty_folder(prove))


def conformance(environments: Environments, cell: cells.Cell, reports: Path) -> None:
    """Run one cell, and check that no part of the suite was left out.

    Raises:
        Broken: A check failed, or did not run.
    """
    environments.of(cell.lane, cell.installation).check([cell.kind], cell.tier, reports=reports)
    for path in reports.glob("*.json"):
        verdict = json.loads(path.read_text("utf-8"))["verdict"]
        if verdict["level"] not in CONFORMING:
            raise Broken(f"{cell}: the verdict is {verdict['text']}: {'; '.join(verdict['reasons'])}")


def backends(environments: Environments, package: str, reports: Path) -> None:
    """Run every variant of every check of a package with backends that are no lanes.

    Raises:
        Broken: A check failed.
    """
    environments.of(package, "workspace").check([], "full", reports=reports)


def foreign(name: str, folder: Path) -> None:
    """Run all of a foreign project's tests against the built wheels."""
    wheels = {distribution: lane_alone.build(distribution, folder / "dist") for distribution in third_party.OURS}
    place = folder / name
    place.mkdir()
    third_party.prove(name, wheels, place, ["--conformance-tier", "full"])


def in_empty_folder(prove: Callable[[Path], None]) -> Callable[[Path], None]:
    """Make a task, without reports, of a proof that needs an empty folder."""

    def run(_reports: Path) -> None:
        with tempfile.TemporaryDirectory(prefix="matrix-") as folder:
            prove(Path(folder).resolve())

    return run


def kept_for_this_commit() -> Path:
    """The folder of results of the commit that is checked out; emptied if there are uncommitted changes."""
    told = subprocess.run(
        ("git", "describe", "--always", "--dirty", "--abbrev=40"), cwd=ROOT, check=True, text=True, capture_output=True
    )
    name = told.stdout.strip()
    if name.endswith("-dirty"):
        shutil.rmtree(KEPT / name, ignore_errors=True)
    return KEPT / name


def passed(folder: Path) -> bool:
    """Whether the task of a folder has passed."""
    return (folder / DONE).exists()


def try_out(task: Task, folder: Path) -> str:
    """Run a task with its output in a file; returns what broke, or an empty text."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    started = time.monotonic()
    with (folder / "output.txt").open("w", encoding="utf-8") as output, redirected(output):
        try:
            task.run(folder)
        except Broken as broken:
            print(broken, file=output)
            return str(broken).partition("\n")[0]
    (folder / DONE).write_text(f"{time.monotonic() - started:.0f} s\n", "utf-8")
    return ""


@contextlib.contextmanager
def redirected(output: io.TextIOWrapper) -> Iterator[None]:
    """Send what this process and the programs that it starts print into a file, until the block ends."""
    sys.stdout.flush()
    sys.stderr.flush()
    before = [(number, os.dup(number)) for number in (1, 2)]
    try:
        for number, _ in before:
            os.dup2(output.fileno(), number)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, kept in before:
            os.dup2(kept, number)
            os.close(kept)


def main() -> int:
    """Run the matrix; 1 if a cell fails or the page of the lanes is out of date."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="name the cells and run nothing")
    options = parser.parse_args()
    kept = kept_for_this_commit()
    broken = 0
    with tempfile.TemporaryDirectory(prefix="matrix-") as folder:
        every = list(tasks(Environments(Path(folder).resolve())))
        for number, task in enumerate(every, 1):
            place = kept / task.name
            state = "to run"
            if not passed(place) and not options.list and (why := try_out(task, place)):
                state = f"FAILED: {why}; see {place}"
                broken += 1
            if passed(place):
                state = f"passed in {(place / DONE).read_text('utf-8').strip()}"
            print(f"{number:3}/{len(every)}  {task.name:<32} {state}", flush=True)
    if options.list or broken:
        return bool(broken)
    stale = lanes_page.differences(kept, whole=True)
    for line in stale:
        print(line, file=sys.stderr)
    return bool(stale)


if __name__ == "__main__":
    sys.exit(main())
