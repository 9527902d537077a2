from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from remote_store.conformance import ConfigurationError
from remote_store.conformance.cli import main
from remote_store.conformance.cli.new import write_project

each_kind = pytest.mark.parametrize("name, options", [("box", ()), ("my_ftp", ("--async",))], ids=["sync", "async"])


def test_what_it_writes_keeps_the_contract_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The guides run the quick tier of this project, and the asynchronous one."""
    assert main(["new", str(tmp_path / "mine"), "--name", "my_ftp"]) == 0
    monkeypatch.syspath_prepend(tmp_path / "mine" / "src")
    monkeypatch.chdir(tmp_path)
    assert main(["run", "my_ftp_store.harness:MyFtpHarness", "--tier", "smoke"]) == 0, capsys.readouterr().out
    assert "verdict   core (smoke tier, in memory)" in capsys.readouterr().out


@each_kind
def test_what_it_writes_is_formatted(name: str, options: tuple[str, ...], tmp_path: Path) -> None:
    main(["new", str(tmp_path / "mine"), "--name", name, *options])
    for command in (("check", "--extend-select=ARG,B,E,F,I,N,PL,RUF,SIM,UP", "--ignore=ARG002"), ("format", "--check")):
        result = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", str(tmp_path / "mine")],
            capture_output=True,
            text=True,
        )
        assert result.returncode == 0, result.stdout + result.stderr


def test_the_name_is_that_of_the_folder_by_default(tmp_path: Path) -> None:
    written = write_project(tmp_path / "my-box-store", "", is_async=False)
    assert tmp_path / "my-box-store" / "src" / "my_box_store" / "backend.py" in written
    project = (tmp_path / "my-box-store" / "pyproject.toml").read_text("utf-8")
    assert 'name = "my-box-store"' in project
    assert 'my-box = "my_box_store:MyBoxBackend"' in project
    assert "remote_store.backends" in project


@pytest.mark.parametrize("name", ["Box", "3d", "class", "a-b", "a b", "bök", "_box", "a/b"])
def test_a_name_that_is_no_name_of_a_package_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is not a Python name in lower case"):
        write_project(tmp_path / "mine", name, is_async=False)
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize("name", ["remote", "memory", "local", "file", "s3", "s3_boto3", "s3_pyarrow"])
def test_a_name_that_is_taken_is_refused(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder, options in ((tmp_path / "mine", ("--name", name)), (tmp_path / f"{name}-store", ())):
        assert main(["new", str(folder), *options]) == 3
        assert "is a name of remote-store or of an installed backend" in capsys.readouterr().err
    assert not [*tmp_path.iterdir()]


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    for folder in (tmp_path / "file" / "below", tmp_path / ("x" * 300)):
        assert main(["new", str(folder), "--name", "box"]) == 3
        assert f"configuration error: {folder} cannot be written: " in capsys.readouterr().err


def test_a_folder_that_is_not_empty_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "precious.txt").write_text("mine", "utf-8")
    assert main(["new", str(tmp_path), "--name", "box"]) == 3
    assert "is not empty: it contains 'precious.txt'" in capsys.readouterr().err
    assert main(["new", str(tmp_path / "precious.txt"), "--name", "box"]) == 3
    assert "precious.txt is a file" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["precious.txt"]
    (tmp_path / "precious.txt").unlink()
    assert main(["new", str(tmp_path), "--name", "box"]) == 0
