"""Decorators that make a method a check of rules, and the judgement of its result."""

from __future__ import annotations

import asyncio
import inspect
import sys
import traceback
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import partial, wraps
from traceback import walk_tb
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import pytest

from remote_store.conformance.checking.case import AnyCase, AsyncCase, Case, not_applicable, untested
from remote_store.conformance.checking.expect import CheckFailed, CheckHung, shown
from remote_store.conformance.checking.lacking import lacking
from remote_store.conformance.contract.deviations import has_expired, kinds_of
from remote_store.conformance.contract.rulebook import ConfigurationError, out_of_scope, rule
from remote_store.conformance.harness import AnyHarness, Oracle, OracleRefused
from remote_store.conformance.processes.exits import Ended, contained
from remote_store.conformance.processes.origin import origin
from remote_store.conformance.processes.watchdog import Hung, main_thread_hint
from remote_store.conformance.values.deviation import Deviation
from remote_store.conformance.values.outcome import ExcusedFailure, HarnessFailed, KnownDeviation, Withheld
from remote_store.core import AsyncBackend, Backend, Capability
from remote_store.core.home import public

SOAK_ROUNDS = 20
HANGING = (
    "See what {method} waits for: a lock, a connection without a timeout, or an event loop that is blocked. If the "
    "storage is only slow, allow more time with --timeout or Profile(timeout=...)."
)
"""The hint after a hang, in place of those of the rules."""

S = TypeVar("S")
P = ParamSpec("P")


@public("remote_store.conformance")
def check(
    *identifiers: str, needs: tuple[Capability, ...] = ()
) -> Callable[[Callable[Concatenate[S, Case, P], None]], Callable[Concatenate[S, Case, P], None]]:
    """Make a method a check of the rules with these ids.

    Args:
        identifiers: The rules that it checks.
        needs: Further capabilities that the check uses.
    """

    def decorate(method: Callable[Concatenate[S, Case, P], None]) -> Callable[Concatenate[S, Case, P], None]:
        @wraps(method)
        def run(suite: S, case: Case, *arguments: P.args, **options: P.kwargs) -> None:
            __tracebackhide__ = True
            once = partial(method, suite, case, *arguments, **options)
            with judged(case, identifiers):
                held(case, partial(case.drive, once, identifiers, needs))

        _mark(run, identifiers)
        return cast("Callable[Concatenate[S, Case, P], None]", run)

    return decorate


@public("remote_store.conformance")
def async_check(
    *identifiers: str, needs: tuple[Capability, ...] = ()
) -> Callable[[Callable[Concatenate[S, AsyncCase, P], Awaitable[None]]], Callable[Concatenate[S, AsyncCase, P], None]]:
    """Make a coroutine method a check of the rules with these ids. It runs its own event loop.

    Args:
        identifiers: The rules that it checks.
        needs: Further capabilities that the check uses.
    """

    def decorate(
        method: Callable[Concatenate[S, AsyncCase, P], Awaitable[None]],
    ) -> Callable[Concatenate[S, AsyncCase, P], None]:
        @wraps(method)
        def run(suite: S, case: AsyncCase, *arguments: P.args, **options: P.kwargs) -> None:
            __tracebackhide__ = True
            once = partial(method, suite, case, *arguments, **options)
            with judged(case, identifiers):
                held(case, lambda: asyncio.run(case.drive(once, identifiers, needs)))

        _mark(run, identifiers)
        return cast("Callable[Concatenate[S, AsyncCase, P], None]", run)

    return decorate


def held(case: AnyCase[Any], once: Callable[[], None]) -> None:
    """Run a check with its time limit, with the retries of the profile, and repeatedly in the soak tier if it races.

    A check whose calls could do harm runs on an isolated storage, if the harness has one.
    """
    __tracebackhide__ = True
    try:
        _tried(case, once)
    except Withheld:
        alone = case.harness.isolated()
        if alone is None:
            raise
        case.settle(alone)
        _tried(case, once)
    for again in range(1, SOAK_ROUNDS if case.tier == "soak" and case.raced else 1):
        case.begin(again=again)
        _tried(case, once)


def _tried(case: AnyCase[Any], once: Callable[[], None]) -> None:
    __tracebackhide__ = True
    for left in reversed(range(max(1, case.profile.attempts))):
        seconds = case.stops.limit(case.timeout)
        interval = sys.getswitchinterval()
        try:
            with case.traces.watching(case.name):
                try:
                    contained(once, seconds)
                finally:
                    # A thread that hangs in a race would never do this.
                    sys.setswitchinterval(interval)
        except Hung as hung:
            case.stops.hung(method := case.making or case.hanging(), case.name)
            lesson = case.lesson(HANGING.format(method=f"`{method}`" if method else "it"))
            case.abandon()
            if case.making:
                raise HarnessFailed(f"{method} hangs: {hung}") from hung
            what = f"`{method}` hangs" if method else "the check hangs"
            raise CheckHung(
                f"{what}\n  expected: the check ends within {seconds:g} seconds\n  observed: {hung}{lesson}"
            ) from hung
        except Ended as ended:
            case.stops.exited(case.log.latest(), case.name)
            raise CheckFailed(
                f"the process goes on\n  expected: a result, or an error of remote_store.core\n  observed: "
                f"{ended}{case.lesson()}"
            ) from ended
        except Exception:
            if not left:
                raise
            case.retries += 1
            case.begin()
        else:
            return


@contextmanager
def judged(case: AnyCase[Any], identifiers: tuple[str, ...]) -> Iterator[None]:
    """Compare the result of a check with the declared deviations: it must pass, or fail exactly as declared."""
    __tracebackhide__ = True
    case.rules = tuple(entry for entry in map(rule, identifiers) if entry.binds(case.kind))
    if not case.rules:
        not_applicable(out_of_scope(rule(identifiers[0])))
    deviation = deviation_of(case, identifiers)
    if deviation is not None and has_expired(deviation):
        raise CheckFailed(
            f"its deviation has expired ({deviation.expires}); fix the backend, or set a later expiry: "
            f"{described(deviation)}{case.lesson()}"
        )
    try:
        yield
    except Exception as error:
        if (lack := lacking(case, error)) is not None:
            not_applicable(f"the check needs {lack.name}, which the backend does not declare", lack)
        refusal = next((each for each in (error, error.__cause__) if isinstance(each, OracleRefused)), None)
        if refusal is not None and (deviation is None or not isinstance(refusal, kinds_of(deviation))):
            untested(f"the storage refused a call of the oracle: {case.without_secrets(str(refusal))}")
        if deviation is None:
            _explain(case, error)
            _excuse(case, error)
            raise
        kinds = kinds_of(deviation)
        if not isinstance(error, kinds) and not isinstance(error.__cause__, kinds):
            error.add_note(f"declared as a deviation that fails with {shown(kinds)}: {described(deviation)}")
            _excuse(case, error)
            raise
        raise KnownDeviation(deviation) from error
    if deviation is not None and not deviation.sometimes:
        raise CheckFailed(
            f"declared as a deviation, but the check passes; remove the deviation: {described(deviation)}"
            f"{case.lesson()}"
        )


def _excuse(case: AnyCase[Any], error: Exception) -> None:
    """End a failed check without turning the run red if none of its rules is required.

    Raises:
        ExcusedFailure: None is.
    """
    if not any(entry.is_required for entry in case.rules):
        text = str(error) if isinstance(error, CheckFailed) else _whole(error)
        why = "provisional" if all(entry.provisional for entry in case.rules) else "recommended"
        raise ExcusedFailure(f"{why}: {case.without_secrets(text)}") from error


def _explain(case: AnyCase[Any], error: Exception) -> None:
    """Add the rules and calls to an unexpected exception.

    Raises:
        HarnessFailed: The exception comes from the author's harness or oracle.
    """
    if isinstance(error, CheckFailed):
        return
    if raiser := _raised_by_harness(error):
        raise HarnessFailed(f"{raiser} raised {type(error).__name__}: {error}{origin(error)}") from error
    if hint := main_thread_hint(error):
        error.add_note(f"  {hint.removeprefix('; ')}")
    if place := origin(error):
        error.add_note(f"  raised{place}")
    error.add_note(case.lesson().removeprefix("\n"))


def _raised_by_harness(error: Exception) -> str:
    """The method of the harness or the oracle that raised an exception; empty if another object did."""
    for frame, _ in walk_tb(error.__traceback__):
        owner = frame.f_locals.get("self")
        if isinstance(owner, AnyHarness | Oracle):
            return f"{type(owner).__name__}.{frame.f_code.co_name}()"
        if isinstance(owner, Backend | AsyncBackend):
            break
    return ""


def _whole(error: Exception) -> str:
    """The text of an exception, including its notes."""
    return "".join(traceback.format_exception_only(error)).strip()


def deviation_of(case: AnyCase[Any], identifiers: tuple[str, ...]) -> Deviation | None:
    """The deviation declared for this check and these parameters; `None` if there is none."""
    for identifier in identifiers:
        for deviation in deviations(case.deviations.get(identifier, ())):
            by_name = any(fnmatchcase(case.name, pattern) for pattern in deviation.checks)
            if by_name and any(fnmatchcase(case.variant, pattern) for pattern in deviation.variants):
                return deviation
    return None


def deviations(value: Deviation | tuple[Deviation, ...]) -> tuple[Deviation, ...]:
    """One deviation or several as a tuple."""
    return (value,) if isinstance(value, Deviation) else value


def described(deviation: Deviation) -> str:
    """The reason of a deviation and where it is declared."""
    return f"{deviation.reason} ({deviation.place})" if deviation.place else deviation.reason


def identifiers_of(method: object) -> tuple[str, ...]:
    """The ids of the rules that a method checks; empty if it is not a check."""
    return getattr(method, "clauses", ())


def validate(suite: type, case: AnyCase[Any]) -> None:
    """Refuse a harness with deviations that match no rule or no check.

    Raises:
        ConfigurationError: A deviation matches no check, or its expiry or exception is invalid.
    """
    checks = {name: identifiers_of(getattr(suite, name)) for name in dir(suite) if name.startswith("test_")}
    for identifier, value in case.deviations.items():
        rule(identifier)
        names = [name for name, identifiers in checks.items() if identifier in identifiers]
        for deviation in deviations(value):
            has_expired(deviation)
            kinds_of(deviation)
            if not any(fnmatchcase(name, pattern) for name in names for pattern in deviation.checks):
                raise ConfigurationError(
                    f"deviation of {identifier}: no check of this rule matches {', '.join(deviation.checks)}"
                )


def _mark(run: Callable[..., None], identifiers: tuple[str, ...]) -> None:
    if not identifiers:
        raise ConfigurationError(f"{run.__qualname__} checks no rule")
    for identifier in identifiers:
        rule(identifier)
    # Plugins that detect coroutines follow `__wrapped__`, but the check runs its own event loop.
    run.__signature__ = inspect.signature(run)  # type: ignore[attr-defined]
    del run.__wrapped__  # type: ignore[attr-defined]
    run.clauses = identifiers  # type: ignore[attr-defined]
    pytest.mark.clause(*identifiers)(run)
