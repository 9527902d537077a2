"""Makes one call for each of many items, several at once, as asyncio tasks. The counterpart for threads is in `io`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias, TypeVar

from remote_store.core.io.outcomes import LEAVING, as_pair, refuse_text
from remote_store.core.models import Outcome

T = TypeVar("T")
Item = TypeVar("Item")
AsyncItems: TypeAlias = Iterable[T] | AsyncIterable[T]


def async_each(items: AsyncItems[T]) -> AsyncIterator[T]:
    """Iterate over the caller's items. They are taken in the task that awaits the next one.

    Raises:
        TypeError: The items are text, or cannot be iterated over.
    """
    refuse_text(items)
    return aiter(items) if isinstance(items, AsyncIterable) else _each(iter(items))


async def _each(items: Iterator[T]) -> AsyncIterator[T]:
    for item in items:
        yield item


def async_each_pair(items: AsyncItems[tuple[str, T]]) -> AsyncIterator[tuple[str, T]]:
    """Iterate over the caller's pairs.

    Raises:
        TypeError: The items cannot be iterated over. The iterator raises it for an item that is not a pair.
    """
    return _pairs(async_each(items))


async def _pairs(items: AsyncIterator[tuple[str, T]]) -> AsyncIterator[tuple[str, T]]:
    async for item in items:
        yield as_pair(item)


async def async_outcome(call: Callable[[], Awaitable[T]], path: str, target: str | None = None) -> Outcome[T]:
    """The outcome of one call. Signals and cancellations pass, because they are not about this path."""
    try:
        return Outcome(path, await call(), target=target)
    except Exception as error:  # noqa: BLE001 - the outcome carries it
        return Outcome(path, error=error, target=target)


async def async_unordered(
    items: AsyncIterator[Item], call: Callable[[Item], Coroutine[Any, Any, T]], max_concurrency: int
) -> AsyncIterator[T]:
    """Make a call for each item, and yield the results as they come.

    An item is taken when the next result is awaited, and only if fewer than `max_concurrency` results are outstanding.
    Results that wait for the caller are outstanding too, so memory is bounded. If it ends early, by whatever exception
    or by `aclose`, no further call is made; those in flight are cancelled and waited for, `LEAVING` seconds at most.

    Args:
        items: The items.
        call: The call. Its exceptions end the iteration.
        max_concurrency: Most calls in flight.
    """
    ended: asyncio.Queue[asyncio.Task[T]] = asyncio.Queue()
    running: set[asyncio.Task[T]] = set()
    more = True
    try:
        while more or running:
            if more and len(running) < max_concurrency:
                try:
                    task = asyncio.create_task(call(await anext(items)))
                except StopAsyncIteration:
                    more = False
                else:
                    running.add(task)
                    task.add_done_callback(ended.put_nowait)
            if running and (not ended.empty() or not more or len(running) == max_concurrency):
                yield await _next(ended, running)
    finally:
        for task in running:
            task.add_done_callback(_seen)
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=LEAVING)


async def _next(ended: asyncio.Queue[asyncio.Task[T]], running: set[asyncio.Task[T]]) -> T:
    """The result of the call that ended first. A function of its own, so that no reference to it is kept."""
    task = await ended.get()
    running.remove(task)
    return task.result()


@asynccontextmanager
async def async_ending(rows: AsyncIterator[T]) -> AsyncIterator[AsyncIterator[T]]:
    """Close an iterator at the end of the block, if it can be closed."""
    try:
        yield rows
    finally:
        close = getattr(rows, "aclose", None)
        if close is not None:
            await close()


def _seen(task: asyncio.Task[Any]) -> None:
    """Read the exception, so that asyncio does not log it as never retrieved."""
    _ = task.cancelled() or task.exception()
