"""Run the conformance tests of the foreign projects under `examples/third_party`, as their authors would.

Each project gets its own environment outside the workspace, with the built wheels of core and conformance, the project
as it would be published, and none of our source tree.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
import time
import tomllib
from pathlib import Path

# `python -P` does not add the script's folder to `sys.path`.
sys.path.insert(0, str(Path(__file__).resolve().parent))

from lane_alone import ROOT, UV, Broken, build, closure, run

EXAMPLES = ROOT / "examples" / "third_party"
OURS = ("remote-store-core", "remote-store-conformance")
NAMES = tuple(sorted(path.parent.name for path in EXAMPLES.glob("*/pyproject.toml")))
PLUGINS = ("pytest-timeout", "pytest-xdist")


def test_requirements(project: Path) -> list[str]:
    """The requirements of a project's tests: its dependency group `test`."""
    lines: list[str] = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["dependency-groups"]["test"]
    return lines


def pinned(requirement: str, wheels: dict[str, Path]) -> str:
    """The requirement, with the built wheel if it is one of our distributions. Extras are kept."""
    name = re.split(r"[\[<>=~! ]", requirement, maxsplit=1)[0]
    extras = "".join(re.findall(r"\[.*?\]", requirement))
    return f"{name}{extras} @ {wheels[name].as_uri()}" if name in wheels else requirement


def prove(name: str, wheels: dict[str, Path], folder: Path, options: list[str]) -> None:
    """Install one project and run its tests.

    Args:
        name: Name of the example.
        wheels: Our wheels, by distribution.
        folder: An empty folder.
        options: Further options of pytest.

    Raises:
        Broken: It cannot be installed, or its tests fail.
    """
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"[{name} {time.monotonic() - started:5.1f}s] {text}", flush=True)

    project = folder / "project"
    shutil.copytree(EXAMPLES / name, project, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", ".*"))
    python = folder / "venv" / "bin" / "python"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    run(UV, "venv", "--quiet", "--no-project", "--python", version, folder / "venv", cwd=folder)
    wanted = [pinned(line, wheels) for line in (*OURS, *test_requirements(project))]
    run(UV, "pip", "install", "--quiet", "--python", python, project, *wanted, *PLUGINS, cwd=folder)
    installed = closure(python, folder)
    say("installed " + ", ".join(f"{package} {number}" for package, number in sorted(installed.items())))

    # The tests must import the installed project, not the source files next to them.
    shutil.rmtree(project / "src")
    run(python, "-P", "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", *options, cwd=project, quiet=False)
    say("keeps the contract as far as it says")


def main() -> int:
    """Test the projects. Print the reason and return 1 if one fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(NAMES)}; all by default")
    parser.add_argument("--tier", choices=["quick", "full", "soak"], default="full")
    options = parser.parse_args()
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    with tempfile.TemporaryDirectory(prefix="third-party-") as folder:
        place = Path(folder).resolve()
        try:
            wheels = {distribution: build(distribution, place / "dist") for distribution in OURS}
            for name in options.names or NAMES:
                (place / name).mkdir()
                prove(name, wheels, place / name, ["--conformance-tier", options.tier, "--conformance-timeout", "300"])
        except Broken as broken:
            print(f"third_party: {broken}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
