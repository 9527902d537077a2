"""How a method becomes a check of rules, and how its end is judged."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import pytest

from remote_store.conformance.case import AnyCase, AsyncCase, Case
from remote_store.conformance.deviations import has_expired, kinds_of
from remote_store.conformance.expect import CheckFailed, shown
from remote_store.conformance.harness import Deviation
from remote_store.conformance.rules import ConfigurationError, rule
from remote_store.core import Capability

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
            with judged(case, identifiers):
                case.drive(partial(method, suite, case, *arguments, **options), identifiers, needs)

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
            with judged(case, identifiers):
                asyncio.run(case.drive(partial(method, suite, case, *arguments, **options), identifiers, needs))

        _mark(run, identifiers)
        return cast("Callable[Concatenate[S, AsyncCase, P], None]", run)

    return decorate


@contextmanager
def judged(case: AnyCase[Any], identifiers: tuple[str, ...]) -> Iterator[None]:
    """Hold a check to what the harness says of its rules: it passes, or it fails exactly as declared."""
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
        if deviation is None:
            if not isinstance(error, CheckFailed):
                error.add_note(case.lesson())
            raise
        kinds = kinds_of(deviation)
        if not isinstance(error, kinds) and not isinstance(error.__cause__, kinds):
            error.add_note(f"declared as a deviation that fails with {shown(kinds)}: {told(deviation)}")
            raise
        pytest.xfail(f"deviation: {deviation.reason}")
    if deviation is not None and not deviation.sometimes:
        raise CheckFailed(f"declared as a deviation, but it holds; remove it: {told(deviation)}{case.lesson()}")


def deviation_of(case: AnyCase[Any], identifiers: tuple[str, ...]) -> Deviation | None:
    """The deviation that the harness declares for this check and these parameters."""
    for identifier in identifiers:
        for deviation in deviations(case.harness.deviations.get(identifier, ())):
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
    for identifier, value in case.harness.deviations.items():
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
