from __future__ import annotations

import subprocess
import sys
import threading
from contextvars import ContextVar

import pytest

from remote_store.conformance.processes.watchdog import Hung, bounded

word: ContextVar[str] = ContextVar("word")


def test_a_call_that_ends_in_time_gives_what_it_gives() -> None:
    assert bounded(lambda: 42, 10) == 42
    with pytest.raises(ZeroDivisionError):
        bounded(lambda: 1 // 0, 10)
    with pytest.raises(KeyboardInterrupt):
        bounded(lambda: (_ for _ in ()).throw(KeyboardInterrupt), 10)


def test_a_call_sees_the_context_of_its_caller() -> None:
    word.set("said")
    assert bounded(word.get, 10) == "said"


def test_a_call_that_hangs_is_given_up() -> None:
    release = threading.Event()

    def waits() -> None:
        release.wait()

    with pytest.raises(Hung, match=r"0\.05 seconds$"):
        bounded(release.wait, 0.05)
    with pytest.raises(Hung, match=r"seconds; it is in waits \(.*test_watchdog\.py, line \d+\)$"):
        bounded(waits, 0.05)
    release.set()


def test_a_process_ends_although_an_exit_handler_of_it_hangs() -> None:
    program = (
        "import atexit, threading\n"
        "from remote_store.conformance.processes import watchdog\n"
        "watchdog.GRACE_SECONDS = 0.1\n"
        "atexit.register(threading.Event().wait)\n"
        "watchdog.end_in_spite_of_threads(5)\n"
    )
    result = subprocess.run([sys.executable, "-c", program], timeout=60, capture_output=True, text=True)
    assert result.returncode == 5
    assert "0.1 seconds after its work an exit handler (atexit) still ran" in result.stderr


def test_a_process_ends_although_a_pool_of_it_hangs() -> None:
    program = (
        "import concurrent.futures, threading\n"
        "from remote_store.conformance.processes import watchdog\n"
        "watchdog.GRACE_SECONDS = 0.1\n"
        "pool = concurrent.futures.ThreadPoolExecutor(1)\n"
        "pool.submit(threading.Event().wait)\n"
        "watchdog.end_in_spite_of_threads(5)\n"
        "watchdog.end_in_spite_of_threads(7)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], timeout=60).returncode == 7
