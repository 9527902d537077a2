"""Moves the clock of this process."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta, tzinfo
from time import monotonic
from types import ModuleType
from typing import Any
from unittest import mock

CLOCKS: tuple[Callable[[], float], ...] = (time.time, time.monotonic, time.perf_counter)
COUNTERS: tuple[Callable[[], int], ...] = (time.time_ns, time.monotonic_ns, time.perf_counter_ns)


@contextmanager
def later(age: timedelta, *kinds: type) -> Iterator[None]:
    """Let the process believe that it is this much later until the block ends.

    The clocks of `time` are moved everywhere, `datetime.now` only in the modules of these classes and their bases.
    Event loops keep their time, so their timers and timeouts end when they would have ended.

    Args:
        age: By how much the clocks are moved.
        kinds: The classes.
    """
    seconds, nanoseconds = age.total_seconds(), int(age.total_seconds() * 10**9)
    moved: dict[object, object] = {clock: _moved(clock, seconds) for clock in CLOCKS}
    moved |= {counter: _moved(counter, nanoseconds) for counter in COUNTERS}
    moved[datetime] = _later_datetime(age)
    # A class may say that it is from a module that was never imported, or that has been removed since.
    modules = [sys.modules.get(base.__module__) for kind in kinds for base in kind.__mro__ if base is not object]
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(asyncio.BaseEventLoop, "time", _time_of_a_loop))
        for module in {time, *filter(None, modules)}:
            for name, value in _known(module, moved):
                stack.enter_context(mock.patch.object(module, name, value))
        yield


def _known(module: ModuleType, moved: dict[object, object]) -> list[tuple[str, object]]:
    named = [(name, value) for name, value in vars(module).items() if isinstance(value, type) or callable(value)]
    return [(name, moved[value]) for name, value in named if value.__hash__ is not None and value in moved]


def _moved(clock: Callable[[], Any], by: float) -> Callable[[], Any]:
    return lambda: clock() + by


def _time_of_a_loop(_loop: asyncio.BaseEventLoop) -> float:
    return monotonic()


def _later_datetime(age: timedelta) -> type[datetime]:
    class AnyDatetime(type):
        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, datetime)

    class Later(datetime, metaclass=AnyDatetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.now(tz) + age

    return Later
