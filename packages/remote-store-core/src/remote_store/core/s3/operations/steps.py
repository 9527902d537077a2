"""What an operation asks of its runner, beside a plain `Call`."""

from __future__ import annotations

import inspect
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from remote_store.core.s3.operations.reading import ReadPlan
from remote_store.core.s3.protocol.calls import Call, Fault
from remote_store.core.s3.protocol.responses import Answer

T = TypeVar("T")
Outcome: TypeAlias = Answer | Fault


@dataclass(frozen=True, slots=True)
class Fetch:
    """Read what a plan still has to read into a buffer.

    Attributes:
        plan: Which bytes, pinned to which version.
        buffer: Where they go; as long as they are.
    """

    plan: ReadPlan
    buffer: memoryview


@dataclass(frozen=True, slots=True)
class Start:
    """Begin a call or a fetch and go on; its answer comes with `Wait`.

    Attributes:
        step: What to begin.
        window: How many may be under way; the runner waits until there is room.
    """

    step: Call | Fetch
    window: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait for all that was begun; the answers in the order of their beginning, or the first fault."""


@dataclass(frozen=True, slots=True)
class Drain:
    """Wait until nothing that was begun is under way any more; the answers of what came to a good end.

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
class ReadBody:
    """Read what a plan still has to read, over an open body, as one value.

    Attributes:
        plan: Which bytes, pinned to which version.
        body: The body of the answer.
    """

    plan: ReadPlan
    body: Any


@dataclass(frozen=True, slots=True)
class CloseBody:
    """Give a body back that is not wanted.

    Attributes:
        body: The body of an answer.
    """

    body: Any


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait.

    Attributes:
        seconds: How long.
    """

    seconds: float


Step: TypeAlias = Call | tuple[Call, ...] | Fetch | Start | Wait | Drain | ReadBlock | ReadBody | CloseBody | Pause
Operation: TypeAlias = Generator[Step, Any, T]


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
