"""Runs a part of a check in a forked process."""

from __future__ import annotations

import asyncio
import inspect
import multiprocessing
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from remote_store.conformance.values.outcome import NotApplicable

SECONDS = 20.0


def in_fork(call: Callable[[], Any]) -> Any:
    """Call a function in a forked child, a coroutine in a new event loop. Returns its result or raises its exception.

    Raises:
        TimeoutError: The child hangs.
    """
    if "fork" not in multiprocessing.get_all_start_methods():
        raise NotApplicable("this platform has no fork")
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_send_result, args=(call, theirs), daemon=True)
    with warnings.catch_warnings():
        # The check forks while threads run on purpose.
        warnings.simplefilter("ignore", DeprecationWarning)
        child.start()
    try:
        if not ours.poll(SECONDS):
            raise TimeoutError("the forked child sent no result in time")
        result = ours.recv()
        child.join(SECONDS)
    finally:
        child.kill()
        ours.close()
        theirs.close()
    if isinstance(result, Exception):
        raise result
    return result


def _send_result(call: Callable[[], Any], channel: Connection) -> None:
    try:
        result = call()
        if inspect.iscoroutine(result):
            result = asyncio.run(result)
    except Exception as error:  # noqa: BLE001 - the parent judges it
        result = error
    channel.send(result)
