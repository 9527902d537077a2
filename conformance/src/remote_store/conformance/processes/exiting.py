"""Calls a backend in an exit handler of another interpreter. This module imports little, as that interpreter does."""

from __future__ import annotations

import asyncio
import inspect
import pickle
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any, TypeAlias

SECONDS = 60.0
CHILD = """
import pickle, sys
path, name, work = pickle.load(sys.stdin.buffer)
sys.path[:] = path
import atexit, importlib
atexit.register(importlib.import_module(name).respond, *pickle.loads(work))
"""
"""The program of the interpreter. It takes over `sys.path`."""

Calls: TypeAlias = list[tuple[str, tuple[Any, ...], dict[str, Any]]]


def at_exit(backend: Any, calls: Calls) -> list[Any]:
    """Call methods of a copy of a backend, one after the other. Returns their results, listings as lists.

    Raises:
        TimeoutError: The interpreter hangs.
        RuntimeError: A call failed or the interpreter sent nothing; the text is its standard error.
    """
    message = pickle.dumps((sys.path, __name__, pickle.dumps((backend, calls))))
    command = [sys.executable, "-c", CHILD]
    try:
        child = subprocess.run(command, input=message, capture_output=True, timeout=SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise TimeoutError("the interpreter sent no result in time") from error
    if not child.stdout:
        raise RuntimeError(child.stderr.decode(errors="replace")[-2000:])
    results: list[Any] = pickle.loads(child.stdout)  # noqa: S301 - it is ours
    return results


def respond(backend: Any, calls: Calls) -> None:
    """Make the calls and write the pickled results to standard output."""
    awaited = inspect.iscoroutinefunction(backend.close)
    results = asyncio.run(awaited_results(backend, calls)) if awaited else blocking_results(backend, calls)
    sys.stdout.buffer.write(pickle.dumps(results))
    sys.stdout.buffer.flush()


def blocking_results(backend: Any, calls: Calls) -> list[Any]:
    """The results of the calls to a synchronous backend."""
    values = [getattr(backend, name)(*arguments, **options) for name, arguments, options in calls]
    results = [list(value) if isinstance(value, Iterator) else value for value in values]
    backend.close()
    return results


async def awaited_results(backend: Any, calls: Calls) -> list[Any]:
    """The results of the calls to an asynchronous backend."""
    results = []
    for name, arguments, options in calls:
        value = getattr(backend, name)(*arguments, **options)
        listing = isinstance(value, AsyncIterator)
        results.append([item async for item in value] if listing else await value)
    await backend.close()
    return results
