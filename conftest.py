"""What the test run of the whole workspace needs."""

from __future__ import annotations

import gc
import os
import sys
import tempfile

import pytest

import cells


def pytest_configure(config: pytest.Config) -> None:
    """Let the interpreters that tests start share their bytecode, where this one keeps none."""
    if sys.dont_write_bytecode and not hasattr(config, "workerinput"):
        folder = tempfile.TemporaryDirectory(prefix="bytecode-")
        config.add_cleanup(folder.cleanup)
        os.environ["PYTHONPYCACHEPREFIX"] = folder.name
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_pycollect_makeitem(collector: pytest.Collector, name: str, obj: object) -> list[pytest.Item] | None:
    """Leave out the conformance classes that the smoke tier leaves to other environments, unless one is asked for."""
    config = collector.config
    asked = config.getoption("conformance_tier") != "smoke" or any("::" in argument for argument in config.args)
    lane = collector.path.parent.parent.name.removeprefix("remote-store-")
    if asked or lane not in cells.LANES or collector.path.name != "test_conformance.py" or not isinstance(obj, type):
        return None
    kept = {cell.kind for cell in cells.of(cells.LOOP, lane, "workspace")}
    return [] if name.startswith("Test") and name not in kept else None


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Exempt the collected tests from garbage collection, which would otherwise walk all of them each time."""
    gc.collect()
    gc.freeze()
