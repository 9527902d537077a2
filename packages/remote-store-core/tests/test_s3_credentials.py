from __future__ import annotations

import asyncio
import logging
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from remote_store.core import ConfigError, MemoryBackend, S3Credentials, Secret, Store
from remote_store.core.config.settings import Settings
from remote_store.core.s3 import AsyncCredentialSource, CredentialSource, Fault, S3Options
from remote_store.core.s3.protocol.faults import typed
from remote_store.core.s3.protocol.held_credentials import HeldCredentials

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def lasting(seconds: float | None = None, key: str = "key") -> S3Credentials:
    expires_at = None if seconds is None else datetime.now(UTC) + timedelta(seconds=seconds)
    return S3Credentials(key, "hidden", "token", expires_at)


class Answers:
    """Returns one answer after the other; raises those that are exceptions."""

    def __init__(self, *answers: object) -> None:
        self.left = list(answers)
        self.calls = 0

    def __call__(self) -> Any:
        self.calls += 1
        answer = self.left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_credentials_show_no_secret() -> None:
    credentials = S3Credentials("key", "hidden", session_token=Secret("hidden"), expires_at=NOW)
    assert "hidden" not in repr(credentials)
    assert (credentials.key, credentials.secret.reveal(), credentials.expires_at) == ("key", "hidden", NOW)
    assert pickle.loads(pickle.dumps(credentials)) == credentials == replace(credentials)
    assert replace(credentials, key="other").secret == Secret("hidden")
    assert S3Credentials.__module__ == "remote_store.core"


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        (("", "s"), ValueError, "key is empty; pass a value$"),
        (("k", ""), ValueError, "secret is empty; pass a value$"),
        (("k", "s", ""), ValueError, "session_token is empty; pass a value or None"),
        ((None, "s"), TypeError, "key must be a str, not NoneType"),
        (("k", None), TypeError, "a secret must be a str, not NoneType"),
        (("k", b"s"), TypeError, "a secret must be a str, not bytes"),
        (("k", "s", 1), TypeError, "a secret must be a str, not int"),
        (("k\n", "s"), ValueError, "key contains white space"),
        (("k", "s\n"), ValueError, "secret has white space around it"),
        (("k", "s\0s"), ValueError, "secret has white space around it"),
        (("k", "s", "t\r\nx: y"), ValueError, "session_token contains white space"),
        (("k", "s", None, datetime(2026, 11, 29)), ValueError, "expires_at has no time zone"),  # noqa: DTZ001
        (("k", "s", None, 1.0), TypeError, "expires_at must be a datetime, not float"),
    ],
)
def test_credentials_that_nobody_can_send_are_refused(arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        S3Credentials(*arguments)


@pytest.mark.parametrize("life, ahead", [(3600, 300), (1200, 300), (60, 15), (4, 1)])
def test_credentials_are_renewed_some_time_before_they_expire(life: int, ahead: int) -> None:
    expiry = (NOW + timedelta(seconds=life)).astimezone(timezone(timedelta(hours=5)))
    held = HeldCredentials.of(S3Credentials("k", "s", expires_at=expiry), NOW)
    due = expiry - timedelta(seconds=ahead)
    assert (held.is_fresh(due - timedelta(seconds=0.1)), held.is_fresh(due)) == (True, False)
    assert (held.is_valid(expiry - timedelta(seconds=0.1)), held.is_valid(expiry)) == (True, False)
    again = held.later(due)
    assert again.renew_at == due + timedelta(seconds=ahead / 2)


def test_credentials_without_an_expiry_are_kept() -> None:
    held = HeldCredentials.of(S3Credentials("k", "s"), NOW)
    far = NOW + timedelta(days=365_000)
    assert held.is_fresh(far)
    assert held.is_valid(far)
    assert HeldCredentials.of(S3Credentials("k", "s", expires_at=datetime.max.replace(tzinfo=UTC)), NOW).is_fresh(far)


@pytest.mark.parametrize(
    "answer, problem",
    [
        (OSError("hidden"), "it raised OSError"),
        (Fault("hidden"), "it raised Fault"),
        (None, "it returned an object of type NoneType, not S3Credentials"),
        ({"key": "hidden"}, "it returned an object of type dict, not S3Credentials"),
        (lasting(-1), "it returned credentials whose expires_at is in the past; check the clock too"),
    ],
)
def test_a_function_that_fails_is_asked_again_at_the_next_call(answer: object, problem: str) -> None:
    answers = Answers(answer, answer, usable := lasting())
    source = CredentialSource(answers)
    for _ in range(2):
        with pytest.raises(Fault) as caught:
            source.get()
        error = typed(caught.value, path="a")
        assert str(error) == (
            "'a': the function passed as credentials returned no usable credentials, so the request was not sent; "
            f"correct it ({problem}) [code=CredentialsFunctionFailed]"
        )
        assert type(error).__name__ == "PermissionDenied"
        if isinstance(answer, Exception):
            assert error.__cause__ is answer
    assert source.get() is source.get() is usable
    assert answers.calls == 3


def test_a_function_that_fails_before_the_credentials_expire_fails_no_request(caplog: Any) -> None:
    answers = Answers(first := lasting(0.8), OSError("hidden"), lasting(-1), second := lasting())
    source = CredentialSource(answers)
    assert source.get() is first
    seen = []
    while source.get() is first:
        seen.append(answers.calls)
    assert source.get() is second
    assert set(seen) >= {1, 2, 3}
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warnings[0].startswith("credentials could not be renewed: it raised OSError; the former ones are used until")
    assert len(warnings) == 2
    assert "hidden" not in caplog.text


def test_credentials_that_have_expired_are_never_returned() -> None:
    source = CredentialSource(answers := Answers(lasting(0.2), *[OSError()] * 1000))

    def use_on() -> None:
        while True:
            source.get()

    with pytest.raises(Fault, match="it raised OSError"):
        use_on()
    assert 2 < answers.calls < 50


def test_concurrent_calls_ask_once() -> None:
    entered, leave = threading.Event(), threading.Event()
    calls = []

    def function() -> S3Credentials:
        calls.append(1)
        entered.set()
        leave.wait(10)
        return lasting()

    source = CredentialSource(function)
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(source.get) for _ in range(8)]
        entered.wait(10)
        leave.set()
        assert len({id(each.result()) for each in waiting}) == 1
    assert len(calls) == 1


def test_while_one_call_renews_them_others_use_the_valid_ones() -> None:
    entered, leave = threading.Event(), threading.Event()
    first = lasting(30)
    answers: list[Callable[[], S3Credentials]] = [lambda: first]

    def renew() -> S3Credentials:
        entered.set()
        leave.wait(10)
        return lasting()

    def function() -> S3Credentials:
        return (answers.pop() if answers else renew)()

    source = CredentialSource(function)
    source.get()
    assert source._held is not None
    source._held = replace(source._held, renew_at=datetime.now(UTC))
    with ThreadPoolExecutor(1) as pool:
        renewing = pool.submit(source.get)
        assert entered.wait(10)
        assert source.get() is first
        leave.set()
        assert renewing.result() is not first


def test_a_function_that_asks_its_own_source_gets_a_fault_and_no_deadlock() -> None:
    source: CredentialSource = CredentialSource(lambda: source.get())  # noqa: PLW0108 - not defined yet
    with pytest.raises(Fault, match="it raised Fault") as caught:
        source.get()
    assert "it used the backend that waits for its result" in str(caught.value.__cause__)


def test_a_function_may_use_another_store() -> None:
    store = Store(MemoryBackend())
    store.write("secret", b"hidden")
    source = CredentialSource(lambda: S3Credentials("k", store.read_text("secret")))
    assert source.get().secret.reveal() == "hidden"


def test_an_interrupt_passes_and_leaves_no_lock() -> None:
    def interrupted() -> S3Credentials:
        raise KeyboardInterrupt

    functions = [interrupted]
    source = CredentialSource(lambda: functions.pop()() if functions else lasting())
    with pytest.raises(KeyboardInterrupt):
        source.get()
    assert source.get().key == "key"


@pytest.mark.filterwarnings("error")
def test_a_coroutine_in_a_blocking_source_is_closed() -> None:
    async def function() -> S3Credentials:
        raise AssertionError

    with pytest.raises(Fault, match="it returned an object of type coroutine, not S3Credentials"):
        CredentialSource(lambda: function()).get()  # noqa: PLW0108 - not known as a coroutine function


async def test_an_async_source_awaits_a_coroutine_function_and_runs_others_in_a_thread() -> None:
    threads = []

    async def awaited() -> S3Credentials:
        await asyncio.sleep(0)
        threads.append(threading.current_thread())
        return lasting()

    def plain() -> S3Credentials:
        threads.append(threading.current_thread())
        return lasting()

    for function in (awaited, lambda: awaited(), plain):  # noqa: PLW0108 - not known as a coroutine function
        source = AsyncCredentialSource(function)
        found = await asyncio.gather(*(source.get() for _ in range(8)))
        assert len({id(each) for each in found}) == 1
    assert [thread is threading.current_thread() for thread in threads] == [True, True, False]


async def test_a_cancelled_call_leaves_no_lock() -> None:
    started = asyncio.Event()
    answers = [asyncio.sleep(60), asyncio.sleep(0)]

    async def function() -> S3Credentials:
        started.set()
        await answers.pop(0)
        return lasting()

    source = AsyncCredentialSource(function)
    task = asyncio.create_task(source.get())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await source.get()).key == "key"


@pytest.mark.parametrize(
    "given, error, message",
    [
        (lasting(), TypeError, "credentials must be a function; pass credentials that do not change as key and secret"),
        ("hidden", TypeError, r"credentials must be a function that is called as credentials\(\), not str"),
        (lambda needed, other="hidden": lasting(), TypeError, r"\(needed, other\) does not take that"),
    ],
)
def test_what_is_no_function_without_parameters_is_refused(given: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        S3Options.build(credentials=given)
    assert "hidden" not in str(caught.value)


def test_options_do_not_show_the_function() -> None:
    class Function:
        def __call__(self) -> S3Credentials:
            raise AssertionError

        def __repr__(self) -> str:
            return "hidden"

    options = S3Options.build(credentials=Function())
    assert "hidden" not in repr(options)
    assert not options.finds_credentials
    assert S3Options.build().finds_credentials
    assert not S3Options.build(anon=True).finds_credentials


def test_a_function_cannot_be_written_in_a_configuration() -> None:
    declared = Settings.of(S3Options.build)
    assert "credentials" not in declared.written()
    with pytest.raises(
        ConfigError, match="unknown setting 'credentials'|is a function, so it cannot be set here"
    ) as it:
        declared.values({"credentials": "hidden"})
    assert "hidden" not in str(it.value)
