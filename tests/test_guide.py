from __future__ import annotations

import ast
import builtins
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import pages
from lane_alone import build
from remote_store import core
from remote_store.conformance.cli import main
from remote_store.conformance.endpoint import Endpoint
from remote_store.conformance.servers import moto_server
from remote_store.core.s3 import Fault
from remote_store.core.s3.protocol.faults import CODES, STATUSES, typed

ROOT = Path(__file__).resolve().parent.parent
PAGES = {path.stem: path for path in sorted((ROOT / "docs" / "guides").glob("*.md"))}
"""The guides for users. Their code runs here, page by page, over moto behind an endpoint that counts requests."""
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
GUIDES = {"writing-a-backend.md": "box-store", "writing-a-lane.md": "urllib3-lane"}
"""The guides, each with the folder that it writes."""
NEW = re.compile(r"^\$ remote-store-conformance (new .*)$", re.MULTILINE)
BLOCK = re.compile(r'^```(?P<kind>\w+)(?: title="(?P<file>[^"]+)")?\n(?P<text>.*?)^```$', re.MULTILINE | re.DOTALL)
TREE = re.compile(r"[│├└─\s]*(?P<name>\S+)")
OURS = ("remote-store-core", "remote-store-conformance")
FOREIGN = {"PYTHONPATH", "VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "PYTEST_ADDOPTS"}


each_guide = pytest.mark.parametrize("guide", GUIDES)


@each_guide
def test_a_guide_begins_with_the_tree_of_what_it_writes(
    guide: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (ROOT / "docs" / guide).read_text("utf-8")
    tree = text.partition("```\n")[2].partition("```")[0]
    assert tree.startswith(f"{GUIDES[guide]}/\n")
    names = {match["name"] for line in tree.splitlines()[1:] if (match := TREE.match(line))}
    written = {Path(block["file"]).name for block in BLOCK.finditer(text) if block["file"]}
    monkeypatch.chdir(tmp_path)
    for command in NEW.findall(text):
        main(command.split())
    written |= {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert {name.rpartition("/")[2] for name in names} - {""} == written


@each_guide
@pytest.mark.timeout(900)
def test_each_step_of_a_guide_does_what_it_says(guide: str, tmp_path: Path) -> None:
    wheels = {name: build(name, tmp_path / "dist") for name in OURS}
    # The commands of the guide name our distributions, and are to find the wheels of this very tree.
    constraints = tmp_path / "constraints.txt"
    pins = [f"{name}=={wheel.name.split('-')[1]}\n" for name, wheel in wheels.items()]
    constraints.write_text("".join(pins), "utf-8")
    folder = tmp_path / "start"
    folder.mkdir()
    environment = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    environment |= {"PIP_CONSTRAINT": str(constraints), "PIP_FIND_LINKS": str(tmp_path / "dist")}
    environment |= {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    # Other tests run beside this one, so a check may take longer than a reader's.
    environment |= {"PYTEST_ADDOPTS": "--conformance-timeout=300"}
    environment["PATH"] = f"{folder / '.venv' / 'bin'}:{Path(sys.executable).parent}:{environment['PATH']}"
    for block in BLOCK.finditer((ROOT / "docs" / guide).read_text("utf-8")):
        if block["kind"] == "console":
            for command, expected in commands(block["text"]):
                if command.startswith("cd "):
                    folder /= command.removeprefix("cd ")
                    continue
                printed = shell(command, folder, environment)
                assert pages.matches(printed, expected), (
                    f"$ {command}\n{printed}\n--- is not what the guide shows:\n{expected}"
                )
        elif block["file"] is None:
            # A sketch, of a client that the guide does not have.
            assert block["kind"] == "python"
        elif block["kind"] == "diff":
            change(folder / block["file"], block["text"])
        elif (path := folder / block["file"]).exists():
            assert path.read_text("utf-8") == block["text"], f"{path} is not what the guide shows"
        else:
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


def change(path: Path, diff: str) -> None:
    """Apply a change that the guide shows, which must fit exactly once."""
    lines = diff.splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if line[0] in " -")
    after = "".join(line[1:] for line in lines if line[0] in " +")
    text = path.read_text("utf-8")
    assert text.count(before) == 1, f"{path} does not hold once:\n{before}"
    path.write_text(text.replace(before, after), "utf-8")


@pytest.fixture(scope="module")
def counting_s3() -> Iterator[Endpoint]:
    with moto_server() as server, Endpoint(server.url) as endpoint:
        yield endpoint


@pytest.fixture
def workplace(counting_s3: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    pages.prepare(counting_s3, tmp_path, monkeypatch)
    return counting_s3


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_the_code_of_a_page_does_what_the_page_shows(
    page: Path, workplace: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages.follow(page, workplace, monkeypatch)


@pytest.mark.timeout(300)
def test_the_code_of_the_pages_is_typed(tmp_path: Path) -> None:
    """mypy's strict mode accepts each page, read as one module, and the projects that `new` writes."""
    for name, page in PAGES.items():
        code = [part.text for part in pages.parts_of(page) if part.kind in ("python", "row")]
        # Not by its own name: `logging.py` would hide the module.
        (tmp_path / f"page_{name.replace('-', '_')}.py").write_text("\n\n".join(code), "utf-8")
    for name, options in (("box", []), ("tea", ["--async"])):
        main(["new", str(tmp_path / name), "--name", name, *options])
    sources = [str(tmp_path / name / "src") for name in ("box", "tea")]
    files = [*map(str, tmp_path.glob("*.py")), *sources]
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), *files],
        cwd=ROOT,
        env=os.environ | {"MYPYPATH": os.pathsep.join(sources)},
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_each_message_in_the_table_of_errors_is_one_of_the_code() -> None:
    table = PAGES["errors"].read_text("utf-8").partition("| error | message |")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    texts = {
        node.value
        for path in (ROOT / "packages" / "remote-store-core" / "src").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    known = [Fault(code, status=400, message="") for code in CODES]
    known += [Fault(str(status), status=status, message="") for status in STATUSES]
    for kind, message, _, _, retryable in rows:
        assert any(text.startswith(message) for text in texts), message
        for error in map(typed, known):
            if error.message.startswith(message):
                shown = (f"`{type(error).__name__}`", "yes" if error.retryable else "no")
                assert (kind, retryable) == shown, message
    assert len(rows) > 20


def test_the_table_of_error_classes_is_that_of_the_code() -> None:
    table = PAGES["errors"].read_text("utf-8").partition("| class | also a | `http_status` |")[2].partition("\n\n")[0]
    rows = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    said = {name: (also, int(status)) for name, also, status, _ in rows}
    assert said.keys() == {name for name, kind in vars(core).items() if getattr(kind, "http_status", None)}
    for name, (also, status) in said.items():
        kind = getattr(core, name)
        assert kind.http_status == status
        assert not also or issubclass(kind, getattr(core, also, None) or getattr(builtins, also))


def test_every_link_between_the_pages_leads_somewhere() -> None:
    every = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in every
        for link in LINK.findall(page.read_text("utf-8"))
        if not (page.parent / link).exists()
    ]
    assert broken == []
