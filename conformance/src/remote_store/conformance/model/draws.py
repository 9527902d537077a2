"""What a state machine draws: calls that a backend declares, on paths that get in each other's way."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from remote_store.conformance.checking.hostile import segmented_key
from remote_store.conformance.harness import Profile
from remote_store.conformance.model.steps import HERE, KINDS, ROOT, Body, Step
from remote_store.core import Capability

Steps = st.SearchStrategy[Step]
Paths = st.SearchStrategy[Any]

NUL = "nul\0"
NOT_CANONICAL = ("a//b", "/a", "a/.", "../a")
FEW = 4
NUMBERS = (0, 1, 2, 5, 65_536, 80_000)
SIZES = (0, 1, 3, 70_000, 70_001)
METADATA: tuple[dict[str, str], ...] = ({"name": "value"}, {"other": "1", "name": "2"}, {})
PATTERNS = ("*", "**", "a*", "?", "[ab]", "*/b", "a/*", "**/b*", "a/**")


class Draws:
    """Strategies for calls, a method for each kind of them; what is not declared is replaced by questions.

    Args:
        names: Names of files; folders are what stands before their slashes.
        profile: Facts about the storage.
        capabilities: What the backend declares.
        instances: How many instances take turns.
    """

    def __init__(
        self, names: Sequence[str], profile: Profile, capabilities: Collection[Capability], instances: int
    ) -> None:
        most = profile.max_key_bytes
        # Longer than the limit by itself, in whatever folder it stands.
        malformed = [NUL, *([segmented_key(most + 1, "long/")] if most is not None else [])]
        self._has = frozenset(capabilities)
        self._instances = st.integers(0, instances - 1)
        self._name = few(names)
        parent = self._name.map(lambda name: name.rpartition("/")[0] or HERE)
        self._here = mostly(self._name, parent)
        self._folder = st.one_of(parent, self._name, st.just(HERE), parent.map(closed))
        self._malformed = st.sampled_from(malformed)
        self._file = mostly(self._here, st.sampled_from([ROOT, *malformed]))
        self._target = mostly(self._name, st.sampled_from([ROOT, *NOT_CANONICAL, *malformed]))

    def fills(self) -> Steps:
        """Files to begin with."""
        steps = self._steps("write", self._name, body=st.builds(Body, st.sampled_from("xyz"), st.sampled_from(SIZES)))
        return steps.map(lambda step: replace(step, options={"overwrite": True}))

    def calls(self) -> Steps:
        """Any call; more of those that change something."""
        changes = [self.writes()] * 4 + [self.transfers()] * 2 + [self.deletes()] * 2
        looks = [self.reads()] * 3 + [self.listings()] * 3 + [self.questions()] * 2
        return st.sampled_from(changes + looks).flatmap(lambda kind: kind)

    def writes(self) -> Steps:
        """Calls that write content."""
        options = flags("overwrite") | {"content_type": st.just("text/csv")}
        if Capability.USER_METADATA in self._has:
            options |= {"metadata": st.sampled_from(METADATA)}
        letter, size = st.sampled_from("xyz"), st.sampled_from(SIZES)
        body = st.builds(Body, letter, size, st.one_of(st.just("bytes"), st.sampled_from(list(KINDS))))
        kinds = [self._steps("write", self._target, options, body=body)]
        if Capability.ATOMIC_WRITE in self._has:
            spooled = {"body": st.builds(Body, letter, size), "fails": st.booleans()}
            kinds.append(self._steps("write_atomic", self._target, options, body=body))
            kinds.append(self._steps("open_atomic", self._target, options, **spooled))
        return st.one_of(kinds)

    def transfers(self) -> Steps:
        """Copies and moves."""
        # Which of two malformed paths the error is about is not promised.
        good, odd = st.tuples(self._name, self._name), st.tuples(self._here, self._target)
        pairs = st.one_of(good, good, odd, st.tuples(self._file, self._name))
        return self._either(
            self._declared(Capability.COPY, "copy", pairs, flags("overwrite")),
            self._declared(Capability.MOVE, "move", pairs, flags("overwrite")),
        )

    def deletes(self) -> Steps:
        """Deletes of files and of folders."""
        folders = mostly(self._folder, self._malformed)
        return self._either(
            self._declared(Capability.DELETE, "delete", self._file, flags("missing_ok")),
            self._declared(Capability.DELETE, "delete_folder", folders, flags("recursive", "missing_ok")),
        )

    def reads(self) -> Steps:
        """Reads, whole, in pieces and from somewhere."""
        number = st.sampled_from(NUMBERS)
        two = st.tuples(number, number)
        return self._either(
            self._declared(Capability.READ, "read_bytes", self._file),
            self._declared(Capability.READ, "read", self._file, numbers=st.tuples(number)),
            self._declared(Capability.READ, "read_range", self._file, numbers=two),
            self._declared(Capability.SEEKABLE_READ, "read_seekable", self._file, numbers=two),
        )

    def listings(self) -> Steps:
        """Listings and patterns."""
        folders = mostly(self._folder, self._malformed)
        depth = flags("recursive") | {"max_depth": st.integers(0, 2)}
        return self._either(
            self._declared(Capability.LIST, "list_files", folders, depth),
            self._declared(Capability.LIST, "list_folders", folders),
            self._declared(Capability.LIST, "iter_children", folders),
            self._declared(Capability.GLOB, "glob", st.sampled_from(PATTERNS)),
        )

    def questions(self) -> Steps:
        """Probes, facts, and what is answered without a look."""
        paths = mostly(st.one_of(self._here, self._folder), st.sampled_from([ROOT, NUL]))
        nothing: Paths = st.just(())
        return st.one_of(
            *(self._steps(probe, paths) for probe in ("exists", "is_file", "is_folder")),
            *self._declared(Capability.METADATA, "get_file_info", self._file),
            *self._declared(Capability.METADATA, "get_folder_info", mostly(self._folder, self._malformed)),
            *(self._steps(pure, self._here) for pure in ("native_path", "resolve")),
            *(self._steps(method, nothing) for method in ("check_health", "unwrap")),
        )

    def _either(self, *kinds: list[Steps]) -> Steps:
        declared = [steps for kind in kinds for steps in kind]
        return st.one_of(declared) if declared else self.questions()

    def _declared(self, capability: Capability, method: str, paths: Paths, *more: Any, **others: Any) -> list[Steps]:
        return [self._steps(method, paths, *more, **others)] if capability in self._has else []

    def _steps(
        self, method: str, paths: Paths, options: Mapping[str, st.SearchStrategy[Any]] | None = None, **more: Any
    ) -> Steps:
        return st.builds(
            Step,
            st.just(method),
            paths.map(lambda drawn: drawn if isinstance(drawn, tuple) else (drawn,)),
            options=st.fixed_dictionaries({}, optional=dict(options or {})),
            instance=self._instances,
            **more,
        )


def few(names: Sequence[str]) -> Paths:
    """One of a few of the names, which are the same through a whole history so that calls meet."""
    chosen = st.lists(st.sampled_from(names), min_size=FEW, max_size=FEW, unique=True)
    return st.shared(chosen, key="names").flatmap(st.sampled_from)


def closed(folder: str) -> str:
    """The folder with a slash at its end."""
    return folder if folder == HERE else f"{folder}/"


def mostly(usual: Paths, other: Paths) -> Paths:
    """The usual four times out of five."""
    return st.integers(0, 4).flatmap(lambda number: usual if number < 4 else other)


def flags(*names: str) -> dict[str, st.SearchStrategy[Any]]:
    """Options that are given or not."""
    return {name: st.just(value=True) for name in names}
