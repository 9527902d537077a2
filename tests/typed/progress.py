"""Progress callbacks that mypy and pyright accept in their strict modes, and mistakes that both find. It runs, too."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console
from rich.progress import Progress as Bars

from remote_store.core import MemoryBackend, Progress, ProgressCallback, Store


def show(progress: Progress) -> None:
    print(f"{progress.done} of {progress.total or '?'} bytes, {progress.delta} more", file=io.StringIO())


class Shown:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def update(self, progress: Progress) -> None:
        self.lines.append(f"{progress.done} of {progress.total}")

    def __call__(self, each: Progress) -> bool:
        self.update(each)
        return True


def accepted(store: Store) -> list[Progress]:
    seen: list[Progress] = []
    callbacks: list[ProgressCallback] = [show, seen.append, Shown(), Shown().update, lambda each: each.delta]
    for callback in callbacks:
        store.upload(b"content", "file", overwrite=True, progress=callback)
    store.upload([b"content"], "file", overwrite=True, progress=None)
    return seen


def with_rich(store: Store) -> list[int | None]:
    with Bars(console=Console(file=io.StringIO())) as bars:
        task = bars.add_task("upload")
        store.upload(b"content", "rich", progress=lambda p: bars.update(task, completed=p.done, total=p.total))
        return [int(bars.tasks[0].completed), int(bars.tasks[0].total or 0)]


def wrong(done: int, total: int) -> None: ...


def number(done: int) -> None: ...


def mistakes(store: Store) -> None:
    """Never called: each line is an error in both checkers."""
    store.upload(b"x", "a", progress=wrong)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    store.upload(b"x", "a", progress=number)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    store.upload(b"x", "a", progress=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def main() -> None:
    store = Store(MemoryBackend())
    assert accepted(store) == [Progress(0, 7, 0), Progress(7, 7, 7)]
    assert with_rich(store) == [7, 7]
    refused: Any = wrong
    try:
        store.upload(b"x", "never", progress=refused)
    except TypeError:
        assert not store.exists("never")
    else:
        raise AssertionError


if __name__ == "__main__":
    main()
