from __future__ import annotations

from typing import Any

import pytest

from remote_store.core import RetryPolicy
from remote_store.core.retry import FIRST_DELAY, LONGEST_DELAY


def test_disabled_is_one_attempt() -> None:
    assert RetryPolicy.disabled() == RetryPolicy(max_attempts=1)
    assert RetryPolicy().max_attempts > 1


@pytest.mark.parametrize("attempts", [0, -1])
def test_there_is_at_least_one_attempt(attempts: int) -> None:
    with pytest.raises(ValueError, match="max_attempts"):
        RetryPolicy(max_attempts=attempts)


@pytest.mark.parametrize("attempts", [1.5, "3", None, True])
def test_a_number_of_attempts_is_an_int(attempts: Any) -> None:
    with pytest.raises(TypeError, match="max_attempts must be an int"):
        RetryPolicy(max_attempts=attempts)


def test_delays_grow_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: high)
    policy = RetryPolicy()
    assert [policy.delay(failures) / FIRST_DELAY for failures in (0, 1, 2)] == [1, 2, 4]
    assert policy.delay(10_000) == LONGEST_DELAY


def test_delays_are_spread_from_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: low)
    assert RetryPolicy().delay(5) == 0


def test_by_default_an_operation_may_take_any_time() -> None:
    assert RetryPolicy().total_timeout is None
    assert RetryPolicy(total_timeout=2).total_timeout == 2


@pytest.mark.parametrize("seconds", [0, -1, -0.5, float("nan"), float("inf"), 10**400])
def test_a_total_timeout_is_a_positive_number(seconds: float) -> None:
    with pytest.raises(ValueError, match="total_timeout"):
        RetryPolicy(total_timeout=seconds)


@pytest.mark.parametrize("seconds", [True, "3", b"3", [3]])
def test_a_total_timeout_is_a_number(seconds: Any) -> None:
    with pytest.raises(TypeError, match="total_timeout"):
        RetryPolicy(total_timeout=seconds)
