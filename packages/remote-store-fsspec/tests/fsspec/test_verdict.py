"""The author of a filesystem gets a verdict with one command, and no code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).with_name("remote-store-conformance")


# All contents and hostile keys take minutes.
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    "url", ["fsspec+memory://", "fsspec+file://{folder}/a", "fsspec+dir://?path={folder}/b&target_protocol=file"]
)
def test_a_filesystem_gets_its_verdict_with_one_command(url: str, tmp_path: Path) -> None:
    command = [str(COMMAND), "run", url.format(folder=tmp_path), "--report", str(tmp_path / "reports")]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    # Only a harness can make a second storage, without which no sequence of calls is tried.
    assert result.returncode == 2, result.stdout + result.stderr
    assert "why       no rule of MODEL was tested" in result.stdout
    assert not any(word in result.stdout for word in ("FAIL ", " fail ", "not-run"))


@pytest.mark.smoke
def test_an_archive_is_judged_by_what_it_declares(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "zipfile", "-c", str(tmp_path / "files.zip"), __file__]
    subprocess.run(command, check=True)
    url = f"fsspec+zip://?fo={tmp_path}/files.zip"
    options = ["--allow-non-empty", "--rule", "PATH-005", "--tier", "smoke", "--report", str(tmp_path / "reports")]
    result = subprocess.run([str(COMMAND), "run", url, *options], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 2, result.stdout + result.stderr
    assert "the backend does not declare WRITE, DELETE" in result.stdout
