"""Wrappers and event callbacks that mypy and pyright accept in their strict modes, and mistakes that both find."""

from __future__ import annotations

from collections import Counter
from contextlib import AbstractContextManager
from typing import Any, BinaryIO, Unpack

from remote_store.core import (
    AsyncBackend,
    AsyncDelegatingBackend,
    AsyncStore,
    Backend,
    Capability,
    DelegatingBackend,
    MemoryBackend,
    ReadOptions,
    RequestEvent,
    Store,
    ThreadedBackend,
)


class Counting(DelegatingBackend):
    name = "counting"

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.capabilities = inner.capabilities - {Capability.GLOB}
        self.opened: Counter[str] = Counter()

    def read(self, path: str, **options: Unpack[ReadOptions]) -> BinaryIO:
        self.opened[path] += 1
        return super().read(path, **options)

    def open_atomic(self, path: str, **options: Any) -> AbstractContextManager[BinaryIO]:
        self.opened[path] += 1
        return self.inner.open_atomic(path, **options)


class Checking(AsyncDelegatingBackend):
    async def read_range(self, path: str, start: int, length: int, **options: Unpack[ReadOptions]) -> bytes:
        data = await super().read_range(path, start, length, **options)
        if length and not data:
            raise ValueError(f"{path} ends before {start}")
        return data


class Slowest:
    def __init__(self) -> None:
        self.milliseconds = 0.0

    def __call__(self, event: RequestEvent) -> bool:
        self.milliseconds = max(self.milliseconds, event.milliseconds)
        return event.status is not None and event.status >= 500


def stores() -> tuple[Store, AsyncStore]:
    seen: list[RequestEvent] = []
    slowest = Slowest()
    backend = Counting(MemoryBackend(on_event=seen.append))
    inner: AsyncBackend = ThreadedBackend(MemoryBackend(on_event=slowest))
    return Store(backend), AsyncStore(Checking(inner))


def of_text(event: str) -> None: ...


def mistakes() -> None:
    DelegatingBackend("memory://")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    AsyncDelegatingBackend(MemoryBackend())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MemoryBackend(on_event=of_text)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    MemoryBackend(on_event="print")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def main() -> None:
    store, _ = stores()
    store.write("a", b"1")
    assert store.read("a").read() == b"1"
    assert store.backend.name == "counting"
    assert not store.supports(Capability.GLOB)


if __name__ == "__main__":
    main()
