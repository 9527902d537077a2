"""The steps that an operation yields to its runner, besides a plain `Call`."""

from __future__ import annotations

import inspect
from collections.abc import Generator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from remote_store.core.s3.operations.reading import ReadPlan
from remote_store.core.s3.protocol.calls import Call, Fault

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Fetch:
    """Read the remaining bytes of a plan. The result is the bytes, or empty if there is a buffer.

    Attributes:
        plan: Which bytes, pinned to which version.
        buffer: Receives the bytes; exactly as long as they are.
        body: An open body at the plan's position.
    """

    plan: ReadPlan
    buffer: memoryview | None = None
    body: Any = None


@dataclass(frozen=True, slots=True)
class Start:
    """Start a call or a fetch in the background. Its result comes with `Wait`.

    Attributes:
        step: The call or fetch.
        window: Most steps in flight at once; the runner waits until there is room.
        keeps_fault: Whether a fault becomes the result instead of ending the operation.
    """

    step: Call | Fetch
    window: int
    keeps_fault: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait for all started steps. The result is their results in the order of their start, or the first fault."""


@dataclass(frozen=True, slots=True)
class Drain:
    """Wait until no started step is in flight. The result is the results of those that succeeded.

    Attributes:
        patient: Whether to let all steps finish instead of cancelling them.
    """

    patient: bool = False


@dataclass(frozen=True, slots=True)
class ReadBlock:
    """Read exactly `size` bytes from the caller's content, or fewer at its end.

    Attributes:
        size: Number of bytes.
    """

    size: int


@dataclass(frozen=True, slots=True)
class CloseBody:
    """Close a body that is not read to its end.

    Attributes:
        body: The body of a response.
    """

    body: Any


@dataclass(frozen=True, slots=True)
class Sign:
    """Sign a call that somebody else sends. The result is a URL, or the address and fields of a form.

    Attributes:
        call: The call; `PostObject` for a form.
        seconds: How long the signature is valid.
    """

    call: Call
    seconds: int


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait.

    Attributes:
        seconds: How long.
    """

    seconds: float


@dataclass(frozen=True, slots=True)
class Join:
    """Wait for the result of another operation, which may run in another thread or event loop.

    The step's result is that result, or `None` if it does not come in time.

    Attributes:
        future: The other operation's result.
        seconds: Longest time to wait.
    """

    future: Future[Any]
    seconds: float


Step: TypeAlias = Call | Fetch | Start | Wait | Drain | ReadBlock | CloseBody | Sign | Pause | Join
Operation: TypeAlias = Generator[Step, Any, T]


def each(calls: Sequence[Call], window: int) -> Operation[list[Any]]:
    """Send calls concurrently. Returns the responses in order, with a fault for each call that failed."""
    if len(calls) == 1:
        try:
            return [(yield calls[0])]
        except Fault as fault:
            return [fault]
    try:
        for call in calls:
            yield Start(call, window, keeps_fault=True)
        responses: list[Any] = yield Wait()
    except BaseException:
        yield Drain()
        raise
    return responses


def finished(operation: Operation[Any]) -> bool:
    """Whether the operation has ended, so that an exception came from it and not from the runner."""
    return inspect.getgeneratorstate(operation) == inspect.GEN_CLOSED


class Carrier(BaseException):
    """Wraps an exception that a generator would take for a request to end.

    Args:
        error: A `StopIteration` or a `GeneratorExit`.
    """

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def add_note(self, note: str, /) -> None:
        """Add the note to the wrapped exception."""
        self.error.add_note(note)


def throwable(error: BaseException) -> BaseException:
    """The exception to throw into an operation: the error, or its carrier if a generator treats it specially."""
    return Carrier(error) if isinstance(error, StopIteration | GeneratorExit) else error


def carried(error: BaseException) -> BaseException:
    """The error that `throwable` was called with."""
    return error.error if isinstance(error, Carrier) else error
