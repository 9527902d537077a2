"""What the checks of a class have changed in the process, so that a check of that is not blind to the earlier ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from remote_store.conformance.processes.surroundings import changes, shared_settings


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
        finally:
            for what, was, now in changes(before, shared_settings()):
                self.first.setdefault(what, (check, was, now))
