"""Many files at once, as mypy and pyright accept it in strict mode, and mistakes that both find. It runs, too."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Iterable
from typing import BinaryIO

from remote_store.core import AsyncStore, FileInfo, MemoryBackend, Outcome, Store, ThreadedBackend, WriteResult


def accepted(store: Store) -> tuple[int, list[str], list[bytes]]:
    contents: dict[str, bytes] = {"a": b"1", "b": b"22"}
    streams: list[tuple[str, BinaryIO]] = [("c", io.BytesIO(b"333"))]
    sizes = sum(outcome.result().size for outcome in store.write_many(contents.items(), overwrite=True))
    written: list[Outcome[WriteResult]] = list(store.write_many(streams, metadata={"by": "ada"}))
    generated = store.write_many((f"d/{number}", [b"4", b"4"]) for number in range(2))
    names = [outcome.path for outcome in [*written, *generated]]
    heads: Iterable[Outcome[FileInfo]] = store.head_many(info.path for info in store.list_files())
    names += [outcome.result().name for outcome in heads]
    copied = [outcome.target or "" for outcome in store.copy_many([("a", "e")], max_concurrency=2)]
    read = sorted(outcome.result() for outcome in store.read_many(copied))
    failures: list[Exception | None] = [outcome.error for outcome in store.delete_many({"a", "b"})]
    assert failures == [None, None]
    return sizes, sorted(names), read + store.read_ranges("c", [(0, 1), (2, 5)])


async def accepted_async(store: AsyncStore) -> list[bytes]:
    async def pairs() -> AsyncIterator[tuple[str, bytes]]:
        yield "f", b"5"

    written: list[Outcome[WriteResult]] = [outcome async for outcome in store.write_many(pairs())]
    paths = (outcome.path for outcome in written)
    found = [outcome.value or b"" async for outcome in store.read_many(paths)]
    async for outcome in store.delete_many(info.path async for info in store.list_files("d")):
        outcome.result()
    return found


def refused(store: Store, numbers: list[int]) -> None:
    store.read_many(numbers)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    store.write_many([("a", "text")])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    store.write_many({"a": b"1"})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]


def main() -> None:
    backend = MemoryBackend()
    assert accepted(Store(backend)) == (3, ["a", "b", "c", "c", "d/0", "d/1"], [b"1", b"3", b"3"])
    assert asyncio.run(accepted_async(AsyncStore(ThreadedBackend(backend)))) == [b"5"]


if __name__ == "__main__":
    main()
