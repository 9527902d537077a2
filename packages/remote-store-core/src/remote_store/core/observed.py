"""Reports the operations of backends that send no requests: `MemoryBackend` and `LocalBackend`."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from time import perf_counter
from typing import Any, BinaryIO, TypeVar, cast

from remote_store.core.events import INSIDE, Events, RequestEvent
from remote_store.core.io.streams import bytes_left
from remote_store.core.models import WriteResult

Method = TypeVar("Method", bound=Callable[..., Any])
Row = TypeVar("Row")


class Operation:
    """One operation, from its start until it is reported.

    Args:
        events: Where to report it.
        backend: Name of the backend.
        name: Name of the method.
        key: The key that it is about.
    """

    def __init__(self, events: Events, backend: str, name: str, key: str | None) -> None:
        self._events = events
        self._backend = backend
        self._name = name
        self._key = key
        self._began = perf_counter()

    def end(self, error: BaseException | None = None, size: int = 0) -> None:
        """Report it.

        Args:
            error: The exception that ended it.
            size: Bytes of file content that were read or written.
        """
        event = RequestEvent(
            backend=self._backend,
            operation=self._name,
            bucket=self._events.bucket,
            key=self._key,
            bytes=size,
            milliseconds=(perf_counter() - self._began) * 1000,
            error=None if error is None else type(error).__name__,
        )
        self._events.tell(event)

    def rows(self, rows: Iterator[Row]) -> Iterator[Row]:
        """Pass a listing on, and report it when it ends or is closed."""
        try:
            yield from rows
        except GeneratorExit:
            self.end()
            raise
        except BaseException as error:
            self.end(error)
            raise
        self.end()

    @contextmanager
    def block(self, opening: AbstractContextManager[BinaryIO]) -> Iterator[BinaryIO]:
        """Pass the file of a `with` block on, and report the operation when the block ends."""
        size = 0
        try:
            with opening as file:
                yield file
                size = 0 if file.closed else file.seek(0, io.SEEK_END)
        except BaseException as error:
            self.end(error)
            raise
        self.end(size=size)


def observed(about: str = "") -> Callable[[Method], Method]:
    """Make a method of a backend report itself to the backend's `_events`.

    A listing is reported when it ends, an `open_atomic` when its block ends, and any other method when it returns.

    Args:
        about: Name of the parameter with the key that is reported: `"dst"`, which comes second, or the first one.
    """
    place = 1 if about == "dst" else 0

    def decorate(method: Method) -> Method:
        @wraps(method)
        def reporting(self: Any, *arguments: Any, **options: Any) -> Any:
            events: Events = self._events
            if not events.wanted or INSIDE.get():
                return method(self, *arguments, **options)
            key = arguments[place] if place < len(arguments) else options.get(about)
            operation = Operation(events, self.name, method.__name__, str(key) if isinstance(key, str) else None)
            inside = INSIDE.set(True)
            try:
                result = method(self, *arguments, **options)
            except BaseException as error:
                operation.end(error)
                raise
            finally:
                INSIDE.reset(inside)
            return _reported(operation, result)

        return cast("Method", reporting)

    return decorate


def _reported(operation: Operation, result: Any) -> Any:
    if isinstance(result, io.IOBase):
        operation.end(size=bytes_left(result) or 0)
    elif isinstance(result, Iterator):
        return operation.rows(result)
    elif isinstance(result, AbstractContextManager):
        return operation.block(result)
    else:
        operation.end(size=_size(result))
    return result


def _size(result: object) -> int:
    if isinstance(result, bytes):
        return len(result)
    return result.size if isinstance(result, WriteResult) else 0
