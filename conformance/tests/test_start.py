"""What an author sees at the start: backends and factories that stop a run, and targets without code."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from remote_store.conformance import BackendConformance, ConfigurationError, Profile
from remote_store.conformance.checking.stops import Stops
from remote_store.conformance.checking.subject import look
from remote_store.conformance.cli.places import harness_of_type, harness_of_url, occupant, types
from remote_store.conformance.harness import AsyncFactoryHarness, FactoryHarness, Harness
from remote_store.conformance.processes.exits import ProcessExit, described_exit, exits_refused
from remote_store.conformance.run.manifest import first_of, manifest, rank_of
from remote_store.conformance.values.outcome import Blocked
from remote_store.core import FolderEntry, MemoryBackend, ResolutionPlan, ThreadedBackend

pytestmark = [pytest.mark.usefixtures("compiled_once"), pytest.mark.timeout(600)]

COMMAND = Path(sys.executable).parent / "remote-store-conformance"
BAD = """
import os, signal, sys, threading
from remote_store.conformance import Harness
from remote_store.core import MemoryBackend

class GlobHangs(MemoryBackend):
    def glob(self, pattern):
        threading.Event().wait()

class CloseHangs(MemoryBackend):
    def close(self):
        threading.Event().wait()

class Leaves(MemoryBackend):
    def glob(self, pattern):
        sys.exit(3)

class LeavesAtOnce(MemoryBackend):
    def glob(self, pattern):
        os._exit(0)

class Interrupts(MemoryBackend):
    def glob(self, pattern):
        raise KeyboardInterrupt

class LeavesEarly(MemoryBackend):
    def exists(self, path):
        sys.exit(0)

class LeavesEarlyAtOnce(MemoryBackend):
    def exists(self, path):
        os._exit(0)

class Dies(MemoryBackend):
    def glob(self, pattern):
        os.kill(os.getpid(), signal.SIGKILL)

class Prints(MemoryBackend):
    def write(self, *arguments, **options):
        print("here I am")
        return super().write(*arguments, **options)

class Signals(MemoryBackend):
    def __init__(self):
        super().__init__()
        signal.signal(signal.SIGTERM, print)

class KeepsFiles(MemoryBackend):
    def delete(self, path, **options):
        pass

class SignalsLater(MemoryBackend):
    def write(self, *arguments, **options):
        signal.signal(signal.SIGTERM, print)
        return super().write(*arguments, **options)

class ChangesTheMaskOnce(MemoryBackend):
    changed = False
    def write(self, *arguments, **options):
        if not ChangesTheMaskOnce.changed:
            os.umask(0o127)
            ChangesTheMaskOnce.changed = True
        return super().write(*arguments, **options)

def make_and_exit():
    sys.exit("no licence")

def make_and_exit_at_once():
    os._exit(0)

def interrupts():
    raise KeyboardInterrupt

def never():
    threading.Event().wait()

made = 0

def thirty():
    global made
    made += 1
    return MemoryBackend() if made <= 30 else None

def fails_at_last():
    backend = thirty()
    if backend is None:
        raise OSError("too many connections")
    return backend

def hangs_at_last():
    return thirty() or never()

def hangs_at_sixth():
    global made
    made += 1
    return MemoryBackend() if made <= 5 else never()

class Troubled(Harness):
    def make(self, **options):
        return KeepsFiles()
    def trouble(self):
        never()
"""


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    (tmp_path / "bad.py").write_text(BAD, "utf-8")
    (tmp_path / "leaves.py").write_text("import sys\nsys.exit(7)\n", "utf-8")
    (tmp_path / "interrupts.py").write_text("raise KeyboardInterrupt\n", "utf-8")
    (tmp_path / "leaves_at_once.py").write_text("import os\nos._exit(0)\n", "utf-8")
    (tmp_path / "sleeps.py").write_text("import time\ntime.sleep(600)\n", "utf-8")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([COMMAND, "run", *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=300)

    return run


Run = Callable[..., subprocess.CompletedProcess[str]]


def told(result: subprocess.CompletedProcess[str], code: int) -> str:
    """The output of a run, after a look at its exit code."""
    assert result.returncode == code, result.stdout + result.stderr
    return result.stdout


def failed(output: str) -> list[str]:
    return re.findall(r"^(?:FAIL|ERROR) (.*)$", output, re.MULTILINE)


GLOBS = ("--rule", "GLOB-001", "--rule", "GLOB-002", "--rule", "READ-001", "--tier", "smoke")


def test_a_method_that_hangs_is_told_once_and_not_called_again(run: Run) -> None:
    output = told(run("bad:GlobHangs", *GLOBS, "--timeout", "3"), 1)
    assert len(failed(output)) == 1
    assert "  `glob` hangs\n    expected: the check ends within 3 seconds\n    observed: it did not return" in output
    assert "it is in glob (" in output
    assert [hint.partition(":")[0] for hint in re.findall("hint: (.*)", output)] == ["See what `glob` waits for"]
    (line,) = re.findall(r"\d+ checks were skipped: .*", output)
    assert "`glob` did not return in test_glob_" in line
    assert "so no other check calls it (test_glob_" in line
    assert "test_read_" not in line


def test_a_cleanup_that_hangs_costs_one_check(run: Run) -> None:
    output = told(run("bad:CloseHangs", *GLOBS, "--timeout", "3"), 1)
    assert len(failed(output)) == 1
    assert "`close` hangs" in output


@pytest.mark.parametrize(
    "name, call", [("Leaves", "sys.exit(3)"), ("LeavesAtOnce", "os._exit(0)"), ("Interrupts", "KeyboardInterrupt")]
)
def test_a_backend_that_ends_the_process_is_told_once(run: Run, name: str, call: str) -> None:
    output = told(run(f"bad:{name}", *GLOBS), 1)
    assert len(failed(output)) == 1
    assert f"observed: {call} in glob (" in output
    assert "bad.py, line " in output
    assert "`glob` called for the end of the process in test_glob_" in output


@pytest.mark.parametrize("name, call", [("LeavesEarly", "sys.exit(0)"), ("LeavesEarlyAtOnce", "os._exit(0)")])
def test_a_backend_that_ends_the_process_before_the_first_check_is_told(run: Run, name: str, call: str) -> None:
    output = told(run(f"bad:{name}", "--rule", "WRITE-001", "--tier", "smoke"), 1)
    assert f"observed: {call} in exists (" in output


def test_of_a_process_that_dies_the_running_check_is_told(run: Run) -> None:
    result = run("bad:Dies", "--rule", "GLOB-001", "--tier", "smoke")
    assert result.returncode == -signal.SIGKILL
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("the process of the run, ")]
    assert re.fullmatch(r"the process of the run, \d+, has died while test_glob_\w+ ran", line)


def test_a_backend_that_prints_breaks_one_rule_and_its_text_is_not_mixed_with_the_report(run: Run) -> None:
    output = told(run("bad:Prints", "--rule", "PROC-001", "--rule", "READ-001", "--tier", "smoke"), 2)
    names = ("test_process_is_left_as_it_was", "test_process_is_left_as_it_was_by_what_fails")
    assert failed(output) == [f"PROC-001  {name}" for name in names]
    assert all(line.startswith("    observed: ") for line in output.splitlines() if "here I am" in line)


def test_what_was_left_in_the_process_before_the_check_of_that_is_told(run: Run) -> None:
    output = told(run("bad:ChangesTheMaskOnce", "--rule", "PROC-001", "--tier", "smoke"), 2)
    assert failed(output) == ["PROC-001  test_process_is_left_as_it_was"]
    assert re.search(
        r": the umask after the inspection of the backend\n    expected: 0o\d+\n    observed: 0o127\n", output
    )


@pytest.mark.parametrize(
    "target, text",
    [
        ("bad:Signals", "the handlers of signals belong to the program, not to a backend"),
        ("bad:make_and_exit", "bad:make_and_exit() ended with sys.exit('no licence') in make_and_exit ("),
        ("bad:make_and_exit_at_once", "bad:make_and_exit_at_once() ended with os._exit(0) in make_and_exit_at_once ("),
        ("bad:interrupts", "bad:interrupts() ended with KeyboardInterrupt in interrupts ("),
        ("bad:hangs_at_sixth", "make() hangs: it did not return within 1 seconds; it is in never ("),
        ("sleeps:make", "sleeps cannot be imported: it did not end within 10 seconds; it is in <module> ("),
        ("leaves:make", "leaves cannot be imported: it ended with sys.exit(7) in <module> ("),
        ("leaves_at_once:make", "leaves_at_once cannot be imported: it ended with os._exit(0) in <module> ("),
        ("bad:never", "bad:never() hangs: it did not return within 1 seconds; it is in never ("),
    ],
)
def test_a_factory_that_stops_the_run_is_one_configuration_error(run: Run, target: str, text: str) -> None:
    result = run(target, "--tier", "smoke", "--timeout", "1")
    assert (result.returncode, result.stderr.count("configuration error: ")) == (3, 1), result.stdout + result.stderr
    assert text in result.stderr
    assert "Traceback" not in result.stderr


def test_a_module_that_interrupts_the_command_is_told(run: Run) -> None:
    result = run("interrupts:make", "--tier", "smoke")
    assert result.returncode == 130
    assert re.fullmatch(r"interrupted in <module> \(.*interrupts.py, line 1\)\n", result.stderr)


@pytest.mark.parametrize(
    "name, error, why",
    [
        (
            "fails_at_last",
            "make() raised OSError: too many connections",
            "the harness failed in 10 checks, at last with",
        ),
        (
            "hangs_at_last",
            "make() hangs: it did not return within 1 seconds; it is in never (",
            "`make()` did not return",
        ),
    ],
)
def test_a_factory_that_stops_at_its_31st_call_is_told_once(run: Run, name: str, error: str, why: str) -> None:
    output = told(run(f"bad:{name}", "--tier", "smoke", "--timeout", "1"), 2)
    assert len(failed(output)) == 1
    assert output.count(f"  {error}") == 1
    assert re.search(rf"\d+ checks were skipped: {re.escape(why)}", output)


def test_a_harness_whose_trouble_hangs_is_told_once(run: Run) -> None:
    output = told(run("bad:Troubled", "--tier", "smoke", "--timeout", "1"), 2)
    assert len(failed(output)) == 1
    assert "trouble() of the harness hangs: it did not return within 1 seconds; it is in never (" in output


def test_a_method_that_replaces_a_signal_handler_is_told_once(run: Run) -> None:
    output = told(run("bad:SignalsLater", "--tier", "smoke"), 1)
    assert len(failed(output)) == 1
    assert "the handlers of signals belong to the program, not to a backend" in output


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "workers"])
def test_a_first_check_that_fails_ends_the_run(run: Run, workers: tuple[str, ...]) -> None:
    output = told(run("bad:KeepsFiles", "--tier", "smoke", *workers), 1)
    assert failed(output) == ["DEL-001  test_first_a_deleted_file_is_gone"]
    assert "expected: False\n    observed: True" in output
    assert "a first check failed (test_first_a_deleted_file_is_gone), and the others rely on it" in output
    assert "run all checks with --keep-going" in output


def test_the_first_checks_are_five_and_plain_reads_run_before_races() -> None:
    first = first_of(BackendConformance)
    assert [*manifest(BackendConformance)][: len(first)] == [*first]
    assert len(first) == 5
    rank = rank_of(BackendConformance)
    races = [place for name, place in rank.items() if name.startswith("test_race_")]
    reads = [place for name, place in rank.items() if name.startswith("test_read_")]
    assert max(reads) < min(races)


def test_a_target_may_be_an_installed_type_or_a_url(run: Run, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    narrow = ("--rule", "READ-001", "--tier", "smoke")
    for target in ("memory", "memory://shared/below", f"file://{place}"):
        output = told(run(target, *narrow), 2)
        assert failed(output) == []
        assert "left out by --rule READ-001" in output
    assert list(place.iterdir()) == []
    (place / "mine.txt").write_text("precious", "utf-8")
    refused = run(f"file://{place}", *narrow)
    assert refused.returncode == 3
    assert "the place is not empty: it contains 'mine.txt'" in refused.stderr
    told(run(f"file://{place}", *narrow, "--allow-non-empty"), 2)
    assert [path.name for path in place.iterdir()] == ["mine.txt"]


def test_the_checks_of_a_url_work_in_its_place() -> None:
    assert harness_of_url("memory://start/below/it").place == "below/it"
    assert harness_of_url("memory://").place == ""
    harness = harness_of_url("memory://start/below")
    assert occupant(harness) == ""
    harness.make().write("below/file", b"")
    assert occupant(harness) == "below/file"
    assert occupant(harness_of_url("memory://start/beside")) == ""


def test_an_occupant_is_the_first_child_and_no_more_are_listed() -> None:
    listed, ended = [], []

    class Full(ThreadedBackend):
        async def iter_children(self, path: str) -> AsyncIterator[Any]:
            try:
                for number in range(1000):
                    listed.append(number)
                    yield FolderEntry(f"{path}{number}", str(number))
            finally:
                ended.append(path)

    assert occupant(AsyncFactoryHarness(lambda: Full(MemoryBackend()))) == "0"
    assert (listed, ended) == ([0], [""])


@pytest.mark.parametrize(
    "url, text",
    [
        ("boxx://place", r"no installed backend has the type 'boxx'; installed: .*memory"),
        ("file://host/folder", "file://: the URL has a host"),
        ("s3+boto3://", "names no bucket"),
        ("memory://user:word@bucket", "the URL contains credentials"),
    ],
)
def test_a_url_that_is_wrong_is_explained(url: str, text: str) -> None:
    with pytest.raises(ConfigurationError, match=text) as caught:
        harness_of_url(url)
    assert "word" not in str(caught.value)


def test_a_url_of_a_lane_that_is_not_installed_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remote_store.core.config.registry.entry_points", lambda **_group: ())
    with pytest.raises(ConfigurationError, match="pip install remote-store-boto3"):
        harness_of_url("s3+boto3://bucket")
    with pytest.raises(ConfigurationError, match="installed: none; not installed: s3-boto3 .pip install"):
        harness_of_url("boxx://place")


def test_a_type_that_needs_settings_says_which() -> None:
    assert {"local", "memory"} <= set(types())
    with pytest.raises(ConfigurationError, match="local needs root; write the place as local:///FOLDER"):
        harness_of_type("local")


def test_a_place_that_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="the place cannot be used: NotFound"):
        occupant(harness_of_url(f"file://{tmp_path}/missing"))


def test_after_a_hang_the_other_checks_have_less_time() -> None:
    stops = Stops()
    assert stops.limit(30) == 30
    stops.hung("read", "test_one")
    assert [stops.limit(seconds) for seconds in (5, 30, 300)] == [5, 10, 100]
    stops.refuse("write")
    with pytest.raises(Blocked, match="`read` did not return in test_one, so no other check calls it"):
        stops.refuse("read")
    stops.hung("", "test_two")
    stops.refuse("write")


def test_an_exit_is_refused_in_this_process_and_only_until_the_call_ends() -> None:
    import os

    real = os._exit
    with pytest.raises(ProcessExit) as caught:
        exits_refused(lambda: os._exit(4))
    assert described_exit(caught.value).startswith("os._exit(4) in <lambda> (")
    assert os._exit is real
    assert exits_refused(lambda: 42) == 42

    def in_a_child() -> int:
        if not (child := os.fork()):
            os._exit(6)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    assert exits_refused(in_a_child) == 6


class OnLoopback(MemoryBackend):
    def resolve(self, key: str) -> ResolutionPlan:
        return ResolutionPlan("s3", "mine", key, key, {"endpoint_url": "http://127.0.0.1:8333"})


class CallsItReal(Harness):
    profile = Profile(endpoint_kind="real", shared=False, expendable=True)

    def make(self, **_options: object) -> MemoryBackend:
        return OnLoopback()


def test_a_server_on_this_machine_is_not_the_service() -> None:
    assert look(CallsItReal()).profile.endpoint_kind == "server"


def test_a_tree_is_told_from_a_flat_storage(tmp_path: Path) -> None:
    found = look(harness_of_url(f"file://{tmp_path}"))
    assert not found.profile.flat
    assert "a file and a folder cannot share a name, as a test write showed" in found.notes
    assert look(FactoryHarness(MemoryBackend)).profile.flat
    assert list(tmp_path.iterdir()) == []


def test_the_kind_of_storage_decides_about_the_hints() -> None:
    assert look(FactoryHarness(OnLoopback)).storage_kind == "s3"
    assert look(FactoryHarness(MemoryBackend)).storage_kind == "memory"
    assert look(CallsItReal()).storage_kind == "other"
