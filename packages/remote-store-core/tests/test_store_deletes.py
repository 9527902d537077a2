"""Stores that delete many files: the batches that a backend gets, and the outcomes that a caller gets."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from remote_store.core import (
    AsyncStore,
    BackendUnavailable,
    DelegatingBackend,
    InvalidPath,
    MemoryBackend,
    Outcome,
    PermissionDenied,
    RemoteStoreError,
    Store,
    ThreadedBackend,
)


async def aiterate(items: Iterator[Any]) -> AsyncIterator[Any]:
    for item in items:
        await asyncio.sleep(0)
        yield item


class Bulky(DelegatingBackend):
    """Deletes in bulk: notes the batches, and says what `tell` says."""

    def __init__(self) -> None:
        super().__init__(MemoryBackend())
        self.batches: list[list[str]] = []
        self.tell: Callable[[list[str]], Iterator[Outcome[None]]] = lambda paths: map(Outcome, paths)

    def delete_many(self, paths: Any) -> Iterator[Outcome[None]]:
        self.batches.append(list(paths))
        return self.tell(self.batches[-1])


@pytest.fixture(params=["sync", "async"])
def bulky(request: pytest.FixtureRequest) -> Iterator[tuple[Bulky, Callable[[Any], list[Outcome[None]]]]]:
    backend = Bulky()
    with asyncio.Runner() as loop:

        def delete(paths: Any) -> list[Outcome[None]]:
            if request.param == "sync":
                return list(Store(backend, "root").delete_many(paths))

            async def run() -> list[Outcome[None]]:
                store = AsyncStore(ThreadedBackend(backend), "root")
                return [outcome async for outcome in store.delete_many(aiterate(iter(paths)))]

            return loop.run(run())

        yield backend, delete


def test_paths_are_deleted_a_thousand_at_a_time(bulky: Any) -> None:
    backend, delete = bulky
    paths = [f"f{number}" for number in range(2500)]
    outcomes = delete(paths)
    assert sorted(outcome.path for outcome in outcomes) == sorted(paths)
    assert list(map(len, backend.batches)) == [1000, 1000, 500]
    assert backend.batches[2][-1] == "root/f2499"


def test_a_path_that_comes_twice_is_deleted_once_and_told_twice(bulky: Any) -> None:
    backend, delete = bulky
    outcomes = delete(["a/b", "a//b", "./a/b", "a/b", "..", "c"])
    assert sorted(outcome.path for outcome in outcomes) == sorted(["a/b", "a//b", "./a/b", "a/b", "..", "c"])
    assert backend.batches == [["root/a/b", "root/c"]]
    assert [outcome.path for outcome in outcomes if outcome.error] == [".."]


def test_an_endless_repetition_is_deleted_batch_by_batch(bulky: Any) -> None:
    backend, delete = bulky
    assert len(delete(["a"] * 2001)) == 2001
    assert backend.batches == [["root/a"]] * 3


def test_a_backend_that_breaks_fails_the_paths_that_are_left(bulky: Any) -> None:
    backend, delete = bulky

    def tell(paths: list[str]) -> Iterator[Outcome[None]]:
        yield Outcome(paths[0])
        yield Outcome(paths[1], error=PermissionDenied("no", path=paths[1]))
        raise BackendUnavailable("gone", path="root", code="SlowDown")

    backend.tell = tell
    outcomes = {outcome.path: outcome.error for outcome in delete(["a", "b", "c", "d"])}
    assert outcomes["a"] is None
    assert (type(outcomes["b"]), outcomes["b"].path) == (PermissionDenied, "b")
    for path in ("c", "d"):
        error = outcomes[path]
        assert (type(error), error.path, error.code) == (BackendUnavailable, path, "SlowDown")


def test_a_backend_that_says_nothing_has_not_deleted(bulky: Any) -> None:
    backend, delete = bulky
    backend.tell = lambda paths: iter([Outcome(paths[0]), Outcome(paths[0]), Outcome("stranger")])
    outcomes = {outcome.path: outcome.error for outcome in delete(["a", "b"])}
    assert outcomes["a"] is None
    assert isinstance(outcomes["b"], RemoteStoreError)
    assert outcomes["b"].path == "b"


@pytest.mark.parametrize("is_async", [False, True])
def test_a_loop_that_ends_early_closes_what_the_backend_yields(is_async: bool) -> None:
    told: list[str] = []
    backend = Bulky()

    def tell(paths: list[str]) -> Iterator[Outcome[None]]:
        try:
            for path in paths:
                told.append(path)
                yield Outcome(path)
        finally:
            told.append("closed")

    backend.tell = tell
    paths = [f"f{number}" for number in range(3000)]

    async def run() -> None:
        outcomes: Any = AsyncStore(ThreadedBackend(backend)).delete_many(paths)
        assert (await anext(outcomes)).path == "f0"
        await outcomes.aclose()

    if is_async:
        asyncio.run(run())
    else:
        for outcome in Store(backend).delete_many(paths):
            assert outcome.path == "f0"
            break
    assert told == ["f0", "closed"]
    assert len(backend.batches) == 1


def test_a_backend_without_bulk_deletes_deletes_one_by_one() -> None:
    backend = MemoryBackend()
    for path in ("a", "folder/b", "c"):
        backend.write(path, b"x")
    outcomes = {outcome.path: outcome.error for outcome in backend.delete_many(iter(["a", "folder", "", "none", "c"]))}
    assert (outcomes["a"], outcomes["none"], outcomes["c"]) == (None, None, None)
    assert isinstance(outcomes["folder"], InvalidPath)
    assert isinstance(outcomes[""], InvalidPath)
    assert [info.path for info in backend.list_files("", recursive=True)] == ["folder/b"]


def test_a_bridge_calls_a_backend_that_deletes_at_once_in_a_thread() -> None:
    threads: set[int] = set()
    backend = Bulky()

    def tell(paths: list[str]) -> Iterator[Outcome[None]]:
        threads.add(threading.get_ident())
        return iter(list(map(Outcome, paths)))

    backend.tell = tell

    async def run() -> list[str]:
        return [outcome.path async for outcome in ThreadedBackend(backend).delete_many(["a", "b"])]

    assert asyncio.run(run()) == ["a", "b"]
    assert threads
    assert threading.get_ident() not in threads
