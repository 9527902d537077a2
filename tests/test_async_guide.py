from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path

import pytest

import pages
from remote_store.conformance.cli import main

GUIDE = Path(__file__).resolve().parent.parent / "docs" / "writing-an-async-backend.md"


def printed_by(command: str) -> str:
    """What the command of the suite prints in this process; it must end well."""
    name, *arguments = command.split()
    assert name == "remote-store-conformance"
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        assert main(arguments) == 0, printed.getvalue()
    return printed.getvalue()


def test_the_guide_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "guide"}
    shown: dict[str, int] = {}
    output = ""
    for part in pages.parts_of(GUIDE):
        shown[part.kind] = shown.get(part.kind, 0) + 1
        if part.kind == "console":
            command, _, expected = part.text.removeprefix("$ ").partition("\n")
            assert pages.matches(printed := printed_by(command), expected), printed
            # In place of an installation; a path that did not exist before is not looked at again.
            monkeypatch.syspath_prepend(tmp_path / "box-store" / "src")
        elif part.file:
            assert (Path("box-store") / part.file).read_text("utf-8") == part.text
        elif part.kind == "text":
            assert output == part.text
        else:
            with contextlib.redirect_stdout(io.StringIO()) as stream:
                exec(compile("\n" * (part.line - 1) + part.text, str(GUIDE), "exec"), names)
            output = stream.getvalue()
    assert shown == {"console": 2, "python": 3, "text": 2}
    for name in [name for name in sys.modules if name.partition(".")[0] == "box_store"]:
        monkeypatch.delitem(sys.modules, name)


def test_the_guide_begins_with_the_tree_of_what_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    main(["new", "box-store", "--name", "box", "--async"])
    tree = GUIDE.read_text("utf-8").partition("```\n")[2].partition("```")[0]
    named = {
        word.rpartition("/")[2] for line in tree.splitlines() for word in line.split() if "." in word or "/" in word
    }
    written = {path.name for path in Path("box-store").rglob("*") if path.is_file()}
    assert written <= named
    assert [path.name for path in tmp_path.iterdir()] == ["box-store"]
