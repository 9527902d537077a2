"""Configures the test run of the whole workspace."""

from __future__ import annotations

import gc
import os
import sys
import tempfile
from pathlib import Path

import pytest

import cells
import integrations

MUTANTS = "test_mutants.py"
CONFORMANCE = "test_conformance.py"


def pytest_configure(config: pytest.Config) -> None:
    """Collect garbage less often, and give the interpreters that tests start a bytecode cache if this one has none."""
    gc.set_threshold(50_000, 20, 50)
    if sys.dont_write_bytecode and not hasattr(config, "workerinput"):
        folder = tempfile.TemporaryDirectory(prefix="bytecode-")
        config.add_cleanup(folder.cleanup)
        os.environ["PYTHONPYCACHEPREFIX"] = folder.name
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the broken backends, unless they are asked for, and the tests that have an environment of their own.

    `tools/mutants_alone.py` runs the first, `tools/integrations.py` the others.
    """
    if (collection_path / integrations.FILE).exists():
        return True
    return True if collection_path.name == MUTANTS and not _asked(config, MUTANTS) else None


def pytest_pycollect_makeitem(collector: pytest.Collector, name: str, obj: object) -> list[pytest.Item] | None:
    """Skip the conformance classes of a lane that `tools/cells.py` assigns to other environments or a later step."""
    lane = collector.path.parent.parent.name.removeprefix("remote-store-")
    if lane not in (*cells.LANES, *cells.BACKENDS) or collector.path.name != CONFORMANCE or not isinstance(obj, type):
        return None
    loop = {cell.kind for cell in cells.of(cells.LOOP, lane, "workspace") if str(cell) not in cells.LATER}
    kept = cells.BACKENDS.get(lane, loop)
    return [] if name.startswith("Test") and name not in kept and not _asked(collector.config, "::") else None


def _asked(config: pytest.Config, text: str) -> bool:
    """Whether this run skips nothing: its tier is not smoke, or one of its arguments contains the text."""
    return config.getoption("conformance_tier") != "smoke" or any(text in argument for argument in config.args)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Start two workers for each core, because tests wait for servers and child processes a quarter of their time."""
    return 2 * (os.cpu_count() or 1)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Never walk the collected tests for garbage: with that of the collection, it took a third of the time of a run."""
    gc.collect()
    gc.freeze()
