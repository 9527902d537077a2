"""The report as a single HTML page without external files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from remote_store.conformance.contract.rulebook import areas
from remote_store.conformance.report.summary import endpoint
from remote_store.conformance.values.outcome import Outcome

NAMES = {outcome.value: outcome.value.replace("-", " ") for outcome in Outcome}
ORDER = ("pass", "fail", "error", "deviation", "not-run", "untested", "not-applicable")
MOST = 200
OPEN = 3


def html_page(report: Mapping[str, Any]) -> str:
    """The report as the text of an HTML file."""
    template = Template((files("remote_store.conformance.report") / "page.html").read_text("utf-8"))
    verdict = report["verdict"]
    return template.substitute(
        title=escape(f"{report['name']}: {verdict['text']}"),
        name=escape(report["name"]),
        level=verdict["level"].partition(" ")[0],
        verdict=escape(_verdict(verdict)),
        capabilities=_list([name.lower() for name in verdict["capabilities"]], "chips"),
        about=_about(report),
        reasons=_list(verdict["reasons"], "reasons"),
        remarks=_list([*verdict["remarks"], *report["backend"].get("notes", ())], "remarks"),
        bar=_bar(report["counts"]["rules"]),
        broken=_section("What is broken", _broken(report)),
        gaps=_section("What did not run", _gaps(report)),
        deviations=_section("Deviations", _deviations(report)),
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
    """A rule's text as HTML, with the parts in backticks as `<code>`."""
    return re.sub("`([^`]*)`", r"<code>\1</code>", escape(text))


def _bar(counts: Mapping[str, int]) -> str:
    total = sum(counts.values()) or 1
    shown = [(name, counts[name]) for name in ORDER if counts.get(name)]
    parts = "".join(f'<i class="{name}" style="width:{100 * count / total:.3f}%"></i>' for name, count in shown)
    legend = "".join(f'<li><b class="dot {name}"></b>{count:,} {NAMES[name]}</li>' for name, count in shown)
    return f'<div class="bar" role="img" aria-label="rules by outcome">{parts}</div><ul class="legend">{legend}</ul>'


def _broken(report: Mapping[str, Any]) -> Iterator[str]:
    rules = {entry["id"]: entry for entry in report["rules"]}
    shown: dict[tuple[str, tuple[str, ...]], list[Mapping[str, Any]]] = {}
    for check in report["checks"]:
        if check["outcome"] in ("fail", "error"):
            shown.setdefault((check["outcome"], tuple(check["rules"])), []).append(check)
    order = {identifier: number for number, identifier in enumerate(rules)}
    groups = sorted(shown, key=lambda key: (key[0] == "error", order[key[1][0]]))
    for number, key in enumerate(groups[:MOST]):
        outcome, identifiers = key
        heads = "<br>".join(
            f"{_pill(outcome)} <b>{escape(name)}</b> {_text(rules[name]['text'])} <small>{_marks(rules[name])}</small>"
            for name in identifiers
        )
        first, *others = shown[key]
        more = "".join(f"<li><code>{escape(_named(check))}</code></li>" for check in others[:MOST])
        rest = f"<details><summary>{len(others):,} more</summary><ul>{more}</ul></details>" if more else ""
        shut = "" if number >= OPEN else " open"
        yield (
            f'<details class="broken {outcome}"{shut}><summary>{heads}</summary>'
            f'<p class="check"><code>{escape(_named(first))}</code></p>'
            f"<pre>{escape(first['reason'])}</pre>{rest}</details>"
        )


def _gaps(report: Mapping[str, Any]) -> Iterator[str]:
    for gap in report["gaps"]:
        rows = "".join(f"<li><code>{escape(name)}</code> {count:,}</li>" for name, count in gap["checks"].items())
        total = sum(gap["checks"].values())
        yield f"<details><summary>{total:,} checks: {escape(gap['cause'])}</summary><ul>{rows}</ul></details>"


def _deviations(report: Mapping[str, Any]) -> Iterator[str]:
    rows = "".join(
        f"<tr><td>{escape(', '.join(row['rules']))}</td><td>{escape(row['reason'])}{_link(row['link'])}</td>"
        f"<td>{escape(row['expires'] or 'never')}</td><td>{row['checks']:,}</td></tr>"
        for row in report["deviations"]
    )
    if rows:
        head = "<tr><th>rules</th><th>reason</th><th>expires</th><th>checks</th></tr>"
        yield f'<div class="scroll"><table>{head}{rows}</table></div>'


def _areas(report: Mapping[str, Any]) -> Iterator[str]:
    found = {entry["id"]: entry for entry in report["rules"]}
    for area in areas():
        entries = [found[rule.id] for rule in area.rules]
        counts = {name: sum(entry["outcome"] == name for entry in entries) for name in ORDER}
        shown = " open" if counts["fail"] or counts["error"] else ""
        counted = " · ".join(f"{count} {NAMES[name]}" for name, count in counts.items() if count)
        yield (
            f'<details class="area"{shown}>'
            f"<summary><b>{area.name}</b> {escape(area.title)} <small>{counted}</small></summary>"
            f'<div class="scroll"><table>{"".join(map(_row, entries))}</table></div></details>'
        )


def _row(entry: Mapping[str, Any]) -> str:
    requests = f" · {entry['requests']:,} requests" if entry["requests"] is not None else ""
    counts = ", ".join(f"{count:,} {NAMES[name]}" for name, count in entry["counts"].items())
    reason = f'<p class="reason">{escape(entry["reason"].partition(chr(10))[0])}</p>' if entry["reason"] else ""
    return (
        f'<tr id="{entry["id"]}"><td>{_pill(entry["outcome"])}</td><td><a href="#{entry["id"]}">{entry["id"]}</a></td>'
        f"<td>{_text(entry['text'])} <small>{_marks(entry)}</small>{reason}</td>"
        f'<td class="number"><small>{counts or "no check"}<br>{entry["seconds"]:.2f} s{requests}</small></td></tr>'
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
    rows = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f'<ul class="{kind}">{rows}</ul>' if rows else ""


def _link(url: str) -> str:
    return (
        f' <a href="{escape(url)}">more</a>' if url.startswith(("https://", "http://")) else escape(f" {url}".rstrip())
    )


def _marks(entry: Mapping[str, Any]) -> str:
    capability = f" {entry['capability'].lower()}" if entry["capability"] else ""
    return escape(entry["level"] + capability + (" provisional" if entry["provisional"] else ""))


def _named(check: Mapping[str, Any]) -> str:
    return f"{check['check']}[{check['variant']}]" if check["variant"] else check["check"]


def _pill(outcome: str) -> str:
    return f'<b class="pill {outcome}">{NAMES[outcome]}</b>'


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None or value == "" else str(value)
