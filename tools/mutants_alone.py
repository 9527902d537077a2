"""Run the tests of the broken backends on the built wheels, outside the workspace, in random order.

They show that the suite depends on no path, conftest, pytest configuration or test order of the workspace.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

from lane_alone import UV, Broken, build, check_wheel, run  # noqa: E402 - a tool is not a module of a package

TESTS = ROOT / "conformance" / "tests"
LIBRARIES = ("pytest-randomly", "pytest-timeout", "pytest-xdist")
PYTEST_INI = """[pytest]
addopts = --import-mode=importlib --strict-markers --strict-config -p no:cacheprovider
pythonpath = .
timeout = 300
xfail_strict = true
"""


def prove(folder: Path) -> None:
    """Build, install, copy and run the tests in an empty folder.

    Raises:
        Broken: A step or a test failed.
    """
    wheels = {part: build(f"remote-store-{part}", folder / "dist") for part in ("core", "conformance")}
    for wheel in wheels.values():
        check_wheel(wheel)
    python = folder / "venv" / "bin" / "python"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    run(UV, "venv", "--quiet", "--no-project", "--python", version, folder / "venv", cwd=folder)
    suite = f"remote-store-conformance[endpoint,servers] @ {wheels['conformance'].as_uri()}"
    install = (UV, "pip", "install", "--quiet", "--python", python, "--find-links", folder / "dist")
    run(*install, wheels["core"], suite, *LIBRARIES, cwd=folder)

    foreign = folder / "foreign"
    shutil.copytree(TESTS / "mutants", foreign / "mutants", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("conftest.py", "test_mutants.py"):
        shutil.copy(TESTS / name, foreign)
    (foreign / "pytest.ini").write_text(PYTEST_INI, "utf-8")
    run(python, "-P", "-m", "pytest", "-n", "2", cwd=foreign, quiet=False)


def main() -> int:
    """Run the tests. Print the reason and return 1 if they fail."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    with tempfile.TemporaryDirectory(prefix="mutants-alone-") as folder:
        try:
            prove(Path(folder).resolve())
        except Broken as broken:
            print(f"mutants_alone: {broken}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
