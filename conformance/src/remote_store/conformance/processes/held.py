"""Counts what the process holds: files, sockets, threads, child processes, tasks, temporary files and exit handlers."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import gc
import multiprocessing
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

from remote_store.conformance.processes.surroundings import open_files

_handlers: list[Callable[..., Any]] = []
"""The exit handlers that were registered during `own_temporary_folder`."""


def held(folder: Path) -> Mapping[str, int]:
    """How much the process holds of each resource.

    Args:
        folder: The folder of temporary files.
    """
    return {
        "open files and sockets": open_files(),
        "threads": threading.active_count(),
        "child processes": _children(),
        "asyncio tasks": _tasks(),
        "temporary files": sum(1 for _ in folder.rglob("*")),
        "exit handlers": len(_handlers),
    }


def held_after_collection(folder: Path) -> Mapping[str, int]:
    """The same after a garbage collection, for files that are closed when nothing refers to them."""
    gc.collect()
    return held(folder)


@contextlib.contextmanager
def own_temporary_folder() -> Iterator[Path]:
    """A folder in which this process alone makes its temporary files until the block ends.

    Exit handlers are counted meanwhile.
    """
    made = tempfile.TemporaryDirectory(prefix="conformance-", ignore_cleanup_errors=True)
    with made as folder, mock.patch.object(tempfile, "tempdir", folder), _exit_handlers_counted():
        yield Path(folder)


@contextlib.contextmanager
def _exit_handlers_counted() -> Iterator[None]:
    register, unregister = atexit.register, atexit.unregister

    def counted(handler: Callable[..., Any], *arguments: Any, **options: Any) -> Callable[..., Any]:
        _handlers.append(handler)
        return register(handler, *arguments, **options)

    def forgotten(handler: Callable[..., Any]) -> None:
        _handlers[:] = [each for each in _handlers if each != handler]
        unregister(handler)

    _handlers.clear()
    try:
        with mock.patch.object(atexit, "register", counted), mock.patch.object(atexit, "unregister", forgotten):
            yield
    finally:
        # A handler may be a method, which would keep its backend.
        _handlers.clear()


def _children() -> int:
    with contextlib.suppress(OSError):
        lists = [path.read_text("ascii") for path in Path("/proc/self/task").glob("*/children")]
        if lists:
            return sum(len(text.split()) for text in lists)
    return len(multiprocessing.active_children())


def _tasks() -> int:
    with contextlib.suppress(RuntimeError):
        return len(asyncio.all_tasks())
    return 0
