from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from remote_store.conformance import ConfigurationError
from remote_store.conformance.cli.target import harness_of
from remote_store.conformance.harness import AsyncFactoryHarness, FactoryHarness

SOURCE = """
import threading
from remote_store.conformance import Harness, ThreadedHarness
from remote_store.core import Backend, MemoryBackend, ThreadedBackend

class Own(MemoryBackend): pass
class Named(MemoryBackend):
    def __init__(self, bucket): super().__init__()
class Half(Backend):
    name = "half"
class MyHarness(Harness):
    def make(self, **options): return Own()
class Space:
    Own = Own

harness = MyHarness()
def make(): return Own()
def make_async(): return ThreadedBackend(Own())
def make_harness(): return ThreadedHarness(MyHarness())
async def coroutine(): return Own()
def fails(): raise OSError("no server")
def hangs(): threading.Event().wait()
def text(): return "text"
number = 42
"""


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "some_backend.py").write_text(SOURCE, "utf-8")
    (tmp_path / "needs_more.py").write_text("import no_such_sdk\n", "utf-8")
    (tmp_path / "breaks.py").write_text("1 / 0\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("some_backend", "needs_more", "breaks"):
        monkeypatch.delitem(sys.modules, name, raising=False)


DEVIATIONS = """
[[deviation]]
rule = "READ-013"
reason = "known"
expires = 2099-12-31
"""
DECLARING = """
from pathlib import Path
from remote_store.core import MemoryBackend

class Declaring(MemoryBackend):
    deviations_file = Path(__file__).with_name("known.toml")
"""


def test_a_backend_names_its_own_deviations(tmp_path: Path) -> None:
    (tmp_path / "declaring.py").write_text(DECLARING, "utf-8")
    with pytest.raises(ConfigurationError, match=r"known\.toml"):
        harness_of("declaring:Declaring")
    (tmp_path / "known.toml").write_text(DEVIATIONS, "utf-8")
    (deviation,) = harness_of("declaring:Declaring").deviations["READ-013"]
    assert (deviation.reason, deviation.place) == ("known", "known.toml, deviation 1")
    assert harness_of("some_backend:make").deviations == {}


@pytest.mark.parametrize(
    "name, kind",
    [
        ("Own", "FactoryHarness"),
        ("Space.Own", "FactoryHarness"),
        ("make", "FactoryHarness"),
        ("make_async", "AsyncFactoryHarness"),
        ("MyHarness", "MyHarness"),
        ("harness", "MyHarness"),
        ("make_harness", "ThreadedHarness"),
    ],
)
def test_whatever_makes_a_backend_or_a_harness_is_a_target(name: str, kind: str) -> None:
    harness = harness_of(f"some_backend:{name}")
    assert type(harness).__name__ == kind
    backend = harness.make()
    assert "Own" in repr(backend)
    assert isinstance(harness, FactoryHarness | AsyncFactoryHarness) is not harness.stated


@pytest.mark.parametrize(
    "name, text",
    [
        ("box://x", "no installed backend has the type 'box'; installed: .*local, memory, .*s3"),
        ("some_backend", "does not name a backend: write it as package.module:name"),
        ("some_backend:", "does not name a backend"),
        (":make", "does not name a backend"),
        ("no_such_module:make", "there is no module 'no_such_module': install it, or run the command in the folder"),
        ("no.such.module:make", "there is no module 'no'"),
        ("needs_more:make", "needs_more cannot be imported: No module named 'no_such_sdk'"),
        (
            "breaks:make",
            r"breaks cannot be imported: ZeroDivisionError: division by zero in <module> \(.*breaks.py, line 1\)",
        ),
        ("some_backend:missing", "has no attribute 'missing'"),
        ("some_backend:number", "some_backend:number is 42; it must be a backend class"),
        ("some_backend:text", r"some_backend:text returned 'text'; it must return a Backend"),
        ("some_backend:coroutine", "is a coroutine"),
        (
            "some_backend:fails",
            r"some_backend:fails\(\) raised OSError: no server in fails \(.*some_backend.py, line \d+\)",
        ),
        ("some_backend:Named", "if it needs arguments, write a function without arguments"),
        ("some_backend:Half", "some_backend:Half is abstract; implement .*check_health, close, .* first"),
    ],
)
def test_what_is_no_target_is_explained(name: str, text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        harness_of(name)


def test_a_target_that_hangs_is_explained() -> None:
    with pytest.raises(
        ConfigurationError, match=r"hangs\(\) hangs: it did not return within 0\.05 seconds; it is in hangs"
    ):
        harness_of("some_backend:hangs", 0.05)
    assert threading.active_count() >= 2
