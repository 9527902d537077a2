"""How often a failed request is sent again, and how long an operation may take."""

from __future__ import annotations

import random
from dataclasses import dataclass
from threading import TIMEOUT_MAX

from remote_store.core.home import public

FIRST_DELAY = 0.1
LONGEST_DELAY = 5.0


@public("remote_store.core")
@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How many times a request is sent, counting the first attempt, and how long an operation may take in total.

    Attributes:
        max_attempts: Maximum number of requests, the same on every lane; 1 disables retries.
        total_timeout: Seconds that one operation may take, with all its requests, retries, pauses and bodies, and with
            the reads of your content. `None` means any time; each request is still limited by the lane's timeouts. An
            operation that takes longer raises `BackendUnavailable` with `retryable=True`. A write that was given up may
            still take effect, as after a lost response. A file that `read` returns counts the time that it waits in its
            calls, beginning with `read` itself, and not your time between them; so does a listing. In a blocking
            backend, an operation with a total timeout runs in a thread of its own, where your content is read too.

    Raises:
        TypeError: `max_attempts` is not an `int`, or `total_timeout` is not a number.
        ValueError: `max_attempts` is less than 1, or `total_timeout` is not above 0, or more than a thread can wait.
    """

    max_attempts: int = 5
    total_timeout: float | None = None

    def __post_init__(self) -> None:
        if isinstance(self.max_attempts, bool) or not isinstance(self.max_attempts, int):
            raise TypeError(f"max_attempts must be an int, not {type(self.max_attempts).__name__}")
        if self.max_attempts < 1:
            raise ValueError(f"max_attempts counts the first try and must be at least 1, not {self.max_attempts!r}")
        seconds = self.total_timeout
        if seconds is None:
            return
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise TypeError(f"total_timeout must be None or a number of seconds, not {type(seconds).__name__}")
        if not 0 < seconds <= TIMEOUT_MAX:
            raise ValueError(f"total_timeout must be None or seconds above 0 and up to {TIMEOUT_MAX:g}")

    @classmethod
    def disabled(cls) -> RetryPolicy:
        """A policy with one attempt and no retries."""
        return cls(max_attempts=1)

    def delay(self, failures: int) -> float:
        """Seconds to wait after this many consecutive failures: exponential backoff with full jitter, at most 5 s."""
        return random.uniform(0, min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(failures, 16)))
