"""Process-wide settings that earlier checks of a class changed. PROC-001 reports them too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from remote_store.conformance.processes.surroundings import changes, shared_settings
from remote_store.conformance.processes.watchdog import Hung


class Traces:
    """The settings of the process that were others after a check than before it, shared by the checks of one class.

    Attributes:
        first: By name of the setting: the first such check, what the setting was, and what it was then.
    """

    def __init__(self) -> None:
        self.first: dict[str, tuple[str, object, object]] = {}

    @contextmanager
    def watching(self, check: str) -> Iterator[None]:
        """Compare the settings before and after the block, which runs a check."""
        before = shared_settings()
        try:
            yield
        except Hung:
            # Its thread still runs, and may put everything back.
            raise
        except BaseException:
            self._compare(check, before)
            raise
        self._compare(check, before)

    def _compare(self, check: str, before: Mapping[str, object]) -> None:
        for what, was, now in changes(before, shared_settings()):
            self.first.setdefault(what, (check, was, now))
