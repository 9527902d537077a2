from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import unasync


@pytest.mark.parametrize(
    "source, twin",
    [
        ("async def f(): await g()\n", "def f(): g()\n"),
        ("x = [await y async for y in z]\n", "x = [y for y in z]\n"),
        ("async with a as b, c: pass\n", "with a as b, c: pass\n"),
        ("return await (\n    first()\n)\n", "return (\n    first()\n)\n"),
        ("class AsyncS3Backend(AsyncBackend): ...\n", "class S3Backend(Backend): ...\n"),
        ("x: AbstractAsyncContextManager[AsyncBinaryIO]\n", "x: AbstractContextManager[BinaryIO]\n"),
        ("AsyncIterator, AsyncIterable, AsyncExitStack\n", "Iterator, Iterable, ExitStack\n"),
        ("except StopAsyncIteration: pass\n", "except StopIteration: pass\n"),
        ("@asynccontextmanager\n", "@contextmanager\n"),
        ("await stack.enter_async_context(aclosing(rows))\n", "stack.enter_context(closing(rows))\n"),
        ("def __aiter__(self): return anext(self.rows)\n", "def __iter__(self): return next(self.rows)\n"),
        ("async def __aexit__(self): await self.aclose()\n", "def __exit__(self): self.close()\n"),
        ("async_runner, _async_runner, run_async\n", "runner, _runner, run\n"),
        ("test_async_read, TestAsyncRead\n", "test_read, TestRead\n"),
        ("asynchronous, asyncio, awaited\n", "asynchronous, asyncio, awaited\n"),
        ("from remote_store.core.async_store import AsyncStore\n", "from remote_store.core.store import Store\n"),
        (
            "from remote_store.core.s3.aio_backend import AsyncS3Backend\n",
            "from remote_store.core.s3.backend import S3Backend\n",
        ),
        ("from remote_store.conformance.suite.aio import read\n", "from remote_store.conformance.suite import read\n"),
        (
            "from remote_store.core import (\n    AsyncBinaryIO,\n    AsyncStore,\n)\n",
            "from typing import BinaryIO\nfrom remote_store.core import Store\n",
        ),
        ("from remote_store.core import AsyncBinaryIO\n", "from typing import BinaryIO\n"),
        ('"an AsyncStore: `await store.read(path)`"\n', '"an Store: `store.read(path)`"\n'),
        ('"you await the answer of an async twin"\n', '"you await the answer of an async twin"\n'),
        ('f"{self.async_name} AsyncStore {{x}} {y!r}"\n', 'f"{self.name} Store {{x}} {y!r}"\n'),
        ("x = 1  # `async with AsyncStore`\n", "x = 1  # `with Store`\n"),
        ("é = 'ü'; await f('ö', AsyncStore)\n", "é = 'ü'; f('ö', Store)\n"),
    ],
)
def test_a_line_becomes_its_twin(source: str, twin: str) -> None:
    assert unasync.unasync(source) == twin


def test_a_form_feed_or_line_separator_in_a_string_moves_nothing() -> None:
    assert unasync.unasync('x = "\x0b\x1c\u2028"\nawait f()\n') == 'x = "\x0b\x1c\u2028"\nf()\n'


def test_async_generator_is_refused_because_its_arguments_differ() -> None:
    with pytest.raises(ValueError, match="AsyncIterator"):
        unasync.unasync("x: AsyncGenerator[int, None]\n")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree of one source, and the tool pointed at it."""
    (tmp_path / "aio").mkdir()
    (tmp_path / "aio/one.py").write_text("async def f( ):\n    await g()\n", "utf-8")
    (tmp_path / "suite").mkdir()
    (tmp_path / "suite/two.py").write_text("import os\nasync def h(): return await k()\n", "utf-8")
    monkeypatch.setattr(unasync, "ROOT", tmp_path)
    monkeypatch.setattr(unasync, "FILES", {"aio/one.py": "one.py"})
    monkeypatch.setattr(unasync, "FOLDERS", {"suite": "twins"})
    (tmp_path / "twins").mkdir()
    monkeypatch.setattr(sys, "argv", ["unasync.py"])
    return tmp_path


def test_twins_name_their_source_and_are_formatted(project: Path) -> None:
    assert unasync.main() == 0
    header = "# Generated from {} by tools/unasync.py; edit that.\n"
    assert (project / "one.py").read_text("utf-8") == header.format("aio/one.py") + "def f():\n    g()\n"
    two = (project / "twins/two.py").read_text("utf-8")
    assert two == header.format("suite/two.py") + "def h():\n    return k()\n"


def test_check_fails_on_a_stale_twin_shows_the_difference_and_writes_nothing(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unasync.main()
    monkeypatch.setattr(sys, "argv", ["unasync.py", "--check"])
    assert unasync.main() == 0
    edited = (project / "one.py").read_text("utf-8").replace("g()", "edited()")
    (project / "one.py").write_text(edited, "utf-8")
    capsys.readouterr()
    assert unasync.main() == 1
    shown = capsys.readouterr().out
    assert "-    edited()" in shown
    assert "+    g()" in shown
    assert (project / "one.py").read_text("utf-8") == edited


def test_a_generated_file_without_source_is_stale(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    unasync.main()
    (project / "suite/two.py").rename(project / "suite/three.py")
    assert unasync.main() == 1
    assert "twins/two.py: its source is gone" in capsys.readouterr().out


def test_a_generated_folder_without_sources_is_stale(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "suite/deep").mkdir()
    (project / "suite/two.py").rename(project / "suite/deep/two.py")
    (project / "suite/three.py").write_text("VALUE = 3\n", "utf-8")
    (project / "twins/deep").mkdir()
    assert unasync.main() == 0
    (project / "suite/deep/two.py").unlink()
    (project / "suite/deep").rmdir()
    assert unasync.main() == 1
    assert "twins/deep/two.py: its source is gone" in capsys.readouterr().out


def test_a_missing_source_is_an_error(project: Path) -> None:
    (project / "aio/one.py").unlink()
    with pytest.raises(FileNotFoundError, match="one.py"):
        unasync.main()


def test_a_folder_without_sources_is_an_error(project: Path) -> None:
    (project / "suite/two.py").unlink()
    with pytest.raises(FileNotFoundError, match="suite"):
        unasync.main()


def test_the_tool_runs_as_a_program() -> None:
    tool = Path(unasync.__file__)
    result = subprocess.run([sys.executable, "-P", tool, "--help"], capture_output=True, text=True, check=True)
    assert "--check" in result.stdout
