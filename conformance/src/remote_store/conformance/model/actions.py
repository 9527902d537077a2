"""Calls of a backend as data, with their expected and their observed outcomes."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from remote_store.conformance.checking.callers import Boom
from remote_store.conformance.checking.hostile import Failing, OnlyRead, Unseekable, cut_short
from remote_store.core import ContentDigest
from remote_store.core.checksums import comparable, digest_of

HERE = "."
ROOT = ""
SHORT = 7
UNIT = b"01234\n6789"
CURRENT = "<the current ETag>"
OTHER = "0123456789abcdef0123456789abcdef"
"""An ETag of no version."""
CONDITIONS = ("if_match", "if_none_match")
NOT_MODIFIED = "NotModified"
Step = tuple[Any, ...]
SLOW_TO_SUM = 100_000
FILL, NUMBERS = "fill", "numbers"

# How content is passed, and its form in a program.
KINDS: dict[str, tuple[Any, str]] = {
    "bytes": (bytes, "{}"),
    "bytearray": (bytearray, "bytearray({})"),
    "memoryview": (memoryview, "memoryview({})"),
    "stream": (io.BytesIO, "io.BytesIO({})"),
    "unseekable": (Unseekable, "Unseekable({})"),
    "short_reads": (lambda data: Unseekable(data, most=SHORT), f"Unseekable({{}}, most={SHORT})"),
    "failing": (lambda data: Failing(len(data), Boom()), "Failing(len({}), Boom())"),
    "text": (bytes.decode, "{}.decode()"),
    "only_read": (OnlyRead, "OnlyRead({})"),
    "wide_view": (lambda data: memoryview(data * 2).cast("H"), "memoryview({} * 2).cast('H')"),
    "backward_view": (lambda data: memoryview(data)[::-2], "memoryview({})[::-2]"),
    "chunks": (lambda data: iter([data[:SHORT], b"", data[SHORT:]]), f"iter([{{0}}[:{SHORT}], b'', {{0}}[{SHORT}:]])"),
    "failing_chunks": (lambda data: cut_short(data, Boom()), "cut_short({}, Boom())"),
}
FAILING = ("failing", "failing_chunks")


@dataclass(frozen=True, slots=True)
class Payload:
    """Content of a write: a short text, again and again, whose length divides no block's, so that order shows.

    Attributes:
        letter: The first character of the text.
        size: The number of bytes.
        kind: The form in which it is passed; a key of `KINDS`.
    """

    letter: str = "x"
    size: int = 0
    kind: str = "bytes"

    @property
    def unit(self) -> bytes:
        """What the content repeats."""
        return self.letter.encode() + UNIT

    @property
    def data(self) -> bytes:
        """The bytes."""
        return (self.unit * (self.size // len(self.unit) + 1))[: self.size]

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
        numbers: Starts and lengths of ranges; the sizes of the first pieces of a stream; how many files to fill in.
        steps: The calls of the stream of `read_seekable`, or those of `open_atomic` after its first write.
        wrong: The option that must raise a ValueError, or `numbers`; empty if none does.
        fails: Whether the block of `open_atomic` raises after the write.
        instance: The instance that is called; 0 is the first.
    """

    method: str
    paths: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    payload: Payload | None = None
    numbers: tuple[int, ...] = ()
    steps: tuple[Step, ...] = ()
    wrong: str = ""
    fails: bool = False
    instance: int = 0

    @property
    def cost(self) -> int:
        """About how many calls of the backend it is."""
        return self.numbers[0] if self.method == FILL else 1

    def without(self, *names: str) -> Action:
        """The same call without some options."""
        return replace(self, options={name: value for name, value in self.options.items() if name not in names})

    def righted(self) -> Action:
        """The same call without its wrong argument."""
        numbers = tuple(map(abs, self.numbers)) if self.wrong == NUMBERS else self.numbers
        return replace(self.without(self.wrong), numbers=numbers, wrong="")

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
        yield from (self.without(name) for name in self.options if name != self.wrong and not self._needs(name))
        yield from (replace(self, steps=(*self.steps[:n], *self.steps[n + 1 :])) for n in range(len(self.steps)))
        if self.method == "delete_many":
            yield from (replace(self, paths=(*self.paths[:n], *self.paths[n + 1 :])) for n in range(len(self.paths)))
        if self.method == FILL:
            yield from (replace(self, numbers=(count, *self.numbers[1:])) for count in (self.numbers[0] // 2, 2))
        if self.payload is not None and self.payload != Payload():
            yield from (
                replace(self, payload=payload)
                for payload in (replace(self.payload, kind="bytes"), Payload(), Payload(size=1))
            )

    def _needs(self, name: str) -> bool:
        return name == "tags" and self.method == "set_tags"


def _below(folder: str, path: str) -> str:
    return {ROOT: ROOT, HERE: folder}.get(path, f"{folder}/{path}")


def _above(folder: str, path: str) -> str:
    return {ROOT: ROOT, folder: HERE}.get(path, path.removeprefix(f"{folder}/"))


@dataclass(frozen=True, slots=True, eq=False)
class Sum:
    """Equals every checksum that is that of the content, and those that say less: none, or one of parts.

    Attributes:
        content: The content.
    """

    content: bytes = field(repr=False)

    def of(self, digest: ContentDigest) -> ContentDigest:
        """The right checksum by the same algorithm."""
        return digest_of(self.content, digest.algorithm.lower())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ContentDigest):
            return other is None
        value, slow = comparable(other), len(self.content) > SLOW_TO_SUM and "crc" in other.algorithm
        return value is None or slow or value == comparable(self.of(other))

    __hash__ = None  # type: ignore[assignment]


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
