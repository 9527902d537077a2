"""How a method becomes a check of rules, and how its end is judged."""

from __future__ import annotations

import asyncio
import inspect
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
from remote_store.conformance.contract.rulebook import ConfigurationError, rule
from remote_store.conformance.harness import AnyHarness, Deviation, Oracle, OracleRefused
from remote_store.conformance.processes.watchdog import Hung, bounded
from remote_store.conformance.values.outcome import HarnessFailed, KnownDeviation, ProvisionalFailure, Withheld
from remote_store.core import AsyncBackend, Backend, Capability

SOAK_ROUNDS = 20

S = TypeVar("S")
P = ParamSpec("P")


def check(
    *identifiers: str, needs: tuple[Capability, ...] = ()
) -> Callable[[Callable[Concatenate[S, Case, P], None]], Callable[Concatenate[S, Case, P], None]]:
    """Make a method a check of the rules with these ids.

    Args:
        identifiers: The rules that it checks.
        needs: Capabilities that it uses beyond those of its rules.
    """

    def decorate(method: Callable[Concatenate[S, Case, P], None]) -> Callable[Concatenate[S, Case, P], None]:
        @wraps(method)
        def run(suite: S, case: Case, *arguments: P.args, **options: P.kwargs) -> None:
            __tracebackhide__ = True
            once = partial(method, suite, case, *arguments, **options)
            with judged(case, identifiers):
                held(case, lambda: case.drive(once, identifiers, needs))

        _mark(run, identifiers)
        return cast("Callable[Concatenate[S, Case, P], None]", run)

    return decorate


def async_check(
    *identifiers: str, needs: tuple[Capability, ...] = ()
) -> Callable[[Callable[Concatenate[S, AsyncCase, P], Awaitable[None]]], Callable[Concatenate[S, AsyncCase, P], None]]:
    """Make a coroutine method a check of the rules with these ids, which runs an event loop of its own.

    Args:
        identifiers: The rules that it checks.
        needs: Capabilities that it uses beyond those of its rules.
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
    """Run a check within its time: again where the profile allows it, and often where the tier is to wait for a race.

    A check that makes calls which could do harm runs on a storage of its own, where the harness makes one.
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
        try:
            bounded(once, case.profile.timeout)
        except Hung as hung:
            case.abandon()
            if case.making:
                raise HarnessFailed(f"make() hangs: {hung}") from hung
            hint = "where the storage is only slow, state a longer Profile(timeout=...)"
            raise CheckHung(f"the check hangs: {hung}; {hint}{case.lesson()}") from hung
        except Exception:
            if not left:
                raise
            case.retries += 1
            case.begin()
        else:
            return


@contextmanager
def judged(case: AnyCase[Any], identifiers: tuple[str, ...]) -> Iterator[None]:
    """Hold a check to what the harness says of its rules: it passes, or it fails exactly as declared."""
    __tracebackhide__ = True
    case.rules = tuple(map(rule, identifiers))
    deviation = deviation_of(case, identifiers)
    if deviation is not None and has_expired(deviation):
        raise CheckFailed(
            f"its deviation has expired ({deviation.expires}); mend the backend, or state anew how long it holds: "
            f"{told(deviation)}{case.lesson()}"
        )
    try:
        yield
    except Exception as error:
        if (lack := lacking(case, error)) is not None:
            not_applicable(f"the check uses what the backend does not declare, {lack.name}", lack)
        refusal = next((each for each in (error, error.__cause__) if isinstance(each, OracleRefused)), None)
        if refusal is not None and (deviation is None or not isinstance(refusal, kinds_of(deviation))):
            untested(f"the storage refuses what the oracle asks for: {case.without_secrets(str(refusal))}")
        if deviation is None:
            _explain(case, error)
            if all(entry.provisional for entry in case.rules):
                raise ProvisionalFailure(f"provisional: {case.without_secrets(_whole(error))}") from error
            raise
        kinds = kinds_of(deviation)
        if not isinstance(error, kinds) and not isinstance(error.__cause__, kinds):
            error.add_note(f"declared as a deviation that fails with {shown(kinds)}: {told(deviation)}")
            raise
        raise KnownDeviation(deviation) from error
    if deviation is not None and not deviation.sometimes:
        raise CheckFailed(f"declared as a deviation, but it holds; remove it: {told(deviation)}{case.lesson()}")


def _explain(case: AnyCase[Any], error: Exception) -> None:
    """Add what teaches to an exception that nobody expected, and tell the harness's own from the backend's.

    Raises:
        HarnessFailed: The exception comes out of what the author wrote around the backend.
    """
    if isinstance(error, CheckFailed):
        return
    if raiser := _raised_by_harness(error):
        raise HarnessFailed(f"{raiser} raised {type(error).__name__}: {error}") from error
    error.add_note(case.lesson())


def _raised_by_harness(error: Exception) -> str:
    """The harness or oracle out of whose code an exception comes; empty where it comes from elsewhere."""
    for frame, _ in walk_tb(error.__traceback__):
        owner = frame.f_locals.get("self")
        if isinstance(owner, AnyHarness | Oracle):
            return f"{type(owner).__name__}.{frame.f_code.co_name}()"
        if isinstance(owner, Backend | AsyncBackend):
            break
    return ""


def _whole(error: Exception) -> str:
    """The text of an exception with its notes."""
    return "".join(traceback.format_exception_only(error)).strip()


def deviation_of(case: AnyCase[Any], identifiers: tuple[str, ...]) -> Deviation | None:
    """The deviation that the harness declares for this check and these parameters."""
    for identifier in identifiers:
        for deviation in deviations(case.deviations.get(identifier, ())):
            by_name = any(fnmatchcase(case.name, pattern) for pattern in deviation.checks)
            if by_name and any(fnmatchcase(case.variant, pattern) for pattern in deviation.variants):
                return deviation
    return None


def deviations(value: Deviation | tuple[Deviation, ...]) -> tuple[Deviation, ...]:
    """One deviation or several as a tuple."""
    return (value,) if isinstance(value, Deviation) else value


def told(deviation: Deviation) -> str:
    """The reason of a deviation and where it is written down."""
    return f"{deviation.reason} ({deviation.place})" if deviation.place else deviation.reason


def identifiers_of(method: object) -> tuple[str, ...]:
    """The ids of the rules that a method checks; none for what is no check."""
    return getattr(method, "clauses", ())


def validate(suite: type, case: AnyCase[Any]) -> None:
    """Refuse a harness whose deviations name no rule, or no check of it.

    Raises:
        ConfigurationError: A deviation is about nothing, or names an expiry or an exception that there is not.
    """
    checks = {name: identifiers_of(getattr(suite, name)) for name in dir(suite) if name.startswith("test_")}
    for identifier, value in case.deviations.items():
        rule(identifier)
        names = [name for name, identifiers in checks.items() if identifier in identifiers]
        for deviation in deviations(value):
            has_expired(deviation)
            kinds_of(deviation)
            if not any(fnmatchcase(name, pattern) for name in names for pattern in deviation.checks):
                raise ConfigurationError(f"deviation of {identifier}: no check of it is {', '.join(deviation.checks)}")


def _mark(run: Callable[..., None], identifiers: tuple[str, ...]) -> None:
    if not identifiers:
        raise ConfigurationError(f"{run.__qualname__} checks no rule")
    for identifier in identifiers:
        rule(identifier)
    # Plugins that look for coroutines follow `__wrapped__`; the check runs its own loop.
    run.__signature__ = inspect.signature(run)  # type: ignore[attr-defined]
    del run.__wrapped__  # type: ignore[attr-defined]
    run.clauses = identifiers  # type: ignore[attr-defined]
    pytest.mark.clause(*identifiers)(run)
