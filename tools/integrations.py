"""Test the integrations as users install them: from the built wheels, each in an environment of its own.

A folder `packages/*/tests/NAME` with a `requirements.txt` is an environment called NAME. The file lists what its tests
need, each with its lower bound. Our distributions are taken from the built wheels. The tests run in a copy of the
folder that also has `pages.py`, and the pages of `docs/integrations` under `docs`.

uv run tools/integrations.py                             every environment with the newest releases, all tests
uv run tools/integrations.py pandas --resolution lowest  one of them at its lower bounds
uv run tools/integrations.py --smoke                     only the tests marked `smoke`
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# `python -P` does not add the script's folder to `sys.path`.
sys.path.insert(0, str(Path(__file__).resolve().parent))

from lane_alone import (
    PYTEST_INI,
    ROOT,
    TEST_LIBRARIES,
    UV,
    Broken,
    build,
    check_lowest,
    check_wheel,
    closure,
    requirements,
    run,
)
from third_party import pinned

FILE = "requirements.txt"
FOLDERS = {path.parent.name: path.parent for path in sorted(ROOT.glob(f"packages/*/tests/*/{FILE}"))}
PAGES = ROOT / "docs" / "integrations"
RESOLUTIONS = {"newest": "highest", "lowest": "lowest-direct"}
OURS = ("remote-store-core", "remote-store-botocore")
"""The distributions that others of ours depend on."""
PYTEST = f"{PYTEST_INI}    smoke: the few tests that `.ci/run` runs\npythonpath = .\n"


def wanted(name: str) -> list[str]:
    """The requirements of an environment, without comments."""
    lines = (FOLDERS[name] / FILE).read_text("utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def ours(lines: Iterable[str]) -> list[str]:
    """The distributions of ours among some requirements, with those that they depend on."""
    named = [line.partition("[")[0] for line in lines if line.startswith("remote-store-")]
    return list(dict.fromkeys([*OURS, *named]))


def prove(name: str, resolution: str, folder: Path, *, smoke: bool = False) -> None:
    """Install one environment and run its tests.

    Args:
        name: Name of the environment.
        resolution: `newest`, or `lowest` for the lower bounds that the requirements and our wheels state.
        folder: An empty folder.
        smoke: Run only the tests marked `smoke`.

    Raises:
        Broken: It cannot be installed, or a test fails.
    """
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"[{name} {resolution} {time.monotonic() - started:5.1f}s] {text}", flush=True)

    lines = wanted(name)
    wheels = {distribution: build(distribution, folder / "dist") for distribution in ours(lines)}
    for wheel in wheels.values():
        check_wheel(wheel)
    foreign = [line for line in lines if not line.startswith("remote-store-")]
    direct = [
        line for part, wheel in wheels.items() if part != "remote-store-conformance" for line in requirements(wheel)
    ]
    python = folder / "venv" / "bin" / "python"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    run(UV, "venv", "--quiet", "--no-project", "--python", version, folder / "venv", cwd=folder)
    command = (UV, "pip", "install", "--quiet", "--python", python)
    parts = [pinned(line, wheels) for line in lines if line.startswith("remote-store-")]
    shared = [pinned(part, wheels) for part in OURS]
    run(
        *command,
        "--resolution",
        RESOLUTIONS[resolution],
        *shared,
        *parts,
        *foreign,
        *direct,
        *TEST_LIBRARIES,
        cwd=folder,
    )
    installed = closure(python, folder)
    if resolution == "lowest":
        check_lowest(foreign, installed)
    say("installed " + ", ".join(f"{package} {number}" for package, number in sorted(installed.items())))

    tests = folder / "foreign"
    shutil.copytree(FOLDERS[name], tests, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    shutil.copytree(PAGES, tests / "docs")
    shutil.copy(Path(__file__).with_name("pages.py"), tests)
    (tests / "pytest.ini").write_text(PYTEST, "utf-8")
    chosen = ["-m", "smoke"] if smoke else ["-n", "2"]
    run(python, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen, cwd=tests, quiet=False)
    say("works")


def main() -> int:
    """Test the environments. Print the reason and return 1 if one fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(FOLDERS)}; all by default")
    parser.add_argument("--resolution", choices=RESOLUTIONS, default="newest")
    parser.add_argument("--smoke", action="store_true", help="run only the tests marked `smoke`")
    options = parser.parse_args()
    if unknown := set(options.names) - set(FOLDERS):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(FOLDERS)}")
    # Smoke tests run one after the other in an environment, so two environments fit on two cores.
    with ThreadPoolExecutor(max_workers=2 if options.smoke else 1) as pool:
        works = pool.map(lambda name: holds(name, options.resolution, options.smoke), options.names or FOLDERS)
        return 0 if all(works) else 1


def holds(name: str, resolution: str, smoke: bool) -> bool:
    """Whether an environment's tests pass. Prints the reason if not."""
    with tempfile.TemporaryDirectory(prefix="integration-") as folder:
        try:
            prove(name, resolution, Path(folder).resolve(), smoke=smoke)
        except Broken as broken:
            print(f"integrations: {name}: {broken}", file=sys.stderr)
            return False
    return True


if __name__ == "__main__":
    sys.exit(main())
