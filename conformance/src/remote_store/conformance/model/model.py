"""The model: core's memory backend, restricted to the profile of another storage."""

from __future__ import annotations

import copy
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from remote_store.conformance.checking.callers import Boom
from remote_store.conformance.harness import Profile
from remote_store.conformance.model.actions import (
    CONDITIONS,
    CURRENT,
    FAILING,
    OTHER,
    ROOT,
    Action,
    Payload,
    Result,
    Sum,
)
from remote_store.conformance.model.perform import HEADERS, perform
from remote_store.core import (
    AlreadyExists,
    Capability,
    InvalidPath,
    MemoryBackend,
    NotFound,
    PreconditionFailed,
)

TEXT = Result(error=TypeError("content is text"))
WRONG = Result(error=ValueError("an argument is wrong"))
NONE = type(None).__name__
OF_FILES = ("read", "read_bytes", "read_range", "read_ranges", "read_seekable", "get_file_info", "get_tags", "set_tags")
WRITES = ("write", "write_atomic", "open_atomic", "copy", "move")


class Model:
    """The files that a backend of this profile should hold.

    Args:
        profile: Facts about the storage.
        capabilities: What the backend declares. Facts that it does not store are not expected.
    """

    def __init__(self, profile: Profile, capabilities: Collection[Capability]) -> None:
        self._profile = profile
        self._stores_metadata = Capability.USER_METADATA in capabilities
        self._stores_headers = Capability.CONTENT_HEADERS in capabilities
        self._memory = MemoryBackend()
        self._tagged = frozenset[str]()

    def settled(self, action: Action) -> Action:
        """The call with an ETag of no version instead of the current one, if there is no file."""
        if CURRENT not in action.options.values() or self.is_file(action.paths[0]):
            return action
        found = {name: OTHER if value == CURRENT else value for name, value in action.options.items()}
        return replace(action, options=found)

    def predict(self, action: Action) -> tuple[Result, ...]:
        """Make a call, and return every outcome that the contract allows."""
        if action.wrong:
            # With two wrong arguments, either error may come first.
            others = copy.copy(self).predict(action.righted())
            return (WRONG, *(other for other in others if other.error is not None))
        besides: list[Result] = []
        folders = {path for path in action.paths if path.endswith("/") or self._is_only_a_folder(path)}
        if any(name in action.options for name in CONDITIONS):
            others = copy.copy(self).predict(action.without(*CONDITIONS))
            besides = [other for other in others if other.error is not None]
        outcomes = self._outcomes(action)
        if outcomes[0].error is not None:
            outcomes = (*outcomes, *besides)
        if action.method == "delete_many" and folders:
            # The backend may look before it begins, at each path, or not at all.
            return (*outcomes, *(of_folders(folders, outcomes[0], kind) for kind in (NONE, InvalidPath.__name__)))
        slash = action.method in OF_FILES and any(path.endswith("/") for path in action.paths)
        if slash and isinstance(outcomes[0].error, NotFound | InvalidPath):
            # The path of a file with a slash at its end names nothing, or is malformed.
            path = outcomes[0].error.path
            outcomes += tuple(Result(error=kind("it ends in a slash", path=path)) for kind in (NotFound, InvalidPath))
        return outcomes

    def __copy__(self) -> Model:
        spare = Model.__new__(Model)
        spare.__dict__.update(self.__dict__, _memory=copy.copy(self._memory))
        return spare

    def _outcomes(self, action: Action) -> tuple[Result, ...]:
        is_text = action.payload is not None and action.payload.kind == "text"
        if long := self._too_long(action):
            return (Result(error=long), *([TEXT] if is_text else []))
        refused = self._refused(action)
        if action.payload is not None and action.payload.kind in FAILING:
            return self._failing(replace(action, payload=Payload()), refused)
        if is_text:
            # With two wrong arguments, either error may come first.
            other = Result(error=refused) if refused is not None else self._trial(replace(action, payload=Payload()))
            return (TEXT, *([other] if other.error is not None else []))
        if refused is not None:
            other = self._trial(action)
            onto_itself = len(set(action.paths)) < len(action.paths)
            return (Result(error=refused), *([other] if other.error is not None or onto_itself else []))
        outcome = perform(self._memory, action)
        self._tagged = self._tagged.union(filter(self._has_tags, action.paths))
        return (self._expected(action, outcome),)

    def files(self, folder: str) -> list[str]:
        """The paths of the files of a folder, at every depth."""
        return sorted(str(file.path) for file in self._memory.list_files(folder, recursive=True))

    def is_file(self, path: str) -> bool:
        """Whether a file exists."""
        return self._is("is_file", path)

    def is_folder(self, path: str) -> bool:
        """Whether a folder exists."""
        return self._is("is_folder", path)

    def had_tags(self, path: str) -> bool:
        """Whether there is or was a file with tags."""
        return path in self._tagged

    def _has_tags(self, path: str) -> bool:
        return bool(perform(self._memory, Action("get_tags", (path,))).value)

    def would_empty(self, action: Action) -> bool:
        """Whether a call would remove the last file of a folder."""
        spare = copy.copy(self._memory)
        perform(spare, action)
        return bool(folders(self._memory) - folders(spare))

    def _failing(self, action: Action, refused: InvalidPath | None) -> tuple[Result, ...]:
        # A wrong path is reported first. A conflict and a failing stream may come in either order.
        other = Result(error=refused) if refused is not None else self._trial(action)
        if isinstance(other.error, InvalidPath) and refused is None:
            return (other,)
        conflict = isinstance(other.error, AlreadyExists | InvalidPath | PreconditionFailed)
        return (Result(error=Boom()), *([other] if conflict else []))

    def _trial(self, action: Action) -> Result:
        """The outcome of a call, made on a copy."""
        spare = copy.copy(self._memory)
        return perform(spare, action)

    def _too_long(self, action: Action) -> InvalidPath | None:
        most = self._profile.max_key_bytes
        long = next((path for path in action.paths if most is not None and len(path.encode()) > most), None)
        return None if long is None else InvalidPath("the key is too long", path=long)

    def _refused(self, action: Action) -> InvalidPath | None:
        """The error of a storage with folders for a path that a flat storage accepts."""
        target = action.paths[-1] if action.method in WRITES else ROOT
        parents = [target[:place] for place, character in enumerate(target) if character == "/"]
        beside = self._profile.flat and not self._profile.rejects_file_ancestor
        below_a_file = not beside and any(map(self.is_file, parents))
        on_a_folder = not self._profile.flat and target != ROOT and self.is_folder(target)
        if below_a_file or on_a_folder:
            return InvalidPath("a file and a folder cannot have the same path", path=target)
        return None

    def _is_only_a_folder(self, path: str) -> bool:
        return self.is_folder(path) and not self.is_file(path)

    def _is(self, probe: str, path: str) -> bool:
        return perform(self._memory, Action(probe, (path,))).value is True

    def _expected(self, action: Action, outcome: Result) -> Result:
        if not isinstance(outcome.value, dict):
            return outcome
        found = dict(outcome.value)
        if not self._stores_metadata:
            found.pop("metadata", None)
        if not self._stores_metadata or found.get("content_type") is None:
            found.pop("content_type", None)
        if not self._stores_headers:
            found = {name: value for name, value in found.items() if name not in HEADERS}
        if "digest" in found:
            found["digest"] = Sum(self._memory.read_bytes(action.paths[0]))
        return Result(found)


def of_folders(paths: Collection[str], outcome: Result, kind: str) -> Result:
    """The outcomes of `delete_many` with another one for the paths of folders, except for the root."""
    rows: Any = outcome.value
    return Result([(path, kind if path in paths and path else told) for path, told in rows])


def folders(backend: MemoryBackend) -> set[str]:
    """Every folder, at every depth."""
    paths = [file.path for file in backend.list_files("", recursive=True)]
    return {path[:place] for path in paths for place, character in enumerate(path) if character == "/"}
