"""Install one lane from its wheel, without the other lanes, and run the conformance tests named in `tools/cells.py`.

The environment is new and outside the workspace. It has the newest release of the SDK, or the oldest that the lane
supports. The installed distributions are compared with those that the lane must not pull in.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

# `python -P` does not add the script's folder to `sys.path`.
sys.path.insert(0, str(Path(__file__).resolve().parent))

import cells

ROOT = Path(__file__).resolve().parent.parent
UV = os.environ.get("UV", "uv")


@dataclass(frozen=True, slots=True)
class Lane:
    """The distributions that a lane's environment has besides core, and those that it must not have.

    Attributes:
        modules: The SDK's modules, which must be imported from the SDK's distribution.
        forbidden: Distributions that must not be installed.
        built_on: Our distributions that it depends on, besides core.
    """

    modules: tuple[str, ...]
    forbidden: frozenset[str]
    built_on: tuple[str, ...] = ()


SDKS = frozenset({"aiobotocore", "aiohttp", "boto3", "botocore", "fsspec", "pyarrow", "s3fs", "s3transfer"})
LANES = {
    "core": Lane((), SDKS),
    "boto3": Lane(("boto3", "botocore"), SDKS - {"boto3", "botocore", "s3transfer"}, ("botocore",)),
    "pyarrow": Lane(("botocore", "pyarrow"), SDKS - {"botocore", "pyarrow"}, ("botocore",)),
    "s3fs": Lane(("aiobotocore", "s3fs"), frozenset({"boto3", "pyarrow", "s3transfer"}), ("botocore",)),
}
TEST_LIBRARIES = ("pytest-asyncio>=1.0", "pytest-timeout>=2.3", "pytest-xdist>=3.6")
PYTEST_INI = """[pytest]
addopts = --import-mode=importlib --strict-markers
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
timeout = 120
markers =
    clause(*ids): the contract clauses that a test checks
"""


class Broken(Exception):
    """The lane does not work alone. The message says why."""


def run(*command: str | Path, cwd: Path, quiet: bool = True) -> str:
    """Run a program outside the workspace's environment. Returns its standard output, or "" if that is printed.

    Raises:
        Broken: The program failed.
    """
    foreign = {"PYTHONPATH", "VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "PYTEST_ADDOPTS"}
    environment = {name: value for name, value in os.environ.items() if name not in foreign}
    channel = subprocess.PIPE if quiet else None
    result = subprocess.run(command, check=False, cwd=cwd, env=environment, stdout=channel, stderr=channel, text=True)
    if result.returncode:
        shown = " ".join(map(str, command))
        raise Broken(f"{shown} ended with {result.returncode}\n{result.stdout or ''}{result.stderr or ''}")
    return result.stdout or ""


def build(distribution: str, folder: Path) -> Path:
    """The wheel of one distribution of the workspace."""
    run(UV, "build", "--quiet", "--wheel", "--package", distribution, "--out-dir", folder, ROOT, cwd=ROOT)
    return next(folder.glob(f"{distribution.replace('-', '_')}-*.whl"))


def check_wheel(wheel: Path) -> None:
    """Check that a wheel has only files of its own portion of the namespace.

    Raises:
        Broken: It has a file of another portion, or no `py.typed`.
    """
    portion = f"remote_store/{wheel.name.split('-')[0].removeprefix('remote_store_')}/"
    names = zipfile.ZipFile(wheel).namelist()
    outside = [name for name in names if name.startswith("remote_store/") and not name.startswith(portion)]
    outside = [name for name in outside if name != "remote_store/"]
    if outside:
        raise Broken(f"{wheel.name} holds {outside}, which is not its portion of the namespace")
    if f"{portion}py.typed" not in names or f"{portion}__init__.py" not in names:
        raise Broken(f"{wheel.name} lacks {portion}py.typed or {portion}__init__.py")


def requirements(wheel: Path) -> list[str]:
    """The requirements of a wheel without extras and without our distributions, to pass as direct requirements."""
    archive = zipfile.ZipFile(wheel)
    metadata = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    lines = HeaderParser().parsestr(archive.read(metadata).decode()).get_all("Requires-Dist", [])
    return [line for line in lines if "extra ==" not in line and not line.startswith("remote-store-")]


def closure(python: Path, folder: Path) -> dict[str, str]:
    """Every installed distribution with its version."""
    listed = json.loads(run(UV, "pip", "list", "--format", "json", "--python", python, cwd=folder))
    return {row["name"]: row["version"] for row in listed}


def check_closure(name: str, installed: dict[str, str]) -> None:
    """Check that an environment has no forbidden distribution.

    Raises:
        Broken: A forbidden distribution is installed, or core has a dependency.
    """
    unwanted = LANES[name].forbidden & installed.keys()
    if name == "core":
        unwanted |= installed.keys() - {"remote-store-core"}
    if unwanted:
        raise Broken(f"the {name} lane brings {sorted(unwanted)} along")


def check_lowest(wanted: list[str], installed: dict[str, str]) -> None:
    """Check that every requirement was installed at its lower bound.

    Raises:
        Broken: A requirement has another version.
    """
    for line in wanted:
        plain = re.sub(r"\[.*?\]", "", line)
        name, bound = re.split(r">=|~=", plain.partition(",")[0].replace(" ", ""), maxsplit=1)
        if installed[name] != bound:
            raise Broken(f"{name} is {installed[name]}, its lower bound {bound} was asked for")


def check_imports(name: str, python: Path, folder: Path) -> None:
    """Import the lane and its SDK in an isolated interpreter.

    Raises:
        Broken: An import failed, or a module was not imported from its folder in site-packages.
    """
    modules = ["remote_store.core", f"remote_store.{name}", *LANES[name].modules]
    code = (
        "import importlib, pathlib, sys, sysconfig\n"
        "site = pathlib.Path(sysconfig.get_path('purelib'))\n"
        "for name in sys.argv[1:]:\n"
        "    found = pathlib.Path(importlib.import_module(name).__file__)\n"
        "    wanted = site.joinpath(*name.split('.'), '__init__.py')\n"
        "    assert found == wanted, f'{name} is {found}, not {wanted}'\n"
        "assert getattr(importlib.import_module('remote_store'), '__file__', None) is None\n"
    )
    run(python, "-P", "-I", "-c", code, *modules, cwd=folder)


@dataclass(frozen=True, slots=True)
class Environment:
    """A lane's wheel in a new environment, and its conformance tests in a folder outside the workspace.

    Attributes:
        python: The environment's interpreter.
        folder: The folder with the tests.
    """

    python: Path
    folder: Path

    def check(self, kinds: Iterable[str], tier: str, *, reports: Path | None = None) -> None:
        """Run classes of the conformance tests.

        Args:
            kinds: Names of the classes; empty for all.
            tier: How many variants of each check run.
            reports: The folder for reports; `None` for no reports.

        Raises:
            Broken: A check failed.
        """
        chosen = [f"test_conformance.py::{kind}" for kind in kinds]
        # Several environments share the machine, so no check fails for its time alone.
        options = [
            "--conformance-tier",
            tier,
            "--conformance-timeout",
            "300",
            *(["--conformance-report", str(reports)] if reports else []),
        ]
        command = (self.python, "-P", "-m", "pytest", "-q", "-n", "auto", "-p", "no:cacheprovider")
        run(*command, *options, *chosen, cwd=self.folder, quiet=False)


def install(name: str, resolution: str, folder: Path) -> Environment:
    """Build and install the lane in an empty folder, and check the environment.

    Raises:
        Broken: The lane cannot be installed alone, or pulls in a forbidden distribution.
    """
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"[{name} {resolution} {time.monotonic() - started:5.1f}s] {text}", flush=True)

    parts = dict.fromkeys(["core", *LANES[name].built_on, name])
    wheels = {part: build(f"remote-store-{part}", folder / "dist") for part in [*parts, "conformance"]}
    for wheel in wheels.values():
        check_wheel(wheel)
    say(f"built {', '.join(wheel.name for wheel in wheels.values())}")

    python = folder / "venv" / "bin" / "python"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    run(UV, "venv", "--quiet", "--no-project", "--python", version, folder / "venv", cwd=folder)
    command = (UV, "pip", "install", "--quiet", "--python", python)
    wanted = requirements(wheels[name])
    strategy = {"newest": "highest", "lowest": "lowest-direct"}[resolution]
    run(*command, "--resolution", strategy, *(wheels[part] for part in parts), *wanted, cwd=folder)
    installed = closure(python, folder)
    check_closure(name, installed)
    if resolution == "lowest":
        check_lowest(wanted, installed)
    check_imports(name, python, folder)
    say("alone with " + ", ".join(f"{package} {number}" for package, number in sorted(installed.items())))

    pins = folder / "pins.txt"
    pins.write_text("".join(f"{package}=={number}\n" for package, number in installed.items()), "utf-8")
    conformance = f"remote-store-conformance[endpoint,servers] @ {wheels['conformance'].as_uri()}"
    run(*command, "--constraint", pins, "--find-links", folder / "dist", conformance, *TEST_LIBRARIES, cwd=folder)
    with_tests = closure(python, folder)
    moved = {package: with_tests.get(package) for package in installed if with_tests.get(package) != installed[package]}
    if moved:
        raise Broken(f"the test libraries moved {moved}")

    tests = ROOT / "packages" / f"remote-store-{name}" / "tests"
    if not (tests / "test_conformance.py").exists():
        raise Broken(f"{tests} has no test_conformance.py, so nothing says that the lane keeps the contract")
    foreign = folder / "foreign"
    foreign.mkdir()
    for path in [tests / "test_conformance.py", *tests.glob("conftest.py")]:
        shutil.copy(path, foreign)
    (foreign / "pytest.ini").write_text(PYTEST_INI, "utf-8")
    say("installed the suite beside it, in a foreign folder")
    return Environment(python, foreign)


def prove(name: str, resolution: str, folder: Path, reports: Path | None = None) -> None:
    """Install a lane alone and run its cells of the loop, or the classes of core's backends in the quick tier.

    Raises:
        Broken: A check or a test failed.
    """
    environment = install(name, resolution, folder)
    if name == "core":
        environment.check(cells.CORE, "quick", reports=reports)
    for cell in cells.of(cells.LOOP, name, resolution):
        environment.check([cell.kind], cell.tier, reports=reports)


def main() -> int:
    """Check one lane. Print the reason and return 1 if it does not work alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lane", choices=LANES)
    parser.add_argument("--resolution", choices=["newest", "lowest"], default="newest")
    parser.add_argument("--report", type=Path, metavar="DIR", help="write conformance reports into this folder")
    options = parser.parse_args()
    reports = options.report and options.report.resolve()
    with tempfile.TemporaryDirectory(prefix="lane-alone-") as folder:
        try:
            prove(options.lane, options.resolution, Path(folder).resolve(), reports)
        except Broken as broken:
            print(f"lane_alone: {broken}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
