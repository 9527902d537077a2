"""Write the docstrings that a store shares with its backend into the store, or check that they are current.

Run it as `uv run tools/docstrings.py`, with `--check` to change nothing, and then `tools/unasync.py`. The text of a
method stands in `aio/backend.py` or `aio/optional.py`. Only its `Example:` stands in the store, because users call
stores. So does the argument `options`, which a backend of contract 0.1 does not have.
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
SOURCES = {CORE / "aio/backend.py": "AsyncBackend", CORE / "aio/optional.py": "AsyncOptional"}
TARGETS = {
    CORE / "async_store.py": "AsyncStore",
    CORE / "stores/async_bulk.py": "AsyncBulk",
    CORE / "stores/async_sharing.py": "AsyncSharing",
    CORE / "stores/async_swapping.py": "AsyncSwapping",
    CORE / "stores/async_uploads.py": "AsyncUploads",
    CORE / "stores/async_versions.py": "AsyncVersions",
}
OPTIONS = {
    "ReadOptions": "`if_match` and `version_id`; see `ReadOptions`.",
    "ConditionalReadOptions": "`if_match`, `if_none_match` and `version_id`; see `ConditionalReadOptions`.",
    "WriteOptions": "`if_match`, and what else to store with the file, such as `cache_control`; see `WriteOptions`.",
    "DeleteOptions": "`if_match` and `version_id`; see `DeleteOptions`.",
    "MoveOptions": "`if_match`, for `src`; see `MoveOptions`.",
    "CopyOptions": "`if_match` and `version_id`, for `src`; see `CopyOptions`.",
}
"""The text of the argument `options`, by the type of the options."""
OWN = {
    "close": "a store may leave its backend open",
    "delete_many": "a store takes its paths in batches, and refuses one path in place of many",
    "glob": "the pattern of a store begins at its root",
    "list_files": "a store takes a pattern, and its `max_depth` needs no `recursive`",
    "native_path": "a store takes a path, and may be asked for its root",
    "read": "a store returns a reader, which a backend need not do",
    "read_seekable": "the same, and a store can buffer",
    "resolve": "a store takes a path",
    "to_key": "a store has a root, which a path may be outside of",
}
"""The methods that mean something else in a store, with the reason."""
NOT_OF_A_STORE = {"resume_upload": "`upload` calls it with `resume=True`"}
"""The methods that a store does not have, with the reason."""
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


def option_types(code: str, name: str) -> dict[str, str]:
    """The type of the argument `options` of each method of a class that has one."""
    classes = (node for node in ast.parse(code).body if isinstance(node, ast.ClassDef) and node.name == name)
    methods = [node for node in next(classes).body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    found = {node.name: node.args.kwarg.annotation for node in methods if node.args.kwarg is not None}
    return {name: ast.unparse(kind.slice) for name, kind in found.items() if isinstance(kind, ast.Subscript)}


def with_options(text: str, kind: str | None) -> str:
    """A docstring whose arguments end with `options`, if the method has such an argument."""
    if kind is None or "\n    options: " in text:
        return text
    before, heading, after = text.partition("\nArgs:\n")
    arguments, gap, rest = after.partition("\n\n")
    return f"{before}{heading}{arguments}\n    options: {OPTIONS[kind]}{gap}{rest}"


def combined(texts: dict[str, str], target: str, name: str) -> str:
    """The code of a store, with the texts of the backend and the examples of its own."""
    lines = target.splitlines(keepends=True)
    kinds = option_types(target, name)
    for method, doc in reversed(list(docstrings(target, name))):
        own, heading, example = doc.text.partition(EXAMPLE)
        text = with_options(texts.get(method, own), kinds.get(method))
        lines[doc.first - 1 : doc.last] = [quoted(text + heading + example, doc.indent)]
    return "".join(lines)


def main() -> int:
    """Write or check the store. With `--check`, return 1 if it is stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail if a docstring is stale")
    options = parser.parse_args()
    texts: dict[str, str] = {}
    for source, name in SOURCES.items():
        found = docstrings(source.read_text("utf-8"), name)
        texts |= {method: doc.text for method, doc in found if method not in OWN}
    stale = False
    for target, name in TARGETS.items():
        old = target.read_text("utf-8")
        new = combined(texts, old, name)
        if old == new:
            continue
        stale = True
        if options.check:
            print(f"docstrings of {target.name} are stale, run tools/docstrings.py")
        else:
            target.write_text(new, "utf-8")
            print(f"wrote {target.name}")
    return int(stale and options.check)


if __name__ == "__main__":
    sys.exit(main())
