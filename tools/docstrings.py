"""Write the docstrings that a store shares with its backend into the store, or check that they are current.

Run it as `uv run tools/docstrings.py`, with `--check` to change nothing, and then `tools/unasync.py`. The text of a
method stands in `aio/backend.py`. Only its `Example:` stands in the store, because users call stores.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

CORE = Path(__file__).resolve().parent.parent / "packages/remote-store-core/src/remote_store/core"
SOURCE, SOURCE_CLASS = CORE / "aio/backend.py", "AsyncBackend"
TARGET, TARGET_CLASS = CORE / "async_store.py", "AsyncStore"
OWN = {
    "close": "a store may leave its backend open",
    "glob": "the pattern of a store begins at its root",
    "list_files": "a store takes a pattern, and its `max_depth` needs no `recursive`",
    "native_path": "a store takes a path, and may be asked for its root",
    "read": "a store returns a reader, which a backend need not do",
    "read_seekable": "the same, and a store can buffer",
    "resolve": "a store takes a path",
    "to_key": "a store has a root, which a path may be outside of",
}
"""The methods that mean something else in a store, with the reason."""
EXAMPLE = "\n\nExample:\n"


class Docstring(NamedTuple):
    """A docstring in a file.

    Attributes:
        text: Its text, without the indentation.
        first: The number of its first line, from 1.
        last: The number of its last line.
        indent: The number of spaces before it.
    """

    text: str
    first: int
    last: int
    indent: int


def docstrings(code: str, name: str) -> Iterator[tuple[str, Docstring]]:
    """The name and the docstring of each public method of a class."""
    classes = (node for node in ast.parse(code).body if isinstance(node, ast.ClassDef) and node.name == name)
    for node in next(classes).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            first = node.body[0]
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                text = inspect.cleandoc(first.value.value)
                yield node.name, Docstring(text, first.lineno, first.end_lineno or 0, first.col_offset)


def quoted(text: str, indent: int) -> str:
    """A docstring as it stands in a file, with the quotes where ruff wants them."""
    end = "\n" if "\n" in text else ""
    return textwrap.indent(f'"""{text}{end}"""\n', " " * indent)


def combined(source: str, target: str) -> str:
    """The code of the store, with the texts of the backend and the examples of its own."""
    texts = {name: doc.text for name, doc in docstrings(source, SOURCE_CLASS) if name not in OWN}
    lines = target.splitlines(keepends=True)
    for name, doc in reversed(list(docstrings(target, TARGET_CLASS))):
        if name in texts:
            _, heading, example = doc.text.partition(EXAMPLE)
            lines[doc.first - 1 : doc.last] = [quoted(texts[name] + heading + example, doc.indent)]
    return "".join(lines)


def main() -> int:
    """Write or check the store. With `--check`, return 1 if it is stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail if a docstring is stale")
    options = parser.parse_args()
    old = TARGET.read_text("utf-8")
    new = combined(SOURCE.read_text("utf-8"), old)
    if old == new:
        return 0
    if options.check:
        print(f"docstrings of {TARGET.name} are stale, run tools/docstrings.py")
        return 1
    TARGET.write_text(new, "utf-8")
    print(f"wrote {TARGET.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
