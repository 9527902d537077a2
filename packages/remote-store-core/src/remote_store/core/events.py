"""Reports what a backend does: to the logger `remote_store`, and to the `on_event` callable of the backend."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields
from typing import TypeAlias

from remote_store.core.callbacks import check_callback
from remote_store.core.home import public

LOGGER = logging.getLogger("remote_store")
# Without a handler, Python prints warnings to stderr. Whether to print is the application's decision.
LOGGER.addHandler(logging.NullHandler())


@public("remote_store.core")
@dataclass(frozen=True, slots=True, kw_only=True)
class RequestEvent:
    """One request of a backend that has ended: on S3 one API call, otherwise one operation of the backend.

    It contains no secret: no credentials, no URL, no user metadata, and of the text of an error only its code. `str()`
    is the line that the logger `remote_store` gets.

    Attributes:
        backend: Name of the backend, such as `s3-boto3`.
        operation: On S3 the name of the API call, such as `HeadObject`; otherwise the method, such as `read_bytes`.
        bucket: The bucket; `None` if the backend has none.
        key: The key, the destination of a copy or move, or the prefix, folder or pattern of a listing; `None` if there
            is none.
        status: The HTTP status of the last response; `None` if there was none.
        bytes: Bytes of file content that the request sent, or that its response announced; 0 if there are none.
        milliseconds: Time until the response and its headers had arrived, retries and pauses included. The body of a
            read is transferred later and not included. Without HTTP, the time that the operation took.
        attempts: How many requests were sent for it; more than 1 after retries, 0 if it failed before it was sent.
        request_id: The service's id of the last request; `None` if there was none.
        error: The service's code, such as `NoSuchKey`, or the name of an exception; `None` for a success.
        resumed_at: If the request continues a read whose connection broke: the offset, in bytes, of its first byte.
    """

    backend: str
    operation: str
    bucket: str | None = None
    key: str | None = None
    status: int | None = None
    bytes: int = 0
    milliseconds: float
    attempts: int = 1
    request_id: str | None = None
    error: str | None = None
    resumed_at: int | None = None

    @property
    def level(self) -> int:
        """The level of the log line: `WARNING` for a resumed read or a success after retries, otherwise `DEBUG`."""
        late = self.attempts > 1 and self.error is None
        return logging.WARNING if late or self.resumed_at is not None else logging.DEBUG

    def __str__(self) -> str:
        facts = {field.name: getattr(self, field.name) for field in fields(self)[2:]}
        shown = (
            f"{name}={value:.1f}" if isinstance(value, float) else f"{name}={value!r}"
            for name, value in facts.items()
            if value is not None
        )
        return f"{self.backend} {self.operation} {' '.join(shown)}"


INSIDE: ContextVar[bool] = ContextVar("inside", default=False)
"""Whether an operation of a backend is running. Operations that it calls are part of it, and not reported."""


@contextmanager
def callers_code() -> Iterator[None]:
    """Run code of the caller inside an operation, such as a read of the content. Its operations are reported."""
    inside = INSIDE.set(False)
    try:
        yield
    finally:
        INSIDE.reset(inside)


OnEvent: TypeAlias = Callable[[RequestEvent], object]


def check_on_event(on_event: object) -> None:
    """Check the `on_event` of a backend.

    Raises:
        TypeError: It is neither `None` nor callable, takes other arguments, or is a coroutine function.
    """
    check_callback("on_event", on_event, "event")


class Events:
    """Passes the events of one backend to the logger and to `on_event`.

    An exception of `on_event` changes nothing for the caller: the first one is logged as a warning.

    Args:
        backend: Name of the backend.
        on_event: Called with each event; `None` for the logger alone.
        bucket: Name of its bucket.

    Attributes:
        backend: Name of the backend.
        on_event: Called with each event.
        bucket: Name of its bucket; `None` if it has none.

    Raises:
        TypeError: `on_event` is not callable, or is a coroutine function.
    """

    def __init__(self, backend: str, on_event: OnEvent | None = None, bucket: str | None = None) -> None:
        check_on_event(on_event)
        self.backend = backend
        self.on_event = on_event
        self.bucket = bucket
        self._warnings_left = [1]

    @property
    def wanted(self) -> bool:
        """Whether anybody is told about requests that need no warning."""
        return self.on_event is not None or LOGGER.isEnabledFor(logging.DEBUG)

    def tell(self, event: RequestEvent) -> None:
        """Log an event and pass it to `on_event`."""
        LOGGER.log(event.level, "%s", event)
        if self.on_event is None:
            return
        try:
            self.on_event(event)
        except Exception as error:  # noqa: BLE001 - the caller of the backend gets its result all the same
            self._warn_once(error)

    def _warn_once(self, error: Exception) -> None:
        try:
            # Atomic, because several threads may get here at once.
            self._warnings_left.pop()
        except IndexError:
            return
        frames = traceback.extract_tb(error.__traceback__)
        # Neither the message nor the exceptions behind it are shown, because they may contain secrets.
        LOGGER.warning(
            "on_event of %s raised %s (%s, line %s); the result is not affected, and further exceptions are not logged",
            self.backend,
            type(error).__name__,
            frames[-1].filename,
            frames[-1].lineno,
        )
