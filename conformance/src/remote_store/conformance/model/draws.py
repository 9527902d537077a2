"""The calls of a history as a strategy: only declared capabilities, on paths that conflict with each other.

Of a choice between several values the first is the simplest.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st

from remote_store.conformance.checking.hostile import segmented_key
from remote_store.conformance.harness import Profile
from remote_store.conformance.model.actions import HERE, KINDS, ROOT, Action, Payload
from remote_store.core import Capability

T = TypeVar("T")
NUL = "nul\0"
NOT_CANONICAL = ("a//b", "/a", "a/.", "../a")
FEW = 4
NUMBERS = (0, 1, 2, 5, 65_536, 80_000)
SIZES = (0, 1, 3, 70_000, 70_001)
METADATA: tuple[dict[str, str], ...] = ({"name": "value"}, {"other": "1", "name": "2"}, {})
PATTERNS = ("*", "**", "a*", "?", "[ab]", "*/b", "a/*", "**/b*", "a/**")


# Numbers and texts Hypothesis also takes from the sources of whatever is imported, and keeps a folder of them.
BIT = st.booleans()
ENGINE = settings(
    backend="hypothesis",
    database=None,
    deadline=None,
    derandomize=False,
    max_examples=2,
    phases=[Phase.generate],
    print_blob=False,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
    verbosity=Verbosity.quiet,
)


def draw_history(chance: str, strategy: st.SearchStrategy[list[Action]]) -> list[Action]:
    """The history of a seed.

    The backend is not called while Hypothesis runs, since that seeds the global generator of random numbers.
    """
    drawn: list[list[Action]] = []

    @ENGINE
    @seed(chance)
    @given(strategy)
    def draw(history: list[Action]) -> None:
        drawn.append(history)

    draw()
    return drawn[-1]


@st.composite
def histories(
    draw: st.DrawFn,
    names: Sequence[str],
    profile: Profile,
    capabilities: Collection[Capability],
    *,
    instances: int,
    actions: int,
    few: int = FEW,
) -> list[Action]:
    """The calls of one history: those that create the initial files, then any.

    The simplest history is empty. Hypothesis tries it first, and then one with another first choice.

    Args:
        draw: Draws from a strategy.
        names: Names of files, whose folders are the parts before a slash.
        profile: Facts about the storage.
        capabilities: What the backend declares.
        instances: How many instances take turns.
        actions: How many calls, after those that create the initial files.
        few: How many of the names the history uses.
    """
    if not draw(BIT):
        return []
    left = list(names)
    chosen = [left.pop(_number(draw, len(left))) for _ in range(min(few, len(names)))]
    draws = Draws(draw, chosen, profile, capabilities, instances)
    drawn = [*map(draws.fill, chosen), *(draws.call() for _ in range(actions))]
    return [action for action in drawn if action is not None]


def _number(draw: st.DrawFn, count: int) -> int:
    """A number below `count`."""
    bits = (count - 1).bit_length()
    return sum(draw(BIT) << place for place in reversed(range(bits))) * count >> bits


class Draws:
    """The calls of one history, a method for each kind. Calls that need an undeclared capability become probes.

    Args:
        draw: Draws from a strategy.
        names: Names of files, whose folders are the parts before a slash.
        profile: Facts about the storage.
        capabilities: What the backend declares.
        instances: How many instances take turns.
    """

    def __init__(
        self,
        draw: st.DrawFn,
        names: Sequence[str],
        profile: Profile,
        capabilities: Collection[Capability],
        instances: int,
    ) -> None:
        self._draw = draw
        most = profile.max_key_bytes
        # Longer than the limit by itself, in any folder.
        self._malformed = [NUL, *([segmented_key(most + 1, "long/")] if most is not None else [])]
        self._names = names
        self._has = frozenset(capabilities)
        self._instances = instances
        self._kinds = [self._write] * 8 + [self._transfer] * 4 + [self._delete] * 4
        self._kinds += [self._read] * 6 + [self._list] * 6 + [self._query] * 3

    def fill(self, name: str) -> Action | None:
        """An initial file, three times out of four."""
        if not self._one((False, True, True, True)):
            return None
        return self._action("write", name, {"overwrite": True}, payload=self._payload("bytes"))

    def call(self) -> Action | None:
        """Any call, more often one that changes files; seldom none."""
        kind = self._one([None, *self._kinds])
        return kind() if kind else None

    def _write(self) -> Action:
        methods = ["write", *(["write_atomic", "open_atomic"] if Capability.ATOMIC_WRITE in self._has else [])]
        method = self._one(methods)
        options = self._flags("overwrite")
        if Capability.USER_METADATA in self._has:
            options |= self._perhaps("content_type", ["text/csv"]) | self._perhaps("metadata", METADATA)
        if method == "open_atomic":
            return self._action(method, self._target(), options, payload=self._payload("bytes"), fails=self._half())
        kind = self._one(list(KINDS)) if self._half() else "bytes"
        return self._action(method, self._target(), options, payload=self._payload(kind))

    def _transfer(self) -> Action:
        method = self._declared({"copy": Capability.COPY, "move": Capability.MOVE})
        # With two malformed paths, the error may name either.
        pairs = [(self._name, self._name)] * 2 + [(self._here, self._target), (self._file, self._name)]
        paths = tuple(path() for path in self._one(pairs))
        return self._action(method, paths, self._flags("overwrite")) if method else self._query()

    def _delete(self) -> Action:
        if Capability.DELETE not in self._has:
            return self._query()
        if self._half():
            return self._action("delete_folder", self._any_folder(), self._flags("recursive", "missing_ok"))
        return self._action("delete", self._file(), self._flags("missing_ok"))

    def _read(self) -> Action:
        plain = {"read_bytes": Capability.READ, "read": Capability.READ}
        method = self._declared(
            {**plain, "read_range": Capability.READ, "read_seekable": Capability.SEEKABLE_READ},
        )
        count = {"read_bytes": 0, "read": 1}.get(method, 2)
        numbers = tuple(self._one(NUMBERS) for _ in range(count))
        return self._action(method, self._file(), numbers=numbers) if method else self._query()

    def _list(self) -> Action:
        listings = dict.fromkeys(("list_files", "list_folders", "iter_children"), Capability.LIST)
        method = self._declared({**listings, "glob": Capability.GLOB})
        if method == "glob":
            return self._action(method, self._one(PATTERNS))
        depth = self._flags("recursive") | self._perhaps("max_depth", range(3)) if method == "list_files" else {}
        return self._action(method, self._any_folder(), depth) if method else self._query()

    def _query(self) -> Action:
        facts = {"get_file_info": self._file, "get_folder_info": self._any_folder}
        queries: dict[str, Callable[[], Any]] = {
            **dict.fromkeys(("exists", "is_file", "is_folder"), self._probed),
            **(facts if Capability.METADATA in self._has else {}),
            **dict.fromkeys(("native_path", "resolve"), self._here),
            **dict.fromkeys(("check_health", "unwrap"), tuple),
        }
        method = self._one(list(queries))
        return self._action(method, queries[method]())

    def _name(self) -> str:
        return self._one(self._names)

    def _parent(self) -> str:
        return self._name().rpartition("/")[0] or HERE

    def _here(self) -> str:
        return self._name() if self._mostly() else self._parent()

    def _folder(self) -> str:
        if self._half() and self._half():
            return self._name()
        parent = self._parent()
        return self._one([parent, HERE, parent if parent == HERE else f"{parent}/"])

    def _any_folder(self) -> str:
        return self._folder() if self._mostly() else self._one(self._malformed)

    def _file(self) -> str:
        return self._here() if self._mostly() else self._one([ROOT, *self._malformed])

    def _target(self) -> str:
        return self._name() if self._mostly() else self._one([ROOT, *NOT_CANONICAL, *self._malformed])

    def _probed(self) -> str:
        usual = self._folder() if self._half() else self._here()
        return usual if self._mostly() else self._one([ROOT, NUL])

    def _payload(self, kind: str) -> Payload:
        return Payload(self._one("xyz"), self._one(SIZES), kind)

    def _declared(self, methods: dict[str, Capability]) -> str:
        """One of the methods whose capability is declared; an empty string if none is."""
        able = [method for method, capability in methods.items() if capability in self._has]
        return self._one(able) if able else ""

    def _perhaps(self, name: str, values: Sequence[Any]) -> dict[str, Any]:
        return {name: self._one(values)} if self._half() else {}

    def _flags(self, *names: str) -> dict[str, Any]:
        return {name: True for name in names if self._half()}

    def _half(self) -> bool:
        return self._draw(BIT)

    def _mostly(self) -> bool:
        """Seven times out of eight."""
        return self._one((*[True] * 7, False))

    def _one(self, values: Sequence[T]) -> T:
        return values[_number(self._draw, len(values))]

    def _action(self, method: str, paths: Any, options: dict[str, Any] | None = None, **more: Any) -> Action:
        several = paths if isinstance(paths, tuple) else (paths,)
        return Action(method, several, options or {}, instance=self._one(range(self._instances)), **more)
