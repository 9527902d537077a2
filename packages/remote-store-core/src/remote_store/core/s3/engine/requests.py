"""Measures each request of an S3 backend, and reports it."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from types import TracebackType
from typing import Any, Self

from remote_store.core.events import Events, RequestEvent
from remote_store.core.s3.protocol.calls import Call, Fault
from remote_store.core.s3.protocol.faults import shown


class Request:
    """One call: a context manager that reports the call when its block ends.

    Args:
        events: Where to report it.
        call: The call.
        resumed_at: Offset of the first byte, if the call continues a read whose connection broke.

    Attributes:
        response: The response of the port; empty until there is one.
    """

    __slots__ = ("_began", "_call", "_events", "_resumed_at", "response")

    def __init__(self, events: Events, call: Call, resumed_at: int | None = None) -> None:
        self._events = events
        self._call = call
        self._resumed_at = resumed_at
        self.response: Mapping[str, Any] = {}

    def __enter__(self) -> Self:
        self._began = perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        about = self.response.get("ResponseMetadata")
        about = about if isinstance(about, Mapping) else {}
        attempts = self._attempts(about, error)
        if attempts > 1 or self._resumed_at is not None or self._events.wanted:
            self._events.tell(self._event(about, error, attempts))

    def _attempts(self, about: Mapping[str, Any], error: BaseException | None) -> int:
        if not isinstance(error, Fault):
            return self._call.sent + _number(about.get("RetryAttempts")) + 1
        # Without credentials or with a wrong setting, nothing was sent.
        return self._call.sent + (0 if error.credentials or error.configuration else error.attempts)

    def _event(self, about: Mapping[str, Any], error: BaseException | None, attempts: int) -> RequestEvent:
        params, status, request_id = self._call.params, about.get("HTTPStatusCode"), about.get("RequestId")
        code = None if error is None else type(error).__name__
        if isinstance(error, Fault):
            code, status, request_id = shown(error.code), error.status, error.request_id
        return RequestEvent(
            backend=self._events.backend,
            operation=self._call.operation,
            bucket=self._events.bucket,
            key=_key(params),
            status=status if isinstance(status, int) else None,
            bytes=_content(params, self.response),
            milliseconds=(perf_counter() - self._began) * 1000,
            attempts=attempts,
            request_id=shown(request_id) if isinstance(request_id, str) else None,
            error=code,
            resumed_at=self._resumed_at,
        )


def _key(params: Mapping[str, Any]) -> str | None:
    key = params.get("Key", params.get("Prefix"))
    return None if key is None else str(key)


def _content(params: Mapping[str, Any], response: Mapping[str, Any]) -> int:
    if "Body" in params:
        return len(params["Body"])
    return _number(response.get("ContentLength")) if "Body" in response else 0


def _number(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0
