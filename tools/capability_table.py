"""Write the table of what each backend can do into `docs/capabilities.md`, or check that it is current.

Run it as `uv run tools/capability_table.py`, with `--check` to change nothing. The capabilities are those that the
backends declare. The meanings are the docstrings of `Capability`.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from remote_store.boto3 import S3Boto3Backend
from remote_store.core import Backend, Capability, LocalBackend, MemoryBackend, capabilities
from remote_store.pyarrow import S3PyArrowBackend
from remote_store.s3fs import S3FsBackend

PAGE = Path(__file__).resolve().parent.parent / "docs" / "capabilities.md"
BEGIN, END = "<!-- Written by tools/capability_table.py; edit the docstrings. -->\n", "<!-- End of the table. -->\n"
LANES = (S3Boto3Backend, S3FsBackend, S3PyArrowBackend)
PLACES: Mapping[str, Mapping[str, Any]] = {
    "S3 on AWS": {"endpoint_url": "https://s3.eu-central-1.amazonaws.com"},
    "S3, trusted": {"endpoint_url": "http://127.0.0.1:9000", "conditional_writes": True},
    "S3, unknown": {"endpoint_url": "http://127.0.0.1:9000"},
}
"""The options of a lane for each kind of endpoint."""


def columns() -> dict[str, frozenset[Capability]]:
    """The capabilities of each kind of backend.

    Raises:
        ValueError: The lanes differ, so that the table would need a column for each.
    """
    found = {"memory": MemoryBackend().capabilities, "local": LocalBackend.capabilities}
    for name, options in PLACES.items():
        sets = {declared(lane("bucket", region_name="eu-central-1", **options)) for lane in LANES}
        if len(sets) > 1:
            raise ValueError(f"the lanes declare different capabilities for {name}")
        found[name] = sets.pop()
    return found


def declared(backend: Backend) -> frozenset[Capability]:
    """The capabilities of a backend, which is then closed."""
    with backend:
        return backend.capabilities


def meanings() -> dict[str, str]:
    """The docstring of each capability by its name."""
    (kind,) = [node for node in ast.parse(inspect.getsource(capabilities)).body if isinstance(node, ast.ClassDef)]
    found: dict[str, str] = {}
    for member, text in zip(kind.body, kind.body[1:], strict=False):
        if isinstance(member, ast.Assign) and isinstance(text, ast.Expr):
            (target,) = member.targets
            found[ast.unparse(target)] = ast.literal_eval(text.value)
    return found


def table() -> str:
    """The table, one row for each capability."""
    found, texts = columns(), meanings()
    lines = [f"| capability | {' | '.join(found)} | meaning |", "|---" * (len(found) + 2) + "|"]
    for each in Capability:
        cells = ["yes" if each in kept else "" for kept in found.values()]
        lines.append(f"| `{each.name}` | {' | '.join(cells)} | {texts[each.name]} |")
    return "\n".join(lines) + "\n"


def page(old: str) -> str:
    """The page with a current table."""
    before, _, rest = old.partition(BEGIN)
    return f"{before}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}"


def main() -> int:
    """Write or check the table. With `--check`, print the difference and return 1 if it is stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail where the table is stale")
    options = parser.parse_args()
    old = PAGE.read_text("utf-8")
    new = page(old)
    if old == new:
        return 0
    if not options.check:
        PAGE.write_text(new, "utf-8")
        return 0
    print("docs/capabilities.md is stale, run tools/capability_table.py", flush=True)
    sys.stdout.writelines(difflib.unified_diff(old.splitlines(True), new.splitlines(True), PAGE.name, "anew"))
    return 1


if __name__ == "__main__":
    sys.exit(main())
