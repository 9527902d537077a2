"""Write `docs/contract.md` from the catalogue of rules, or check that it is current.

Run it as `uv run tools/contract_page.py`, with `--check` to change nothing.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Mapping
from pathlib import Path

from remote_store.conformance import Area, Rule, areas, rule_pages

PAGE = Path(__file__).resolve().parent.parent / "docs" / "contract.md"
HEAD = """<!-- Generated from the catalogue in conformance/ by tools/contract_page.py; edit that. -->
# The contract

The rules that a backend keeps. Each clause has a stable id and at least one check in `remote-store-conformance`; a
failing check shows the clause and a hint. The id leads to a page with the reason, and with wrong and right code.

A clause says whom it binds. The column *binds* names the storages: *all*, those that are reached over *HTTP* (which
includes S3), or those of *S3*, as the backend's harness states with `Profile.kind`. If the column *capability* has an
entry, the clause binds only backends that declare it; others raise `CapabilityNotSupported` for the operation.
`remote-store-conformance list --kind every` lists the clauses that bind a storage without HTTP.

The level says what a clause means for the backends that it binds:

- **MUST**: the backend keeps it. A backend that breaks it fails.
- **SHOULD**: the backend keeps it unless there is a good reason. The report names a broken one, and the verdict stays.
  No data is lost, no result is wrong and no error has the wrong class if it is broken, but a call costs a few requests
  more, transfers more than it needs, gives up earlier, or explains an error less well.
- **MAY**: the backend is free to do it or not. So far no clause is only that.

Broken clauses that are *provisional*, which means new, are also named without changing the verdict.
"""
BINDS: Mapping[str, str] = {"every": "all", "http": "HTTP", "s3": "S3"}
TAIL = """
## What passing does not prove

- That data survives a failed disk, a lost region or a deleted account: the storage is responsible for durability.
- That unauthorised users are refused: the checks run with credentials that are allowed to do everything.
- That the backend is fast: the number of requests is checked, but not the time.
- That the backend behaves the same on another storage: a result is valid only for the server that the run used.
"""


def page() -> str:
    """The whole page."""
    return HEAD + "".join(map(section, areas())) + TAIL


def section(area: Area) -> str:
    """One area as a heading, a sentence and a table."""
    rows = "".join(map(row, area.rules))
    table = f"| id | level | binds | capability | clause |\n|---|---|---|---|---|\n{rows}"
    return f"\n## {area.name}: {area.title}\n\n{area.about}\n\n{table}"


def row(rule: Rule) -> str:
    """One clause as a row of its table."""
    capability = f"`{rule.capability.name}`" if rule.capability else ""
    clause = rule.text.replace("|", "\\|") + (f" *(untested: {rule.untested})*" if rule.untested else "")
    identifier = f"[{rule.id}](rules/{rule.id}.md)" if rule.id in rule_pages() else rule.id
    return f"| {identifier} | {rule.level} | {BINDS[rule.kind]} | {capability} | {clause} |\n"


def main() -> int:
    """Write or check the page. With `--check`, print the difference and return 1 if the page is stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail where the page is stale")
    options = parser.parse_args()
    old, new = PAGE.read_text("utf-8") if PAGE.exists() else "", page()
    if old == new:
        return 0
    if not options.check:
        PAGE.write_text(new, "utf-8")
        return 0
    print("docs/contract.md is stale, run tools/contract_page.py", flush=True)
    sys.stdout.writelines(difflib.unified_diff(old.splitlines(True), new.splitlines(True), "docs/contract.md", "anew"))
    return 1


if __name__ == "__main__":
    sys.exit(main())
