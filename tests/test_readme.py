"""README's example does the same in memory, on disk and on S3."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from remote_store.conformance.s3 import MOTO, S3Harness
from remote_store.core import Backend, LocalBackend, MemoryBackend, Store

README = (Path(__file__).resolve().parent.parent / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
Make = Callable[[], Backend]


@pytest.fixture(params=["memory", "local", "boto3", "s3fs", "pyarrow"])
def make(request: pytest.FixtureRequest, tmp_path: Path, lanes: dict[str, tuple[Make, object]]) -> Iterator[Make]:
    """Makes backends that all have the same files."""
    if request.param == "memory":
        yield lambda: MemoryBackend("readme")
        MemoryBackend.reset()
    elif request.param == "local":
        yield lambda: LocalBackend(tmp_path / "new", create=True)
    else:
        harness = S3Harness(lanes[request.param][0], MOTO).isolated()
        assert harness is not None
        yield harness.make


def test_the_example_does_the_same_everywhere(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = [code for code in BLOCKS if "with Store(MemoryBackend()" in code]
    exec(example, {})
    expected = capsys.readouterr().out
    names: dict[str, Any] = {"make": make}
    exec(example.replace("MemoryBackend()", "make()"), names)
    assert capsys.readouterr().out == expected
    assert "2026/november.csv is safe" in expected
    with Store(make(), "reports") as store:
        info = store.head("2026/november.csv")
        assert (info.size, info.metadata, info.etag) == (14, {"author": "ada"}, names["written"].etag)
        assert names["written"].metadata == {"author": "ada"}
        assert store.read_bytes("2026/november.csv") == b"day,sum\n23,99\n"
