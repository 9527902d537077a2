"""What a backend reports to the logger and to `on_event`, on the backends that send no requests."""

from __future__ import annotations

import functools
import logging
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest

from remote_store.core import (
    AlreadyExists,
    AsyncStore,
    Backend,
    Config,
    ConfigError,
    LocalBackend,
    MemoryBackend,
    NotFound,
    RequestEvent,
    Store,
    ThreadedBackend,
)

Make = Callable[..., Backend]
SEEN: list[RequestEvent] = []


def keep(event: RequestEvent) -> None:
    SEEN.append(event)


@pytest.fixture(autouse=True)
def forgotten() -> None:
    SEEN.clear()


@pytest.fixture(params=[MemoryBackend, LocalBackend])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    return request.param if request.param is MemoryBackend else functools.partial(LocalBackend, tmp_path)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Callable[..., list[logging.LogRecord]]:
    """The records of our logger from a level on, below which it is switched off."""
    caplog.set_level(logging.DEBUG, "remote_store")
    return lambda: [record for record in caplog.records if record.name == "remote_store"]


def told(events: list[RequestEvent]) -> list[tuple[Any, ...]]:
    return [(event.operation, event.key, event.bytes, event.error) for event in events]


def test_each_operation_is_reported_once(make: Make) -> None:
    seen: list[RequestEvent] = []
    backend = make(on_event=seen.append)
    backend.write("d/a", b"12345")
    backend.write_atomic("d/b", b"123")
    with backend.open_atomic("d/c") as file:
        file.write(b"1")
        assert backend.exists("d/a")
    backend.read("d/a").close()
    backend.read_seekable("d/a").close()
    assert backend.read_bytes("d/a") == b"12345"
    assert backend.read_range("d/a", 1, 2) == b"23"
    assert backend.is_file("d/a")
    assert backend.is_folder("d")
    backend.get_file_info("d/a")
    backend.get_folder_info("d")
    assert len(list(backend.list_files("", recursive=True))) == 3
    assert len(list(backend.list_folders(""))) == 1
    assert len(list(backend.iter_children("d"))) == 3
    assert len(list(backend.glob("d/*"))) == 3
    backend.copy("d/a", dst="e")
    backend.move("e", "f")
    backend.delete("f")
    backend.delete_folder("d", recursive=True)
    backend.check_health()
    assert told(seen) == [
        ("write", "d/a", 5, None),
        ("write_atomic", "d/b", 3, None),
        ("exists", "d/a", 0, None),
        ("open_atomic", "d/c", 1, None),
        ("read", "d/a", 5, None),
        ("read_seekable", "d/a", 5, None),
        ("read_bytes", "d/a", 5, None),
        ("read_range", "d/a", 2, None),
        ("is_file", "d/a", 0, None),
        ("is_folder", "d", 0, None),
        ("get_file_info", "d/a", 0, None),
        ("get_folder_info", "d", 0, None),
        ("list_files", "", 0, None),
        ("list_folders", "", 0, None),
        ("iter_children", "d", 0, None),
        ("glob", "d/*", 0, None),
        ("copy", "e", 0, None),
        ("move", "f", 0, None),
        ("delete", "f", 0, None),
        ("delete_folder", "d", 0, None),
        ("check_health", None, 0, None),
    ]
    for event in seen:
        assert (event.backend, event.attempts, event.level) == (backend.name, 1, logging.DEBUG)
        assert (event.bucket, event.status, event.request_id, event.resumed_at) == (None, None, None, None)
        assert 0 <= event.milliseconds < 60_000


def test_a_subclass_is_reported_by_its_own_name() -> None:
    class Named(MemoryBackend):
        name = "named"

    seen: list[RequestEvent] = []
    Named(on_event=seen.append).exists("a")
    assert [event.backend for event in seen] == ["named"]


def test_nothing_without_io_is_reported(make: Make) -> None:
    seen: list[RequestEvent] = []
    with make(on_event=seen.append) as backend:
        assert backend.to_key(backend.native_path("a")) == "a"
        backend.resolve("a")
    assert seen == []


def test_what_the_content_of_a_write_reads_is_reported_too(make: Make) -> None:
    seen: list[RequestEvent] = []
    backend = make(on_event=seen.append)
    for name in ("a", "b"):
        backend.write(name, name.encode())
    seen.clear()
    backend.write("c", (backend.read_bytes(name) for name in ("a", "b")))
    assert told(seen) == [("read_bytes", "a", 1, None), ("read_bytes", "b", 1, None), ("write", "c", 2, None)]


def test_a_failure_is_reported_by_its_class(make: Make) -> None:
    seen: list[RequestEvent] = []
    backend = make(on_event=seen.append)
    backend.write("a", b"1")
    for act, error in (
        (lambda: backend.read_bytes("b"), NotFound),
        (lambda: backend.write("a", b"2"), AlreadyExists),
        (lambda: backend.list_files("", max_depth=-1), ValueError),
    ):
        with pytest.raises(error):
            act()
        assert seen[-1].error == error.__name__
    with pytest.raises(ZeroDivisionError), backend.open_atomic("c"):
        raise ZeroDivisionError
    assert told(seen)[-1] == ("open_atomic", "c", 0, "ZeroDivisionError")
    assert not backend.exists("c")


def test_a_listing_is_reported_when_it_ends_or_is_closed(make: Make) -> None:
    seen: list[RequestEvent] = []
    backend = make(on_event=seen.append)
    for name in "abc":
        backend.write(name, b"")
    seen.clear()
    rows = backend.list_files("")
    next(rows)
    assert seen == []
    rows.close()  # type: ignore[attr-defined]
    assert told(seen) == [("list_files", "", 0, None)]


def test_an_exception_of_on_event_changes_nothing_and_is_logged_once(make: Make, log: Any) -> None:
    def fail(event: RequestEvent) -> None:
        raise KeyError("token=HIDDEN")

    backend = make(on_event=fail)
    assert backend.write("a", b"123").size == 3
    assert backend.read_bytes("a") == b"123"
    assert [info.path for info in backend.list_files("")] == ["a"]
    with backend.open_atomic("b") as file:
        file.write(b"1")
    with pytest.raises(NotFound):
        backend.read("c")
    warnings = [record.getMessage() for record in log() if record.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "KeyError" in warnings[0]
    assert Path(__file__).name in warnings[0]
    assert "HIDDEN" not in warnings[0]


def test_an_interrupt_in_on_event_passes(make: Make) -> None:
    def stop(event: RequestEvent) -> None:
        raise KeyboardInterrupt

    backend = make(on_event=stop)
    with pytest.raises(KeyboardInterrupt):
        backend.write("a", b"123")


class AsyncCall:
    async def __call__(self, event: RequestEvent) -> None: ...


async def coroutine(event: RequestEvent) -> None: ...


@pytest.mark.parametrize(
    "wrong",
    ["print", 3, coroutine, AsyncCall(), functools.partial(coroutine), lambda: None, lambda event, bucket: None],
    ids=["text", "number", "coroutine function", "object", "partial", "no argument", "two arguments"],
)
def test_what_cannot_be_called_is_refused_at_once(make: Make, wrong: Any) -> None:
    with pytest.raises(TypeError, match="on_event"):
        make(on_event=wrong)


def test_a_backend_with_on_event_pickles(make: Make) -> None:
    copy = pickle.loads(pickle.dumps(make(on_event=keep)))
    copy.write("a", b"1")
    assert told(SEEN) == [("write", "a", 1, None)]


async def test_a_bridge_passes_the_events_of_its_backend_on(make: Make) -> None:
    seen: list[RequestEvent] = []
    async with ThreadedBackend(make(on_event=seen.append)) as backend:
        await backend.write("a", b"1")
        assert [info.path async for info in backend.list_files("")] == ["a"]
    assert told(seen) == [("write", "a", 1, None), ("list_files", "", 0, None)]


def test_an_event_is_frozen_and_is_its_log_line() -> None:
    event = RequestEvent(
        backend="s3-boto3",
        operation="GetObject",
        bucket="lake",
        key="a\x1b[2Jb\n",
        status=206,
        bytes=10,
        milliseconds=12.34567,
        attempts=2,
        request_id="R1",
        resumed_at=5,
    )
    with pytest.raises(FrozenInstanceError):
        event.key = "b"  # type: ignore[misc]
    assert str(event) == (
        r"s3-boto3 GetObject bucket='lake' key='a\x1b[2Jb\n' status=206 bytes=10 milliseconds=12.3 attempts=2 "
        "request_id='R1' resumed_at=5"
    )
    assert pickle.loads(pickle.dumps(event)) == event


@pytest.mark.parametrize(
    "facts, level",
    [
        ({}, logging.DEBUG),
        ({"error": "SlowDown", "attempts": 5}, logging.DEBUG),
        ({"attempts": 2}, logging.WARNING),
        ({"resumed_at": 0}, logging.WARNING),
        ({"resumed_at": 4, "error": "SlowDown"}, logging.WARNING),
    ],
)
def test_what_succeeds_late_or_resumes_is_a_warning(facts: dict[str, Any], level: int) -> None:
    assert RequestEvent(backend="s3", operation="GetObject", milliseconds=1.0, **facts).level == level


def test_the_logger_gets_a_line_for_each_operation(make: Make, log: Any) -> None:
    backend = make()
    backend.write("a", b"12")
    [record] = log()
    assert record.levelno == logging.DEBUG
    assert record.getMessage().startswith(f"{backend.name} write key='a' bytes=2 milliseconds=")


def test_a_logger_that_is_off_is_asked_once(make: Make, caplog: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    logger, asked = logging.getLogger("remote_store"), []
    caplog.set_level(logging.INFO, "remote_store")
    is_enabled = logger.isEnabledFor
    monkeypatch.setattr(logger, "isEnabledFor", lambda level: asked.append(level) or is_enabled(level))
    make().write("a", b"1")
    assert asked == [logging.DEBUG]
    assert caplog.records == []


def test_the_logger_prints_nothing_unless_the_application_wants_it() -> None:
    code = "import logging, remote_store.core; logging.getLogger('remote_store').warning('seen')"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (result.stdout, result.stderr) == ("", "")
    assert [type(handler) for handler in logging.getLogger("remote_store").handlers] == [logging.NullHandler]


@pytest.mark.parametrize("value", ["print", "", 3, ["print"], {"a": 1}, True], ids=repr)
@pytest.mark.parametrize("store", [Store, AsyncStore])
def test_a_configuration_cannot_set_it(store: Any, value: Any) -> None:
    config = Config.from_dict(
        {"backends": {"m": {"type": "memory", "on_event": value}}, "stores": {"s": {"backend": "m"}}}
    )
    with pytest.raises(ConfigError, match="'on_event' is a function.* pass it in Python"):
        store.from_config(config, "s")


def test_neither_the_environment_nor_a_url_can_set_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTS_TYPE", "memory")
    monkeypatch.setenv("EVENTS_ON_EVENT", "print")
    with pytest.raises(ConfigError, match="EVENTS_ON_EVENT"):
        Store.from_env("EVENTS_")
    with pytest.raises(ConfigError, match="pass it in Python"):
        Store.from_url("memory://?on_event=print")


def test_a_url_takes_it_as_a_python_value() -> None:
    seen: list[RequestEvent] = []
    Store.from_url("memory://", on_event=seen.append).write("a", b"1")
    assert told(seen) == [("write", "a", 1, None)]
