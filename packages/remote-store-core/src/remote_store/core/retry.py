"""How often a request is tried."""

from __future__ import annotations

import random
from dataclasses import dataclass

FIRST_DELAY = 0.1
LONGEST_DELAY = 5.0


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a request is tried, the first try included.

    Attributes:
        max_attempts: Number of requests at the most, on every lane; 1 means that nothing is tried again.
    """

    max_attempts: int = 5

    def __post_init__(self) -> None:
        if not isinstance(self.max_attempts, int) or self.max_attempts < 1:
            raise ValueError(f"max_attempts counts the first try, so it is at least 1, not {self.max_attempts!r}")

    @classmethod
    def disabled(cls) -> RetryPolicy:
        """One attempt and no other."""
        return cls(max_attempts=1)

    def delay(self, failures: int) -> float:
        """Seconds to wait after the given number of failures in a row: exponential, with full jitter."""
        return random.uniform(0, min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(failures, 16)))


RetryPolicy.__module__ = "remote_store.core"
