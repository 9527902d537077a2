"""Runs the code of a page of the documentation from top to bottom, as a reader would.

The tests of the guides use it, and so do the environments of `tools/integrations.py`, whose folder of tests gets a
copy. It needs `remote-store-conformance[endpoint,servers]`.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from remote_store.conformance.endpoint import Endpoint

PARTS = re.compile(
    r'^```(?P<kind>\w+)(?: title="(?P<file>[^"]+)")?\n(?P<text>.*?)^```$'
    r"|^(?P<head>\|[^\n]*\| requests \|[^\n]*)\n\|[-:| ]+\|\n(?P<rows>(?:\|[^\n]*\|\n)+)",
    re.MULTILINE | re.DOTALL,
)


def matches(printed: str, expected: str) -> bool:
    """Whether an output is what the guide shows: `...` stands for the rest of a line, alone for any number of lines."""
    lines = [
        r"(?:.*\n)*?" if line == "..." else ".*".join(map(re.escape, line.split("..."))) + r"\n"
        for line in expected.splitlines()
    ]
    return not expected or re.fullmatch("".join(lines), printed) is not None


@dataclass(frozen=True)
class Part:
    """A part of a page that is run: a fenced block, or a row of a table with a column `requests`."""

    kind: str
    text: str
    line: int
    file: str = ""
    requests: int | None = None


def parts_of(page: Path) -> Iterator[Part]:
    """What is run of a page, in order. Of a table it is the first cell that is code."""
    text = page.read_text("utf-8")
    for found in PARTS.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        if found["kind"]:
            yield Part(found["kind"], found["text"], line + 1, found["file"] or "")
            continue
        column = [cell.strip() for cell in found["head"].strip("|").split("|")].index("requests")
        for number, row in enumerate(found["rows"].splitlines(), line + 2):
            cells = [cell.strip() for cell in row.strip("|").split("|")]
            code = next(cell for cell in cells if re.fullmatch("`[^`]+`", cell))
            yield Part("row", code.strip("`"), number, requests=int(cells[column]))


class Reader:
    """Does what a page says, as a reader would.

    Args:
        page: The page.
        endpoint: The endpoint in front of the S3 server.
        monkeypatch: Sets the environment that a `dotenv` block shows.
    """

    def __init__(self, page: Path, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
        self.page, self.endpoint, self.monkeypatch = page, endpoint, monkeypatch
        self.names: dict[str, object] = {"__name__": page.stem}
        self.printed: str | None = None

    def follow(self, part: Part) -> None:
        if part.kind == "text":
            assert self.printed is not None, f"line {part.line} of {self.page.name} shows what nothing printed"
            assert matches(self.printed, part.text), (
                f"{self.page.name}, line {part.line}: the code prints\n{self.printed}--- the page shows\n{part.text}"
            )
            self.printed = None
            return
        self.nothing_hidden(part.line)
        if part.kind == "dotenv":
            for name, _, value in (line.partition("=") for line in part.text.splitlines()):
                self.monkeypatch.setenv(name, value)
        elif part.file:
            Path(part.file).write_text(part.text, "utf-8")
        if part.kind in ("python", "row"):
            with self.endpoint.recording() as requests:
                printed = self.run(part)
            self.printed = printed or None
            if part.requests is not None:
                sent = [request.operation for request in requests]
                assert len(sent) == part.requests, f"{self.page.name}, line {part.line}: {part.text} sends {sent}"

    def run(self, part: Part) -> str:
        """What the code prints. Its lines are numbered as in the page, which tracebacks then show."""
        code = compile("\n" * (part.line - 1) + part.text, str(self.page), "exec")
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(code, self.names)  # noqa: S102 - the code of our own pages
        return printed.getvalue()

    def nothing_hidden(self, line: int) -> None:
        assert self.printed is None, (
            f"{self.page.name} does not show what the code before line {line} prints:\n{self.printed}"
        )


def prepare(endpoint: Endpoint, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go to an empty folder, and set an environment that leads every lane to an empty bucket `my-bucket` on moto.

    Args:
        endpoint: The endpoint in front of moto, which runs in this process.
        folder: The folder.
        monkeypatch: Undoes both after the test.
    """
    from moto.core.models import DEFAULT_ACCOUNT_ID
    from moto.s3.models import s3_backends

    monkeypatch.chdir(folder)
    for name in [name for name in os.environ if name.startswith(("AWS_", "REMOTE_STORE_"))]:
        monkeypatch.delenv(name)
    for name, value in {
        "AWS_ENDPOINT_URL_S3": endpoint.url,
        "AWS_ACCESS_KEY_ID": "guide",
        "AWS_SECRET_ACCESS_KEY": "guide-secret",
        "AWS_CONFIG_FILE": str(folder / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"),
    }.items():
        monkeypatch.setenv(name, value)
    s3_backends[DEFAULT_ACCOUNT_ID]["aws"].reset()
    s3_backends[DEFAULT_ACCOUNT_ID]["aws"].create_bucket("my-bucket", "us-east-1")


def follow(page: Path, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a page.

    Args:
        page: The page.
        endpoint: The endpoint in front of the S3 server, which counts the requests.
        monkeypatch: Sets the environment that a `dotenv` block shows.

    Raises:
        AssertionError: The code prints something else than the page shows.
    """
    reader = Reader(page, endpoint, monkeypatch)
    for part in parts_of(page):
        reader.follow(part)
    reader.nothing_hidden(len(page.read_text("utf-8").splitlines()))
