"""Expectations whose failures show the rule, the expected and the observed value, and a hint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, NoReturn, TypeVar

from remote_store.conformance.contract.rulebook import Rule
from remote_store.conformance.processes.origin import origin
from remote_store.conformance.values.lookalikes import told_apart
from remote_store.core import RemoteStoreError
from remote_store.core.home import public

E = TypeVar("E", bound=BaseException)
SHOWN = 300
SHORT, NEARBY = 80, 16
FEW, MANY = 8, 2_000
NOTHING = object()


@public("remote_store.conformance")
class CheckFailed(AssertionError):
    """A backend broke a rule. The text is complete without pytest's assertion rewriting."""


class CheckHung(CheckFailed):
    """A check exceeded its time limit."""


@contextmanager
def with_note(text: str) -> Iterator[None]:
    """Add a line to the failures of the block, about something that they do not show."""
    try:
        yield
    except Exception as error:
        error.add_note(f"  {text}")
        raise


class Caught(Generic[E]):
    """The exception that a block raised.

    Attributes:
        error: The exception, once the block has ended.
    """

    error: E


class Expectations:
    """The expectations of one running check.

    Attributes:
        rules: The rules that it checks.
        kind: The kind of storage, which decides about the hints.
    """

    rules: tuple[Rule, ...] = ()
    kind: str = "other"

    def fail(self, what: str, expected: object, observed: object) -> NoReturn:
        """Fail with the rule, the expectation, the observation and the hint.

        Raises:
            CheckFailed: Always.
        """
        cause = observed if isinstance(observed, BaseException) else None
        text = self.without_secrets(f"{what}\n  expected: {shown(expected)}\n  observed: {shown(observed)}")
        raise CheckFailed(f"{told_apart(text)}{self.lesson()}") from cause

    def without_secrets(self, text: str) -> str:
        """The text without secrets."""
        return text

    def lesson(self, hint: str = "") -> str:
        """The end of a message: the rules of the check, with their hints.

        Args:
            hint: Replaces the hints of the rules.
        """
        told = ""
        for rule in self.rules:
            told += f"\n  {rule.id} {rule.level}: {rule.text}"
            told += "" if hint else f"\n  hint: {rule.hint_for(self.kind)}"
        told += f"\n  hint: {hint}" if hint else ""
        names = " ".join(rule.id for rule in self.rules)
        return f"{told}\n  for more: remote-store-conformance explain {names}" if names else told

    def expect(self, condition: object, what: str, observed: object = NOTHING) -> None:
        """Fail unless the condition holds.

        Args:
            condition: Must be true.
            what: The condition in words.
            observed: The observed value, if it explains the failure.
        """
        if not condition:
            self.fail("a condition of the rule", what, self.witnessed() if observed is NOTHING else observed)

    def expect_equal(self, observed: object, expected: object, what: str) -> None:
        """Fail unless both are equal. Booleans and bytes must match in type too.

        Of long contents and lists, only the first difference is shown.
        """
        if observed != expected or (isinstance(expected, bool | bytes) and type(observed) is not type(expected)):
            if isinstance(observed, bytes) and isinstance(expected, bytes):
                self.fail(what, *_of_contents(expected, observed))
            if isinstance(observed, list) and isinstance(expected, list):
                self.fail(what, *_of_lists(expected, observed))
            self.fail(what, expected, observed)

    def expect_same(self, observed: Iterable[Hashable], expected: Iterable[Hashable], what: str) -> None:
        """Fail unless both hold the same items equally often, in any order."""
        came, wanted = Counter(observed), Counter(expected)
        if came != wanted:
            missing, extra = list((wanted - came).elements()), list((came - wanted).elements())
            self.fail(what, f"nothing missing, nothing extra, of {wanted.total()}", f"missing {missing}, extra {extra}")

    def expect_type(self, observed: object, kind: type | tuple[type, ...], what: str) -> None:
        """Fail unless it is an instance of the type."""
        if not isinstance(observed, kind):
            self.fail(what, kind, f"{type(observed).__name__}: {shown(observed)}")

    @contextmanager
    def expect_raises(
        self,
        kind: type[E] | tuple[type[E], ...],
        *,
        path: str | None = None,
        what: str = "",
        where: Callable[[E], object] | None = None,
    ) -> Iterator[Caught[E]]:
        """Fail unless the block raises the error, about this path.

        Args:
            kind: Class of the error, or several accepted classes.
            path: The value that the error's `path` must have.
            what: The block's action, for the message; by default the last call.
            where: A further condition on the error.
        """
        caught: Caught[E] = Caught()
        try:
            yield caught
        except kind as error:
            caught.error = error
            what = what or self.refused()
            if path is not None and getattr(error, "path", None) != path:
                self.fail(f"{what}: the error's path", path, error)
            if isinstance(error, RemoteStoreError) and not error.message:
                self.fail(f"{what}: the error has a message", "some text", error)
            if where is not None and not where(error):
                self.fail(f"{what}: the error says what it should", "that the condition holds", error)
        except Exception as error:  # noqa: BLE001 - any other exception is a failure
            self.fail(what or self.refused(), kind, error)
        else:
            self.fail(f"{what or self.refused()}{self.claim(kind)}", kind, "no exception")

    def witnessed(self) -> str:
        """What was observed if a condition does not hold, in words."""
        return "it does not hold"

    def refused(self) -> str:
        """What should raise an error, in words."""
        return "the call is refused"

    def claim(self, kind: object) -> str:  # noqa: ARG002 - a subclass looks at it
        """A note if a call succeeds that should have raised this class of error; empty by default."""
        return ""


def shown(value: object) -> str:
    """A value for a message, shortened if it is long."""
    if isinstance(value, str):
        return value or "nothing"
    if isinstance(value, type):
        return value.__name__
    if isinstance(value, tuple) and value and all(isinstance(member, type) for member in value):
        return " or ".join(member.__name__ for member in value)
    if isinstance(value, BaseException):
        place = "" if isinstance(value, RemoteStoreError) else origin(value)
        return f"{type(value).__name__}: {value}{place and f'; raised{place}'}"
    text = f"{len(value):,} bytes " if isinstance(value, bytes) and len(value) > SHOWN else ""
    text += repr(value[:SHOWN] if isinstance(value, bytes) else value)
    return text if len(text) <= 4 * SHOWN else f"{text[: 4 * SHOWN]}..."


def _of_contents(expected: bytes, observed: bytes) -> tuple[object, object]:
    """Two contents in words; short ones as they are."""
    if max(len(expected), len(observed)) <= SHORT:
        return expected, observed
    both = min(len(expected), len(observed))
    pairs = enumerate(zip(observed, expected, strict=False))
    first = next((offset for offset, (came, wanted) in pairs if came != wanted), both)
    if first == both:
        rest = "the rest is missing" if len(observed) < len(expected) else "the others are too many"
        return f"{len(expected):,} bytes", f"{len(observed):,} bytes; the first {first:,} are right, {rest}"
    came, wanted = observed[first : first + NEARBY], expected[first : first + NEARBY]
    return (
        f"{len(expected):,} bytes, with {wanted!r} at offset {first:,}",
        f"{len(observed):,} bytes, with {came!r} at offset {first:,}; the bytes before are right",
    )


def _of_lists(expected: list[Any], observed: list[Any]) -> tuple[object, object]:
    """Two lists in words; short ones as they are."""
    if max(len(expected), len(observed)) <= FEW:
        return expected, observed
    both = min(len(expected), len(observed))
    first = next((index for index in range(both) if expected[index] != observed[index]), both)
    told = []
    if max(len(expected), len(observed)) <= MANY:
        missing = [item for item in expected if item not in observed]
        extra = [item for item in observed if item not in expected]
        told += [f"missing {shown(missing[:FEW])}"] if missing else []
        told += [f"extra {shown(extra[:FEW])}"] if extra else []
        told += ["the same items in another order"] if not told and len(expected) == len(observed) else []
    return (
        f"{len(expected):,} items, from index {first:,}: {shown(expected[first : first + FEW])}",
        "; ".join([f"{len(observed):,} items, from index {first:,}: {shown(observed[first : first + FEW])}", *told]),
    )
