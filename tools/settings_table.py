"""Write the table of every backend's settings into `docs/guides/configuration.md`, or check that it is current.

Run it as `uv run tools/settings_table.py`, with `--check` to change nothing. Names and types come from the signatures
of the backends, defaults and meanings from the code and its docstrings.
"""

from __future__ import annotations

import argparse
import difflib
import inspect
import re
import sys
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from remote_store.boto3 import S3Boto3Backend
from remote_store.core import LocalBackend, MemoryBackend, Secret
from remote_store.core.config.settings import NUMBERED, Settings, members_of
from remote_store.core.config.url import IN_NO_URL
from remote_store.core.s3 import S3Options
from remote_store.pyarrow import S3PyArrowBackend
from remote_store.s3fs import S3FsBackend

PAGE = Path(__file__).resolve().parent.parent / "docs" / "guides" / "configuration.md"
BEGIN, END = "<!-- Written by tools/settings_table.py; edit the docstrings. -->\n", "<!-- End of the table. -->\n"
S3 = (S3Boto3Backend, S3FsBackend, S3PyArrowBackend)
BACKENDS: tuple[type, ...] = (MemoryBackend, LocalBackend, *S3)
REFUSED = {("client", S3PyArrowBackend)}
"""Parameters that a class inherits and then refuses."""
WORDS = {str: "text", bool: "true or false", int: "whole number", float: "number", Secret: "text", Path: "path"}
MIB = 1 << 20

SECTION = re.compile(r"^(?:Args|Attributes):\n(?P<rows>(?:(?: .*)?\n)+)", re.MULTILINE)
ENTRY = re.compile(r"^    (?P<name>\w+): (?P<text>.*(?:\n     +.*)*)", re.MULTILINE)


def table() -> str:
    """The table, one row for each setting. One that differs in another backend has another row."""
    owners: dict[tuple[str, str, str, str], list[type]] = {}
    for name in dict.fromkeys(name for kind in BACKENDS for name in settings(kind).types):
        for kind in BACKENDS:
            if name in settings(kind).types and (name, kind) not in REFUSED:
                owners.setdefault((name, value(name, kind), default(name, kind), meaning(name, kind)), []).append(kind)
    rows = "".join(row(f"`{name}`", names(kinds), *rest) for (name, *rest), kinds in owners.items())
    return f"| setting | of | value | default | meaning |\n|---|---|---|---|---|\n{rows}"


def row(*cells: str) -> str:
    """One row of a table."""
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def settings(kind: type) -> Settings:
    """What a backend's constructor accepts."""
    return Settings.of(kind)


def names(owners: list[type]) -> str:
    """The types of the backends that have a setting."""
    if set(owners) == set(BACKENDS):
        return "all"
    s3 = "every `s3`" if set(S3) <= set(owners) else ""
    rest = [f"`{getattr(kind, 'name')}`" for kind in owners if not s3 or kind not in S3]  # noqa: B009 - not of `type`
    return ", ".join([*rest, s3] if s3 else rest)


def value(name: str, owner: type) -> str:
    """What can be written for a setting."""
    if name not in settings(owner).written():
        return "an object, in Python only"
    words = list(dict.fromkeys(word for member in members_of(settings(owner).types[name]) if (word := said(member))))
    text = ", or ".join(words)
    return f"{text}; not in a URL" if name in IN_NO_URL or settings(owner).is_secret(name) else text


def said(member: Any) -> str:
    """One member of a type in words; empty for what is not written down."""
    if get_origin(member) is Literal:
        values = get_args(member)
        return ("one of " if len(values) > 1 else "") + ", ".join(f"`{text}`" for text in values)
    if isinstance(member, type) and is_dataclass(member):
        number = "a whole number, or " if member in NUMBERED else ""
        return f"{number}a table with " + ", ".join(f"`{field.name}`" for field in fields(member))
    if (get_origin(member) or member) in (dict, Mapping):
        return "a table"
    return "" if member is NoneType else WORDS.get(member, "text")


def default(name: str, owner: type) -> str:
    """The default of a setting, as it is written in TOML."""
    parameter = inspect.signature(owner).parameters.get(name)
    if parameter is not None:
        return "required" if parameter.default is parameter.empty else shown(parameter.default)
    for field in fields(S3Options):
        if field.name == name:
            return shown(field.default_factory() if field.default_factory is not MISSING else field.default)
    # A keyword argument of a parent class, which declares its default there.
    return next(default(name, parent) for parent in owner.__mro__[1:] if name in inspect.signature(parent).parameters)


def shown(given: Any) -> str:
    """A default value."""
    if given is None or given == {}:
        return "none"
    if isinstance(given, bool):
        return f"`{str(given).lower()}`"
    if is_dataclass(given):
        set_ = {field.name: getattr(given, field.name) for field in fields(given)}
        return f"`{{ {', '.join(f'{name} = {item}' for name, item in set_.items() if item is not None)} }}`"
    if isinstance(given, int) and given >= MIB and given % MIB == 0:
        return f"`{given}` ({given // MIB} MiB)"
    return f"`{given:g}`" if isinstance(given, float) else f"`{given}`"


def meaning(name: str, owner: type) -> str:
    """What the docstrings say about a setting; for S3, those of the first lane. Of an object, the first sentence.

    Raises:
        LookupError: No docstring describes it.
    """
    for documented in (*(S3 if owner in S3 else ()), owner, S3Options):
        for section in SECTION.finditer(inspect.getdoc(documented) or ""):
            for entry in ENTRY.finditer(section["rows"]):
                if entry["name"] == name:
                    text = " ".join(entry["text"].split())
                    return text if name in settings(owner).written() else text.split(". ")[0].rstrip(".") + "."
    raise LookupError(f"no docstring describes the setting {name!r}")


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
    print("docs/guides/configuration.md is stale, run tools/settings_table.py", flush=True)
    sys.stdout.writelines(difflib.unified_diff(old.splitlines(True), new.splitlines(True), PAGE.name, "anew"))
    return 1


if __name__ == "__main__":
    sys.exit(main())
