"""A history as a short program to paste: it makes the calls and fails at the wrong one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from remote_store.conformance.model.actions import KINDS, Action, Payload, Result, TakenAction
from remote_store.conformance.values.lookalikes import told_apart

FOLDER = "repro"
INSTANCES = ("backend", "other", "threaded")
THREADED = INSTANCES.index("threaded")
"""The number of the first instance in `ThreadedBackend`, which is awaited in a program that is not asynchronous too."""
IMPORTS = {
    "import io": ("io",),
    "from contextlib import suppress": ("suppress",),
    "from operator import attrgetter": ("attrgetter",),
    "import pytest": ("pytest",),
    "from remote_store.conformance.checking.hostile import": ("Failing", "Unseekable"),
    "from remote_store.core import": (
        "AlreadyExists",
        "BackendUnavailable",
        "CapabilityNotSupported",
        "DirectoryNotEmpty",
        "InvalidPath",
        "NotFound",
        "PermissionDenied",
        "PreconditionFailed",
        "RemoteStoreError",
    ),
}
FACTS = ("get_file_info", "get_folder_info", "write", "write_atomic")
LISTED = {
    "list_files": "(file.path, file.size) {each} file in",
    "glob": "(file.path, file.size) {each} file in",
    "list_folders": "folder.path {each} folder in",
    "iter_children": "(type(child).__name__, child.path) {each} child in",
}


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
        call = f"{INSTANCES[action.instance]}.{action.method}({', '.join(self._arguments(action))})"
        if action.method == "open_atomic":
            return self._opening(action, call)
        if action.method in ("read", "read_seekable"):
            wait, numbers = self.wait(action), action.numbers
            value = f"{wait}stream.read({numbers[-1]})"
            value = f"{value} + {wait}stream.read()" if action.method == "read" else value
            seek = [f"{wait}stream.seek({numbers[0]})"] if action.method == "read_seekable" else []
            lines = [*seek, self._held(value, expected)]
            return [f"{self.a_sync(action)}with {wait}{call} as stream:", *_block(lines)]
        return [self._held(self._value(action, call, expected, came), expected, came)]

    def _opening(self, action: Action, call: str) -> list[str]:
        lines = [
            f"{self.wait(action)}stream.write({_payload(action.payload or Payload())})",
            *(["raise Boom"] if action.fails else []),
        ]
        return [f"{self.a_sync(action)}with {call} as stream:", *_block(lines)]

    def _value(self, action: Action, call: str, expected: Result | None, came: Result | None) -> str:
        if action.method in LISTED:
            row = LISTED[action.method].format(each=f"{self.a_sync(action)}for")
            return f"sorted([{row} {call}])"
        if action.method == "native_path":
            return f"{INSTANCES[action.instance]}.to_key({call})"
        if action.method == "resolve":
            return f"{call}.key"
        waiting = "" if action.method == "unwrap" else self.wait(action)
        names = expected.differing(came) if expected is not None and came is not None else []
        picked = ", ".join(map(repr, names))
        return f"attrgetter({picked})({waiting}{call})" if picked else f"{waiting}{call}"

    def _held(self, value: str, expected: Result | None, came: Result | None = None) -> str:
        if expected is None or (isinstance(expected.value, dict) and (came is None or not expected.differing(came))):
            return value
        wanted: object = expected.value
        if isinstance(wanted, dict) and came is not None:
            facts = tuple(wanted[name] for name in expected.differing(came))
            wanted = facts[0] if len(facts) == 1 else facts
        return f"assert {value} == {self._literal(wanted)}"

    def _arguments(self, action: Action) -> list[str]:
        paths = [self._literal(path) for path in action.paths]
        payload = [_payload(action.payload)] if action.payload is not None and action.method != "open_atomic" else []
        numbers = list(map(str, action.numbers)) if action.method == "read_range" else []
        kind = ["bytearray"] if action.method == "unwrap" else []
        return [*paths, *payload, *numbers, *kind, *(f"{name}={value!r}" for name, value in action.options.items())]

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
    alike = len(data) > 1 and len(set(data)) == 1
    return f"{data[:1]!r} * {len(data)}" if alike else repr(data)


def _payload(payload: Payload) -> str:
    return KINDS[payload.kind][1].format(_bytes(payload.data))


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
