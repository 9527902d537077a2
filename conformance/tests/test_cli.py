from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from remote_store.conformance import areas, rule_pages, rules
from remote_store.conformance.cli import main

pytestmark = [pytest.mark.usefixtures("compiled_once"), pytest.mark.timeout(600)]

COMMAND = Path(sys.executable).parent / "remote-store-conformance"
MINE = """
import socket
from remote_store.conformance import Deviation, Harness, Profile, ThreadedHarness
from remote_store.core import Backend, MemoryBackend, ResolutionPlan, ThreadedBackend

class OneShort(MemoryBackend):
    def read_range(self, path, start, length):
        return super().read_range(path, start, max(length - 1, 0))

class Elsewhere(MemoryBackend):
    def exists(self, path):
        try:
            socket.create_connection(("192.0.2.1", 443), timeout=0.1)
        except OSError:
            pass
        return super().exists(path)

class MyHarness(Harness):
    profile = Profile(kind="memory", max_key_bytes=None, in_process=True, shared=False, expendable=True)
    def make(self, **options):
        return OneShort()

def make_async():
    return ThreadedBackend(MemoryBackend())

def fails():
    raise OSError("no server")
"""
DEVIATIONS = (
    '[[deviation]]\nrule = "READ-003"\nreason = "one byte is lost"\nexpires = 2999-01-01\n'
    'checks = ["*is_exact", "*every_content", "*slice_of_*"]\n'
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a backend in it, and with settings of pytest that must not matter."""
    (tmp_path / "mine.py").write_text(MINE, "utf-8")
    (tmp_path / "conftest.py").write_text("raise RuntimeError('this is not ours')\n", "utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n", "utf-8")
    (tmp_path / "old.toml").write_text(DEVIATIONS.replace("2999", "2001"), "utf-8")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option-either")
    return tmp_path


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([COMMAND, *arguments], cwd=folder, capture_output=True, text=True, timeout=300)


def report(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "out" / f"{name}.json").read_text("utf-8"))
    return found


def test_the_command_and_a_test_file_come_to_the_same_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = command(tmp_path, "run", "remote_store.core:MemoryBackend", "--tier", "smoke", "--report", "out")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "verdict   core + atomic_create, " in result.stdout
    assert "100 %" in result.stdout
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {f"MemoryBackend.{ending}" for ending in ("json", "xml", "html", "svg")}
    assert all(str(tmp_path / "out" / name) in result.stdout for name in names)
    by_command = report(tmp_path, "MemoryBackend")

    (tmp_path / "test_mine.py").write_text(
        "from remote_store.conformance import BackendConformance\n"
        "from remote_store.core import MemoryBackend\n\n\n"
        "class TestMine(BackendConformance):\n"
        "    def make(self):\n"
        "        return MemoryBackend()\n",
        "utf-8",
    )
    pytest_command = [sys.executable, "-m", "pytest", "-q", "--conformance-tier=smoke", "--conformance-report=out"]
    subprocess.run(pytest_command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=True)
    by_file = report(tmp_path, "Mine")
    assert by_file["verdict"] == by_command["verdict"]
    assert by_file["backend"] == by_command["backend"]
    ignored = ("seconds", "reason")
    outcomes = [
        [{key: value for key, value in rule.items() if key not in ignored} for rule in found["rules"]]
        for found in (by_file, by_command)
    ]
    assert outcomes[0] == outcomes[1]


def test_a_broken_backend_is_told_which_rule_why_and_how_to_see_it_again(folder: Path) -> None:
    result = command(folder, "run", "mine:OneShort", "--rule", "READ-003")
    assert result.returncode == 1, result.stdout + result.stderr
    for line in (
        "FAIL READ-003  test_read_range_is_exact[",
        "expected: b'",
        "READ-003 MUST: `read_range(path, start, length)` returns exactly",
        "hint: ",
        "for more: remote-store-conformance explain READ-003",
        "calls:",
        "read_range('conformance-",
        "seed: 0, test_read_range_is_exact[",
        "to repeat it: remote-store-conformance run mine:OneShort --rule READ-003",
        "verdict   failing",
        "why       1 rule is broken: READ-003",
        "were left out by --rule READ-003",
    ):
        assert line in result.stdout, line


def test_reports_are_written_where_no_folder_is_named(folder: Path) -> None:
    command(folder, "run", "mine:MyHarness", "--rule", "READ-003")
    assert {path.suffix for path in (folder / "conformance-report").iterdir()} == {".json", ".xml", ".html", ".svg"}


def test_a_part_of_the_rules_is_partial(folder: Path) -> None:
    result = command(folder, "run", "mine:make_async", "--rule", "read-001", "--rule", "ERR-001", "-n", "1")
    assert result.returncode == 2, result.stdout + result.stderr
    assert "verdict   partial" in result.stdout
    assert "left out by --rule READ-001 ERR-001" in result.stdout


def test_a_deviation_that_is_declared_is_not_red(folder: Path) -> None:
    (folder / "known.toml").write_text(DEVIATIONS, "utf-8")
    arguments = ("run", "mine:MyHarness", "--rule", "READ-003", "--deviations", "known.toml", "--report", "out")
    result = command(folder, *arguments)
    assert result.returncode == 2, result.stdout + result.stderr
    assert "with      1 rule deviates as declared: READ-003" in result.stdout
    deviation = report(folder, "MyHarness")["deviations"][0]
    assert (deviation["reason"], deviation["expires"]) == ("one byte is lost", "2999-01-01")
    assert deviation["rules"] == ["READ-003"]


@pytest.mark.parametrize(
    "arguments, text",
    [
        (("run", "mine"), "does not name a backend: write it as package.module:name"),
        (("run", "nothing:here"), "there is no module 'nothing'"),
        (("run", "mine:fails"), "mine:fails() raised OSError: no server"),
        (
            ("run", "mine:MyHarness", "--rule", "READ-999"),
            "'READ-999' is not a rule of the contract; did you mean READ-0",
        ),
        (("run", "mine:MyHarness", "--deviations", "missing.toml"), "missing.toml: "),
        (
            ("run", "mine:MyHarness", "--deviations", "old.toml"),
            "deviations have expired; fix the backend or set a new `expires`: old.toml",
        ),
        (("run", "mine:MyHarness", "--rule", "S3-001"), "no rule was executed, so the run says nothing"),
        (("run", "mine:MyHarness", "--tier", "slow"), "invalid choice: 'slow'"),
        (("run", "mine:MyHarness", "--no-such"), "unrecognized arguments: --no-such"),
        (("run",), "the following arguments are required: target"),
        (("list", "--area", "REED"), "'REED' is not a known area; did you mean READ?"),
        (("list", "--capability", "GLOBB"), "'GLOBB' is not a known capability; did you mean GLOB?"),
        (("list", "--kind", "tree"), "'tree' is not a known kind; choose from every, http, s3"),
        (("explain", "REED"), "'REED' is not a known area; did you mean READ?"),
        (("explain", "READ-0001"), "'READ-0001' is not a rule of the contract; did you mean READ-001?"),
    ],
)
def test_a_configuration_error_is_one_line_with_its_own_exit_code(
    folder: Path, arguments: tuple[str, ...], text: str
) -> None:
    result = command(folder, *arguments)
    assert result.returncode == 3, result.stdout + result.stderr
    assert text in result.stderr
    assert "Traceback" not in result.stderr


def test_nothing_is_sent_elsewhere_before_its_cost_is_shown_and_agreed_to(folder: Path) -> None:
    result = command(folder, "run", "mine:Elsewhere", "--rule", "READ-001")
    assert result.returncode == 3, result.stdout + result.stderr
    assert "192.0.2.1 is not this machine. The run will send about " in result.stdout
    assert " MB in total, and more if checks fail." in result.stdout
    assert "Add --yes to run it." in result.stdout
    assert "verdict" not in result.stdout
    agreed = command(folder, "run", "mine:Elsewhere", "--rule", "READ-001", "--yes")
    assert agreed.returncode == 2, agreed.stdout + agreed.stderr
    assert agreed.stdout.index("The run will send") < agreed.stdout.index("verdict   partial")


@pytest.fixture
def older(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A core that is too new for the suite, before the one that is installed."""
    metadata = folder / "path" / "remote_store_core-7.2.0.dist-info" / "METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text("Metadata-Version: 2.1\nName: remote-store-core\nVersion: 7.2.0\n", "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(folder / "path"))
    monkeypatch.delenv("PYTEST_ADDOPTS")
    return folder


MEND = "7.2.0 is installed; fix it with: pip install --upgrade remote-store-conformance"


def test_versions_that_do_not_go_together_are_refused_by_both_doors(older: Path) -> None:
    result = command(older, "list")
    assert (result.returncode, result.stderr.count(MEND)) == (3, 1), result.stderr
    source = "from remote_store.conformance import BackendConformance\nfrom remote_store.core import MemoryBackend\n"
    (older / "alone").mkdir()
    (older / "alone" / "pytest.ini").write_text("[pytest]\n", "utf-8")
    (older / "alone" / "test_it.py").write_text(
        f"{source}\nclass TestMine(BackendConformance):\n    def make(self):\n        return MemoryBackend()\n", "utf-8"
    )
    pytest_command = [sys.executable, "-m", "pytest", "-q"]
    by_file = subprocess.run(pytest_command, cwd=older / "alone", capture_output=True, text=True, timeout=300)
    assert by_file.returncode == pytest.ExitCode.USAGE_ERROR, by_file.stdout
    assert MEND in by_file.stdout


def test_an_import_that_breaks_because_of_the_versions_says_so(older: Path) -> None:
    core = older / "path" / "remote_store" / "core" / "__init__.py"
    core.parent.mkdir(parents=True)
    core.touch()
    line = "from remote_store.conformance import BackendConformance"
    result = subprocess.run([sys.executable, "-c", line], cwd=older, capture_output=True, text=True, timeout=60)
    assert result.stderr.splitlines()[-1].startswith("ImportError: remote-store-conformance 0.1.0 needs")
    assert MEND in result.stderr


def test_a_run_that_nobody_reads_along_writes_its_report_all_the_same(folder: Path) -> None:
    arguments = [COMMAND, "run", "mine:make_async", "--rule", "GLOB-001", "--report", "out"]
    with subprocess.Popen(arguments, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"remote-store-conformance")
        assert process.stdout.readline().startswith(b"remote_store.core")
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()
    assert process.returncode == 4
    assert report(folder, "make_async")["verdict"]["level"] == "partial"


def test_help_tells_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--help"], ["run", "--help"]):
        with pytest.raises(SystemExit, match="0"):
            main(arguments)
        text = capsys.readouterr().out
        assert all(f"  {code}  " in text for code in range(5))


def test_rules_are_listed_and_filtered(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(rules())
    assert main(["list", "--area", "read", "--level", "must"]) == 0
    assert {line.partition("-")[0] for line in capsys.readouterr().out.splitlines()} == {"READ"}
    assert main(["list", "--capability", "glob"]) == 0
    assert all(" glob " in line for line in capsys.readouterr().out.splitlines())
    assert main(["list", "--kind", "every"]) == 0
    listed = {line.split()[0]: line.split()[2] for line in capsys.readouterr().out.splitlines()}
    assert set(listed.values()) == {"every"}
    assert {"READ-001", "S3-001", "WIRE-033"} & listed.keys() == {"READ-001"}
    assert main(["list", "--kind", "HTTP", "--area", "wire"]) == 0
    assert {line.split()[2] for line in capsys.readouterr().out.splitlines()} == {"http"}


def test_a_rule_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "read-001"]) == 0
    text = capsys.readouterr().out
    rule = rules()["READ-001"]
    for part in ("READ-001  MUST, since contract 0.1", "needs READ", "checked by BackendConformance:", "  test_read_"):
        assert part in text, part
    assert rule.rationale.split()[0] in text
    page = rule_pages()["READ-001"]
    assert page.breaks.split()[0] in text
    for title, code in (("wrong", page.wrong), ("right", page.right)):
        assert f"\n{title}:\n{textwrap.indent(code, '  ')}\n" in text
    untested = next(rule for rule in rules().values() if rule.untested)
    assert main(["explain", untested.id]) == 0
    assert "untested: " in capsys.readouterr().out


def test_several_rules_and_areas_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "proc", "read-002", "MODEL-001"]) == 0
    area, *told = capsys.readouterr().out.split("\n\n\n")
    heading = next(found for found in areas() if found.name == "PROC")
    assert area.startswith(f"PROC: {heading.title}\n")
    assert [line.split()[0] for line in area.splitlines() if line.startswith("PROC-")] == [
        rule.id for rule in rules().values() if rule.id.startswith("PROC-")
    ]
    assert heading.rules[0].text in " ".join(area.split())
    assert [text.split()[0] for text in told] == ["READ-002", "MODEL-001"]
