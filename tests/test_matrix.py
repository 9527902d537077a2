from __future__ import annotations

import importlib.util
import subprocess
from itertools import combinations, product
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import cells
import integrations
import matrix
import third_party
from lane_alone import Broken
from remote_store.conformance import AsyncBackendConformance, BackendConformance
from remote_store.conformance.run.manifest import overridden, rules_of
from remote_store.conformance.s3 import MOTO, MOTO_STRICT, SEAWEEDFS, S3Target
from remote_store.conformance.suite.conformance import suite_of

ROOT = Path(__file__).resolve().parent.parent
FACTORS = {"lane": cells.LANES, "installation": cells.INSTALLATIONS, "server": cells.SERVERS, "world": cells.WORLDS}
TARGETS: dict[str, S3Target] = {"Moto": MOTO, "MotoStrict": MOTO_STRICT, "SeaweedFS": SEAWEEDFS}
SUITES = {"sync": BackendConformance, "async": AsyncBackendConformance}


def conformance_of(lane: str) -> ModuleType:
    """The module of a lane's conformance classes."""
    path = ROOT / f"packages/remote-store-{lane}/tests/test_conformance.py"
    spec = importlib.util.spec_from_file_location(f"conformance_of_{lane}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("one, other", [*combinations(FACTORS, 2)])
def test_the_loop_has_every_pair_of_two_values(one: str, other: str) -> None:
    found = {(getattr(cell, one), getattr(cell, other)) for cell in cells.LOOP}
    assert found == set(product(FACTORS[one], FACTORS[other]))


@pytest.mark.parametrize("lane", cells.LANES)
def test_each_lane_meets_another_on_one_server_and_can_be_compared(lane: str) -> None:
    places = {kind: {(cell.server, cell.world) for cell in cells.LOOP if cell.lane == kind} for kind in cells.LANES}
    assert any(places[lane] & places[other] for other in cells.LANES if other != lane)


def test_ci_runs_the_cells_that_the_tests_of_the_readme_leave_out() -> None:
    ci = (ROOT / ".ci/run").read_text("utf-8")
    left = [cell for cell in cells.LOOP if str(cell) in cells.LATER]
    assert sorted(map(str, left)) == sorted(cells.LATER)
    for cell in left:
        assert cell.installation == "workspace"
        assert f"packages/remote-store-{cell.lane}/tests/test_conformance.py::{cell.kind}" in ci
    kept = [cell for cell in cells.LOOP if cell.installation == "workspace" and cell not in left]
    assert [cell.server for cell in kept] == ["SeaweedFS"], "the README's tests run one lane on a real server"


def test_one_class_over_s3_runs_every_variant_in_the_loop() -> None:
    assert [cell.tier for cell in cells.LOOP].count("full") == 1


def test_the_matrix_is_every_combination_and_leaves_out_no_variant() -> None:
    found = [(cell.lane, cell.installation, cell.server, cell.world) for cell in cells.MATRIX]
    assert sorted(found) == sorted(product(*FACTORS.values()))
    assert {cell.tier for cell in cells.MATRIX} == {"full"}


@pytest.mark.parametrize("lane", cells.LANES)
def test_every_clause_is_covered_on_each_lane_and_server_by_the_matrix(lane: str) -> None:
    module = conformance_of(lane)
    covered: set[tuple[str, str, str]] = set()
    for cell in cells.MATRIX:
        if cell.lane == lane:
            kind: Any = getattr(module, cell.kind)
            suite = suite_of(kind)
            assert suite is SUITES[cell.world]
            assert overridden(kind, suite) == ()
            assert kind.harness._target is TARGETS[cell.server]
            covered |= {(rule, cell.server, cell.world) for rule in rules_of(suite)}
    assert covered == {
        (rule, server, world)
        for server, (world, suite) in product(cells.SERVERS, SUITES.items())
        for rule in rules_of(suite)
    }
    assert {name for name in vars(module) if name.startswith("Test")} == {cell.kind for cell in cells.MATRIX}


def test_what_has_passed_is_not_run_again_and_what_failed_is(tmp_path: Path) -> None:
    def fail(_reports: Path) -> None:
        subprocess.run(["echo", "out of luck"])
        raise Broken("it does not hold\nand more")

    good, bad = matrix.Task("good", lambda reports: (reports / "report").touch()), matrix.Task("bad", fail)
    assert matrix.try_out(good, tmp_path / "good") == ""
    assert matrix.passed(tmp_path / "good")
    assert (tmp_path / "good" / "report").exists()
    assert matrix.try_out(bad, tmp_path / "bad") == "it does not hold"
    assert not matrix.passed(tmp_path / "bad")
    assert (tmp_path / "bad" / "output.txt").read_text("utf-8") == "out of luck\nit does not hold\nand more\n"


def test_every_line_of_the_matrix_has_a_folder_of_its_own(tmp_path: Path) -> None:
    names = [task.name for task in matrix.tasks(matrix.Environments(tmp_path))]
    assert (
        len(names)
        == len(set(names))
        == 54 + 1 + 1 + len(cells.BACKENDS) + len(third_party.NAMES) + 2 * len(integrations.FOLDERS)
    )
