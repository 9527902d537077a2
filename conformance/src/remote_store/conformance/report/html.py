"""The report as a single HTML page without external files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from remote_store.conformance.contract.rule_pages import rule_pages
from remote_store.conformance.contract.rulebook import areas
from remote_store.conformance.report.causes import BrokenRules, causes_of
from remote_store.conformance.report.summary import endpoint
from remote_store.conformance.values.outcome import Outcome

NAMES = {outcome.value: outcome.value.replace("-", " ") for outcome in Outcome}
ORDER = ("pass", "fail", "error", "deviation", "not-run", "untested", "not-applicable")
MEANINGS = {
    "pass": "every check of the rule that ran has passed",
    "fail": "the backend broke the rule",
    "error": "the harness failed, so the check says nothing about the backend",
    "deviation": "the backend breaks the rule, and its author declares that with a reason",
    "not-run": "the rule's checks were left out of this run",
    "untested": "no check could run: the rule has none, or the harness lacks what it needs",
    "not-applicable": "the backend does not promise this",
    "rule": "one sentence of the contract, with an id such as READ-001",
    "check": "one test of one or more rules; it may run several times with different values",
    "MUST, SHOULD, MAY": "MUST is required, a broken SHOULD is named and does not change the verdict, MAY is optional",
    "provisional": "a new rule: breaking it does not change the verdict yet",
    "capability": "a feature that a backend declares; its rules bind the backends that declare it",
    "core": "the verdict if every rule holds that binds all backends",
    "partial": "the verdict if nothing failed, but not everything that counts was tested",
    "failing": "the verdict if a required rule is broken: a MUST that is not provisional",
    "tier": "how many variants of each check run: smoke one, quick up to four, full all",
    "harness": "the code that makes the backend for the checks and states facts about its storage",
}
"""The words of the page. Outcomes come first."""

ID = re.compile(r"\b[A-Z][A-Z0-9]*-[0-9]{3}\b")
MOST = 200
OPEN = 3


def html_page(report: Mapping[str, Any]) -> str:
    """The report as the text of an HTML file."""
    template = Template((files("remote_store.conformance.report") / "page.html").read_text("utf-8"))
    verdict = report["verdict"]
    counts = Counter(entry["outcome"] for entry in report["rules"] if entry["binds"])
    return template.substitute(
        title=escape(f"{report['name']}: {verdict['text']}"),
        name=escape(report["name"]),
        level=verdict["level"].partition(" ")[0],
        verdict=escape(_verdict(verdict)),
        capabilities=_list([name.lower() for name in verdict["capabilities"]], "chips"),
        about=_about(report),
        reasons=_list(verdict["reasons"], "reasons"),
        remarks=_list([*verdict["remarks"], *report["backend"].get("notes", ())], "remarks"),
        bar=_bar(counts),
        words=_words(),
        broken=_section("What is broken", _broken(report)),
        gaps=_section("What did not run", _gaps(report)),
        deviations=_section("Deviations", _deviations(report)),
        filter=_filter(counts),
        rules="".join(_areas(report)),
        facts=_facts(report),
    )


def _about(report: Mapping[str, Any]) -> str:
    totals = report["totals"]
    parts = [
        f"contract {report['versions']['contract']}",
        f"{report['tier']} tier",
        endpoint(report["backend"]) or "storage not stated",
        report["date"].replace("T", " ").removesuffix("+00:00") + " UTC",
        f"{len(report['checks']):,} checks in {totals['seconds']:.1f} s",
    ]
    if totals["requests"] is not None:
        parts.append(f"{totals['requests']:,} requests, {totals['sent'] / 1e6:,.1f} MB sent")
    return " · ".join(map(escape, parts))


def _verdict(verdict: Mapping[str, Any]) -> str:
    count = len(verdict["capabilities"])
    return f"core + {count} {'capability' if count == 1 else 'capabilities'}" if count else verdict["level"]


def _text(text: str) -> str:
    """A text as HTML: parts in backticks become `<code>`, and no line breaks inside the id of a rule."""
    return ID.sub(r'<span class="id">\g<0></span>', re.sub("`([^`]*)`", r"<code>\1</code>", escape(text)))


def _bar(counts: Mapping[str, int]) -> str:
    total = sum(counts.values()) or 1
    shown = [(name, counts[name]) for name in ORDER if counts.get(name)]
    parts = "".join(f'<i class="{name}" style="width:{100 * count / total:.3f}%"></i>' for name, count in shown)
    legend = "".join(f'<li><b class="dot {name}"></b>{count:,} {NAMES[name]}</li>' for name, count in shown)
    return f'<div class="bar" role="img" aria-label="rules by outcome">{parts}</div><ul class="legend">{legend}</ul>'


def _words() -> str:
    shown = [(NAMES.get(word, word), meaning) for word, meaning in MEANINGS.items()]
    rows = "".join(f"<dt>{escape(word)}</dt><dd>{_text(meaning)}</dd>" for word, meaning in shown)
    return f'<details class="words"><summary>What the words mean</summary><dl>{rows}</dl></details>'


def _filter(counts: Mapping[str, int]) -> str:
    """The choice of one outcome. It is hidden until the script of the page runs."""
    shown = [("", "all", sum(counts.values()))]
    shown += [(name, NAMES[name], counts[name]) for name in ORDER if counts.get(name)]
    choices = "".join(
        f'<label class="{name or "all"}"><input type="radio" name="outcome" value="{name}"{"" if name else " checked"}>'
        f"<span>{word} <small>{count:,}</small></span></label>"
        for name, word, count in shown
    )
    return f'<fieldset class="filter" hidden><legend>Show rules by outcome</legend>{choices}</fieldset>'


def _broken(report: Mapping[str, Any]) -> Iterator[str]:
    rules = {entry["id"]: entry for entry in report["rules"]}
    left = MOST
    for number, cause in enumerate(causes_of(report)):
        if not left:
            return
        shown, left = cause.broken[:left], max(left - len(cause.broken), 0)
        shut = "" if number >= OPEN else " open"
        told = _counted(len({name for entry in cause.broken for name in entry.rules}), "rule")
        first, others = _broken_rules(shown[0], rules, shut), [_broken_rules(entry, rules, "") for entry in shown[1:]]
        more = f"<summary>{len(others):,} more, probably from the same cause</summary>"
        rest = f'<details class="others">{more}{"".join(others)}</details>' if others else ""
        yield (
            f'<details class="broken {cause.outcome}"{shut}><summary>{_pill(cause.outcome)} '
            f"<b>{_text(cause.text)}</b> <small>{told}</small></summary>{first}{rest}</details>"
        )


def _counted(count: int, word: str) -> str:
    return f"{count:,} {word}" + ("" if count == 1 else "s")


def _broken_rules(entry: BrokenRules, rules: Mapping[str, Mapping[str, Any]], shut: str) -> str:
    texts = "".join(
        f'<p class="rule"><a class="id" href="#{name}">{name}</a> {_text(rules[name]["text"])} '
        f"<small>{_marks(rules[name])}</small>{_more(name, rules[name])}</p>"
        for name in entry.rules
    )
    first, *others = entry.checks
    names = "".join(f"<li><code>{escape(_named(check))}</code></li>" for check in others[:MOST])
    more = f"<summary>{_counted(len(others), 'more check')}</summary><ul>{names}</ul>"
    return (
        f'{texts}<details class="check"{shut}><summary><code>{escape(_named(first))}</code></summary>'
        f"<pre>{escape(first['reason'])}</pre></details>"
        + (f'<details class="check">{more}</details>' if others else "")
    )


def _more(identifier: str, entry: Mapping[str, Any]) -> str:
    """A link to the explanation of a broken rule, if it has one."""
    shown = entry["outcome"] == "fail" and identifier in rule_pages()
    return f' <a href="#{identifier}">why and how</a>' if shown else ""


def _gaps(report: Mapping[str, Any]) -> Iterator[str]:
    for gap in report["gaps"]:
        rows = "".join(f"<li><code>{escape(name)}</code> {count:,}</li>" for name, count in gap["checks"].items())
        total = sum(gap["checks"].values())
        yield f"<details><summary>{total:,} checks: {_text(gap['cause'])}</summary><ul>{rows}</ul></details>"


def _deviations(report: Mapping[str, Any]) -> Iterator[str]:
    rows = "".join(
        f"<tr><td>{_text(', '.join(row['rules']))}</td><td>{_text(row['reason'])}{_link(row['link'])}</td>"
        f"<td>{escape(row['expires'] or 'never')}</td><td>{row['checks']:,}</td></tr>"
        for row in report["deviations"]
    )
    if rows:
        head = "<tr><th>rules</th><th>reason</th><th>expires</th><th>checks</th></tr>"
        yield f'<div class="scroll"><table>{head}{rows}</table></div>'


def _areas(report: Mapping[str, Any]) -> Iterator[str]:
    found = {entry["id"]: entry for entry in report["rules"]}
    for area in areas():
        entries = [found[rule.id] for rule in area.rules if found[rule.id]["binds"]]
        if not entries:
            continue
        counts = {name: sum(entry["outcome"] == name for entry in entries) for name in ORDER}
        shown = " open" if counts["fail"] or counts["error"] else ""
        counted = " · ".join(f"{count} {NAMES[name]}" for name, count in counts.items() if count)
        yield (
            f'<details class="area"{shown}>'
            f"<summary><b>{area.name}</b> {escape(area.title)} <small>{counted}</small></summary>"
            f'<div class="scroll"><table>{"".join(map(_row, entries))}</table></div></details>'
        )
    if others := sum(not entry["binds"] for entry in found.values()):
        yield f'<p class="about">{_counted(others, "rule")} for other kinds of storage left out.</p>'


def _row(entry: Mapping[str, Any]) -> str:
    requests = f" · {entry['requests']:,} requests" if entry["requests"] is not None else ""
    counts = ", ".join(f"{count:,} {NAMES[name]}" for name, count in entry["counts"].items())
    page = _page(entry["id"]) if entry["outcome"] == "fail" else ""
    reason = f'<p class="reason">{_text(entry["reason"].partition(chr(10))[0])}</p>' if entry["reason"] else ""
    return (
        f'<tr id="{entry["id"]}" data-outcome="{entry["outcome"]}"><td>{_pill(entry["outcome"])}</td>'
        f'<td><a class="id" href="#{entry["id"]}">{entry["id"]}</a></td>'
        f'<td class="text">{_text(entry["text"])} <small>{_marks(entry)}</small>{reason}{page}</td>'
        f'<td class="number"><small>{counts or "no check"} <i>{entry["seconds"]:.2f} s{requests}</i></small></td></tr>'
    )


def _page(identifier: str) -> str:
    """What the page of a rule tells beyond its clause, so that the report needs no other file."""
    page = rule_pages().get(identifier)
    if page is None:
        return ""
    return (
        f'<details class="page"><summary>why it matters, and how to do it right</summary><p>{_text(page.why)}</p>'
        f"<h4>wrong</h4><pre>{escape(page.wrong)}</pre><h4>right</h4><pre>{escape(page.right)}</pre>"
        f"<p>Often broken by: {_text(page.breaks)}</p></details>"
    )


def _facts(report: Mapping[str, Any]) -> str:
    backend, totals = report["backend"], report["totals"]
    profile = backend.get("profile", {})
    stated = "stated by its harness" if backend.get("stated") else "assumed, because only a factory was given"
    groups = {
        "Versions": report["versions"],
        "Backend": {
            "target": report["target"],
            "class": backend.get("kind", ""),
            "name": backend.get("name", ""),
            "distribution": backend.get("distribution") or "none",
            **backend.get("sdk", {}),
            **backend.get("place", {}),
            "capabilities": ", ".join(name.lower() for name in backend.get("capabilities", ())),
        },
        f"Facts about the storage ({stated})": profile,
        "Totals": {name: value for name, value in totals.items() if value is not None},
    }
    return "".join(
        f'<section><h3>{escape(name)}</h3><div class="scroll"><table class="facts">'
        + "".join(f"<tr><th>{escape(str(k))}</th><td>{escape(_value(v))}</td></tr>" for k, v in facts.items())
        + "</table></div></section>"
        for name, facts in groups.items()
    )


def _section(title: str, parts: Iterable[str]) -> str:
    content = "".join(parts)
    return f"<section><h2>{escape(title)}</h2>{content}</section>" if content else ""


def _list(texts: Iterable[str], kind: str) -> str:
    rows = "".join(f"<li>{_text(text)}</li>" for text in texts)
    return f'<ul class="{kind}">{rows}</ul>' if rows else ""


def _link(url: str) -> str:
    return (
        f' <a href="{escape(url)}">more</a>' if url.startswith(("https://", "http://")) else escape(f" {url}".rstrip())
    )


def _marks(entry: Mapping[str, Any]) -> str:
    scope = {"http": " for HTTP", "s3": " for S3"}.get(entry["kind"], "")
    capability = f" {entry['capability'].lower()}" if entry["capability"] else ""
    return escape(entry["level"] + scope + capability + (" provisional" if entry["provisional"] else ""))


def _named(check: Mapping[str, Any]) -> str:
    return f"{check['check']}[{check['variant']}]" if check["variant"] else check["check"]


def _pill(outcome: str) -> str:
    return f'<b class="pill {outcome}" title="{escape(MEANINGS[outcome])}">{NAMES[outcome]}</b>'


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None or value == "" else str(value)
