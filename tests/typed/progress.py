"""Progress callbacks that mypy and pyright accept in their strict modes, and mistakes that both find. It runs, too."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from typing import Any

from rich.console import Console
from rich.progress import Progress as Bars

from remote_store.core import MemoryBackend, Progress, Store


def show(done: int, total: int | None, delta: int) -> None:
    print(f"{done} of {total or '?'} bytes, {delta} more", file=io.StringIO())


class Shown:
    def __init__(self) -> None:
        self.lines: list[tuple[int, int | None, int]] = []

    def update(self, done: int, total: int | None, delta: int) -> None:
        self.lines.append((done, total, delta))

    def __call__(self, now: int, size: int | None = None, more: int = 0) -> bool:
        self.update(now, size, more)
        return True


def accepted(store: Store) -> list[tuple[int, int | None, int]]:
    seen = Shown()
    callbacks: list[Progress] = [show, print, Shown(), seen.update, lambda _done, _total, delta: delta]
    with redirect_stdout(io.StringIO()):
        for callback in callbacks:
            store.upload(b"content", "file", overwrite=True, progress=callback)
    store.upload([b"content"], "file", overwrite=True, progress=None)
    return seen.lines


def with_rich(store: Store) -> list[int | None]:
    with Bars(console=Console(file=io.StringIO())) as bars:
        task = bars.add_task("upload")
        store.upload(b"content", "rich", progress=lambda done, total, _: bars.update(task, completed=done, total=total))
        return [int(bars.tasks[0].completed), int(bars.tasks[0].total or 0)]


def wrong(done: int, total: int) -> None: ...


def number(done: int) -> None: ...


def certain(done: int, total: int, delta: int) -> None:
    """Expects that the total is always known."""


async def coroutine(done: int, total: int | None, delta: int) -> None: ...


def mistakes(store: Store) -> None:
    """Never called: each line is an error in both checkers."""
    store.upload(b"x", "a", progress=wrong)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    store.upload(b"x", "a", progress=number)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    store.upload(b"x", "a", progress=certain)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    store.upload(b"x", "a", progress=[1].append)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    store.upload(b"x", "a", progress=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def main() -> None:
    store = Store(MemoryBackend())
    assert accepted(store) == [(0, 7, 0), (7, 7, 7)]
    assert with_rich(store) == [7, 7]
    mistaken: list[Any] = [wrong, number, 5, [1].append, coroutine]
    for refused in mistaken:
        try:
            store.upload(b"x", "never", progress=refused)
        except TypeError:
            assert not store.exists("never")
        else:
            raise AssertionError


if __name__ == "__main__":
    main()
