"""Every public method of the stores explains itself, and its example runs on a store in memory, sync and async."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import doctest
import inspect
import io
import os
import pydoc
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.core import AsyncBackend, AsyncStore, Backend, Store, open_async_store, open_store

KINDS = (Store, AsyncStore)
CHECKER = doctest.OutputChecker()
NO_RESULT = {"None", "Self", ""}


def members(kind: type) -> dict[str, Any]:
    """The public methods and properties that a class declares."""
    return {name: value for name, value in vars(kind).items() if not name.startswith("_")}


def function(member: Any) -> Any:
    return member.fget if isinstance(member, property) else getattr(member, "__func__", member)


def methods(kind: type) -> dict[str, Any]:
    """The public methods and properties of a store, with those of its parts."""
    found = {name: value for part in reversed(kind.__mro__[:-1]) for name, value in members(part).items()}
    return {name: value for name, value in found.items() if not getattr(value, "__isabstractmethod__", False)}


CASES = [(kind, name) for kind in KINDS for name in methods(kind)]
IDS = [f"{kind.__name__}.{name}" for kind, name in CASES]


class Session:
    """Runs examples like the interactive interpreter of asyncio, which knows `await` outside of functions."""

    def __init__(self, kind: type, loop: asyncio.Runner) -> None:
        self.names: dict[str, Any] = {kind.__name__: kind}
        self._loop = loop
        self.run(kind.__doc__ or "")

    def run(self, docstring: str) -> int:
        examples = doctest.DocTestParser().get_examples(inspect.cleandoc(docstring))
        for example in examples:
            code = compile(example.source, "<example>", "single", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            with contextlib.redirect_stdout(io.StringIO()) as shown:
                result = eval(code, self.names)
                if inspect.iscoroutine(result):
                    self._loop.run(result)
            assert CHECKER.check_output(example.want, shown.getvalue(), 0), (example.source, shown.getvalue())
        return len(examples)


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[asyncio.Runner]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    with asyncio.Runner() as made:
        yield made


@pytest.mark.parametrize("kind, name", CASES, ids=IDS)
def test_the_example_runs(kind: type, name: str, loop: asyncio.Runner) -> None:
    assert Session(kind, loop).run(methods(kind)[name].__doc__) >= 1


@pytest.mark.parametrize("kind, function", [(Store, open_store), (AsyncStore, open_async_store)])
def test_the_example_of_a_function_runs(kind: type, function: Any, loop: asyncio.Runner) -> None:
    assert Session(kind, loop).run(function.__doc__) >= 1


@pytest.mark.parametrize("kind, name", CASES, ids=IDS)
def test_a_docstring_says_all_that_a_caller_needs(kind: type, name: str) -> None:
    member = methods(kind)[name]
    signature = inspect.signature(function(member))
    text = inspect.cleandoc(member.__doc__)
    parameters = [word for word in signature.parameters if word not in ("self", "cls")]
    assert re.findall(r"^    (\w+): ", section(text, "Args"), re.MULTILINE) == parameters
    assert bool(section(text, "Returns")) == (signature.return_annotation not in NO_RESULT or name.startswith("from_"))
    assert re.search(r"^On S3: |Sends no request", text, re.MULTILINE)
    assert section(text, "Example").count("await ") == 0 or kind is AsyncStore
    order = [word for word in ("Args", "Returns", "Raises", "Example") if section(text, word)]
    assert re.findall(r"^(Args|Returns|Raises|Example):$", text, re.MULTILINE) == order
    if not isinstance(member, property) and name not in ("supports", "close"):
        assert section(text, "Raises")


def section(text: str, name: str) -> str:
    found = re.search(rf"^{name}:\n((?:    .*\n?|\n)+)", text, re.MULTILINE)
    return found[1] if found else ""


@pytest.mark.parametrize("kind", KINDS)
def test_help_reads_as_documentation(kind: type) -> None:
    text = pydoc.plain(pydoc.render_doc(kind))
    for name in methods(kind):
        assert re.search(rf"\b{name}\b", text)
    assert "On S3: 1 request" in text
    assert ">>> " in text


@pytest.mark.parametrize("store, backend", [(Store, Backend), (AsyncStore, AsyncBackend)])
def test_a_store_says_what_its_backend_says(store: type, backend: type) -> None:
    texts = {name: inspect.cleandoc(member.__doc__ or "") for name, member in members(backend).items()}
    told = {name: re.sub(r"\n    options: .*", "", inspect.getdoc(getattr(store, name)) or "") for name in texts}
    texts = {name: re.sub(r"\n    options: .*", "", text) for name, text in texts.items()}
    same = {name for name, text in texts.items() if told[name].startswith(f"{text}\n\nExample:")}
    assert {"exists", "write", "open_atomic", "delete_folder", "move", "copy"} <= same
    assert texts.keys() - same == {
        "close",
        "glob",
        "list_files",
        "native_path",
        "read",
        "read_seekable",
        "resolve",
        "to_key",
    }


COSTS: dict[str, Any] = {
    "exists": lambda store: store.exists("greeting.txt"),
    "is_file": lambda store: store.is_file("greeting.txt"),
    "is_folder": lambda store: store.is_folder("reports"),
    "read_bytes": lambda store: store.read_bytes("greeting.txt"),
    "read_range": lambda store: store.read_range("greeting.txt", 1, 3),
    "read_text": lambda store: store.read_text("greeting.txt"),
    "write": lambda store: store.write("new", b"x"),
    "delete": lambda store: store.delete("greeting.txt"),
    "delete_folder": lambda store: store.delete_folder("reports", recursive=True),
    "list_files": lambda store: store.list_files(recursive=True),
    "list_folders": lambda store: store.list_folders(),
    "iter_children": lambda store: store.iter_children(),
    "glob": lambda store: store.glob("**/*.csv"),
    "head": lambda store: store.head("greeting.txt"),
    "get_file_info": lambda store: store.get_file_info("greeting.txt"),
    "get_folder_info": lambda store: store.get_folder_info("reports"),
    "move": lambda store: store.move("greeting.txt", "moved"),
    "copy": lambda store: store.copy("greeting.txt", "copied"),
    "read_ranges": lambda store: store.read_ranges("greeting.txt", [(0, 1), (3, 1)]),
    "delete_many": lambda store: store.delete_many(["greeting.txt", "reports/november.csv"]),
    "download": lambda store: store.download("greeting.txt", "local"),
    "ping": lambda store: store.ping(),
    "check_health": lambda store: store.check_health(),
}


@pytest.mark.parametrize("name", COSTS)
def test_the_requests_are_as_many_as_the_docstring_says(
    open_lane: Any, s3: FakeS3, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    s3.put("greeting.txt", b"hello")
    s3.put("reports/november.csv", b"23,99")
    lane = open_lane()
    store: Any = AsyncStore(lane.backend) if lane.is_async else Store(lane.backend)
    lane.done(COSTS[name](store))
    said = re.search(r"^On S3: (\d+)(?: or (\d+))? requests?", inspect.getdoc(getattr(store, name)) or "", re.MULTILINE)
    assert said is not None
    assert str(len(s3.calls)) in said.groups()
