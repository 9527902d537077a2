"""Makes one call for each of many items, several at once, in threads. The counterpart for asyncio tasks is in `aio`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from typing import Any, Final, TypeAlias, TypeVar

from remote_store.core.io.workers import GRACE, Workers, running_loop, waiting_loop
from remote_store.core.models import Outcome

T = TypeVar("T")
Item = TypeVar("Item")
Items: TypeAlias = Iterable[T]

MOST_AT_ONCE: Final = 32
"""Calls in flight by default, as many as there are connections to S3 by default."""

LEAVING: Final = 10.0
"""Seconds that an iteration which ends early waits for the calls in flight."""


def each(items: Items[T]) -> Iterator[T]:
    """Iterate over the caller's items. They are taken in the thread that asks for the next one.

    Raises:
        TypeError: The items are text, or cannot be iterated over.
    """
    refuse_text(items)
    return iter(items)


def each_pair(items: Items[tuple[str, T]]) -> Iterator[tuple[str, T]]:
    """Iterate over the caller's pairs.

    Raises:
        TypeError: The items cannot be iterated over. The iterator raises it for an item that is not a pair.
    """
    return map(as_pair, each(items))


def outcome(call: Callable[[], T], path: str, target: str | None = None) -> Outcome[T]:
    """The outcome of one call. Signals pass, because they are not about this path."""
    try:
        return Outcome(path, call(), target=target)
    except Exception as error:  # noqa: BLE001 - the outcome carries it
        return Outcome(path, error=error, target=target)


def unordered(items: Iterator[Item], call: Callable[[Item], T], max_concurrency: int) -> Iterator[T]:
    """Make a call for each item, and yield the results as they come.

    An item is taken when the next result is asked for, and only if fewer than `max_concurrency` results are
    outstanding. Results that wait for the caller are outstanding too, so memory is bounded. If it ends early, by
    whatever exception or by `close`, no further call is made. Those in flight are waited for, `LEAVING` seconds at
    most, or `GRACE` seconds after a signal.

    Args:
        items: The items.
        call: The call. Its exceptions end the iteration.
        max_concurrency: Most calls in flight. 1 makes them in the calling thread.
    """
    if max_concurrency == 1:
        yield from map(call, items)
        return
    workers = Workers(max_concurrency, "remote-store-many")
    ended: SimpleQueue[Future[T]] = SimpleQueue()
    running: set[Future[T]] = set()
    patience, more = GRACE, True
    try:
        while more or running:
            if more and len(running) < max_concurrency:
                try:
                    work = partial(_in_context(), call, next(items))
                except StopIteration:
                    more = False
                else:
                    future: Future[T] = Future()
                    running.add(future)
                    future.add_done_callback(ended.put)
                    workers.begin(work, future)
                    del work
            if running and (not ended.empty() or not more or len(running) == max_concurrency):
                yield _next(ended, running)
    except (Exception, GeneratorExit):
        patience = LEAVING
        raise
    finally:
        for future in running:
            future.cancel()
        wait([future for future in running if not future.cancelled()], patience)
        workers.close(wait=True)


def _next(ended: SimpleQueue[Future[T]], running: set[Future[T]]) -> T:
    """The result of the call that ended first. A function of its own, so that no reference to it is kept."""
    future = ended.get()
    running.remove(future)
    return future.result()


@contextmanager
def ending(rows: Iterator[T]) -> Iterator[Iterator[T]]:
    """Close an iterator at the end of the block, if it can be closed."""
    try:
        yield rows
    finally:
        close = getattr(rows, "close", None)
        if close is not None:
            close()


def _in_context() -> Callable[..., Any]:
    """Calls a function in a copy of the context, which knows the event loop that waits for it."""
    context = copy_context()
    if (loop := running_loop()) is not None:
        context.run(waiting_loop.set, loop)
    return context.run


def as_pair(item: Any) -> tuple[Any, Any]:
    """One item as a pair.

    Raises:
        TypeError: It is not a pair.
    """
    if not isinstance(item, tuple | list) or len(item) != 2:
        raise TypeError(f"each item must be a tuple of two, not {type(item).__name__}; of a dict, pass items()")
    return item[0], item[1]


def refuse_text(items: object) -> None:
    """Refuse one path in place of many.

    Raises:
        TypeError: It is text, whose characters would be taken for paths.
    """
    if isinstance(items, str | bytes):
        raise TypeError(f"pass an iterable, such as a list, not one {type(items).__name__}")


def check_max_concurrency(max_concurrency: int) -> None:
    """Check the number of calls in flight.

    Raises:
        TypeError: It is not an `int`.
        ValueError: It is less than 1.
    """
    if not isinstance(max_concurrency, int) or isinstance(max_concurrency, bool):
        raise TypeError(f"max_concurrency must be an int, not {type(max_concurrency).__name__}")
    if max_concurrency < 1:
        raise ValueError(f"max_concurrency must be at least 1, not {max_concurrency}")
