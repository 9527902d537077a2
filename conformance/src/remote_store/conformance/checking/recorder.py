"""Records the calls of a check and their results. Neither the backend nor the check sees a difference."""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from inspect import getmembers
from typing import Any, TypeAlias

from remote_store.conformance.values.lookalikes import told_apart
from remote_store.conformance.values.outcome import SIGNALS
from remote_store.conformance.values.redaction import SECRET_NAME
from remote_store.core import AsyncBackend, Backend, CapabilityNotSupported

KEPT = 40
SHOWN = 80
CHANGES = frozenset(
    {
        "write",
        "write_atomic",
        "open_atomic",
        "delete",
        "delete_folder",
        "delete_many",
        "move",
        "copy",
        "restore_version",
        "set_tags",
        "abort_uploads",
        "resume_upload",
        "probe_conditions",
    }
)
LATER = frozenset(
    {
        "read",
        "read_seekable",
        "open_atomic",
        "list_files",
        "list_folders",
        "list_versions",
        "list_uploads",
        "iter_children",
        "glob",
        "delete_many",
    }
)
"""Methods that return a stream or an iterator, which may hang when it is used."""
WAITING = "has not returned"
SECRET_RESULTS = frozenset({"presign", "presign_post"})
METHODS = tuple(name for name, member in getmembers(Backend, callable) if not name.startswith("_"))
AWAITED = tuple(name for name, member in getmembers(AsyncBackend, inspect.iscoroutinefunction))
CONTRACT = frozenset({*Backend.__mro__, *AsyncBackend.__mro__})
Guard: TypeAlias = Callable[[str, object], None]
_inside: ContextVar[bool] = ContextVar("inside", default=False)
_watches: list[Watch] = []


@dataclass(frozen=True, slots=True, eq=False)
class Watch:
    """One backend whose calls are recorded.

    Attributes:
        backend: The instance.
        log: The log that records its calls.
        guard: Called before each call with the method name and the first argument. Its exceptions propagate.
        prefix: Prefix of its calls in the log.
    """

    backend: object
    log: CallLog
    guard: Guard | None
    prefix: str


class NotedCall:
    """One call and its result so far."""

    __slots__ = ("came", "made", "method")

    def __init__(self, method: str, made: str) -> None:
        self.method = method
        self.made = made
        self.came = WAITING


class CallLog:
    """The calls of one check, the newest last.

    Args:
        settles_within: Seconds to wait between a change and the next call that reads.
        kept: How many calls to keep; `None` for all.

    Attributes:
        waited: Total seconds waited.
        refusals: The calls that raised `CapabilityNotSupported`, each with its method.
    """

    def __init__(self, settles_within: float = 0.0, kept: int | None = KEPT) -> None:
        self.settles_within = settles_within
        self.waited = 0.0
        self.refusals: list[tuple[str, CapabilityNotSupported]] = []
        self._changed: float | None = None
        self._calls: deque[NotedCall] = deque(maxlen=kept)
        self._count = 0
        self.renew_lock()

    def renew_lock(self) -> None:
        """Replace the lock with a free one."""
        self._lock = threading.Lock()

    def lines(self, most: int | None = None) -> list[str]:
        """The last calls as text, after a line that counts the earlier ones.

        Args:
            most: Number of calls; `None` for all that were kept.
        """
        with self._lock:
            calls = list(self._calls)[-most if most else 0 :]
            earlier = self._count - len(calls)
            dropped = [f"... {earlier:,} earlier calls"] if earlier else []
            return [*dropped, *(f"{call.made} {call.came}" for call in calls)]

    def latest(self) -> str:
        """The method that was called last; empty if there is none."""
        with self._lock:
            return self._calls[-1].method if self._calls else ""

    def hanging(self) -> str:
        """The method that has not returned, or the last one that returned an iterator or stream; empty if none."""
        with self._lock:
            calls = list(self._calls)
        waiting = [call.method for call in calls if call.came == WAITING]
        later = [call.method for call in reversed(calls) if call.method in LATER]
        return next(iter([*waiting, *later]), "")

    def pause(self, method: str) -> float:
        """Seconds to wait before this call until the storage has settled. They are added to `waited`."""
        with self._lock:
            if method in CHANGES or self._changed is None:
                return 0.0
            pause = max(0.0, self._changed + self.settles_within - time.monotonic())
            self._changed = None
            self.waited += pause
            return pause

    def begin(self, method: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> NotedCall:
        """Record a call."""
        given = [brief(argument) for argument in arguments]
        given += [f"{name}={'***' if SECRET_NAME.search(name) else brief(value)}" for name, value in options.items()]
        call = NotedCall(method, f"{method}({', '.join(given)})")
        with self._lock:
            self._count += 1
            self._calls.append(call)
        return call

    def end(self, method: str) -> None:
        """Record the time of a change to the storage."""
        if method in CHANGES and self.settles_within:
            with self._lock:
                self._changed = time.monotonic()


def _renew_locks() -> None:
    """Replace the locks in a forked child, in which no thread could release them."""
    for watch in _watches:
        watch.log.renew_lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)


class Recorder:
    """Records the calls of backends, from `watch` until the recorder is closed.

    The methods are replaced on the class, not on the instance and not by a proxy, so the backend keeps its type, its
    identity, its attributes and its pickle. Calls that a backend makes to itself are not recorded.
    """

    def __init__(self) -> None:
        self._watched: list[Watch] = []
        self._replaced: list[tuple[type, str, object]] = []

    def watch(self, backend: object, log: CallLog, guard: Guard | None = None, prefix: str = "") -> None:
        """Record the calls of this instance too.

        Args:
            backend: The instance.
            log: The log that records its calls.
            guard: Called before each call with the method name and the first argument. Its exceptions propagate.
            prefix: Prefix of its calls in the log.
        """
        watch = Watch(backend, log, guard, prefix)
        self._watched.append(watch)
        _watches.append(watch)
        for owner in type(backend).__mro__:
            if owner in CONTRACT:
                continue
            for name in METHODS:
                original = vars(owner).get(name)
                if original is None or hasattr(original, "noted") or not hasattr(original, "__get__"):
                    continue
                setattr(owner, name, _noted(name, original))
                self._replaced.append((owner, name, original))

    def close(self) -> None:
        """Restore the original methods."""
        for owner, name, original in reversed(self._replaced):
            setattr(owner, name, original)
        for watch in self._watched:
            _watches.remove(watch)
        self._replaced.clear()
        self._watched.clear()


def brief(value: object) -> str:
    """An argument or a result as short text."""
    if isinstance(value, bytes | bytearray | memoryview):
        # A view may have no dimension, and then neither a length nor a slice.
        value = value.tobytes() if isinstance(value, memoryview) and value.ndim != 1 else value
        data = bytes(value[:24])
        return repr(data) if len(value) <= len(data) else f"<{len(value):,} bytes {data!r}...>"
    if value is None or isinstance(value, str | int | float | bool | dict | tuple | list | frozenset):
        text = repr(value)
    else:
        text = f"<{type(value).__name__}>" if type(value).__repr__ is object.__repr__ else repr(value)
        text = f"<{type(value).__name__}>" if " at 0x" in text else text
    text = told_apart(text)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _watch_of(backend: object) -> Watch | None:
    """The newest watch of this instance, compared by identity."""
    return next((watch for watch in reversed(_watches.copy()) if watch.backend is backend), None)


def _noted(name: str, original: Any) -> Any:
    if inspect.iscoroutinefunction(original):

        @functools.wraps(original)
        async def noted_async(self: Any, *arguments: Any, **options: Any) -> Any:
            __tracebackhide__ = True
            watch = _watch_of(self)
            if watch is None or _inside.get():
                return await original.__get__(self, type(self))(*arguments, **options)
            with _note(watch, name, arguments, options) as note:
                if pause := watch.log.pause(name):
                    await asyncio.sleep(pause)
                note.append(await original.__get__(self, type(self))(*arguments, **options))
            return note[0]

        noted_async.noted = True  # type: ignore[attr-defined]
        return noted_async

    @functools.wraps(original)
    def noted(self: Any, *arguments: Any, **options: Any) -> Any:
        __tracebackhide__ = True
        watch = _watch_of(self)
        if watch is None or _inside.get():
            return original.__get__(self, type(self))(*arguments, **options)
        with _note(watch, name, arguments, options) as note:
            if pause := watch.log.pause(name):
                time.sleep(pause)
            note.append(original.__get__(self, type(self))(*arguments, **options))
            if name in AWAITED and isinstance(self, AsyncBackend) and not inspect.isawaitable(note[0]):
                raise TypeError(f"`{name}` is not a coroutine function; write it as `async def`{_line_of(original)}")
        return note[0]

    noted.noted = True  # type: ignore[attr-defined]
    return noted


def _line_of(function: Any) -> str:
    """Where a function is; empty if Python does not know."""
    code = getattr(function, "__code__", None)
    return f" ({code.co_filename}, line {code.co_firstlineno})" if code is not None else ""


@contextmanager
def _note(watch: Watch, name: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Iterator[list[Any]]:
    """Record what the block puts into the list, or the exception it raises."""
    __tracebackhide__ = True
    if watch.guard is not None:
        watch.guard(name, arguments[0] if arguments else options.get("path", options.get("src")))
    call = watch.log.begin(f"{watch.prefix}{name}", arguments, options)
    came: list[Any] = []
    token = _inside.set(True)
    try:
        yield came
        call.came = "-> ***" if name in SECRET_RESULTS else f"-> {brief(came[0])}"
    except SIGNALS as error:
        call.came = f"raised {type(error).__name__}"
        raise RuntimeError(f"the backend raised {type(error).__name__}, which only a check may raise") from error
    except BaseException as error:
        call.came = f"raised {type(error).__name__}: {told_apart(str(error))[: 2 * SHOWN]}"
        if isinstance(error, CapabilityNotSupported):
            watch.log.refusals.append((name, error))
        raise
    finally:
        _inside.reset(token)
        watch.log.end(name)
