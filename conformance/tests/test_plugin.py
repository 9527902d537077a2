from __future__ import annotations

import json
from typing import Any

import pytest

pytest_plugins = ["pytester"]
pytestmark = [pytest.mark.usefixtures("compiled_once"), pytest.mark.timeout(600)]

TEN_LINES = """
from remote_store.conformance import BackendConformance
from remote_store.core import MemoryBackend

class TestMine(BackendConformance):
    def make(self):
        return MemoryBackend()
"""
OTHERS = [part for name in ("hypothesispytest", "asyncio", "timeout") for part in ("-p", f"no:{name}")]
NARROW = ("--conformance-rule", "GLOB-001", "--conformance-rule", "LIFE-005")


def run(pytester: pytest.Pytester, *arguments: str, source: str = TEN_LINES) -> pytest.RunResult:
    """Run pytest in a foreign folder and in a process of its own, without what this workspace configures."""
    pytester.makepyfile(source)
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", *OTHERS, *arguments)


def report(pytester: pytest.Pytester, name: str = "Mine") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((pytester.path / "out" / f"{name}.json").read_text("utf-8"))
    return found


def causes(pytester: pytest.Pytester) -> dict[str, int]:
    return {gap["cause"]: sum(gap["checks"].values()) for gap in report(pytester)["gaps"]}


def test_the_plugin_costs_a_run_without_conformance_nothing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_it(request):
            assert request.config.pluginmanager.hasplugin("remote-store-conformance")
            ours = {name for name in sys.modules if name.startswith("remote_store")}
            conformance = {"remote_store.conformance", "remote_store.conformance.plugin"}
            values = {"remote_store.conformance.values", "remote_store.conformance.values.options"}
            assert ours == {"remote_store"} | conformance | values
            assert not {"hypothesis", "h11", "packaging.requirements"} & set(sys.modules)
        """
    )
    pytester.runpytest_subprocess(*OTHERS, "-p", "no:xdist").assert_outcomes(passed=1)


def test_the_ten_lines_are_enough(pytester: pytest.Pytester) -> None:
    result = run(pytester, "--conformance-tier=smoke", "--conformance-report=out")
    result.assert_outcomes(
        failed=0, errors=0, passed=result.parseoutcomes()["passed"], skipped=result.parseoutcomes()["skipped"]
    )
    assert not (pytester.path / ".hypothesis").exists()
    result.stdout.fnmatch_lines(
        ["*conformance of test_the_ten_lines_are_enough.py::TestMine*", "verdict * core + *glob*"]
    )
    assert result.ret == 0
    assert report(pytester)["verdict"]["level"] == "core + capabilities"
    assert causes(pytester) == {}
    assert sorted(path.name for path in (pytester.path / "out").iterdir()) == [
        "Mine.html",
        "Mine.json",
        "Mine.svg",
        "Mine.xml",
    ]


STEERING = """
from remote_store.conformance import BackendConformance
from remote_store.core import MemoryBackend

class Red(MemoryBackend):
    def close(self):
        raise OSError("\\x1b[31m the server said so")

class TestMine(BackendConformance):
    def make(self):
        return Red()
"""


def test_what_a_server_says_steers_no_terminal_and_a_report_follows_no_link(pytester: pytest.Pytester) -> None:
    (pytester.path / "out").mkdir()
    (pytester.path / "precious").write_text("mine", "utf-8")
    (pytester.path / "out" / "Mine.json").symlink_to("../precious")
    result = run(pytester, "--conformance-rule=LIFE-005", "--conformance-report=out", source=STEERING)
    shown = "\n".join(result.outlines + result.errlines)
    assert r"\x1b[31m the server said so" in shown
    assert "\x1b" not in shown
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["configuration error: the report *Mine.json is a symbolic link*"])
    assert (pytester.path / "precious").read_text("utf-8") == "mine"


def test_foreign_settings_disturb_nothing(pytester: pytest.Pytester) -> None:
    pytester.makeini(
        "[pytest]\naddopts = --strict-markers --strict-config -W error\nasyncio_mode = strict\n"
        "asyncio_default_fixture_loop_scope = session\nxfail_strict = true\n"
    )
    pytester.makeconftest(
        "import random\ndef pytest_collection_modifyitems(items):\n    random.Random(7).shuffle(items)\n"
    )
    pytester.makepyfile(TEN_LINES)
    arguments = ("-p", "no:cacheprovider", "--conformance-tier=smoke", "--conformance-report=out", "-n", "2")
    result = pytester.runpytest_subprocess(*arguments)
    assert result.ret == 0, result.stdout.str()
    assert report(pytester)["verdict"]["level"] == "core + capabilities"
    assert causes(pytester) == {}


def test_several_classes_have_a_report_each(pytester: pytest.Pytester) -> None:
    source = f"{TEN_LINES}\nclass TestAlso(TestMine):\n    pass\n\ndef test_other():\n    assert True\n"
    result = run(pytester, *NARROW, "--conformance-report=out", source=source)
    assert result.parseoutcomes()["passed"] > 3
    assert {report(pytester, name)["target"].rpartition("::")[2] for name in ("Mine", "Also")} == {
        "TestMine",
        "TestAlso",
    }
    pytester.makepyfile(test_second=TEN_LINES)
    run(pytester, *NARROW, "--conformance-report=twice", source=source)
    names = {path.stem for path in (pytester.path / "twice").iterdir()}
    assert names == {"Also", "test_second.py_TestMine", "test_several_classes_have_a_report_each.py_TestMine"}


PARTIAL = {
    "-k": (("-k", "glob"), "", "", "deselected by -k 'glob'"),
    "a node id": (("test_partial.py::TestMine::test_life_close_again_and_again",), "", "", "not collected"),
    "a conftest that deselects": (
        (),
        "",
        "def pytest_collection_modifyitems(config, items):\n    config.hook.pytest_deselected(items=[items.pop()])\n",
        "deselected by a plugin or a conftest",
    ),
    "a conftest that takes away": (
        (),
        "",
        "def pytest_collection_modifyitems(items):\n    del items[-1:]\n",
        "taken out of the collection by a hook",
    ),
    "an overridden check": (
        (),
        "    def test_life_close_again_and_again(self):\n        pass\n",
        "",
        "overridden by the test class",
    ),
    "an overridden fixture": (
        (),
        "    import pytest\n    @pytest.fixture\n    def case(self):\n        return None\n",
        "",
        "given their case by a fixture of the test class",
    ),
}


@pytest.mark.parametrize("what", PARTIAL)
def test_a_part_is_partial_and_says_why(pytester: pytest.Pytester, what: str) -> None:
    arguments, body, conftest, cause = PARTIAL[what]
    pytester.makeconftest(conftest)
    pytester.makepyfile(test_partial=TEN_LINES + body)
    narrow = () if what in ("-k", "a node id") else NARROW
    pytester.runpytest_subprocess("-p", "no:cacheprovider", "--conformance-report=out", *OTHERS, *narrow, *arguments)
    assert report(pytester)["verdict"]["level"] == "partial"
    assert causes(pytester)[cause] > 0
    assert any(cause in reason for reason in report(pytester)["verdict"]["reasons"])


@pytest.mark.parametrize(
    "body, reason",
    [
        ("    pytestmark = pytest.mark.skip('not today')\n", "skipped: not today"),
        ("    pytestmark = pytest.mark.xfail(run=False, reason='hopeless')\n", "skipped: [NOTRUN] hopeless"),
        (
            "    @pytest.fixture(autouse=True)\n    def server(self):\n        pytest.skip('no server here')\n",
            "skipped: no server here",
        ),
    ],
)
def test_a_check_that_is_skipped_was_not_run(pytester: pytest.Pytester, body: str, reason: str) -> None:
    run(pytester, *NARROW, "--conformance-report=out", source=f"import pytest\n{TEN_LINES}{body}")
    found = report(pytester)
    assert set(found["counts"]["checks"]) == {"not-run"}
    assert any(reason in text for text in found["verdict"]["reasons"])


def test_a_failure_that_somebody_expects_is_still_one(pytester: pytest.Pytester) -> None:
    source = f"import pytest\n{TEN_LINES}    pytestmark = pytest.mark.xfail\n".replace(
        "MemoryBackend()", "Wrong()"
    ).replace(
        "class TestMine",
        "class Wrong(MemoryBackend):\n    def glob(self, pattern):\n        return iter(())\n\nclass TestMine",
    )
    result = run(pytester, *NARROW, "--conformance-report=out", source=source)
    assert result.ret == 0
    assert report(pytester)["verdict"]["level"] == "failing"
    assert "GLOB-001" in report(pytester)["verdict"]["reasons"][0]


def test_a_run_that_ends_early_is_partial(pytester: pytest.Pytester) -> None:
    source = TEN_LINES.replace("MemoryBackend()", "Wrong()").replace(
        "class TestMine", "class Wrong(MemoryBackend):\n    def close(self):\n        raise OSError\n\nclass TestMine"
    )
    run(pytester, *NARROW, "-x", "--conformance-report=out", source=source)
    assert causes(pytester)["not reached: stopping after 1 failures"] > 0
    pytester.makeconftest(
        "seen = []\n"
        "def pytest_runtest_call(item):\n"
        "    seen.append(item)\n"
        "    if len(seen) == 3:\n"
        "        raise KeyboardInterrupt\n"
    )
    result = run(pytester, *NARROW, "--conformance-report=out")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert causes(pytester)["not reached: the run was interrupted"] > 0


CONFIGURATION_ERRORS = [
    ("    pass\n", "TestMine needs a harness, or a make() that returns a backend"),
    ("    def make(self):\n        raise OSError('no server')\n", "make() raised OSError: no server"),
    ("    def make(self):\n        return 42\n", "make() returned 42; it must return an instance of Backend"),
    ("    harness = 42\n", "the harness is 42; it must be an instance of Harness"),
]


@pytest.mark.parametrize(
    "workers, body, text", [*(((), *row) for row in CONFIGURATION_ERRORS), (("-n", "2"), *CONFIGURATION_ERRORS[1])]
)
def test_a_configuration_error_stops_the_session_once(
    pytester: pytest.Pytester, body: str, text: str, workers: tuple[str, ...]
) -> None:
    source = TEN_LINES.partition("    def make")[0] + body
    result = run(pytester, *workers, source=source)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.parseoutcomes().get("errors", 0) <= 2
    assert result.stdout.str().count("\nconfiguration error: ") == 1 + result.parseoutcomes()["errors"]
    assert text in result.stdout.str()
    assert "Traceback" not in result.stdout.str()


@pytest.mark.parametrize(
    "arguments, text",
    [
        (
            ("--conformance-rule=READ-999",),
            "conformance: 'READ-999' is not a rule of the contract; did you mean READ-0",
        ),
        (("--conformance-tier=slow",), "invalid choice: 'slow'"),
        (("--conformance-deviations=missing.toml",), "conformance: missing.toml: "),
        (("--conformance-deviations=wrong.toml",), "conformance: wrong.toml, deviation 1: reason is missing"),
    ],
)
@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["one process", "a worker"])
def test_an_option_that_is_wrong_is_one_usage_error(
    pytester: pytest.Pytester, arguments: tuple[str, ...], text: str, workers: tuple[str, ...]
) -> None:
    (pytester.path / "wrong.toml").write_text('[[deviation]]\nrule = "GLOB-001"\n', "utf-8")
    result = run(pytester, *arguments, *workers)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert text in result.stderr.str()


def test_a_run_in_which_no_rule_applies_is_a_configuration_error(pytester: pytest.Pytester) -> None:
    source = TEN_LINES.replace("MemoryBackend()", "Nothing()").replace(
        "class TestMine",
        "class Nothing(MemoryBackend):\n    capabilities = frozenset()\n\n"
        "import remote_store.conformance.checking.case as case\n"
        "def refuse(self, identifiers, needs):\n    case.not_applicable('nothing is implemented')\n"
        "case.AnyCase._prepared = refuse\n\nclass TestMine",
    )
    result = run(pytester, "--conformance-tier=smoke", source=source)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["configuration error: *TestMine: no rule was executed*"])


def test_a_check_that_hangs_fails_and_the_run_goes_on_and_ends(pytester: pytest.Pytester) -> None:
    source = """
import threading
from concurrent.futures import ThreadPoolExecutor
from remote_store.conformance import BackendConformance, Harness, Profile
from remote_store.conformance.processes import watchdog
from remote_store.core import MemoryBackend

watchdog.GRACE_SECONDS = 0.1

class Hanging(MemoryBackend):
    def glob(self, pattern):
        return ThreadPoolExecutor(1).submit(threading.Event().wait).result()

class MyHarness(Harness):
    profile = Profile(timeout=0.3, shared=False, expendable=True)
    def make(self, **options):
        return Hanging()

class TestMine(BackendConformance):
    harness = MyHarness()
"""
    pytester.makepyfile(source)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", *NARROW, "--conformance-report=out")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    found = {check["check"]: check for check in report(pytester)["checks"]}
    hung = [check for check in found.values() if check["hung"]]
    assert hung
    assert all(check["outcome"] == "fail" for check in hung)
    assert (
        "`glob` hangs\n  expected: the check ends within 0.3 seconds\n  observed: it did not return"
        in hung[0]["reason"]
    )
    assert "glob('conformance-" in hung[0]["reason"]
    assert "has not returned" in hung[0]["reason"]
    assert found["test_life_close_again_and_again"]["outcome"] == "pass"


def test_where_check_after_check_hangs_the_rest_is_not_tried(pytester: pytest.Pytester) -> None:
    source = """
import threading
from remote_store.conformance import BackendConformance, Harness, Profile
from remote_store.core import MemoryBackend

class Hanging(MemoryBackend):
    def exists(self, path):
        return threading.Event().wait()

class MyHarness(Harness):
    profile = Profile(timeout=0.05, shared=False, expendable=True)
    def make(self, **options):
        return Hanging()

class TestMine(BackendConformance):
    harness = MyHarness()
"""
    run(pytester, "--conformance-tier=smoke", "--conformance-report=out", source=source)
    found = report(pytester)
    assert [check["check"] for check in found["checks"] if check["hung"]] == ["test_first_a_file_is_read_back"]
    assert found["verdict"]["level"] == "failing"
    reasons = "\n".join(found["verdict"]["reasons"])
    assert "`exists` did not return in test_first_a_file_is_read_back, so no other check calls it" in reasons
    assert "a first check failed (test_first_a_file_is_read_back)" in reasons


def test_a_run_leaves_what_is_not_its_own_and_nothing_of_its_own(pytester: pytest.Pytester) -> None:
    source = """
from remote_store.conformance import BackendConformance
from remote_store.core import MemoryBackend

FILES = {}

class Sharing(MemoryBackend):
    def __init__(self):
        super().__init__()
        self._files = FILES
    def close(self):
        self._closed = True
    def delete_folder(self, path, *, recursive=False, missing_ok=False):
        raise RuntimeError("broken")

class TestMine(BackendConformance):
    def make(self):
        return Sharing()

def test_what_is_left():
    assert set(FILES) == {"others", "conformance"}

for name in ("others", "conformance"):
    Sharing().write(name, b"")
"""
    result = run(pytester, "--conformance-tier=smoke", "--conformance-report=out", source=source)
    found = report(pytester)
    assert found["backend"]["profile"]["shared"]
    assert found["left"] == []
    assert "test_what_is_left" not in result.stdout.str()
    assert {check["check"] for check in found["checks"] if check["outcome"] == "fail"}


def test_a_process_that_dies_is_seen(pytester: pytest.Pytester) -> None:
    source = TEN_LINES.replace("MemoryBackend()", "Deadly()").replace(
        "class TestMine",
        "import os, signal\n\nclass Deadly(MemoryBackend):\n"
        "    def glob(self, pattern):\n        os.kill(os.getpid(), signal.SIGKILL)\n\n"
        "class TestMine",
    )
    result = run(pytester, *NARROW, "--conformance-report=out", "-n", "1", "--max-worker-restart=9", source=source)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert report(pytester)["verdict"]["level"] == "partial"
    (cause,) = [cause for cause in causes(pytester) if cause.startswith("not reached")]
    assert "crashed while running" in cause
    assert "test_glob_a_star_stays_inside_a_segment" in cause


def test_only_looking_at_the_checks_says_nothing_of_them(pytester: pytest.Pytester) -> None:
    result = run(pytester, "--collect-only", "-q")
    assert result.ret == 0
    assert "verdict" not in result.stdout.str()


def test_a_class_of_which_nothing_runs_takes_one_line(pytester: pytest.Pytester) -> None:
    result = run(pytester, "-k", "test_other", source=f"{TEN_LINES}\ndef test_other():\n    assert True\n")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*conformance of *::TestMine: partial, no check ran*"])
