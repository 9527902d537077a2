"""Calls a backend while another interpreter exits. This module imports little, as that interpreter does."""

from __future__ import annotations

import asyncio
import inspect
import pickle
import subprocess
import sys
import threading
from typing import Any, TypeAlias

SECONDS = 60.0
CHILD = """
import pickle, sys
path, name, work = pickle.load(sys.stdin.buffer)
sys.path[:] = path
import atexit, importlib
work = pickle.loads(work)
module = importlib.import_module(name)
getattr(module, work[0])(*work[1:])
"""
"""The program of the interpreter. It takes over `sys.path`."""
BLOCK = 65_537
"""Bytes of a stream that are read or written at once."""

Calls: TypeAlias = list[tuple[str, tuple[Any, ...], dict[str, Any]]]


def at_exit(backend: Any, calls: Calls, moment: str = "in_a_handler") -> list[Any]:
    """Call methods of a copy of a backend, one after the other.

    Args:
        backend: The backend, of either kind.
        calls: Name, arguments and options of each call. `open_atomic` has the content as its second argument.
        moment: `in_a_handler`, `in_a_thread_that_is_left` or `in_a_daemon`.

    Returns:
        The results: of a listing a list, of a stream its content.

    Raises:
        TimeoutError: The interpreter hangs.
        RuntimeError: A call failed or the interpreter sent nothing; the text is its standard error.
    """
    message = pickle.dumps((sys.path, __name__, pickle.dumps((moment, backend, calls))))
    command = [sys.executable, "-c", CHILD]
    try:
        child = subprocess.run(command, input=message, capture_output=True, timeout=SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise TimeoutError("the interpreter sent no result in time") from error
    if not child.stdout:
        raise RuntimeError(child.stderr.decode(errors="replace")[-2000:])
    results: list[Any] = pickle.loads(child.stdout)  # noqa: S301 - it is ours
    return results


def in_a_handler(backend: Any, calls: Calls) -> None:
    """Make the calls in an exit handler."""
    import atexit

    atexit.register(respond, backend, calls)


def in_a_thread_that_is_left(backend: Any, calls: Calls) -> None:
    """Make the calls in a thread, after the main thread has ended."""

    def wait() -> None:
        threading.main_thread().join()
        respond(backend, calls)

    threading.Thread(target=wait).start()


def in_a_daemon(backend: Any, calls: Calls) -> None:
    """Make the calls in a daemon thread, for which an exit handler waits."""
    import atexit

    begun = threading.Event()

    def wait() -> None:
        begun.wait()
        respond(backend, calls)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    atexit.register(thread.join)
    atexit.register(begun.set)


def respond(backend: Any, calls: Calls) -> None:
    """Make the calls and write the pickled results to standard output."""
    awaited = inspect.iscoroutinefunction(backend.close)
    results = asyncio.run(awaited_results(backend, calls)) if awaited else blocking_results(backend, calls)
    sys.stdout.buffer.write(pickle.dumps(results))
    sys.stdout.buffer.flush()


def blocking_results(backend: Any, calls: Calls) -> list[Any]:
    """The results of the calls to a synchronous backend."""
    results: list[Any] = []
    for name, arguments, options in calls:
        if name == "open_atomic":
            path, content = arguments
            with backend.open_atomic(path, **options) as writer:
                for start in range(0, len(content), BLOCK):
                    writer.write(content[start : start + BLOCK])
            results.append(None)
            continue
        value = getattr(backend, name)(*arguments, **options)
        if hasattr(value, "read"):
            pieces = []
            with value:
                while piece := value.read(BLOCK):
                    pieces.append(piece)
            results.append(b"".join(pieces))
        else:
            results.append(list(value) if hasattr(value, "__next__") else value)
    backend.close()
    return results


async def awaited_results(backend: Any, calls: Calls) -> list[Any]:
    """The results of the calls to an asynchronous backend."""
    results: list[Any] = []
    for name, arguments, options in calls:
        if name == "open_atomic":
            path, content = arguments
            async with backend.open_atomic(path, **options) as writer:
                for start in range(0, len(content), BLOCK):
                    await writer.write(content[start : start + BLOCK])
            results.append(None)
            continue
        value = getattr(backend, name)(*arguments, **options)
        if hasattr(value, "__anext__"):
            results.append([item async for item in value])
            continue
        value = await value
        if hasattr(value, "read"):
            pieces = []
            async with value:
                while piece := await value.read(BLOCK):
                    pieces.append(piece)
            value = b"".join(pieces)
        results.append(value)
    await backend.close()
    return results
