from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from remote_store.conformance import (
    CONTRACT_VERSION,
    Case,
    CheckFailed,
    ConfigurationError,
    Deviation,
    Harness,
    check,
    faults,
    load_deviations,
)
from remote_store.conformance.checking.decorators import validate
from remote_store.conformance.checking.wire import named
from remote_store.conformance.contract.deviations import has_expired, join_deviations, kinds_of
from remote_store.core import Backend, MemoryBackend, NotFound

WHOLE = """
[[deviation]]
rules = ["READ-001", "READ-002"]
reason = "the server sleeps"
link = "https://example.org/issues/1"
expires = 2999-06-30
raises = ["AssertionError", "remote_store.core.NotFound"]
checks = ["test_fails", "test_raises"]
variants = ["tab*"]
sometimes = true

[[deviation]]
rule = "READ-001"
reason = "another one"
expires = "contract 9.0"
"""


def row(**changes: str) -> str:
    """A file of one row, whose values are written in TOML."""
    values = {"rule": '"READ-001"', "reason": '"known"', "expires": "2999-01-01", **changes}
    return "[[deviation]]\n" + "\n".join(f"{key} = {value}" for key, value in values.items() if value)


@pytest.fixture
def written(tmp_path: Path) -> Any:
    def write(text: str) -> Path:
        path = tmp_path / "known.toml"
        path.write_text(text, "utf-8")
        return path

    return write


class Memory(Harness):
    def __init__(self, path: Path) -> None:
        self.deviations = load_deviations(path)

    def make(self, **options: Any) -> Backend:
        return MemoryBackend(**options)


class Checks:
    @check("READ-001")
    def test_passes(self, case: Case) -> None:
        case.expect_equal(case.backend.exists(case.path("file")), False, "exists")

    @check("READ-001")
    def test_raises(self, case: Case) -> None:
        case.backend.read(case.path("file"))


def run(path: Path, name: str) -> None:
    case = Case(Memory(path), name)
    validate(Checks, case)
    getattr(Checks(), name)(case)


def test_a_file_is_read_whole(written: Any) -> None:
    found = load_deviations(written(WHOLE))
    whole = Deviation(
        reason="the server sleeps",
        link="https://example.org/issues/1",
        expires="2999-06-30",
        raises=("AssertionError", "remote_store.core.NotFound"),
        checks=("test_fails", "test_raises"),
        variants=("tab*",),
        sometimes=True,
        place="known.toml, deviation 1",
    )
    second = Deviation(reason="another one", expires="contract 9.0", place="known.toml, deviation 2")
    assert found == {"READ-001": (whole, second), "READ-002": (whole,)}
    assert load_deviations(str(written(WHOLE))) == found


def test_a_file_without_rows_holds_no_deviation(written: Any) -> None:
    assert load_deviations(written("")) == {}


@pytest.mark.parametrize(
    "text, message",
    [
        (row(rule='"REED-001"'), "'REED-001' is not a rule of the contract; did you mean READ-001?"),
        (row(rule='"read-001"'), "did you mean READ-001?"),
        (row(rule='""'), "'' is not a rule"),
        (row(rule='["READ-001"]'), "rule must be a string, not"),
        (row(rules='["READ-001"]'), 'write either rule = "READ-001" or rules'),
        (row(rule=""), 'write either rule = "READ-001" or rules'),
        (row(rule="", rules="[]"), "rules must be a string or a list of strings, not []"),
        (row(reason=""), 'reason is missing; write reason = "why it does not hold"'),
        (row(reason='""'), "reason is missing; write reason"),
        (row(reason="1"), "reason must be a string, not 1"),
        (row(expires=""), "expires is missing; write expires = 2027-06-30"),
        (
            row(expires='"soon"'),
            "expires must be a day such as 2027-06-30 or a version such as \"contract 0.3\", not 'soon'",
        ),
        (row(expires='"2027-02-30"'), "not '2027-02-30'"),
        (row(expires='"suite 0.3"'), "not 'suite 0.3'"),
        (row(expires='"0.3.1"'), "not '0.3.1'"),
        (row(expires="0.3"), "expires must be a day or a version of the contract, not 0.3"),
        (row(expires="2027-06-30T12:00:00"), "expires must be a day"),
        (row(reasons='"x"'), "unknown key 'reasons'; did you mean 'reason'?"),
        (row(colour='"x"'), "unknown key 'colour'; the keys are rule, rules,"),
        (row(sometimes='"yes"'), "sometimes must be true or false, not 'yes'"),
        (row(checks="[1]"), "checks must be a string or a list of strings, not [1]"),
        (row(raises="{}"), "raises must be a string or a list of strings"),
        ("deviation = [1]", "write [[deviation]] above it"),
    ],
)
def test_a_row_that_is_wrong_is_refused_with_its_place_and_what_to_write(written: Any, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_deviations(written(text))
    assert str(caught.value).startswith("known.toml, deviation 1: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "text, message",
    [
        ("[deviation]\nrule = 'READ-001'", r"only \[\[deviation\]\] rows are allowed"),
        ("[[deviations]]\nrule = 'READ-001'", r"rows are allowed, not \['deviations'\]"),
        ("rule = ", "Invalid value"),
    ],
)
def test_a_file_that_is_wrong_is_refused_by_its_name(written: Any, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"known.toml: .*{message}"):
        load_deviations(written(text))


def test_a_file_that_is_not_there_is_an_error_of_the_harness(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.toml"):
        load_deviations(tmp_path / "absent.toml")


@pytest.mark.parametrize(
    "expires, today, expired",
    [
        ("", date(2999, 1, 1), False),
        ("2027-06-30", date(2027, 6, 29), False),
        ("2027-06-30", date(2027, 6, 30), True),
        ("2027-06-30", date(2028, 1, 1), True),
        ("0.0", date(2000, 1, 1), True),
        (CONTRACT_VERSION, date(2000, 1, 1), True),
        (f"contract {CONTRACT_VERSION}", date(2000, 1, 1), True),
        ("contract 0.10", date(2999, 1, 1), False),
        ("9.0", date(2999, 1, 1), False),
    ],
)
def test_a_deviation_expires_at_its_day_or_at_its_version(expires: str, today: date, expired: bool) -> None:
    assert has_expired(Deviation(reason="known", expires=expires), today) is expired


@pytest.mark.parametrize("expires", ["2000-01-01", CONTRACT_VERSION])
@pytest.mark.parametrize("name", ["test_passes", "test_raises"])
def test_an_expired_deviation_is_red_whatever_the_check_does(written: Any, name: str, expires: str) -> None:
    path = written(row(expires=f'"{expires}"', raises='"remote_store.core.NotFound"'))
    with pytest.raises(CheckFailed, match=r"has expired \(.+\).+known \(known.toml, deviation 1\)(?s:.+)READ-001 MUST"):
        run(path, name)


def test_exceptions_are_imported_by_their_names(written: Any) -> None:
    path = written(row(raises='["LookupError", "remote_store.core.NotFound"]'))
    (deviation,) = load_deviations(path)["READ-001"]
    assert kinds_of(deviation) == (LookupError, NotFound)
    with pytest.raises(pytest.xfail.Exception, match="deviation: known"):
        run(path, "test_raises")


def test_another_exception_than_the_declared_one_is_red(written: Any) -> None:
    with pytest.raises(NotFound) as caught:
        run(written(row(raises='"builtins.PermissionError"')), "test_raises")
    assert "deviation that fails with PermissionError: known (known.toml, deviation 1)" in caught.value.__notes__[-1]


@pytest.mark.parametrize(
    "name, message",
    [
        ("NoSuchError", "cannot be imported"),
        ("remote_store.core.Absent", "cannot be imported"),
        ("absent_module.Error", "No module named 'absent_module'"),
        ("remote_store.core.Store", "is not an exception class"),
        ("remote_store.core.__doc__", "is not an exception class"),
    ],
)
def test_the_name_of_no_exception_shows_when_a_check_is_run_and_not_before(
    written: Any, name: str, message: str
) -> None:
    path = written(row(raises=f'"{name}"'))
    assert load_deviations(path).keys() == {"READ-001"}
    with pytest.raises(ConfigurationError, match=f"known.toml, deviation 1: raises names '{name}'.*{message}"):
        run(path, "test_passes")


def test_an_expiry_that_is_none_is_an_error_also_where_no_file_says_it() -> None:
    class Said(Memory):
        def __init__(self) -> None:
            self.deviations = {"READ-001": Deviation(reason="known", expires="some day")}

    with pytest.raises(ConfigurationError, match="not 'some day'"):
        validate(Checks, Case(Said(), "test_passes"))


def test_several_mappings_are_joined_in_their_order() -> None:
    first, second, third = (Deviation(reason=str(number)) for number in range(3))
    joined = join_deviations({"READ-001": first}, {"READ-001": (second,), "READ-002": third}, {})
    assert joined == {"READ-001": (first, second), "READ-002": (third,)}


def test_the_variants_of_a_fault_have_the_name_that_authors_import() -> None:
    assert [named(fault) for fault in (faults.Answer(500, "InternalError"), faults.LostAnswer(), faults.Reset())] == [
        "Answer",
        "LostAnswer",
        "Reset",
    ]
