from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# The Dagster integration is installed only in the environment that has Dagster.
PORTIONS = sorted(
    path for path in ROOT.glob("**/src/remote_store/*/") if ".venv" not in path.parts and path.name != "dagster"
)
NAMES = [path.name for path in PORTIONS if path.name != "__pycache__"]
SDKS = {"aiobotocore", "aiohttp", "boto3", "botocore", "fsspec", "obstore", "pyarrow", "s3fs", "s3transfer"}


def isolated(code: str, *arguments: str) -> str:
    """What the code prints in an interpreter that takes nothing from the folder or the environment it starts in."""
    command = [sys.executable, "-P", "-I", "-c", code, *arguments]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_portions_are_found() -> None:
    assert {"core", "boto3", "conformance"} <= set(NAMES)


def test_nothing_but_portions_stands_in_the_namespace() -> None:
    found = [path for path in ROOT.glob("**/src/remote_store/*") if ".venv" not in path.parts and path.is_file()]
    assert found == []


def test_the_namespace_is_none_of_ours() -> None:
    namespace = importlib.import_module("remote_store")
    assert namespace.__file__ is None
    assert {path.parent for path in PORTIONS} <= {Path(entry) for entry in namespace.__path__}


@pytest.mark.parametrize("name", NAMES)
def test_every_portion_is_typed(name: str) -> None:
    package = importlib.import_module(f"remote_store.{name}")
    assert package.__file__ is not None
    assert Path(package.__file__).with_name("py.typed").read_bytes() == b""


@pytest.mark.parametrize("name", ["boto3", "botocore", "obstore"])
def test_an_sdk_comes_from_its_own_distribution(name: str) -> None:
    found = Path(isolated("import importlib, sys; print(importlib.import_module(sys.argv[1]).__file__)", name).strip())
    assert found.parent.name == name
    assert found.parent.parent.name == "site-packages"


@pytest.mark.parametrize("name", ["core", "conformance"])
def test_importing_a_portion_without_sdk_imports_none(name: str) -> None:
    code = "import importlib, sys; importlib.import_module(sys.argv[1]); print(*sorted(sys.modules))"
    loaded = {module.partition(".")[0] for module in isolated(code, f"remote_store.{name}").split()}
    assert loaded & SDKS == set()


def test_every_module_of_core_imports_without_an_sdk() -> None:
    code = (
        "import importlib, pkgutil, sys, remote_store.core as core\n"
        "for module in pkgutil.walk_packages(core.__path__, 'remote_store.core.'):\n"
        "    importlib.import_module(module.name)\n"
        "print(*sorted(sys.modules))"
    )
    loaded = isolated(code).split()
    assert "remote_store.core.s3.protocol.calls" in loaded
    assert {module.partition(".")[0] for module in loaded} & SDKS == set()


# What the lanes of botocore share is not for applications, so its names need no home that a user would know.
@pytest.mark.parametrize("name", [name for name in NAMES if name != "botocore"])
def test_a_public_name_has_one_home_and_says_so(name: str) -> None:
    package = importlib.import_module(f"remote_store.{name}")
    assert len(package.__all__) == len(set(package.__all__))
    public = {word: getattr(package, word) for word in package.__all__}
    ours = {word: value for word, value in public.items() if inspect.isclass(value) or inspect.isfunction(value)}
    homes = {word: value.__module__ for word, value in ours.items()}
    assert homes == dict.fromkeys(ours, f"remote_store.{name}")


@pytest.mark.parametrize("name", NAMES)
def test_a_portion_has_the_version_of_its_distribution(name: str) -> None:
    package = importlib.import_module(f"remote_store.{name}")
    assert package.__version__ == version(f"remote-store-{name}")


def test_the_namespace_has_no_names() -> None:
    with pytest.raises(ImportError):
        from remote_store import Store  # type: ignore[attr-defined]  # noqa: F401
    assert "from remote_store import Store" in (ROOT / "docs/compatibility.md").read_text("utf-8")
