"""A small process that tells which check ran when this process died, which nothing in this process can tell."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from typing import Self

PROGRAM = """
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
last = ""
for line in sys.stdin:
    last = line.strip()
if last != "end":
    where = f" while {last} ran" if last else ""
    print(f"\\nthe process of the run, {sys.argv[1]}, has died{where}", file=sys.stderr)
"""


class Witness:
    """Notes the running check outside of this process.

    If the process dies before the block ends, of a signal or by an exit that could not be refused, the witness writes
    one line to standard error.
    """

    def __enter__(self) -> Self:
        command = [sys.executable, "-I", "-S", "-c", PROGRAM, str(os.getpid())]
        self._child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)  # noqa: S603
        return self

    def __exit__(self, *_error: object) -> None:
        self.note("end")
        with suppress(OSError):
            assert self._child.stdin is not None
            self._child.stdin.close()
        self._child.wait()

    def note(self, check: str) -> None:
        """Note the check that begins."""
        with suppress(OSError):
            assert self._child.stdin is not None
            self._child.stdin.write(f"{check}\n")
            self._child.stdin.flush()
