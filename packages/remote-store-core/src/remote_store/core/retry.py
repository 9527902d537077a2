"""How often a failed request is sent again."""

from __future__ import annotations

import random
from dataclasses import dataclass

from remote_store.core.home import public

FIRST_DELAY = 0.1
LONGEST_DELAY = 5.0


@public("remote_store.core")
@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How many times a request is sent, counting the first attempt.

    Attributes:
        max_attempts: Maximum number of requests, the same on every lane; 1 disables retries.
    """

    max_attempts: int = 5

    def __post_init__(self) -> None:
        if not isinstance(self.max_attempts, int) or self.max_attempts < 1:
            raise ValueError(f"max_attempts counts the first try and must be at least 1, not {self.max_attempts!r}")

    @classmethod
    def disabled(cls) -> RetryPolicy:
        """A policy with one attempt and no retries."""
        return cls(max_attempts=1)

    def delay(self, failures: int) -> float:
        """Seconds to wait after this many consecutive failures: exponential backoff with full jitter, at most 5 s."""
        return random.uniform(0, min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(failures, 16)))
