from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

import lane_alone

METADATA = """Metadata-Version: 2.4
Name: remote-store-boto3
Requires-Dist: boto3>=1.40.61
Requires-Dist: remote-store-core~=0.1.0
Requires-Dist: h11>=0.14; extra == 'endpoint'

Requires-Dist: not-a-header
"""
PORTION = {"remote_store/boto3/__init__.py": "", "remote_store/boto3/py.typed": ""}


def wheel(folder: Path, files: dict[str, str]) -> Path:
    path = folder / "remote_store_boto3-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in (files | {"remote_store_boto3-0.1.0.dist-info/METADATA": METADATA}).items():
            archive.writestr(name, text)
    return path


def test_requirements_are_those_of_the_sdk(tmp_path: Path) -> None:
    assert lane_alone.requirements(wheel(tmp_path, PORTION)) == ["boto3>=1.40.61"]


def test_a_wheel_of_one_portion_is_accepted(tmp_path: Path) -> None:
    lane_alone.check_wheel(wheel(tmp_path, {"remote_store/": "", **PORTION}))


@pytest.mark.parametrize("name", ["remote_store/__init__.py", "remote_store/py.typed", "remote_store/boto3x/a.py"])
def test_a_wheel_that_reaches_out_of_its_portion_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(lane_alone.Broken, match=name):
        lane_alone.check_wheel(wheel(tmp_path, PORTION | {name: ""}))


@pytest.mark.parametrize("name", PORTION)
def test_a_wheel_without_types_or_module_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(lane_alone.Broken, match="lacks"):
        lane_alone.check_wheel(wheel(tmp_path, {other: "" for other in PORTION if other != name}))


@pytest.mark.parametrize("extra", ["aiobotocore", "s3fs", "aiohttp", "fsspec", "pyarrow"])
def test_the_boto3_lane_must_not_bring_another_sdk(extra: str) -> None:
    installed = {"remote-store-core": "0.1.0", "remote-store-boto3": "0.1.0", "boto3": "1.44.5", "botocore": "1.44.5"}
    lane_alone.check_closure("boto3", installed)
    with pytest.raises(lane_alone.Broken, match=extra):
        lane_alone.check_closure("boto3", installed | {extra: "1"})


def test_core_stands_alone() -> None:
    lane_alone.check_closure("core", {"remote-store-core": "0.1.0"})
    with pytest.raises(lane_alone.Broken, match="six"):
        lane_alone.check_closure("core", {"remote-store-core": "0.1.0", "six": "1.17.0"})


def test_lower_bounds_must_be_what_was_installed() -> None:
    lane_alone.check_lowest(["boto3>=1.40.61,<2"], {"boto3": "1.40.61"})
    with pytest.raises(lane_alone.Broken, match="1.44.5"):
        lane_alone.check_lowest(["boto3 >=1.40.61"], {"boto3": "1.44.5"})


def test_a_program_that_fails_says_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(lane_alone.Broken, match="no-such-file"):
        lane_alone.run("cat", "no-such-file", cwd=tmp_path)


def test_a_program_does_not_inherit_the_environment_of_the_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "inherited")
    monkeypatch.setenv("VIRTUAL_ENV", "inherited")
    assert "inherited" not in lane_alone.run("env", cwd=tmp_path)
