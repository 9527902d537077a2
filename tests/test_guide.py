from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lane_alone import build

ROOT = Path(__file__).resolve().parent.parent
GUIDES = {"writing-a-backend.md": "box-store", "writing-a-lane.md": "urllib3-lane"}
"""The guides, each with the folder that it writes."""
BLOCK = re.compile(r'^```(?P<kind>\w+)(?: title="(?P<file>[^"]+)")?\n(?P<text>.*?)^```$', re.MULTILINE | re.DOTALL)
TREE = re.compile(r"[│├└─\s]*(?P<name>\S+)")
OURS = ("remote-store-core", "remote-store-conformance")
FOREIGN = {"PYTHONPATH", "VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "PYTEST_ADDOPTS"}


each_guide = pytest.mark.parametrize("guide", GUIDES)


@each_guide
def test_a_guide_begins_with_the_tree_of_what_it_writes(guide: str) -> None:
    text = (ROOT / "docs" / guide).read_text("utf-8")
    tree = text.partition("```\n")[2].partition("```")[0]
    assert tree.startswith(f"{GUIDES[guide]}/\n")
    names = {match["name"] for line in tree.splitlines()[1:] if (match := TREE.match(line))}
    written = {Path(block["file"]).name for block in BLOCK.finditer(text) if block["file"]}
    assert {name.rpartition("/")[2] for name in names} - {""} == written


@each_guide
@pytest.mark.timeout(900)
def test_each_step_of_a_guide_does_what_it_says(guide: str, tmp_path: Path) -> None:
    wheels = {name: build(name, tmp_path / "dist") for name in OURS}
    # The commands of the guide name our distributions, and are to find the wheels of this very tree.
    constraints = tmp_path / "constraints.txt"
    pins = [f"{name}=={wheel.name.split('-')[1]}\n" for name, wheel in wheels.items()]
    constraints.write_text("".join(pins), "utf-8")
    project = tmp_path / GUIDES[guide]
    project.mkdir()
    environment = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    environment |= {"PIP_CONSTRAINT": str(constraints), "PIP_FIND_LINKS": str(tmp_path / "dist")}
    environment |= {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    environment["PATH"] = f"{project / '.venv' / 'bin'}:{Path(sys.executable).parent}:{environment['PATH']}"
    for block in BLOCK.finditer((ROOT / "docs" / guide).read_text("utf-8")):
        if block["kind"] == "console":
            for command, expected in commands(block["text"]):
                printed = shell(command, project, environment)
                assert matches(printed, expected), (
                    f"$ {command}\n{printed}\n--- is not what the guide shows:\n{expected}"
                )
        elif block["kind"] == "diff":
            change(project / block["file"], block["text"])
        else:
            path = project / block["file"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block["text"], "utf-8")


def commands(text: str) -> list[tuple[str, str]]:
    """The commands of a block, each with what the guide shows of its output."""
    parts = re.split(r"^\$ ", text, flags=re.MULTILINE)
    return [(part.partition("\n")[0], part.partition("\n")[2]) for part in parts if part]


def shell(command: str, folder: Path, environment: dict[str, str]) -> str:
    """What a command prints; it must end well."""
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert result.returncode == 0, f"$ {command}\n{result.stdout}"
    return result.stdout


def matches(printed: str, expected: str) -> bool:
    """Whether an output is what the guide shows: `...` stands for the rest of a line, alone for any number of lines."""
    lines = [
        r"(?:.*\n)*?" if line == "..." else ".*".join(map(re.escape, line.split("..."))) + r"\n"
        for line in expected.splitlines()
    ]
    return not expected or re.fullmatch("".join(lines), printed) is not None


def change(path: Path, diff: str) -> None:
    """Apply a change that the guide shows, which must fit exactly once."""
    lines = diff.splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if line[0] in " -")
    after = "".join(line[1:] for line in lines if line[0] in " +")
    text = path.read_text("utf-8")
    assert text.count(before) == 1, f"{path} does not hold once:\n{before}"
    path.write_text(text.replace(before, after), "utf-8")
