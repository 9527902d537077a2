"""Write `docs/servers.md`, what S3 servers get right and wrong, from the reports in `docs/servers/`.

Run it as `uv run tools/servers_page.py`, with `--check` to change nothing. A report is written by

    remote-store-conformance s3 URL --name "NAME VERSION" --report docs/servers/NAME.json
"""

from __future__ import annotations

import argparse
import difflib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from remote_store.conformance.judging.answers import Answer, Answered, judge
from remote_store.conformance.judging.pages import shown
from remote_store.conformance.judging.questions import Topic, topics

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "servers.md"
DATA = ROOT / "docs" / "servers"
Report = Mapping[str, Any]

HEAD = """\
<!-- Generated from docs/servers/*.json by tools/servers_page.py; edit neither by hand. -->
# S3 servers, judged

What S3 servers on one machine get right and wrong, found out by one command each:

```bash
remote-store-conformance s3 http://127.0.0.1:9000/some-new-bucket --name "My server 1.2"
```

The command runs the checks of the conformance suite whose result the server decides, and asks some more questions with
plain signed requests. [S3-compatible servers](guides/s3-servers.md) says which options to set.

- **right**: every check held. Each race was run 20 times with 6 writers; a server without a lock may still win all of
  them.
- **wrong**: at least one check failed, for the parameters in parentheses if not for all. It says what was observed at
  this version, with this lane and on this day, and not why.
- **not offered**: the server answers that it does not implement the request (405 or 501).
- **not asked**: no check ran, for the reason given below.

Emulators such as moto are made for tests and do not claim to be complete. Durability, load, several nodes, policies and
encryption are not judged.

"""
VERDICTS = """\
A server is `right with options` if a backend with that option works around everything that it gets wrong, and `wrong`
if no option helps with something.

| server | verdict | right | wrong | not offered | not asked | option for a backend | judged on |
|---|---|--:|--:|--:|--:|---|---|
"""
KINDS = ("right", "wrong", "not offered", "not asked")


def reports() -> list[Report]:
    """The committed reports, by the name of the server."""
    found = [json.loads(path.read_text("utf-8")) for path in DATA.glob("*.json")]
    return sorted(found, key=lambda report: str(report["server"]).casefold())


def page(found: Sequence[Report]) -> str:
    """The whole page."""
    parts = [HEAD + VERDICTS + "".join(map(verdict, found))]
    parts += [section(topic, found) for topic in topics()]
    parts.append("## What was observed\n")
    parts += ["\n".join(observed(report)) for report in found]
    return "\n".join(parts)


def verdict(report: Report) -> str:
    """A server as a row of the first table."""
    answers = [entry["answer"] for entry in questions(report).values()]
    counts = " | ".join(str(answers.count(kind)) for kind in KINDS)
    known = {(topic.name, question.id): question for topic in topics() for question in topic.questions}
    found = [
        Answered(known[name], Answer(entry["answer"]), entry["checks"]) for name, entry in questions(report).items()
    ]
    judged = judge(found)
    option = f"`{judged.option}`" if judged.option else ""
    return f"| {report['server']} | {judged.grade} | {counts} | {option} | {report['date'][:10]} |\n"


def section(topic: Topic, found: Sequence[Report]) -> str:
    """The questions of a topic, with a column for each server."""
    names = [str(report["server"]) for report in found]
    lines = [f"## {topic.title}", "", f"| the server | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    for question in topic.questions:
        cells = [
            shown(entry) if (entry := questions(report).get((topic.name, question.id))) else "not asked"
            for report in found
        ]
        lines.append(f"| {question.right} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def observed(report: Report) -> Iterator[str]:
    """What a server does that is not right, one line each, and how that was found out."""
    yield f"### {report['server']}"
    yield ""
    versions = report["versions"]
    yield (
        f"`{report['command']}`, suite {versions['suite']}, contract {versions['contract']}, {versions['lane']}, "
        f"seed {report['seed']}."
    )
    yield ""
    for entry in questions(report).values():
        if entry["answer"] == "not asked":
            yield f"- not asked: {entry['right']} ({entry['reason']})"
        elif entry["answer"] != "right":
            yield f"- {entry['answer']}: {entry['text']}. Observed: {code(entry['observed'])}"
    yield ""


def questions(report: Report) -> dict[tuple[str, str], Mapping[str, Any]]:
    """The questions of a report by topic and id."""
    return {(topic["name"], entry["id"]): entry for topic in report["topics"] for entry in topic["questions"]}


def code(text: str) -> str:
    """A text as code in one line of Markdown, whatever it contains."""
    line = " ".join(text.split())
    fence = "``" if "`" in line else "`"
    return f"{fence} {line} {fence}" if "`" in line else f"{fence}{line}{fence}"


def main() -> int:
    """Write or check the page. With `--check`, print the difference and return 1 if the page is stale."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, fail where the page is stale")
    options = parser.parse_args()
    old, new = PAGE.read_text("utf-8") if PAGE.exists() else "", page(reports())
    if old == new:
        return 0
    if not options.check:
        PAGE.write_text(new, "utf-8")
        return 0
    print("docs/servers.md is stale, run tools/servers_page.py", flush=True)
    sys.stdout.writelines(difflib.unified_diff(old.splitlines(True), new.splitlines(True), "docs/servers.md", "anew"))
    return 1


if __name__ == "__main__":
    sys.exit(main())
