"""How large modules and adapters may become; comments, docstrings and empty lines do not count."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MOST_OF_A_MODULE = 400
MOST_OF_AN_ADAPTER = 250
MOST_OF_A_TRANSPORT = 160
MOST_OF_A_GUIDED_LANE = 150
LAYOUT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def code_lines(source: str) -> int:
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in LAYOUT:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            lines.difference_update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return len(lines)


def modules(pattern: str) -> dict[str, int]:
    listed = subprocess.run(["git", "ls-files", pattern], cwd=ROOT, capture_output=True, text=True, check=True)
    return {name: code_lines((ROOT / name).read_text("utf-8")) for name in listed.stdout.split()}


def test_what_counts() -> None:
    assert (
        code_lines('"""Text.\n\nMore."""\n\n# why\nA = """x\n\ny"""  # because\n\n\ndef f():\n    """Text."""\n') == 4
    )


def test_no_module_is_large() -> None:
    assert {name: count for name, count in modules("*.py").items() if count > MOST_OF_A_MODULE} == {}


@pytest.mark.parametrize("lane", ["boto3", "pyarrow", "s3fs"])
def test_an_adapter_is_thin(lane: str) -> None:
    adapter = modules(f":(glob)packages/*/src/remote_store/{lane}/*.py")
    # What sends HTTP below the SDK, where the SDK lets it be chosen, is no adapter of it.
    transport = adapter.pop(f"packages/remote-store-{lane}/src/remote_store/{lane}/http.py", 0)
    assert transport < MOST_OF_A_TRANSPORT
    assert 0 < sum(adapter.values()) < MOST_OF_AN_ADAPTER


def test_the_guide_builds_a_short_lane() -> None:
    guide = (ROOT / "docs/writing-a-lane.md").read_text("utf-8")
    blocks = re.findall(r"^```python[^\n]*\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)
    assert 100 < sum(map(code_lines, blocks)) < MOST_OF_A_GUIDED_LANE
