from __future__ import annotations

import re

import pytest

from remote_store.conformance import CheckFailed, rule
from remote_store.conformance.checking.expect import Expectations, shown, with_note
from remote_store.core import InvalidPath, NotFound

READ = rule("READ-001")


@pytest.fixture
def expectations() -> Expectations:
    made = Expectations()
    made.rules = (READ,)
    return made


def test_a_failure_says_what_was_expected_what_came_and_what_to_look_at(expectations: Expectations) -> None:
    with pytest.raises(CheckFailed) as caught:
        expectations.expect_equal(1, 2, "the number of bytes")
    assert str(caught.value) == (
        f"the number of bytes\n  expected: 2\n  observed: 1\n  READ-001 MUST: {READ.text}\n  hint: {READ.hint}"
        "\n  for more: remote-store-conformance explain READ-001"
    )


def test_a_failure_is_an_assertion_error_whose_cause_is_the_backends(expectations: Expectations) -> None:
    error = OSError("disk")
    with pytest.raises(AssertionError) as caught:
        expectations.fail("reading", NotFound, error)
    assert caught.value.__cause__ is error
    assert "expected: NotFound" in str(caught.value)
    assert "observed: OSError: disk" in str(caught.value)


@pytest.mark.parametrize("observed, expected", [(1, True), (bytearray(b"x"), b"x"), (0, False), (None, b"")])
def test_equal_means_equal_and_of_the_type(expectations: Expectations, observed: object, expected: object) -> None:
    with pytest.raises(CheckFailed):
        expectations.expect_equal(observed, expected, "a value")


CONTENT = bytes(range(256)) * 16_384


@pytest.mark.parametrize(
    "came, expected, observed",
    [
        (CONTENT[:-1024], "4,194,304 bytes", "4,193,280 bytes; the first 4,193,280 are right, the rest is missing"),
        (CONTENT + b"x", "4,194,304 bytes", "4,194,305 bytes; the first 4,194,304 are right, the others are too many"),
        (
            CONTENT[:600] + b"!" + CONTENT[601:],
            "4,194,304 bytes, with b'XYZ[\\\\]^_`abcdefg' at offset 600",
            "4,194,304 bytes, with b'!YZ[\\\\]^_`abcdefg' at offset 600; the bytes before are right",
        ),
    ],
)
def test_of_long_contents_the_first_difference_is_told(
    expectations: Expectations, came: bytes, expected: str, observed: str
) -> None:
    with pytest.raises(CheckFailed) as caught:
        expectations.expect_equal(came, CONTENT, "read_bytes")
    assert str(caught.value).startswith(f"read_bytes\n  expected: {expected}\n  observed: {observed}\n")


def test_of_long_lists_the_first_difference_is_told(expectations: Expectations) -> None:
    names = [f"file{number:05}" for number in range(1_500)]
    for came, observed in (
        (names[:-1], "1,499 items, from index 1,499: []; missing ['file01499']"),
        ([*names, "ghost"], "1,501 items, from index 1,500: ['ghost']; extra ['ghost']"),
        ([names[1], names[0], *names[2:]], "; the same items in another order"),
    ):
        with pytest.raises(CheckFailed) as caught:
            expectations.expect_equal(came, names, "the files")
        assert "expected: 1,500 items, from index " in str(caught.value)
        assert observed in str(caught.value)
        assert len(str(caught.value)) < 1_000


def test_long_values_are_shortened() -> None:
    assert shown(b"x" * 100_000).startswith("100,000 bytes b'xxx")
    assert len(shown(b"x" * 100_000)) < 1_300
    assert len(shown(list(range(100_000)))) < 1_300
    assert shown((ValueError, TypeError)) == "ValueError or TypeError"


def test_the_same_things_in_another_order_are_the_same(expectations: Expectations) -> None:
    expectations.expect_same(["b", "a"], ["a", "b"], "names")
    with pytest.raises(CheckFailed, match=r"missing \['b'\], extra \['a'\]"):
        expectations.expect_same(["a", "a"], ["a", "b"], "names")


def test_a_condition_fails_with_what_was_observed(expectations: Expectations) -> None:
    expectations.expect(True, "it holds")
    with pytest.raises(CheckFailed, match=r"observed: \['seen'\]"):
        expectations.expect([], "it holds", ["seen"])


def test_a_type_is_expected(expectations: Expectations) -> None:
    expectations.expect_type(True, int, "a number")
    with pytest.raises(CheckFailed, match="observed: str"):
        expectations.expect_type("1", int, "a number")


def test_the_expected_exception_is_handed_out(expectations: Expectations) -> None:
    error = NotFound("gone", path="a/b")
    with expectations.expect_raises(NotFound, path="a/b", where=lambda raised: raised is error) as caught:
        raise error
    assert caught.error is error
    with expectations.expect_raises((ValueError, OSError)):
        raise error


@pytest.mark.parametrize(
    "error, text",
    [
        (InvalidPath("wrong", path="a"), "observed: InvalidPath"),
        (NotFound("gone", path="b"), "the error's path"),
        (NotFound("", path="a"), "has a message"),
        (NotFound("gone", path="a"), "says what it should"),
    ],
)
def test_another_exception_is_a_failure(expectations: Expectations, error: Exception, text: str) -> None:
    with (
        pytest.raises(CheckFailed, match=text) as caught,
        expectations.expect_raises(NotFound, path="a", where=lambda _: False),
    ):
        raise error
    assert caught.value.__cause__ is error


def test_no_exception_is_a_failure(expectations: Expectations) -> None:
    with pytest.raises(CheckFailed, match="observed: no exception"), expectations.expect_raises(NotFound):
        pass


def test_an_interrupt_is_not_taken_for_a_failure(expectations: Expectations) -> None:
    with pytest.raises(KeyboardInterrupt), expectations.expect_raises(NotFound):
        raise KeyboardInterrupt


def test_texts_that_look_alike_are_told_apart(expectations: Expectations) -> None:
    with pytest.raises(
        CheckFailed,
        match=re.escape(r"""expected: ['e\u0301']
  observed: ['\xe9']"""),
    ):
        expectations.expect_equal(["é"], ["e\u0301"], "every key")


def test_an_exception_of_the_backend_is_shown_with_its_line(expectations: Expectations) -> None:
    def fails() -> None:
        raise AttributeError("no read")

    line = r"AttributeError: no read; raised in fails \(.*test_expect.py, line \d+\)"
    with pytest.raises(CheckFailed, match=line), expectations.expect_raises(NotFound):
        fails()


def test_a_note_is_part_of_a_failure() -> None:
    with pytest.raises(NotFound) as caught, with_note("the clock was moved"):
        raise NotFound("x")
    assert caught.value.__notes__ == ["  the clock was moved"]
