"""The lines that the documentation shows for tqdm and rich work for contents of known and of unknown length."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.progress import Progress as Bars
from tqdm import tqdm

from remote_store.core import MemoryBackend, Store

CONTENTS: dict[str, Any] = {"known": lambda: bytes(3_000_000), "unknown": lambda: iter([bytes(1_000_000)] * 3)}


@pytest.mark.parametrize("kind", CONTENTS)
def test_tqdm(kind: str, tmp_path: Path) -> None:
    store = Store(MemoryBackend())
    with tqdm(unit="B", unit_scale=True, file=io.StringIO()) as bar:

        def show(done: int, total: int | None, delta: int) -> None:
            bar.total = total
            bar.update(delta)

        store.upload(CONTENTS[kind](), "file", progress=show)
        assert (bar.n, bar.total) == (3_000_000, 3_000_000 if kind == "known" else None)
        bar.reset()
        store.download("file", tmp_path / "local", progress=show)
        assert (bar.n, bar.total) == (3_000_000, 3_000_000)


def test_tqdm_with_a_total_of_its_own(tmp_path: Path) -> None:
    store = Store(MemoryBackend())
    (tmp_path / "local").write_bytes(bytes(3_000_000))
    with tqdm(total=3_000_000, unit="B", unit_scale=True, file=io.StringIO()) as bar:
        store.upload(tmp_path / "local", "file", progress=lambda done, total, delta: bar.update(delta))
        assert (bar.n, bar.total) == (3_000_000, 3_000_000)


@pytest.mark.parametrize("kind", CONTENTS)
def test_rich(kind: str, tmp_path: Path) -> None:
    store = Store(MemoryBackend())
    with Bars(console=Console(file=io.StringIO())) as bars:
        for task, transfer in (
            (bars.add_task("upload"), lambda show: store.upload(CONTENTS[kind](), "file", progress=show)),
            (bars.add_task("download"), lambda show: store.download("file", tmp_path / "local", progress=show)),
        ):
            transfer(lambda done, total, delta, task=task: bars.update(task, completed=done, total=total))
        assert [task.completed for task in bars.tasks] == [3_000_000, 3_000_000]
        assert bars.tasks[1].total == 3_000_000
