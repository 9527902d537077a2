"""No distribution touches a private name of somebody else, which any release may change."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from fsspec.asyn import AbstractFileSystem, AsyncFileSystem

import remote_store

ROOT = Path(__file__).resolve().parent.parent
SOURCES = {
    path.relative_to(ROOT).as_posix(): path
    for folder in ("packages/*/src", "conformance/src")
    for path in ROOT.glob(f"{folder}/**/*.py")
}
PRIVATE = re.compile(r"_(?!_)\w+")
OURS = {"self", "cls", "super()"}
SELF = re.compile(r"self\.(_(?!_)\w+)")
CORE = "packages/remote-store-core/src/remote_store/core"
CONFORMANCE = "conformance/src/remote_store/conformance"
REASONS = {
    f"{CORE}/secret.py": {"other._value": "another object of the same class"},
    f"{CORE}/aio/bridge.py": {"bridge._backend": "the object that the descriptor belongs to"},
    f"{CORE}/local/resolving.py": {"again._identities": "another object of the same class"},
    f"{CORE}/local/folder.py": {
        "target._at": "another object of the same class",
        "target._descriptor": "another object of the same class",
    },
    "packages/remote-store-fsspec/src/remote_store/fsspec/backend/backend.py": {
        "backend._opened": "another object of the same class"
    },
    "packages/remote-store-fsspec/src/remote_store/fsspec/files/reading.py": {
        f"other.{name}": "another object of the same class"
        for name in ("_details", "_fetch", "_file", "_open_stream", "_size")
    },
    "packages/remote-store-botocore/src/remote_store/botocore/watch.py": {"sys._current_frames": "documented"},
    f"{CONFORMANCE}/processes/exits.py": {"os._exit": "documented"},
    f"{CONFORMANCE}/processes/watchdog.py": {"os._exit": "documented", "sys._current_frames": "documented"},
    f"{CONFORMANCE}/suite/aio/lives/peers.py": {"file._replace": "documented, of named tuples"},
    f"{CONFORMANCE}/values/outcome.py": {"_pytest.outcomes": "for type checkers only"},
    f"{CONFORMANCE}/suite/lives/peers.py": {"file._replace": "documented, of named tuples"},
}
ELSEWHERE = ("remote_store.pyarrow.iceberg",)
"""Modules that import what only an environment of their own has: PyIceberg."""
FSSPEC_HOOKS = {"_get_kwargs_from_urls", "_open", "_strip_protocol"}
C_CODE = {
    f"{CORE}/local/unfinished.py": "`renameat2`, which Python does not have",
    "conformance/src/remote_store/conformance/checking/buffers.py": "arrays of ctypes as buffers; it calls no C code",
}


def private_names(tree: ast.Module) -> Iterator[str]:
    """The private attributes of anything but the object itself, also by their names as texts, and private imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and PRIVATE.fullmatch(node.attr):
            owner = ast.unparse(node.value)
            if owner not in OURS:
                yield f"{owner}.{node.attr}"
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("getattr", "setattr", "hasattr", "delattr"):
            name = node.args[1]
            if isinstance(name, ast.Constant) and PRIVATE.fullmatch(str(name.value)):
                yield f"{ast.unparse(node.args[0])}.{name.value!s}"
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            yield from (f"{module}.{alias.name}" for alias in node.names if PRIVATE.fullmatch(alias.name))
            yield from (module for part in module.split(".") if PRIVATE.fullmatch(part) and module != "_typeshed")
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if any(map(PRIVATE.fullmatch, alias.name.split("."))))


def test_what_counts() -> None:
    code = "self._a; cls._a; super()._a; x._a; x.__a__; self.x._a; getattr(x, '_b'); from x import _c; import x._d"
    assert sorted(private_names(ast.parse(code))) == ["self.x._a", "x._a", "x._b", "x._c", "x._d"]


def test_no_file_touches_a_private_name_of_another() -> None:
    found = {name: set(private_names(ast.parse(path.read_text("utf-8")))) for name, path in SOURCES.items()}
    assert {name: names for name, names in found.items() if names} == {
        name: set(names) for name, names in REASONS.items()
    }


def test_no_object_changes_its_class_and_c_code_is_called_once() -> None:
    with_c_code = set()
    for name, path in SOURCES.items():
        nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
        stored = {node.attr for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)}
        assert stored & {"__bases__", "__class__", "__code__", "__dict__"} == set(), name
        imported = {
            alias.name for node in nodes if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names
        }
        with_c_code |= {name} if imported & {"cffi", "ctypes"} else set()
    assert with_c_code == C_CODE.keys()


def is_async(method: object) -> bool:
    return inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method)


def hooks_of(kind: type) -> set[str]:
    """The private names of others that a class may use, because they are documented as methods for it to define.

    fsspec calls the method `info` of a blocking filesystem `_info` where it is async.
    """
    if not issubclass(kind, AbstractFileSystem):
        return set()
    return {name for name, method in vars(AsyncFileSystem).items() if is_async(method)} | FSSPEC_HOOKS


def subclasses() -> dict[type, set[str]]:
    """Our classes that derive from classes of others, each with the private names that those use."""
    found = {}
    for info in pkgutil.walk_packages(remote_store.__path__, "remote_store."):
        if info.name.startswith(ELSEWHERE):
            continue
        module = importlib.import_module(info.name)
        for kind in filter(inspect.isclass, vars(module).values()):
            others = [base for base in kind.__mro__ if not base.__module__.startswith("remote_store")]
            texts = [text for text in map(source_of, others) if text]
            if texts and others[0] is not kind and inspect.getsourcefile(kind) == module.__file__:
                found[kind] = set(SELF.findall("\n".join(texts)))
    return found


@cache
def source_of(kind: type) -> str:
    """The source of a class; empty if it is written in C."""
    try:
        return inspect.getsource(kind)
    except (OSError, TypeError):
        return ""


def test_a_subclass_of_another_class_uses_no_private_name_of_it() -> None:
    found = subclasses()
    assert {"CallingThread", "FinalResponse", "HttpSession", "SecurePool"} <= {kind.__name__ for kind in found}
    shared = {
        kind.__name__: (set(SELF.findall(source_of(kind))) & names) - hooks_of(kind) for kind, names in found.items()
    }
    assert {name: names for name, names in shared.items() if names} == {}
