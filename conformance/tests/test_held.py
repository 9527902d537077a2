from __future__ import annotations

import asyncio
import atexit
import socket
import subprocess
import sys
import tempfile
import threading

from remote_store.conformance.processes.held import held, own_temporary_folder


def test_what_is_held_is_counted_and_what_ended_is_not() -> None:
    ended = threading.Event()
    with own_temporary_folder() as folder:
        before = held(folder)
        thread = threading.Thread(target=ended.wait)
        thread.start()
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        atexit.register(ended.set)
        with socket.socket(), tempfile.NamedTemporaryFile():
            during = {name: count - before[name] for name, count in held(folder).items()}
        child.communicate(b"\n")
        ended.set()
        atexit.unregister(ended.set)
        thread.join()
        after = held(folder)
    assert during == {
        "open files and sockets": 3,
        "threads": 1,
        "child processes": 1,
        "asyncio tasks": 0,
        "temporary files": 1,
        "exit handlers": 1,
    }
    assert after == before


def test_tasks_of_the_running_loop_are_counted() -> None:
    async def count() -> int:
        with own_temporary_folder() as folder:
            before = held(folder)
            waiting = asyncio.create_task(asyncio.sleep(60))
            during = held(folder)
            waiting.cancel()
        return during["asyncio tasks"] - before["asyncio tasks"]

    assert asyncio.run(count()) == 1
