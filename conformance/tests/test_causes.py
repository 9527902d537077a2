from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from remote_store.conformance.report.causes import calls_of, cause_of, causes_of

FOLDER = "conformance-0123456789abcdef"
OTHER = "conformance-fedcba9876543210"


def reason(head: str, *calls: str) -> str:
    lines = "".join(f"\n    {call}" for call in calls)
    return f"{head}\n  READ-001 MUST: text\n  hint: text" + (f"\n  calls:{lines}" if calls else "") + "\n  seed: s[]"


def check(name: str, *rules: str, text: str, outcome: str = "fail") -> Mapping[str, Any]:
    return {"check": name, "variant": "", "rules": list(rules), "outcome": outcome, "reason": text}


def report(*checks: Mapping[str, Any]) -> Mapping[str, Any]:
    texts = {
        "READ-001": "`read` returns the bytes.",
        "READ-002": "Text.",
        "READ-003": "`read_range` returns a range.",
        "LIST-001": "Listings.",
    }
    return {"rules": [{"id": name, "text": text} for name, text in texts.items()], "checks": checks}


def test_what_one_exception_breaks_has_one_cause() -> None:
    first = reason("KeyError: 'Size'", f"read('{FOLDER}/a') raised KeyError: 'Size'")
    second = reason(
        "info\n  expected: NotFound\n  observed: KeyError: 'Size'",
        "write('x')",
        "get_file_info('y') raised KeyError: 'Size'",
    )
    assert (
        cause_of(check("one", "READ-001", text=first))
        == cause_of(check("two", "READ-002", text=second))
        == "KeyError: 'Size'"
    )


@pytest.mark.parametrize(
    "one, other",
    [
        (f"NotFound: no file [path='{FOLDER}/a', backend=x]", f"NotFound: no file [path='{OTHER}/b', backend=x]"),
        (f"OSError: cannot open {FOLDER}/a", f"OSError: cannot open {OTHER}/a/b"),
        ("ValueError: 17 bytes at 0x7f00", "ValueError: 4 bytes at 0x7fab"),
    ],
)
def test_paths_and_numbers_make_no_difference(one: str, other: str) -> None:
    causes = {cause_of(check("x", "READ-001", text=reason(text, f"read('a') raised {text}"))) for text in (one, other)}
    assert len(causes) == 1


def test_other_exceptions_are_other_causes() -> None:
    texts = ("KeyError: 'Size'", "KeyError: 'ETag'", "TypeError: 'Size'")
    assert len({cause_of(check("x", "READ-001", text=reason(text, f"read('a') raised {text}"))) for text in texts}) == 3


def test_a_wrong_result_is_named_by_the_method_that_was_called_last() -> None:
    text = reason(
        "read_range(0, 1)\n  expected: b'x'\n  observed: b'xy'", "write('a')", "second: read_range('a', 0, 1) -> b'xy'"
    )
    assert cause_of(check("x", "READ-003", text=text)) == "an unexpected result; the last call was read_range"


def test_an_exception_that_was_expected_is_not_the_cause() -> None:
    text = reason(
        "exists after a failed write\n  expected: False\n  observed: True", "write('a') raised ValueError: no"
    )
    assert cause_of(check("x", "READ-001", text=text)) == "an unexpected result; the last call was write"


def test_a_failure_without_a_call_is_named_by_its_first_line() -> None:
    assert cause_of(check("x", "READ-001", text=reason("the repr shows the secret"))) == "the repr shows the secret"


def test_the_calls_that_are_not_shown_count_too() -> None:
    text = reason("x", "... 1,200 earlier calls", "write('a') -> None", "read('a') -> <file>")
    assert calls_of(check("x", "READ-001", text=text)) == 1202
    assert calls_of(check("x", "READ-001", text=reason("x"))) == 0


def test_the_rule_that_fails_after_the_fewest_calls_is_first() -> None:
    boom = "raised KeyError: 'Size'"
    short, long = (reason("KeyError: 'Size'", *["write('a')"] * count, f"read('a') {boom}") for count in (0, 5))
    causes = causes_of(
        report(
            check("far", "LIST-001", text=long),
            check("again", "READ-001", text=long),
            check("other", "READ-002", text=short),
            check("near", "READ-001", text=short),
            check("fine", "READ-003", text="", outcome="pass"),
        )
    )
    (cause,) = causes
    # Of two rules that fail after one call, the one about the method that was called is first.
    assert [entry.rules for entry in cause.broken] == [("READ-001",), ("READ-002",), ("LIST-001",)]
    assert [entry["check"] for entry in cause.broken[0].checks] == ["near", "again"]
    assert cause.text == "KeyError: 'Size'"


def test_causes_come_in_the_order_of_the_run_and_errors_of_the_harness_are_last() -> None:
    def failing(name: str, error: str, outcome: str = "fail") -> Mapping[str, Any]:
        return check(name, name, text=reason(f"{error}: x", f"read('a') raised {error}: x"), outcome=outcome)

    causes = causes_of(
        report(
            failing("READ-001", "KeyError"),
            failing("READ-002", "TypeError"),
            failing("LIST-001", "TypeError"),
            failing("READ-003", "TypeError", "error"),
        )
    )
    assert [(cause.outcome, cause.text, len(cause.broken)) for cause in causes] == [
        ("fail", "KeyError: x", 1),
        ("fail", "TypeError: x", 2),
        ("error", "TypeError: x", 1),
    ]


def test_a_run_without_failures_has_no_causes() -> None:
    assert causes_of(report(check("fine", "READ-001", text="", outcome="pass"))) == []
