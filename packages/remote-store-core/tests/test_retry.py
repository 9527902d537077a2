from __future__ import annotations

from typing import Any

import pytest

from remote_store.core import RetryPolicy
from remote_store.core.retry import FIRST_DELAY, LONGEST_DELAY


def test_disabled_is_one_attempt() -> None:
    assert RetryPolicy.disabled() == RetryPolicy(max_attempts=1)
    assert RetryPolicy().max_attempts > 1


@pytest.mark.parametrize("attempts", [0, -1, 1.5, "3", None])
def test_there_is_at_least_one_attempt(attempts: Any) -> None:
    with pytest.raises(ValueError, match="max_attempts"):
        RetryPolicy(max_attempts=attempts)


def test_delays_grow_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: high)
    policy = RetryPolicy()
    assert [policy.delay(failures) / FIRST_DELAY for failures in (0, 1, 2)] == [1, 2, 4]
    assert policy.delay(10_000) == LONGEST_DELAY


def test_delays_are_spread_from_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: low)
    assert RetryPolicy().delay(5) == 0
