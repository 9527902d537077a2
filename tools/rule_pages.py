"""Write `docs/rules/`, a page per rule and an index, or check that they are current.

Run it as `uv run tools/rule_pages.py`, with `--check` to change nothing. It removes the pages of rules that are gone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from remote_store.conformance import Rule, RulePage, areas, rule_pages, rules
from remote_store.conformance.contract.rulebook import SCOPES

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "rules"
MARK = "<!-- Generated from the catalogue in conformance/ by tools/rule_pages.py; edit that. -->\n"
INDEX = """# The rules

A page for each rule of [the contract](../contract.md): why it matters, code that breaks it and code that keeps it, and
what kinds of backend often break it. `remote-store-conformance explain READ-001` prints the same.
"""


def pages() -> Mapping[str, str]:
    """The text of every page by its file name."""
    found = {f"{identifier}.md": page(rules()[identifier], told) for identifier, told in rule_pages().items()}
    return {"README.md": MARK + INDEX + "".join(index()), **found}


def index() -> Iterator[str]:
    """A section per area with its rules."""
    for area in areas():
        yield f"\n## {area.name}: {area.title}\n\n{area.about}\n\n"
        yield from (f"- {link(rule)}: {rule.text}\n" for rule in area.rules)


def link(rule: Rule) -> str:
    """The id of a rule, which links to its page if it has one."""
    return f"[{rule.id}]({rule.id}.md)" if rule.id in rule_pages() else rule.id


def page(rule: Rule, told: RulePage) -> str:
    """The page of a rule."""
    needed = f", if the backend declares `{rule.capability.name}`" if rule.capability else ""
    new = " It is provisional: a backend that breaks it does not fail yet." if rule.provisional else ""
    hints = {"": rule.hint, "Over HTTP: ": rule.hint_http, "On S3: ": rule.hint_s3}
    return (
        f"{MARK}# {rule.id}\n\n{rule.text}\n\n"
        f"**{rule.level}**, since contract {rule.since}. It binds {SCOPES[rule.kind]}{needed}.{new}\n\n"
        f"## Why\n\n{rule.rationale} {told.why}\n\n"
        f"## Wrong\n\n```python\n{told.wrong}\n```\n\n"
        f"## Right\n\n```python\n{told.right}\n```\n\n"
        + "".join(f"{where}{hint}\n\n" for where, hint in hints.items() if hint)
        + (f"It has no check: {rule.untested}\n\n" if rule.untested else "")
        + f"## What often breaks it\n\n{told.breaks}\n\n"
        f"[All rules](README.md) · [the contract](../contract.md)\n"
    )


def stale() -> list[Path]:
    """The files that differ from their page, and those of rules that are gone."""
    wanted = pages()
    there = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.md")}
    return [FOLDER / name for name in sorted(wanted.keys() | there.keys()) if wanted.get(name) != there.get(name)]


def main() -> int:
    """Write or check the pages. With `--check`, print the stale ones and return 1 if there are any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail where a page is stale")
    options = parser.parse_args()
    if options.check:
        names = ", ".join(path.name for path in stale())
        if names:
            print(f"docs/rules is stale ({names}), run tools/rule_pages.py")
        return 1 if names else 0
    FOLDER.mkdir(exist_ok=True)
    for path in stale():
        if path.name in pages():
            path.write_text(pages()[path.name], "utf-8")
        else:
            path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
