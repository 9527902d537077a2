"""Objects are what they look like: no class is swapped, no attribute is made up, no private part is used."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted(ROOT.glob("packages/*/src/**/*.py"))
ONE_PLACE = "home.py"
FOREIGN = {
    "threading",
    "concurrent",
    "asyncio",
    "http",
    "botocore",
    "boto3",
    "aiobotocore",
    "s3fs",
    "pyarrow",
    "urllib3",
}


def oddities(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr="__class__" | "__module__" as name, ctx=ast.Store()):
                yield node.lineno, f"sets {name}"
            case ast.ClassDef(body=body):
                yield from (
                    (item.lineno, f"{node.name} has __getattr__")
                    for item in body
                    if isinstance(item, ast.FunctionDef) and item.name in ("__getattr__", "__getattribute__")
                )
            case ast.Call(func=ast.Name(id="id")):
                yield node.lineno, "uses id()"
            case ast.Attribute(attr=name, value=ast.Name(id=module)) if module in FOREIGN and is_private(name):
                yield node.lineno, f"uses {module}.{name}"


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT / "packages").as_posix())
def test_objects_are_what_they_look_like(path: Path) -> None:
    found = list(oddities(ast.parse(path.read_text("utf-8"))))
    if path.name == ONE_PLACE:
        assert [what for _, what in found] == ["sets __module__"]
    else:
        assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "x.__class__ = Y",
        "for each in (A, B):\n    each.__module__ = 'm'",
        "class A:\n    def __getattr__(self, name): ...",
        "seen = {id(x): x}",
        "threading._shutdown()",
    ],
)
def test_each_oddity_is_found(code: str) -> None:
    assert len(list(oddities(ast.parse(code)))) == 1
