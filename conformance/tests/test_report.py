from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from jsonschema import Draft202012Validator

from remote_store.conformance import (
    CONTRACT_VERSION,
    BackendConformance,
    ConfigurationError,
    Harness,
    Profile,
    rule_pages,
    rules,
)
from remote_store.conformance.checking.subject import look
from remote_store.conformance.report.badge import badge
from remote_store.conformance.report.failures import failures
from remote_store.conformance.report.html import MEANINGS, html_page
from remote_store.conformance.report.junit import junit
from remote_store.conformance.report.report import report_of, schema, write
from remote_store.conformance.report.summary import overview, sections, summary
from remote_store.conformance.run.manifest import manifest
from remote_store.conformance.run.run import Run, finished
from remote_store.conformance.values.outcome import Outcome, Record
from remote_store.core import MemoryBackend, ResolutionPlan

pytestmark = pytest.mark.usefixtures("heap_is_frozen")

SECRET = "hunter2-is-the-secret"
MOMENT = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


class Placed(MemoryBackend):
    def resolve(self, key: str) -> ResolutionPlan:
        details = {"endpoint_url": f"https://me:{SECRET}@storage.example", "password": SECRET, "bucket": f"b-{SECRET}"}
        return ResolutionPlan("memory", self.name, key, key, details)


class Stated(Harness):
    profile = Profile(secrets=(SECRET,), endpoint_kind="emulator", endpoint_version="toy 1.0")

    def make(self, **options: Any) -> Placed:
        return Placed()


def made(outcomes: Mapping[str, Record] | None = None, gone: Mapping[str, Mapping[str, int]] | None = None) -> Run:
    """A run in which every check passed, except for some."""
    records: dict[tuple[str, str], Record] = {}
    for name, entry in manifest(BackendConformance).items():
        for number in range(entry.variants):
            variant = str(number) if entry.variants > 1 else ""
            record = Record(check=name, variant=variant, rules=entry.rules, outcome=Outcome.PASS, requests=2, sent=10)
            records[name, variant] = (outcomes or {}).get(name, record)
    subject = look(Stated()).as_dict()
    made = finished(
        name="Toy",
        target="toy:make",
        suite=BackendConformance,
        tier="full",
        subject=subject,
        records=records,
        gone=gone or {},
        early="",
    )
    return Run(**{field: getattr(made, field) for field in Run.__dataclass_fields__} | {"date": MOMENT})


def failed(**facts: Any) -> Record:
    fields: dict[str, Any] = {
        "check": "test_life_close_again_and_again",
        "rules": ("LIFE-005",),
        "outcome": Outcome.FAIL,
        "reason": "close <again>\n  expected: nothing\n  observed: a & b \x00",
        **facts,
    }
    return Record(**fields)


def broken(**facts: Any) -> Run:
    return made({"test_life_close_again_and_again": failed(**facts)})


KNOWN = {"outcome": Outcome.DEVIATION, "deviation": {"reason": "known", "link": "https://example.org/1", "expires": ""}}
RUNS: dict[str, Callable[[], Run]] = {
    "whole": made,
    "failing": broken,
    "deviating": lambda: broken(**KNOWN),
    "partial": lambda: made(gone={"deselected by -k 'x'": {"test_glob_all": 1}}),
}


@cache
def run_of(name: str) -> Run:
    return RUNS[name]()


@pytest.mark.parametrize("name", RUNS)
def test_a_report_keeps_the_schema_that_is_published(name: str) -> None:
    Draft202012Validator.check_schema(schema())
    data = json.loads(json.dumps(report_of(run_of(name))))
    assert sorted(str(error.message) for error in Draft202012Validator(schema()).iter_errors(data)) == []


def test_a_report_without_a_subject_keeps_the_schema_too() -> None:
    run = finished(
        name="Toy", target="t", suite=BackendConformance, tier="quick", subject=None, records={}, gone={}, early="ended"
    )
    data = json.loads(json.dumps(report_of(run)))
    assert list(Draft202012Validator(schema()).iter_errors(data)) == []
    assert data["verdict"]["level"] == "partial"
    assert html_page(data)


def test_the_schema_refuses_another_form() -> None:
    data = {**json.loads(json.dumps(report_of(run_of("whole")))), "more": 1}
    assert list(Draft202012Validator(schema()).iter_errors(data)) != []


def test_a_report_has_everything_that_a_reader_asks_for() -> None:
    data = report_of(run_of("whole"))
    assert set(data["versions"]) == {"contract", "suite", "core", "pytest", "python"}
    assert data["backend"]["distribution"] == ""
    assert (data["backend"]["profile"]["endpoint_kind"], data["backend"]["profile"]["endpoint_version"]) == (
        "emulator",
        "toy 1.0",
    )
    assert [rule["id"] for rule in data["rules"]] == list(rules())
    assert data["totals"]["requests"] == 2 * len(data["checks"])
    assert data["totals"]["sent"] == 10 * len(data["checks"])
    assert data["date"] == "2026-11-26T12:00:00+00:00"
    assert set(data["counts"]["rules"]) == {outcome.value for outcome in Outcome}


def test_no_form_of_a_report_shows_a_secret(tmp_path: Path) -> None:
    for path in write(run_of("failing"), tmp_path):
        text = path.read_text("utf-8")
        assert SECRET not in text, path
        assert "hunter2" not in text, path


def test_every_form_is_written(tmp_path: Path) -> None:
    paths = write(run_of("whole"), tmp_path / "new" / "folder")
    assert [path.name for path in paths] == ["Toy.json", "Toy.xml", "Toy.html", "Toy.svg"]
    assert json.loads(paths[0].read_text("utf-8"))["verdict"] == report_of(run_of("whole"))["verdict"]


@pytest.mark.parametrize("ending", ["json", "xml", "html", "svg"])
def test_a_report_that_is_a_link_is_refused_and_not_followed(tmp_path: Path, ending: str) -> None:
    folder, precious = tmp_path / "reports", tmp_path / "precious"
    folder.mkdir()
    precious.write_text("mine", "utf-8")
    (folder / f"Toy.{ending}").symlink_to(precious)
    with pytest.raises(ConfigurationError, match=rf"Toy\.{ending} is a symbolic link"):
        write(run_of("whole"), folder)
    (folder / f"Toy.{ending}").unlink()
    (folder / f"Toy.{ending}").hardlink_to(precious)
    write(run_of("whole"), folder)
    assert precious.read_text("utf-8") == "mine"
    assert len(list(folder.iterdir())) == 4


def test_a_folder_that_cannot_be_written_to_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        write(run_of("whole"), tmp_path / "file" / "folder")


def test_junit_counts_what_a_build_would_count() -> None:
    root = ET.fromstring(junit(report_of(run_of("failing"))))
    suite = root[0]
    assert (suite.get("failures"), suite.get("errors"), suite.get("skipped")) == ("1", "0", "0")
    failure = suite.find(".//failure")
    assert failure is not None
    assert failure.get("message") == "fail: close <again>"
    assert failure.text == "close <again>\n  expected: nothing\n  observed: a & b \ufffd"
    skipped = ET.fromstring(junit(report_of(run_of("deviating"))))[0]
    assert (skipped.get("failures"), skipped.get("skipped")) == ("0", "1")
    facts = {entry.get("name"): entry.get("value") for entry in suite.iter("property")}
    assert (facts["verdict"], facts["contract"]) == ("failing", CONTRACT_VERSION)


@pytest.mark.parametrize("change", [{"provisional": True}, {"level": "SHOULD"}, {"binds": False}])
def test_junit_does_not_turn_a_build_red_for_a_rule_that_is_not_required(change: Mapping[str, Any]) -> None:
    data = json.loads(json.dumps(report_of(run_of("failing"))))
    for rule in data["rules"]:
        rule.update(change if rule["id"] == "LIFE-005" else {})
    suite = ET.fromstring(junit(data))[0]
    assert (suite.get("failures"), suite.get("skipped")) == ("0", "1")


@pytest.mark.parametrize(
    "name, text, colour",
    [
        ("whole", "core + ", "#2f7d32"),
        ("failing", "failing, emulator only, 2026-11-26", "#b3261e"),
        ("partial", "partial, emulator only, 2026-11-26", "#a15c00"),
        ("deviating", ", with deviations, emulator only, 2026-11-26", "#2f7d32"),
    ],
)
def test_a_badge_says_the_verdict_and_what_it_is_worth(name: str, text: str, colour: str) -> None:
    picture = badge(report_of(run_of(name)))
    root = ET.fromstring(picture)
    texts = [entry.text or "" for entry in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[0] == f"remote-store {CONTRACT_VERSION}"
    assert text in texts[1]
    assert colour in picture


class Page(HTMLParser):
    """Collects what a page would load, which ids of rules may wrap, and whether its elements are closed in order."""

    EMPTY = frozenset({"meta", "br", "link", "img", "input"})
    ANY_WRAP = frozenset({"title", "style", "script", "pre"})
    OPTIONAL = frozenset({"html", "head", "body"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.shown = ""
        self.choices: list[str | None] = []
        self.outcomes: dict[str, str] = {}
        self.wrapping: list[str] = []
        self._classes: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in self.EMPTY:
            self.open.append(tag)
            self._classes.append(given.get("class") or "")
        if tag == "input":
            self.choices.append(given["value"])
        if "data-outcome" in given:
            self.outcomes[given["id"] or ""] = given["data-outcome"] or ""
        self.loads += [
            value or "" for name, value in attrs if name in ("src", "srcset") or (tag, name) == ("link", "href")
        ]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self._classes.pop()

    def handle_data(self, data: str) -> None:
        self.shown += data
        if not self.ANY_WRAP & set(self.open) and "id" not in self._classes:
            self.wrapping += re.findall(r"[A-Z0-9]+-[0-9]{3}", data)


def parsed(run: Run) -> Page:
    page = Page()
    page.feed(html_page(report_of(run)))
    return page


@pytest.mark.parametrize("name", RUNS)
def test_a_page_stands_alone_and_shows_every_rule(name: str) -> None:
    page = parsed(run_of(name))
    assert (page.open, page.loads) == ([], [])
    assert [name for name in page.outcomes if name] == [entry.id for entry in rules().values() if entry.kind == "every"]
    assert f"{len(rules()) - len(page.outcomes):,} rules for other kinds of storage left out." in page.shown
    assert "prefers-color-scheme: dark" in page.shown
    assert "$" not in page.shown


@pytest.mark.parametrize("name", RUNS)
def test_the_id_of_a_rule_never_wraps(name: str) -> None:
    page = parsed(run_of(name))
    assert page.wrapping == []
    assert ".id { white-space: nowrap; }" in page.shown


@pytest.mark.parametrize("name", RUNS)
def test_the_rules_of_a_page_can_be_filtered_by_outcome(name: str) -> None:
    page = parsed(run_of(name))
    binding = [entry for entry in run_of(name).rules if entry.rule.binds("other")]
    assert page.outcomes == {entry.rule.id: entry.outcome.value for entry in binding}
    assert page.choices[0] == ""
    assert sorted(page.choices[1:], key=str) == sorted(set(page.outcomes.values()))


def test_a_page_shows_why_a_broken_rule_matters_and_links_to_it() -> None:
    page = html_page(report_of(run_of("failing")))
    told = rule_pages()["LIFE-005"]
    assert page.count('<details class="page">') == 1
    assert page.count('<a href="#LIFE-005">why and how</a>') == 1
    for text in (told.wrong, told.right):
        assert f"<pre>{escape(text)}</pre>" in page
    assert '<details class="page">' not in html_page(report_of(run_of("whole")))


def test_a_page_without_a_script_has_no_filter_and_shows_every_rule() -> None:
    page = html_page(report_of(run_of("whole")))
    assert '<fieldset class="filter" hidden>' in page
    assert not re.search(r"<tr [^>]*hidden", page)


def test_a_page_explains_its_words() -> None:
    page = parsed(run_of("whole")).shown
    assert {outcome.value for outcome in Outcome} <= MEANINGS.keys()
    for word in (*MEANINGS.values(), "What the words mean"):
        assert word in page


def test_failures_of_one_cause_are_shown_together_the_simplest_first() -> None:
    def of(check: str, rule: str, calls: str) -> Record:
        return failed(check=check, rules=(rule,), reason=f"KeyError: 'Prefix'\n  {rule} MUST: x\n  calls:{calls}")

    listed = "\n    list_folders('conformance-0123456789abcdef') raised KeyError: 'Prefix'"
    written = "\n    write('conformance-0123456789abcdef/a', b'x') -> None"
    checks = {
        "test_list_direct_folders_are_listed_once": of(
            "test_list_direct_folders_are_listed_once", "LIST-007", written + listed
        ),
        "test_list_the_root_lists_what_is_below_it": of(
            "test_list_the_root_lists_what_is_below_it", "LIST-016", listed
        ),
        "test_life_close_again_and_again": failed(),
    }
    page = html_page(report_of(made(checks)))
    start, end = page.index("What is broken"), page.index("Every rule")
    shown = re.sub(r"<[^>]*>", "", page[start:end])
    order = [
        "KeyError: &#x27;Prefix&#x27; 2 rules",
        "LIST-016",
        "1 more, probably from the same cause",
        "LIST-007",
        "LIFE-005",
    ]
    places = [shown.index(text) for text in order]
    assert places == sorted(places)


def test_a_page_shows_what_is_broken_and_what_deviates() -> None:
    text = html_page(report_of(run_of("failing")))
    assert "What is broken" in text
    assert "close &lt;again&gt;" in text
    deviating = html_page(report_of(run_of("deviating")))
    assert "What is broken" not in deviating
    assert '<a href="https://example.org/1">' in deviating
    unsafe = broken(outcome=Outcome.DEVIATION, deviation={"reason": "<b>", "link": "javascript:x", "expires": ""})
    assert 'href="javascript' not in html_page(report_of(unsafe))
    assert "What did not run" in html_page(report_of(run_of("partial")))


def test_a_summary_says_verdict_reasons_and_versions() -> None:
    lines = list(summary(run_of("failing")))
    assert lines[0] == "verdict   failing (full tier, on an emulator (toy 1.0))"
    assert lines[1] == f"          contract {CONTRACT_VERSION} · suite 0.1.0 · core 0.1.0 · 2026-11-26 · seed 0"
    assert lines[3] == "why       1 rule is broken: LIFE-005"
    told = "\n".join(failures(run_of("failing")))
    assert told.startswith("FAIL LIFE-005  test_life_close_again_and_again\n  close <again>\n")
    left = "\n".join(summary(broken(outcome=Outcome.PASS, left="conformance-1")))
    assert "left      1 folder could not be removed; delete by hand: conformance-1" in left


def test_an_overview_has_a_line_for_each_server() -> None:
    runs = [run_of("whole"), run_of("deviating")]
    held = sum(entry.outcome is Outcome.PASS for run in runs for entry in run.rules)
    assert list(overview(runs)) == [
        f"toy 1.0  2 backends (full tier), {held:,} rules held, 1 rule deviating as declared"
    ]
    assert list(overview([])) == []


def test_runs_that_found_nothing_wrong_share_a_section_where_there_are_many() -> None:
    runs = [run_of(name) for name in RUNS]
    nothing = finished(
        name="Toy", target="other", suite=BackendConformance, tier="full", subject=None, records={}, gone={}, early=""
    )
    shared, *others = sections([*runs, nothing], brief=True)
    assert shared == ("conformance: 2 of 4 backends keep the contract", list(overview([runs[0], runs[2]])))
    assert others == [("conformance of toy:make", list(summary(run))) for run in (runs[1], runs[3])]
    each = list(sections([*runs, nothing], brief=False))
    assert each[:4] == [("conformance of toy:make", list(summary(run))) for run in runs]
    assert each[4:] == [(f"conformance of other: {nothing.verdict}, no check ran", [])]
