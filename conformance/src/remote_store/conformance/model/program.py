"""A history as a short program to paste: it makes the calls and fails at the wrong one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

from remote_store.conformance.model.actions import (
    CONDITIONS,
    CURRENT,
    FILL,
    KINDS,
    NOT_MODIFIED,
    Action,
    Payload,
    Result,
    Step,
    Sum,
    TakenAction,
)
from remote_store.conformance.values.lookalikes import told_apart

FOLDER = "repro"
INSTANCES = ("backend", "other", "threaded")
THREADED = INSTANCES.index("threaded")
"""The number of the first instance in `ThreadedBackend`, which is awaited in a program that is not asynchronous too."""
IMPORTS = {
    "import datetime": ("datetime",),
    "import io": ("io",),
    "from array import array": ("array",),
    "from contextlib import suppress": ("suppress",),
    "from operator import attrgetter": ("attrgetter",),
    "import pytest": ("pytest",),
    "from remote_store.conformance.checking.hostile import": ("Failing", "OnlyRead", "Unseekable", "cut_short"),
    "from remote_store.core import": (
        "AlreadyExists",
        "BackendUnavailable",
        "CapabilityNotSupported",
        "ContentDigest",
        "DirectoryNotEmpty",
        "InvalidPath",
        "NotFound",
        "PermissionDenied",
        "PreconditionFailed",
        "RemoteStoreError",
    ),
}
LISTED = {
    "list_files": "(file.path, file.size) {each} file in",
    "glob": "(file.path, file.size) {each} file in",
    "list_folders": "folder.path {each} folder in",
    "iter_children": "(type(child).__name__, child.path) {each} child in",
    "delete_many": "(outcome.path, type(outcome.error).__name__) {each} outcome in",
}
GROUPED = ("text", "wide_view", "chunks")
NOTHING = object()
LONG_LIST = 12
"""A longer list is shortened to where it differs."""
LONG_BYTES = 30
"""Longer content is written as a repetition."""


def program(calls: Sequence[TakenAction], folder: str, *, asynchronous: bool = False) -> str:
    """A function that makes the calls and fails at the last one.

    Args:
        calls: The calls, in order.
        folder: The folder of the paths; the program uses `repro` in its place.
        asynchronous: Write it for an asynchronous backend.
    """
    writer = ProgramWriter(folder, asynchronous=asynchronous)
    lines = [*chain.from_iterable(map(writer.earlier, calls[:-1])), *chain.from_iterable(map(writer.last, calls[-1:]))]
    last = max((call.action.instance for call in calls), default=0)
    head = f"{writer.a_sync(*(call.action for call in calls))}def reproduce({', '.join(INSTANCES[: last + 1])}):"
    text = "\n".join([head, *_block(lines or ["pass"])])
    return f"{_imports(text)}\n\n\n{text}\n".lstrip("\n")


@dataclass(frozen=True)
class ProgramWriter:
    """Writes calls as Python source.

    Attributes:
        folder: The folder of the paths.
        asynchronous: For an asynchronous backend.
    """

    folder: str
    asynchronous: bool = False

    def a_sync(self, *actions: Action) -> str:
        """The prefix of `def` and `with` for these calls."""
        threaded = any(action.instance == THREADED for action in actions)
        return "async " if self.asynchronous or threaded else ""

    def wait(self, action: Action) -> str:
        """The prefix of a call."""
        return "await " if self.a_sync(action) else ""

    def earlier(self, call: TakenAction) -> list[str]:
        """A call with an allowed outcome, whose value is not checked."""
        lines = self._made(call.action, None)
        return lines if call.came.error is None else [f"with suppress({_names([call.came])}):", *_block(lines)]

    def last(self, call: TakenAction) -> list[str]:
        """The call with the wrong outcome, as an assertion of the expected one."""
        errors = [outcome for outcome in call.expected if outcome.error is not None]
        value = next((outcome for outcome in call.expected if outcome.error is None), None)
        lines = self._made(call.action, value, call.came)
        if not errors:
            return lines
        return [f"with {'pytest.raises' if value is None else 'suppress'}({_names(errors)}):", *_block(lines)]

    def _made(self, action: Action, expected: Result | None, came: Result | None = None) -> list[str]:
        if action.method == FILL:
            return self._filling(action)
        named = [name for name in CONDITIONS if action.options.get(name) == CURRENT]
        call = f"{INSTANCES[action.instance]}.{action.method}({', '.join(self._arguments(action))})"
        lines = []
        if named:
            info = f"{INSTANCES[action.instance]}.get_file_info({self._literal(action.paths[0])})"
            lines = [f"tag = {self._awaited(action, info)}.etag"]
        if action.method == "open_atomic":
            return [*lines, *self._opening(action, call)]
        if action.method in ("read", "read_seekable"):
            wait = self.wait(action)
            pieces = [self._step(action, ("read", size)) for size in action.numbers]
            value = " + ".join([*pieces, f"{wait}stream.read()"])
            if action.method == "read_seekable":
                value = f"[{', '.join(self._step(action, step) for step in action.steps)}]"
            opened = f"{self.a_sync(action)}with {wait}{call} as stream:"
            return [*lines, opened, *_block([self._held(value, expected)])]
        return [*lines, self._held(self._value(action, call, expected, came), expected, came)]

    def _filling(self, action: Action) -> list[str]:
        count, *deep = action.numbers
        folder = self._literal(action.paths[0])[1:-1]
        path = f"f'{folder}/{{number}}{'/x' if deep else ''}'"
        call = f"{INSTANCES[action.instance]}.write({path}, b'', overwrite=True)"
        return [f"for number in range({count}):", *_block([f"{self.wait(action)}{call}"])]

    def _awaited(self, action: Action, call: str) -> str:
        return f"({self.wait(action)}{call})" if self.wait(action) else call

    def _step(self, action: Action, step: Step) -> str:
        """A call of a stream, as an expression."""
        name, *arguments = step
        if name == "readinto":
            buffer = f"buffer := array({arguments[0]!r}, bytes({arguments[1]}))"
            return f"({self.wait(action)}stream.readinto({buffer}), buffer.tobytes())"
        wait = "" if name == "tell" else self.wait(action)
        return f"{wait}stream.{name}({', '.join(map(repr, arguments))})"

    def _opening(self, action: Action, call: str) -> list[str]:
        lines = [
            f"{self.wait(action)}stream.write({_payload(action.payload or Payload())})",
            *(self._step(action, step) for step in action.steps),
            *(["raise Boom"] if action.fails else []),
        ]
        return [f"{self.a_sync(action)}with {call} as stream:", *_block(lines)]

    def _value(self, action: Action, call: str, expected: Result | None, came: Result | None) -> str:
        if action.method in LISTED:
            row = LISTED[action.method].format(each=f"{self.a_sync(action)}for")
            return f"sorted([{row} {call}]){_differing(expected, came)}"
        if action.method == "get_tags":
            return f"sorted({self._awaited(action, call)}.items())"
        if action.method == "native_path":
            return f"{INSTANCES[action.instance]}.to_key({call})"
        if action.method == "resolve":
            return f"{call}.key"
        waiting = "" if action.method == "unwrap" else self.wait(action)
        if NOT_MODIFIED in [outcome.value for outcome in (expected, came) if outcome is not None]:
            return f"type({waiting}{call}).__name__"
        names = expected.differing(came) if expected is not None and came is not None else []
        picked = ", ".join(map(repr, names))
        return f"attrgetter({picked})({waiting}{call})" if picked else f"{waiting}{call}"

    def _held(self, value: str, expected: Result | None, came: Result | None = None) -> str:
        if expected is None:
            return value
        wanted: object = expected.value
        if value.startswith("type("):
            wanted = "FileInfo" if isinstance(wanted, dict) else "bytes" if isinstance(wanted, bytes) else wanted
        elif isinstance(wanted, dict):
            names = expected.differing(came) if came is not None else []
            if came is None or not names:
                return value
            facts = tuple(_plain(wanted[name], came, name) for name in names)
            wanted = facts[0] if len(facts) == 1 else facts
        elif isinstance(wanted, list) and came is not None:
            wanted = wanted[_part(expected, came)]
        return f"assert {value} == {self._literal(wanted)}"

    def _arguments(self, action: Action) -> list[str]:
        paths = [self._literal(path) for path in action.paths]
        if action.method == "delete_many":
            paths = [f"[{', '.join(paths)}]"]
        payload = [_payload(action.payload)] if action.payload is not None and action.method != "open_atomic" else []
        numbers = list(map(str, action.numbers)) if action.method == "read_range" else []
        if action.method == "read_ranges":
            numbers = [repr(list(zip(action.numbers[::2], action.numbers[1::2], strict=True)))]
        kind = ["bytearray"] if action.method == "unwrap" else []
        options = [f"{name}={'tag' if value == CURRENT else repr(value)}" for name, value in action.options.items()]
        return [*paths, *payload, *numbers, *kind, *options]

    def _literal(self, value: object) -> str:
        if isinstance(value, str):
            inside = value == self.folder or value.startswith(f"{self.folder}/")
            return told_apart(repr(FOLDER + value[len(self.folder) :] if inside else str(value)))
        if isinstance(value, bytes):
            return _bytes(value)
        if isinstance(value, list):
            return f"[{', '.join(map(self._literal, value))}]"
        if isinstance(value, tuple):
            return f"({', '.join(map(self._literal, value))}{',' if len(value) == 1 else ''})"
        return repr(value)


def _bytes(data: bytes) -> str:
    """Content as source: a long one as a repetition, if it is one."""
    unit = data[: len(Payload().unit)]
    times = len(data) // len(unit or b"x") + 1
    if len(data) <= LONG_BYTES or data != (unit * times)[: len(data)]:
        return repr(data)
    if len(set(unit)) == 1:
        return f"{unit[:1]!r} * {len(data)}"
    return f"({unit!r} * {times})[:{len(data)}]"


def _payload(payload: Payload) -> str:
    source = _bytes(payload.data)
    return KINDS[payload.kind][1].format(f"({source})" if " * " in source and payload.kind in GROUPED else source)


def _differing(expected: Result | None, came: Result | None) -> str:
    """The part of a long list to compare, as a subscript."""
    if expected is None or came is None or _part(expected, came) == slice(None):
        return ""
    part = _part(expected, came)
    return f"[{part.start}:{part.stop}]"


def _part(expected: Result, came: Result) -> slice:
    """Where a long list differs from what came."""
    wanted, found = expected.value, came.value
    if not isinstance(wanted, list) or not isinstance(found, list) or max(len(wanted), len(found)) <= LONG_LIST:
        return slice(None)
    pairs = enumerate(zip_longest(wanted, found, fillvalue=NOTHING))
    first = next((number for number, (one, other) in pairs if one != other), 0)
    return slice(first, first + 3)


def _plain(wanted: object, came: Result, name: str) -> object:
    facts = came.value
    return wanted.of(facts[name]) if isinstance(wanted, Sum) and isinstance(facts, dict) else wanted


def _names(outcomes: list[Result]) -> str:
    names = dict.fromkeys(type(outcome.error).__name__ for outcome in outcomes)
    return next(iter(names)) if len(names) == 1 else f"({', '.join(names)})"


def _block(lines: Sequence[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _imports(text: str) -> str:
    lines = []
    for statement, words in IMPORTS.items():
        used = [word for word in words if re.search(rf"\b{word}\b", text)]
        if used:
            lines.append(f"{statement} {', '.join(used)}" if statement.endswith(" import") else statement)
    if re.search(r"\bBoom\b", text):
        lines.append("\n\nclass Boom(Exception):\n    pass")
    return "\n".join(lines)
