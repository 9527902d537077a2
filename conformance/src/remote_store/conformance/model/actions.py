"""Calls of a backend as data, with their expected and their observed outcomes."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from remote_store.conformance.checking.callers import Boom
from remote_store.conformance.checking.hostile import Failing, Unseekable

HERE = "."
ROOT = ""
SHORT = 7


# How content is passed, and its form in a program.
KINDS: dict[str, tuple[Any, str]] = {
    "bytes": (bytes, "{}"),
    "bytearray": (bytearray, "bytearray({})"),
    "memoryview": (memoryview, "memoryview({})"),
    "stream": (io.BytesIO, "io.BytesIO({})"),
    "unseekable": (Unseekable, "Unseekable({})"),
    "short_reads": (lambda data: Unseekable(data, most=SHORT), f"Unseekable({{}}, most={SHORT})"),
    "failing": (lambda data: Failing(len(data), Boom()), "Failing(len({}), Boom())"),
    "text": (bytes.decode, "({}).decode()"),
}


@dataclass(frozen=True, slots=True)
class Payload:
    """Content of a write.

    Attributes:
        letter: The character that the content repeats.
        size: How many of them.
        kind: The form in which it is passed; a key of `KINDS`.
    """

    letter: str = "x"
    size: int = 0
    kind: str = "bytes"

    @property
    def data(self) -> bytes:
        """The bytes."""
        return self.letter.encode() * self.size

    def content(self) -> Any:
        """A new object to pass to `write`."""
        return KINDS[self.kind][0](self.data)


@dataclass(frozen=True, slots=True)
class Action:
    """One call.

    Attributes:
        method: The method of the backend.
        paths: The paths or the pattern, in order.
        options: The keyword arguments.
        payload: The content to write.
        numbers: Start and length of a range; the size of the first piece of a stream; offset and size after a seek.
        fails: Whether the block of `open_atomic` raises after the write.
        instance: The instance that is called; 0 is the first.
    """

    method: str
    paths: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    payload: Payload | None = None
    numbers: tuple[int, ...] = ()
    fails: bool = False
    instance: int = 0

    def below(self, folder: str) -> Action:
        """The same call inside a folder, which `"."` stands for; the root stays the root."""
        return replace(self, paths=tuple(_below(folder, path) for path in self.paths))

    def above(self, folder: str) -> Action:
        """The inverse of `below`."""
        return replace(self, paths=tuple(_above(folder, path) for path in self.paths))

    def simpler(self) -> Iterator[Action]:
        """Simpler versions of the call, each with one change."""
        if self.instance:
            yield replace(self, instance=0)
        for name in self.options:
            yield replace(self, options={other: value for other, value in self.options.items() if other != name})
        if self.payload is not None and self.payload != Payload():
            yield from (
                replace(self, payload=payload)
                for payload in (replace(self.payload, kind="bytes"), Payload(), Payload(size=1))
            )


def _below(folder: str, path: str) -> str:
    return {ROOT: ROOT, HERE: folder}.get(path, f"{folder}/{path}")


def _above(folder: str, path: str) -> str:
    return {ROOT: ROOT, folder: HERE}.get(path, path.removeprefix(f"{folder}/"))


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of a call: a value of plain data, or an exception.

    Attributes:
        value: The value. Facts are a dictionary; only the expected ones are compared.
        error: The exception.
    """

    value: object = None
    error: Exception | None = None

    def allows(self, came: Result) -> bool:
        """Whether an observed outcome meets this expectation."""
        if self.error is not None:
            wanted, path = (getattr(error, "path", None) for error in (self.error, came.error))
            return isinstance(came.error, type(self.error)) and (wanted is None or _same_place(wanted, path))
        if isinstance(self.value, dict) and isinstance(came.value, dict):
            return not self.differing(came)
        return came.error is None and bool(self.value == came.value)

    def differing(self, came: Result) -> list[str]:
        """Names of the expected facts that differ."""
        if not isinstance(self.value, dict) or not isinstance(came.value, dict):
            return []
        facts = came.value
        return [name for name, value in self.value.items() if name not in facts or facts[name] != value]


def _same_place(wanted: str, path: str | None) -> bool:
    return path is not None and wanted.rstrip("/") == path.rstrip("/")


@dataclass(frozen=True, slots=True)
class TakenAction:
    """A call that was made.

    Attributes:
        action: The call.
        expected: The allowed outcomes; the first one is the model's.
        came: The observed outcome.
    """

    action: Action
    expected: tuple[Result, ...]
    came: Result

    @property
    def kind(self) -> tuple[str, object]:
        """The method and the class of its exception; wrong calls with the same kind count as one failure."""
        return self.action.method, type(self.came.error)

    @property
    def right(self) -> bool:
        """Whether it ended as expected."""
        return any(outcome.allows(self.came) for outcome in self.expected)
