"""Write `docs/mutation-score.md` from the broken backends that the suite is tested by, or check that it is current.

Run it as `uv run tools/mutation_page.py`, with `--check` to change nothing.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from pathlib import Path

from remote_store.conformance import Area, areas, rules

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "conformance" / "tests"), str(ROOT / "examples" / "third_party" / "sqlite" / "src")]

from holdout.collected import SETS, verdicts  # noqa: E402 - the broken backends are tests, not part of a package
from mutants.registry import Broken, every  # noqa: E402

PAGE = ROOT / "docs" / "mutation-score.md"
HEAD = """<!-- Generated from conformance/tests/mutants/ by tools/mutation_page.py; edit those. -->
# Mutation score

**{count} broken backends, {count} caught by the rule they break.**

The conformance suite is tested with backends that are wrong on purpose. Each is a copy of a correct backend with
one bug of a kind that real backends have, and names the rule that it breaks. It counts as caught if a check of that
rule fails because of what the backend did. A skipped check, or an error in the test setup, does not count. The
correct backend must pass every check of the same rule.

CI fails if a broken backend is not caught, and if a rule has no broken backend. {binding} rules of level MUST or
SHOULD have checks, and every one of them catches at least one. Rules without a check: {untested}.

The score measures the bugs that somebody thought of and then wrote a check for. [Bugs that were written
before](#bugs-that-were-written-before-a-check-was-run-on-them) say more about those of your backend.

```
uv run pytest conformance/tests/test_mutants.py -n 2
```

ends with the score. `uv run tools/mutants_alone.py` runs the same tests on the built wheels, outside of this
repository and in random order.

"""
HELD_OUT = """## Bugs that were written before a check was run on them

Somebody who has read the contract and the guides, but neither the checks nor the broken backends below, writes correct
backends wrong: in memory, on a disk and in a database. The suite is run on them once, and what that run says is kept in
`conformance/tests/holdout/`, whatever it is. A backend counts as caught if a rule fails, in the quick or the full tier.
Checks that were added later because of a backend that escaped do not change its row.
"""
PROVES_NOT = """
What escaped shows what a green verdict does not prove: that a backend has no bug. It says that the backend keeps each
rule in the cases that the checks go through, which are chosen by a seed where there are too many.
"""
CATCHES = """
## What each rule catches
"""
BACKENDS = """
## The broken backends

| backend | copy of | bug | breaks |
|---|---|---|---|
"""


def page() -> str:
    """The whole page."""
    mutants = every()
    binding = [rule for rule in rules().values() if rule.level != "MAY"]
    untested = ", ".join(rule.id for rule in binding if rule.untested) or "no rule"
    head = HEAD.format(
        count=len(mutants), binding=len([rule for rule in binding if not rule.untested]), untested=untested
    )
    ordered = sorted(mutants, key=lambda mutant: (list(rules()).index(mutant.rules[0]), mutant.name))
    sections = "".join(section(area, mutants) for area in areas())
    return head + held_out() + CATCHES + sections + BACKENDS + "".join(map(row, ordered))


def held_out() -> str:
    """The share of each hold-out set that was caught, and what escaped."""
    found = {name: told for name in SETS if (told := verdicts(name)) is not None}
    if not found:
        return ""
    lines = [
        "",
        "| set | run on | bugs against a MUST | caught | of them by the rule that the author named |",
        "|---|---|--:|--:|--:|",
    ]
    escaped = ["", "| escaped | bug | breaks |", "|---|---|---|"]
    for name, told in found.items():
        rows = [entry for entry in told["verdicts"] if entry["level"] == "MUST"]
        caught = [entry for entry in rows if entry["caught_by"]]
        named = [entry for entry in caught if entry["breaks"] in entry["caught_by"]]
        share = f"{len(caught)} ({100 * len(caught) // len(rows)} %)"
        lines.append(f"| {name} | {told['date']} | {len(rows)} | {share} | {len(named)} |")
        escaped += [
            f"| {entry['backend'].rpartition(':')[2]} | {entry['bug']} | {entry['breaks']} |"
            for entry in told["verdicts"]
            if not entry["caught_by"]
        ]
    waiting = [name for name in SETS if name not in found]
    later = ["", f"Not run yet: the set {' and the set '.join(waiting)}."] if waiting else []
    return HELD_OUT + "\n".join([*lines, *later, *escaped]) + "\n" + PROVES_NOT


def section(area: Area, mutants: tuple[Broken, ...]) -> str:
    """The rules of one area, and what they catch."""
    caught = {rule.id: [mutant.name for mutant in mutants if rule.id in mutant.rules] for rule in area.rules}
    rows = "".join(f"| {identifier} | {', '.join(sorted(names))} |\n" for identifier, names in caught.items())
    return f"\n### {area.name}: {area.title}\n\n| rule | catches |\n|---|---|\n{rows}"


def row(mutant: Broken) -> str:
    """One broken backend as a row of its table."""
    return f"| {mutant.name} | {mutant.control.__name__} | {mutant.bug} | {', '.join(mutant.rules)} |\n"


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
    print("docs/mutation-score.md is stale, run tools/mutation_page.py", flush=True)
    sys.stdout.writelines(
        difflib.unified_diff(old.splitlines(True), new.splitlines(True), "docs/mutation-score.md", "anew")
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
