from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from remote_store.conformance import CONTRACT_VERSION, Area, ConfigurationError, areas, rule, rules, suite
from remote_store.conformance.contract import rulebook
from remote_store.conformance.contract.rulebook import Rule, area_of
from remote_store.conformance.run.manifest import manifest
from remote_store.conformance.suite.conformance import SUITES
from remote_store.core import Capability
from remote_store.core.capabilities import CONTRACT_0_1

FIRST = {None, *CONTRACT_0_1}
HEADING = {"name": "READ", "title": "Reading", "about": "About reading."}
ROW = {"id": "READ-001", "level": "MUST", "since": "0.1", "text": "t.", "rationale": "r.", "hint": "h."}


def test_the_catalogue_is_read_in_the_order_of_its_headings() -> None:
    names = [area.name for area in areas()]
    assert names[:6] == ["PATH", "ERR", "READ", "SEEK", "WRITE", "ATOM"]
    assert len(names) == len(set(names))
    assert list(rules()) == [entry.id for area in areas() for entry in area.rules]


def test_a_backend_that_passed_the_first_version_still_passes() -> None:
    versions = {entry.since for entry in rules().values()}
    assert versions == {"0.1", CONTRACT_VERSION}
    new = [entry for entry in rules().values() if entry.since == CONTRACT_VERSION]
    assert [entry.id for entry in new if entry.provisional != (entry.capability in FIRST)] == []
    assert [entry.id for entry in rules().values() if entry.since == "0.1" and entry.capability not in FIRST] == []


def test_a_rule_knows_its_capability_as_such() -> None:
    assert rule("READ-001").capability is Capability.READ
    assert rule("PATH-007").capability is None


def test_an_unknown_id_is_an_error_of_the_harness() -> None:
    with pytest.raises(ConfigurationError, match="READ-999"):
        rule("READ-999")


def test_an_area_is_made_of_its_rows() -> None:
    made = area_of(HEADING, {"rule": [ROW]})
    assert made == Area("READ", "Reading", "About reading.", (Rule(**ROW),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"id": "WRITE-001"},
        {"id": "READ-one"},
        {"level": "SHALL"},
        {"capability": "READING"},
        {"kind": "ftp"},
        {"colour": "red"},
    ],
)
def test_a_row_that_is_wrong_is_refused_by_its_id(change: dict[str, str]) -> None:
    row = {**ROW, **change}
    with pytest.raises(ConfigurationError, match=row["id"]):
        area_of(HEADING, {"rule": [row]})


@pytest.mark.parametrize("identifiers", [("READ-002", "READ-001"), ("READ-001", "READ-001")])
def test_ids_out_of_order_or_used_twice_are_refused(identifiers: tuple[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="not sorted"):
        area_of(HEADING, {"rule": [{**ROW, "id": identifier} for identifier in identifiers]})


def test_a_row_without_a_field_is_refused() -> None:
    row = {name: value for name, value in ROW.items() if name != "hint"}
    with pytest.raises(ConfigurationError, match="hint"):
        area_of(HEADING, {"rule": [row]})


def test_a_rule_is_settled_and_has_no_other_name_unless_it_says_so() -> None:
    made = area_of(HEADING, {"rule": [{**ROW, "provisional": True, "aliases": ["READ-000"]}]}).rules[0]
    assert (made.provisional, made.aliases) == (True, ("READ-000",))
    assert (rule("READ-001").provisional, rule("READ-001").aliases) == (False, ())


@pytest.fixture
def catalogue(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Rule]]:
    found = dict(rules())
    monkeypatch.setattr(rulebook, "rules", lambda: found)
    rulebook._aliases.cache_clear()
    yield found
    rulebook._aliases.cache_clear()


def test_an_id_of_the_past_finds_its_rule(catalogue: dict[str, Rule]) -> None:
    catalogue["READ-001"] = replace(catalogue["READ-001"], aliases=("GET-001",))
    assert rule("GET-001").id == "READ-001"


@pytest.mark.parametrize("alias", ["READ-002", "GET-001"])
def test_an_id_of_the_past_that_is_that_of_another_rule_is_refused(catalogue: dict[str, Rule], alias: str) -> None:
    catalogue["READ-001"] = replace(catalogue["READ-001"], aliases=(alias,))
    catalogue["READ-003"] = replace(catalogue["READ-003"], aliases=("GET-001",))
    with pytest.raises(
        ConfigurationError, match=f"{alias}, an alias of READ-00., is the id or alias of another rule too"
    ):
        rule("GET-002")


# Their capabilities are those of services that are reached over HTTP.
HTTP_AREAS = {"SIGN", "PART"}
OF_HTTP = re.compile(
    r"HTTP|\b(GET|HEAD|PUT|XML|SDK)\b|If-|Content-|[Cc]ontinuation|\b4\d\d\b|[Rr]esponse|[Rr]equest|[Bb]ucket|NoSuch|1,024"
)


def test_a_hint_for_every_storage_does_not_speak_of_http() -> None:
    general = [entry for entry in rules().values() if entry.kind == "every"]
    hints = {entry.id: entry.hint for entry in general if entry.id.partition("-")[0] not in HTTP_AREAS}
    told = {identifier: hint for identifier, hint in hints.items() if OF_HTTP.search(hint)}
    assert told == {}


def test_a_hint_is_chosen_by_the_kind_of_storage() -> None:
    read, create = rule("READ-013"), rule("ATOM-012")
    assert "If-Match" not in read.hint_for("other")
    assert "If-Match" in read.hint_for("http")
    assert read.hint_for("s3") == read.hint_for("http")
    assert len({create.hint_for(kind) for kind in ("other", "http", "s3")}) == 3


def calls(method: ast.AsyncFunctionDef | ast.FunctionDef, function: str) -> bool:
    names = [node.func for node in ast.walk(method) if isinstance(node, ast.Call)]
    return any(isinstance(name, ast.Name) and name.id == function for name in names)


def test_a_rule_that_is_checked_on_s3_only_binds_no_other_storage() -> None:
    only_s3 = {
        method.name: calls(method, "require_s3")
        for path in Path(suite.__file__).parent.rglob("*.py")
        for method in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(method, ast.AsyncFunctionDef | ast.FunctionDef)
    }
    found: dict[str, set[bool]] = {}
    for name, entry in [pair for kind in SUITES for pair in manifest(kind).items()]:
        for identifier in entry.rules:
            found.setdefault(identifier, set()).add(only_s3.get(name, False))
    checked = [identifier for identifier, kinds in found.items() if kinds == {True}]
    assert len(checked) > 100
    assert [identifier for identifier in checked if rule(identifier).kind != "s3"] == []
