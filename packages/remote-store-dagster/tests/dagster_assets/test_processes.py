"""Runs in several processes, runs that die, and forks."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from dagster import DagsterEventType, DagsterInstance, build_output_context, materialize
from project import fragile, lake, resources

from remote_store.dagster import StoreIOManager

HERE = Path(__file__).parent
# Each process imports Dagster, and a job has one for each step.
pytestmark = pytest.mark.timeout(600)


def here(**options) -> bool:
    """Materialize the asset `fragile` in this process. Returns whether it succeeded."""
    with DagsterInstance.ephemeral() as instance:
        return materialize([fragile], resources=resources(), instance=instance, **options).success


def in_processes(tmp_path: Path, job: str) -> subprocess.CompletedProcess[str]:
    """Run a job with the multiprocess executor, which runs each step in a process of its own."""
    home = tmp_path / "dagster-home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    command = [sys.executable, "-m", "dagster", "job", "execute", "-f", "project.py", "-j", job]
    environment = {**os.environ, "DAGSTER_HOME": str(home)}
    return subprocess.run(command, cwd=HERE, env=environment, capture_output=True, text=True, timeout=500)


def test_steps_in_processes_of_their_own_share_a_bucket(seaweedfs_place, tmp_path) -> None:
    ended = in_processes(tmp_path, "chain")
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert "multiprocess" in ended.stderr
    with seaweedfs_place.open() as store:
        assert json.loads(store.read_bytes("assets/doubled.json")) == [2, 4, 6]
        assert store.is_file("assets/raw/shop/numbers.pkl")
    assert seaweedfs_place.options["secret"] not in ended.stderr + ended.stdout


def test_steps_in_processes_of_their_own_cannot_share_memory(memory, tmp_path) -> None:
    assert in_processes(tmp_path, "chain").returncode != 0
    # What a step's process prints last can be lost; its events are kept.
    with DagsterInstance.from_config(str(tmp_path / "dagster-home")) as instance:
        (run,) = instance.get_run_ids()
        failures = [str(entry.dagster_event) for entry in instance.all_logs(run, of_type=DagsterEventType.STEP_FAILURE)]
    assert len(failures) == 1
    assert "memory of one process" in failures[0]
    assert "raw/shop/numbers" in failures[0]


def test_memory_is_not_seen_by_another_process(memory, elsewhere) -> None:
    assert here()
    ended = elsewhere("load", "fragile")
    assert ended.returncode != 0
    assert "NotFound" in ended.stderr
    assert "memory of one process" in ended.stderr


def value_of_fragile(place) -> str:
    with place.open() as store:
        assert [info.path for info in store.list_files(recursive=True)] == ["assets/fragile.pkl"]
        return pickle.loads(store.read_bytes("assets/fragile.pkl"))


def test_a_serializer_that_raises_leaves_the_old_value(place, monkeypatch) -> None:
    assert here()
    monkeypatch.setenv("DIE", "raise")
    assert not here(raise_on_error=False)
    assert value_of_fragile(place) == "old"


@pytest.mark.smoke
def test_a_run_that_exits_in_the_serializer_leaves_the_old_value(moto_place, elsewhere, monkeypatch) -> None:
    assert here()
    monkeypatch.setenv("DIE", "exit")
    assert elsewhere("materialize", "fragile").returncode == 3
    assert value_of_fragile(moto_place) == "old"


def test_a_run_that_is_killed_in_the_serializer_leaves_the_old_value(seaweedfs_place, elsewhere, monkeypatch) -> None:
    assert here()
    monkeypatch.setenv("DIE", "kill")
    assert elsewhere("materialize", "fragile").returncode == -signal.SIGKILL
    assert value_of_fragile(seaweedfs_place) == "old"


def test_a_run_that_is_killed_during_the_upload_leaves_the_old_value(place, tmp_path) -> None:
    assert here()
    program = tmp_path / "large.py"
    program.write_text(
        "from dagster import DagsterInstance, asset, materialize\n"
        "from project import resources\n"
        "@asset\n"
        "def fragile():\n"
        "    return bytes(64 * 1024 * 1024)\n"
        "with DagsterInstance.ephemeral() as instance:\n"
        "    materialize([fragile], resources=resources(), instance=instance)\n"
    )
    with place.endpoint.recording() as requests:
        running = subprocess.Popen([sys.executable, program], env={**os.environ, "PYTHONPATH": str(HERE)})
        try:
            end = time.monotonic() + 300
            while not any(request.operation == "UploadPart" for request in requests):
                assert running.poll() is None, "the run ended before it sent a part"
                assert time.monotonic() < end
                time.sleep(0.005)
        finally:
            running.kill()
            running.wait()
    assert not any(request.operation == "CompleteMultipartUpload" for request in requests)
    assert value_of_fragile(place) == "old"
    with place.open() as store:
        # What a killed process cannot abort stays until somebody does.
        assert len(list(store.list_uploads("assets/fragile.pkl"))) == 1


def test_a_manager_that_was_used_before_a_fork_works_in_the_child(seaweedfs_place) -> None:
    manager = StoreIOManager(store=lake())
    with manager.process_config_and_initialize_cm() as used:
        used.handle_output(build_output_context(asset_key=["before"]), 1)
        child = os.fork()
        if not child:
            try:
                used.handle_output(build_output_context(asset_key=["after"]), 2)
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        used.handle_output(build_output_context(asset_key=["parent"]), 3)
    with seaweedfs_place.open() as store:
        paths = {info.path for info in store.list_files(recursive=True)}
    assert paths == {"before.pkl", "after.pkl", "parent.pkl"}


def test_a_large_value_is_written_and_read_in_bounded_memory(seaweedfs_place, tmp_path) -> None:
    program = tmp_path / "stream.py"
    program.write_text(
        "import resource, sys\n"
        "from dagster import build_input_context, build_output_context, build_init_resource_context\n"
        "from project import lake\n"
        "from remote_store.dagster import Serializer, StoreIOManager\n"
        "MIB = 1024 * 1024\n"
        "class Blocks(Serializer):\n"
        "    extension = '.blocks'\n"
        "    def dump(self, value, file):\n"
        "        for number in range(value):\n"
        "            file.write(bytes([number % 256]) * MIB)\n"
        "    def load(self, file, kind):\n"
        "        return sum(len(block) for block in file.iter_chunks(MIB))\n"
        "def peak():\n"
        "    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "with StoreIOManager(store=lake(), serializer=Blocks()).process_config_and_initialize_cm() as io:\n"
        "    io.handle_output(build_output_context(asset_key=['small']), 1)\n"
        "    before = peak()\n"
        "    io.handle_output(build_output_context(asset_key=['large']), 150)\n"
        "    size = io.load_input(build_input_context(asset_key=['large']))\n"
        "print(size // MIB, peak() - before)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    ended = subprocess.run([sys.executable, program], env=environment, capture_output=True, text=True, timeout=500)
    assert ended.returncode == 0, ended.stderr
    size, grown = ended.stdout.split()
    assert int(size) == 150
    assert float(grown) < 100
