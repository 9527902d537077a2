from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mutants.memory import MemoryHarness
from remote_store.conformance import Case
from remote_store.conformance.checking.corpora import (
    CONTENTS,
    LARGE,
    LARGE_METADATA,
    METADATA,
    MIB,
    REFUSED,
    SMALL,
    SPECIAL,
    SUFFIXES,
    sizes,
)
from remote_store.conformance.checking.hostile import KEYS
from remote_store.conformance.checking.width import Sample, drawn, samples
from remote_store.conformance.values.options import Tier, seed_of
from remote_store.core import MemoryBackend

pytest_plugins = "pytester"
BROKEN = """
from remote_store.conformance import BackendConformance, Harness, Profile
from remote_store.core import MemoryBackend

class Cuts(MemoryBackend):
    def read_bytes(self, path, **options):
        return super().read_bytes(path, **options)[:10_000]

class Mine(Harness):
    profile = Profile(kind="memory", max_key_bytes=None, in_process=True, shared=False, expendable=True)
    def make(self, **options):
        return Cuts()

class TestMine(BackendConformance):
    harness = Mine()
"""


class FarHarness(MemoryHarness):
    """Files that are said to be elsewhere."""

    profile = replace(MemoryHarness.profile, in_process=False)


def made(harness: MemoryHarness, tier: Tier = "full", seed: int = 0, name: str = "test_x") -> list[Sample]:
    return list(samples(Case(harness, name, root="folder", tier=tier, seed=seed)))


def test_the_sizes_are_those_where_pieces_meet() -> None:
    found = set(sizes())
    assert {0, 1} <= found
    for exponent in range(25):
        assert {(1 << exponent) - 1, 1 << exponent, (1 << exponent) + 1} <= found
    assert {4 * MIB, 8 * MIB, 12 * MIB, 16 * MIB} <= found


def test_contents_are_all_different_and_the_same_each_time() -> None:
    contents = {name: CONTENTS[name]() for name in SMALL}
    assert contents == {name: CONTENTS[name]() for name in SMALL}
    assert len(set(contents.values())) == len(contents)


@pytest.mark.parametrize("metadata", {**METADATA, **LARGE_METADATA}.values(), ids=[*METADATA, *LARGE_METADATA])
def test_metadata_that_must_come_back_is_what_the_contract_allows(metadata: dict[str, str]) -> None:
    backend = MemoryBackend()
    backend.write("file", b"", metadata=metadata)
    assert backend.get_file_info("file").metadata == metadata


@pytest.mark.parametrize("metadata", REFUSED.values(), ids=list(REFUSED))
def test_metadata_that_is_refused_is_what_the_contract_forbids(metadata: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="metadata"):
        MemoryBackend().write("file", b"", metadata=metadata)


def test_nearby_the_full_tier_draws_everything() -> None:
    found = made(MemoryHarness())
    told = {sample.told.partition(" in ")[0] for sample in found}
    assert told == set(CONTENTS)
    pairs = {(name, suffix) for name in SPECIAL for suffix in SUFFIXES}
    assert {
        (name, suffix)
        for sample in found
        for name, suffix in pairs
        if sample.told == told_of(name, sample.path, suffix)
    } == pairs


def told_of(name: str, path: str, suffix: str) -> str:
    """What a sample says of itself, if its path has this ending and no longer one."""
    stem = path.removeprefix("folder/").removesuffix(suffix)
    return f"{name} in {path.removeprefix('folder/')!r}" if stem.isdigit() and path.endswith(suffix) else ""


@pytest.mark.parametrize("tier, most, bytes_at_most", [("smoke", 2, 0), ("quick", 6, 0), ("full", 22, 16 * MIB)])
def test_elsewhere_a_tier_draws_little(tier: Tier, most: int, bytes_at_most: int) -> None:
    found = made(FarHarness(), tier)
    large = [len(sample.content) for sample in found if len(sample.content) > MIB]
    assert len(found) <= most
    assert sum(large) <= bytes_at_most
    assert bool(large) is bool(bytes_at_most)


def test_what_is_drawn_depends_on_the_seed_and_on_the_check_alone() -> None:
    told = [sample.told for sample in made(FarHarness())]
    assert [sample.told for sample in made(FarHarness())] == told
    assert [sample.told for sample in made(FarHarness(), seed=1)] != told
    assert [sample.told for sample in made(FarHarness(), name="test_y")] != told
    cases = [Case(FarHarness(), "test_x", tier="full", seed=seed) for seed in (3, 3, 4)]
    keys = [drawn(case, list(KEYS)) for case in cases]
    assert keys[0] == keys[1] != keys[2]


def test_together_the_checks_of_a_run_elsewhere_draw_large_contents_of_many_sizes() -> None:
    drawn_sizes = {len(sample.content) for number in range(14) for sample in made(FarHarness(), name=f"test_{number}")}
    assert len(drawn_sizes & set(LARGE.values())) >= len(LARGE) // 2


def test_a_seed_is_a_number_or_random() -> None:
    assert seed_of("12") == 12
    assert seed_of("random") != seed_of("random")
    with pytest.raises(ValueError, match="twelve"):
        seed_of("twelve")


def test_a_failure_says_how_to_draw_the_same_again(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(BROKEN)
    base = ["-p", "no:cacheprovider", "--conformance-tier=quick", "--conformance-rule=READ-002"]
    result = pytester.runpytest_subprocess(*base, "--conformance-seed=7", "--conformance-report=out")
    result.stdout.fnmatch_lines(["*seed: 7, test_read_bytes_*", "*to repeat it: pytest *"])
    again = ["*::TestMine::*failed at the same rule", "*for more: remote-store-conformance explain READ-002"]
    result.stdout.fnmatch_lines(again)
    result.stdout.fnmatch_lines(["*· seed 7"])
    repeated = next(line for line in result.stdout.lines if "to repeat it" in line)
    assert repeated.endswith("--conformance-tier quick --conformance-seed 7")
    assert json.loads((pytester.path / "out" / "Mine.json").read_text("utf-8"))["seed"] == 7


def test_the_processes_of_a_run_have_one_random_seed(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(BROKEN)
    base = ["-p", "no:cacheprovider", "--conformance-tier=smoke", "--conformance-rule=READ-002", "-n", "2"]
    pytester.runpytest_subprocess(*base, "--conformance-seed=random", "--conformance-report=out")
    report = json.loads((pytester.path / "out" / "Mine.json").read_text("utf-8"))
    assert {check["seed"].partition(",")[0] for check in report["checks"]} == {str(report["seed"])}
