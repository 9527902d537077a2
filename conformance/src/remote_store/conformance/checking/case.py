"""The object that a check receives: a live backend, a folder of its own, and the tools of the harness."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from types import TracebackType
from typing import Self, TypeVar

from remote_store.conformance.checking import async_cleanup, cleanup
from remote_store.conformance.checking.any_case import AnyCase
from remote_store.conformance.checking.ends import not_applicable, untested
from remote_store.conformance.values.outcome import RAISED
from remote_store.core import AsyncBackend, Backend, Capability
from remote_store.core.home import public

__all__ = ["AnyCase", "AsyncCase", "Case", "not_applicable", "untested"]

T = TypeVar("T")
SWITCHES = 1e-5
"""Seconds after which another thread takes its turn while checks race."""


@public("remote_store.conformance")
class Case(AnyCase[Backend]):
    """The case of a synchronous check."""

    @contextmanager
    def isolated(self, *, versions: bool = False) -> Iterator[Case]:
        """A case on an isolated, empty storage, or on one that keeps versions. Its folder is the root."""
        harness = self._isolated(versions=versions)
        with Case(harness, self.name, self.variant, root="") as case:
            case.inherit(self)
            yield case

    def together(self, tasks: Sequence[Callable[[], T]]) -> list[T | Exception]:
        """Run all tasks at once, one thread each. Returns their results and exceptions in the order of the tasks."""
        self.require_profile("only one thread at a time may use an instance", self.profile.threads)
        self.raced = True
        ready = threading.Barrier(len(tasks))
        results: dict[int, T | BaseException] = {}

        def run(number: int, task: Callable[[], T]) -> None:
            ready.wait()
            try:
                results[number] = task()
            except BaseException as error:  # noqa: BLE001 - the caller gets it
                results[number] = error

        # Daemon threads, because the interpreter waits at exit for the hanging threads of a pool.
        threads = [threading.Thread(target=run, args=pair, daemon=True) for pair in enumerate(tasks)]
        # Threads that take turns often meet in more places. The check's end sets the interval back.
        sys.setswitchinterval(SWITCHES)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for result in results.values():
            if isinstance(result, BaseException) and not isinstance(result, Exception):
                raise result
        return [results[number] for number in range(len(tasks))]  # type: ignore[misc]

    def drive(self, check: Callable[[], None], identifiers: tuple[str, ...], needs: tuple[Capability, ...]) -> None:
        """Run a check, and clean up after it."""
        __tracebackhide__ = True
        with self, self._prepared(identifiers, needs):
            check()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._recorder.close()
        self._watch_cleanup(*self._made)
        if self._made and not self._sweep_by_oracle() and self.root:
            self.left = "" if self._swept() else self.root
        for backend in self._made:
            with suppress(*RAISED):
                backend.close()
        self._recorder.close()

    def _swept(self) -> bool:
        if any(cleanup.clear(backend, self.root) for backend in self._made[:1]):
            return True
        if not self.profile.shared:
            return True
        # The check may have closed or broken its backend.
        with suppress(*RAISED), self.harness.make() as fresh:
            self._watch_cleanup(fresh)
            return cleanup.clear(fresh, self.root)
        return False


@public("remote_store.conformance")
class AsyncCase(AnyCase[AsyncBackend]):
    """The case of an asynchronous check."""

    @asynccontextmanager
    async def isolated(self, *, versions: bool = False) -> AsyncIterator[AsyncCase]:
        """A case on an isolated, empty storage, or on one that keeps versions. Its folder is the root."""
        harness = self._isolated(versions=versions)
        async with AsyncCase(harness, self.name, self.variant, root="") as case:
            case.inherit(self)
            yield case

    async def together(self, tasks: Sequence[Callable[[], Awaitable[T]]]) -> list[T | Exception]:
        """Run all tasks at once. Returns their results and exceptions in the order of the tasks."""
        self.raced = True

        async def run(task: Callable[[], Awaitable[T]]) -> T | Exception:
            try:
                return await task()
            except Exception as error:  # noqa: BLE001 - the caller gets it
                return error

        return list(await asyncio.gather(*map(run, tasks)))

    async def drive(
        self, check: Callable[[], Awaitable[None]], identifiers: tuple[str, ...], needs: tuple[Capability, ...]
    ) -> None:
        """Run a check, and clean up after it."""
        __tracebackhide__ = True
        async with self:
            with self._prepared(identifiers, needs):
                await check()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._recorder.close()
        self._watch_cleanup(*self._made)
        if self._made and not self._sweep_by_oracle() and self.root:
            self.left = "" if await self._swept() else self.root
        for backend in self._made:
            with suppress(*RAISED):
                await backend.close()
        self._recorder.close()

    async def _swept(self) -> bool:
        if self._made and await async_cleanup.clear(self._made[0], self.root):
            return True
        if not self.profile.shared:
            return True
        # The check may have closed or broken its backend.
        with suppress(*RAISED):
            async with self.harness.make() as fresh:
                self._watch_cleanup(fresh)
                return await async_cleanup.clear(fresh, self.root)
        return False
