"""What the other process tells of a backend, and what is left of it here."""

from __future__ import annotations

import io
import os
import pickle
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from remote_store.conformance import NotImportable
from remote_store.conformance.checking.fork import forked
from remote_store.conformance.processes.elsewhere import respond
from remote_store.core import MemoryBackend


class Unfinished(MemoryBackend):
    """Forgets to set in its copy what the copy needs."""

    def __reduce__(self) -> tuple[Callable[[], object], tuple[()]]:
        return unfinished, ()


def unfinished() -> MemoryBackend:
    backend = Unfinished.__new__(Unfinished)
    backend.no_such_attribute  # type: ignore[attr-defined]  # noqa: B018 - it is the bug
    return backend


def responded(backend: object, forget: Callable[[], object] = lambda: None) -> object:
    """What the other interpreter sends about a backend that it unpickles."""
    request = pickle.dumps(pickle.dumps((backend, "folder", (), "target", b"content")))
    forget()
    channel = io.BytesIO()
    respond(io.BytesIO(request), channel)
    return pickle.loads(channel.getvalue())


def test_a_bug_in_the_code_that_unpickles_a_backend_is_no_class_that_cannot_be_imported() -> None:
    assert isinstance(responded(Unfinished()), AttributeError)


@pytest.mark.parametrize("whole", [True, False], ids=["module", "class"])
def test_a_class_that_the_other_interpreter_lacks_cannot_be_imported(
    whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("here_only")
    module.Mine = type("Mine", (), {"__module__": "here_only"})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "here_only", module)

    def forget() -> None:
        if whole:
            monkeypatch.delitem(sys.modules, "here_only")
        else:
            del module.Mine

    assert isinstance(responded(module.Mine(), forget), NotImportable)


def test_a_child_that_is_killed_leaves_no_zombie(tmp_path: Path) -> None:
    def hang(pause: Callable[[], None]) -> None:
        (tmp_path / "pid").write_text(str(os.getpid()))
        pause()
        time.sleep(60)

    def leave() -> None:
        with forked(hang) as child:
            child.paused()
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        leave()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
