from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import contract_page
import rule_pages
from remote_store import conformance
from remote_store.conformance import AsyncBackendConformance, BackendConformance, Rule, areas, rules
from remote_store.conformance.checking.decorators import identifiers_of

ROOT = Path(__file__).resolve().parent.parent
SUITES = (BackendConformance, AsyncBackendConformance)
ONLY_ASYNC = {"ASYNC"}
ONLY_SYNC = {"SEEK-012"}


def checks(suite: type) -> Iterator[tuple[type, str, tuple[str, ...]]]:
    for owner in suite.__mro__:
        for name, value in vars(owner).items():
            if name.startswith("test_"):
                yield owner, name, identifiers_of(value)


def checked(suite: type) -> set[str]:
    return {identifier for _, _, identifiers in checks(suite) for identifier in identifiers}


@pytest.mark.parametrize("suite", SUITES)
def test_every_check_names_clauses_that_exist(suite: type) -> None:
    for owner, name, identifiers in checks(suite):
        assert identifiers, f"{owner.__name__}.{name} checks no clause"
        assert set(identifiers) <= rules().keys(), f"{owner.__name__}.{name}"


@pytest.mark.parametrize("suite", SUITES)
def test_no_check_hides_another_of_the_same_name(suite: type) -> None:
    names = Counter(name for _, name, _ in checks(suite))
    assert [name for name, count in names.items() if count > 1] == []


def test_every_clause_has_a_check_or_says_why_not() -> None:
    found = checked(BackendConformance) | checked(AsyncBackendConformance)
    assert [name for name, rule in rules().items() if name not in found and not rule.untested] == []
    assert [name for name, rule in rules().items() if name in found and rule.untested] == []


def test_synchronous_and_asynchronous_backends_obey_the_same_clauses() -> None:
    only_async = checked(AsyncBackendConformance) - checked(BackendConformance)
    assert {identifier.rpartition("-")[0] for identifier in only_async} <= ONLY_ASYNC
    assert checked(BackendConformance) - checked(AsyncBackendConformance) == ONLY_SYNC


def test_every_mark_anywhere_names_a_clause_that_exists() -> None:
    marked = {
        (path.relative_to(ROOT).as_posix(), identifier)
        for folder in ("tests", "packages", "conformance")
        for path in (ROOT / folder).rglob("test_*.py")
        for arguments in re.findall(r"mark\.clause\(([^)]*)\)", path.read_text("utf-8"))
        for identifier in re.findall(r"[\"']([A-Z0-9]+-\d+)[\"']", arguments)
    }
    assert {(path, identifier) for path, identifier in marked if identifier not in rules()} == set()


@pytest.mark.parametrize("rule", [rule for area in areas() for rule in area.rules], ids=lambda rule: rule.id)
def test_a_clause_reads_as_one(rule: Rule) -> None:
    assert rule.text.endswith(".")
    assert rule.rationale.endswith(".")
    assert rule.hint.endswith(".")
    assert "\n" not in rule.text


def test_ids_are_numbered_without_a_gap() -> None:
    for area in areas():
        assert [rule.id for rule in area.rules] == [
            f"{area.name}-{number:03}" for number in range(1, len(area.rules) + 1)
        ]


def test_the_page_of_the_contract_is_current() -> None:
    assert contract_page.PAGE.read_text("utf-8") == contract_page.page()
    for rule in rules().values():
        assert contract_page.row(rule) in contract_page.page()


def test_every_rule_has_a_page_with_wrong_and_right_code() -> None:
    found = conformance.rule_pages()
    assert list(found) == list(rules())
    for identifier, page in found.items():
        for code in (page.wrong, page.right):
            compile(code, identifier, "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        assert page.wrong != page.right, identifier


def test_the_pages_of_the_rules_are_current() -> None:
    assert rule_pages.stale() == []
    assert {f"{identifier}.md" for identifier in rules()} < rule_pages.pages().keys()


def test_a_page_of_a_rule_that_is_gone_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule_pages, "FOLDER", tmp_path)
    (tmp_path / "READ-999.md").write_text("gone", "utf-8")
    monkeypatch.setattr(sys, "argv", ["rule_pages.py", "--check"])
    assert rule_pages.main() == 1
    monkeypatch.setattr(sys, "argv", ["rule_pages.py"])
    assert rule_pages.main() == 0
    assert rule_pages.stale() == []
    assert not (tmp_path / "READ-999.md").exists()
    assert rules()["READ-001"].text in (tmp_path / "READ-001.md").read_text("utf-8")
