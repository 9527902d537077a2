"""What an operation asks of its runner, beside a plain `Call`."""

from __future__ import annotations

import inspect
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from remote_store.core.s3.operations.reading import ReadPlan
from remote_store.core.s3.protocol.calls import Call, Fault

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Fetch:
    """Read what a plan still has to read; the response is its bytes.

    Attributes:
        plan: Which bytes, pinned to which version.
        buffer: Where they go, as long as they are; the response is empty then.
        body: An open body that stands where the plan does.
    """

    plan: ReadPlan
    buffer: memoryview | None = None
    body: Any = None


@dataclass(frozen=True, slots=True)
class Start:
    """Begin a call or a fetch and go on; its response comes with `Wait`.

    Attributes:
        step: What to begin.
        window: How many may be under way; the runner waits until there is room.
        keeps_fault: A fault is the response, instead of ending the operation.
    """

    step: Call | Fetch
    window: int
    keeps_fault: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait for all that was begun; the responses in the order of their beginning, or the first fault."""


@dataclass(frozen=True, slots=True)
class Drain:
    """Wait until nothing that was begun is under way any more; the responses of what succeeded.

    Attributes:
        patient: Let everything come to its own end, where the runner could cut it short.
    """

    patient: bool = False


@dataclass(frozen=True, slots=True)
class ReadBlock:
    """Take bytes from the caller's content: exactly as many as asked for, unless it ends.

    Attributes:
        size: Number of bytes.
    """

    size: int


@dataclass(frozen=True, slots=True)
class CloseBody:
    """Give a body back that is not wanted.

    Attributes:
        body: The body of a response.
    """

    body: Any


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait.

    Attributes:
        seconds: How long.
    """

    seconds: float


Step: TypeAlias = Call | Fetch | Start | Wait | Drain | ReadBlock | CloseBody | Pause
Operation: TypeAlias = Generator[Step, Any, T]


def each(calls: Sequence[Call], window: int) -> Operation[list[Any]]:
    """Send calls, several at once; the responses in order, a fault in the place of a call that failed."""
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
    """Whether an exception came out of the operation, rather than on the way to it."""
    return inspect.getgeneratorstate(operation) == inspect.GEN_CLOSED


class Carrier(BaseException):
    """Carries an exception through an operation, which as a generator would take it for a request to end.

    Args:
        error: The exception: a `StopIteration` or a `GeneratorExit`.
    """

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def add_note(self, note: str, /) -> None:
        """Add the note to the exception that is carried."""
        self.error.add_note(note)


def throwable(error: BaseException) -> BaseException:
    """What can be thrown into an operation for the error: itself, or its carrier."""
    return Carrier(error) if isinstance(error, StopIteration | GeneratorExit) else error


def carried(error: BaseException) -> BaseException:
    """The error that `throwable` was made of."""
    return error.error if isinstance(error, Carrier) else error
