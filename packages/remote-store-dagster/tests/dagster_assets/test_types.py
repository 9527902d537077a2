"""The types of the package, checked where Dagster is installed."""

from __future__ import annotations

import subprocess
import sys

import pytest

# The settings of the workspace, which leaves this package out.
SETTINGS = """
[mypy]
strict = true
namespace_packages = true
explicit_package_bases = true
enable_error_code = ignore-without-code, possibly-undefined, truthy-bool
[mypy-pyarrow.*]
ignore_missing_imports = true
"""

USER = """
from typing import Any, BinaryIO

from dagster import Definitions, EnvVar

from remote_store.core import MemoryBackend, Reader, Store
from remote_store.dagster import JsonSerializer, ParquetSerializer, Serializer, StoreIOManager, StoreResource


class Lines(Serializer):
    extension = ".txt"

    def dump(self, value: Any, file: BinaryIO) -> None:
        file.writelines(value)

    def load(self, file: Reader, kind: Any) -> list[bytes]:
        return list(file)


lake = StoreResource(url="memory://", options={"key": EnvVar("KEY")})
managers = [
    StoreIOManager(store=lake),
    StoreIOManager(store=Store(MemoryBackend()), serializer=JsonSerializer(indent=2), root_path="a"),
    StoreIOManager(store=lake, serializer=ParquetSerializer(compression="snappy")),
    StoreIOManager(store=lake, serializer=Lines()),
]
Definitions(resources={"lake": lake, "io_manager": managers[0]})
store: Store = managers[0].store
"""


@pytest.mark.timeout(900)
def test_the_package_and_the_code_of_a_user_have_no_type_error(tmp_path) -> None:
    settings = tmp_path / "mypy.ini"
    settings.write_text(SETTINGS)
    (tmp_path / "user.py").write_text(USER)
    command = [sys.executable, "-m", "mypy", "--config-file", str(settings), "--cache-dir", str(tmp_path / "cache")]
    ended = subprocess.run(
        [*command, "-p", "remote_store.dagster", "-m", "user"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=800,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
