"""The calls of a history as a strategy: only declared capabilities, on paths that conflict with each other.

Of a choice between several values the first is the simplest.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st

from remote_store.conformance.checking.hostile import segmented_key
from remote_store.conformance.harness import Profile
from remote_store.conformance.model.actions import (
    CONDITIONS,
    CURRENT,
    HERE,
    KINDS,
    NUMBERS,
    OTHER,
    ROOT,
    Action,
    Payload,
    Step,
)
from remote_store.core import Capability

T = TypeVar("T")
NUL = "nul\0"
NOT_CANONICAL = ("a//b", "/a", "a/.", "../a")
FEW = 4
OFFSETS = (0, 1, 2, 5, 65_536, 80_000)
SIZES = (0, 1, 3, 14, 65_536, 70_001)
# Around the blocks of clients, disks and databases, and above the buffers that go to disk.
LARGE = (65_535, 65_537, 1_048_575, 1_048_576, 1_048_577, 2_700_001)
MANY = 6
TAGS: tuple[dict[str, str], ...] = ({"name": "value"}, {"other": "1", "name": "2"}, {})
HEADERS: tuple[dict[str, Any], ...] = (
    {"cache_control": "no-cache"},
    {"content_disposition": "inline"},
    {"content_encoding": "gzip"},
    {"expires": datetime(2040, 1, 2, 3, 4, 5, tzinfo=UTC)},
    {"cache_control": "max-age=5", "content_encoding": "br"},
)
WRONG: dict[str, tuple[Capability | None, Any]] = {
    "metadata": (Capability.USER_METADATA, {"name": "\u00e9"}),
    "checksum": (Capability.CHECKSUMS, "MD4"),
    "tags": (Capability.TAGS, {"": "value"}),
    "if_match": (Capability.COMPARE_AND_SWAP, ""),
}
"""Options that a write refuses with a ValueError, if their capability is declared."""
IF_MATCH = {
    **dict.fromkeys(("write", "write_atomic", "open_atomic"), Capability.COMPARE_AND_SWAP),
    **dict.fromkeys(("delete", "move"), Capability.CONDITIONAL_DELETE),
}
"""The capability that `if_match` needs, if it is not `CONDITIONAL_READ`."""
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
    large: bool = False,
    first: Sequence[Action] = (),
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
        large: Whether some contents have several blocks.
        first: The calls to begin with.
    """
    if not draw(BIT):
        return []
    left = list(names)
    chosen = [left.pop(_number(draw, len(left))) for _ in range(min(few, len(names)))]
    draws = Draws(draw, chosen, profile, capabilities, instances, large=large)
    drawn = [*first, *map(draws.fill, chosen)]
    for _ in range(actions):
        drawn.append(draws.call(drawn[-1]))
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
        large: Whether some contents have several blocks.
    """

    def __init__(
        self,
        draw: st.DrawFn,
        names: Sequence[str],
        profile: Profile,
        capabilities: Collection[Capability],
        instances: int,
        *,
        large: bool = False,
    ) -> None:
        self._draw = draw
        most = profile.max_key_bytes
        # Longer than the limit by itself, in any folder.
        self._malformed = [NUL, *([segmented_key(most + 1, "long/")] if most is not None else [])]
        self._names = names
        self._has = frozenset(capabilities)
        self._instances = instances
        self._large = large
        self._last = ""
        self._kinds = [self._write] * 8 + [self._transfer] * 4 + [self._delete] * 4
        self._kinds += [self._read] * 6 + [self._list] * 6 + [self._query] * 3 + [self._tags] * 2

    def fill(self, name: str) -> Action | None:
        """An initial file, three times out of four."""
        if not self._one((False, True, True, True)):
            return None
        return self._action("write", name, {"overwrite": True}, payload=self._payload("bytes"))

    def call(self, before: Action | None) -> Action | None:
        """Any call, more often one that changes files; seldom none, or the same as before."""
        kind = self._one([None, *self._kinds])
        if kind is None:
            return before and replace(before, instance=self._one(range(self._instances)))
        return kind()

    def _write(self) -> Action:
        methods = ["write", *(["write_atomic", "open_atomic"] if Capability.ATOMIC_WRITE in self._has else [])]
        method = self._one(methods)
        options = self._flags("overwrite") | self._stored()
        steps: tuple[Step, ...] = ()
        if method == "open_atomic":
            steps = (("write", b"more"),) if self._half() and self._half() else ()
            action = self._action(method, self._target(), options, payload=self._payload("bytes"), fails=self._half())
        else:
            kind = self._one(list(KINDS)) if self._half() else "bytes"
            action = self._action(method, self._target(), options, payload=self._payload(kind))
        return self._conditional(self._wrong(replace(action, steps=steps)))

    def _stored(self) -> dict[str, Any]:
        """Options that say what is stored with the content."""
        options: dict[str, Any] = {}
        if Capability.USER_METADATA in self._has:
            options |= self._perhaps("content_type", ["text/csv"]) | self._perhaps("metadata", METADATA)
        if Capability.TAGS in self._has and self._half():
            options |= self._perhaps("tags", TAGS)
        if Capability.CONTENT_HEADERS in self._has and self._half() and self._half():
            options |= self._one(HEADERS)
        if Capability.CHECKSUMS in self._has:
            options |= self._perhaps("checksum", ["SHA256", "CRC32"])
        return options

    def _wrong(self, action: Action) -> Action:
        """Once in a while, the call with an option that is refused."""
        names = [name for name, (needed, _) in WRONG.items() if needed in self._has]
        if not names or self._mostly() or self._half():
            return action
        name = self._one(names)
        return replace(action, options={**action.options, name: WRONG[name][1]}, wrong=name)

    def _conditional(self, action: Action) -> Action:
        """The call, often with a condition if it can have one."""
        needed = IF_MATCH.get(action.method, Capability.CONDITIONAL_READ)
        able = {needed, Capability.METADATA} <= self._has and len(set(action.paths)) == len(action.paths)
        if not able or action.wrong or self._half() or self._half():
            return action
        unmodified = action.method in ("read_bytes", "get_file_info") and self._half()
        options: dict[str, Any] = {CONDITIONS[unmodified]: self._one([CURRENT, CURRENT, OTHER])}
        if needed is Capability.COMPARE_AND_SWAP:
            options["overwrite"] = True
        return replace(action, options={**action.options, **options})

    def _transfer(self) -> Action:
        method = self._declared({"copy": Capability.COPY, "move": Capability.MOVE})
        # With two malformed paths, the error may name either.
        pairs = [(self._name, self._name)] * 2 + [(self._here, self._target), (self._file, self._name)]
        paths = tuple(path() for path in self._one(pairs))
        return self._conditional(self._action(method, paths, self._flags("overwrite"))) if method else self._query()

    def _delete(self) -> Action:
        if Capability.DELETE not in self._has:
            return self._query()
        if self._half():
            return self._action("delete_folder", self._any_folder(), self._flags("recursive", "missing_ok"))
        if self._half() and self._half():
            paths = tuple(self._one([*self._names, NUL]) for _ in range(self._number(MANY)))
            return self._action("delete_many", paths)
        return self._conditional(self._action("delete", self._file(), self._flags("missing_ok")))

    def _tags(self) -> Action:
        if Capability.TAGS not in self._has:
            return self._query()
        options = {"tags": self._one(TAGS)} if self._half() else {}
        return self._action("set_tags" if options else "get_tags", self._file(), options)

    def _read(self) -> Action:
        plain = {"read_bytes": Capability.READ, "read": Capability.READ, "read_range": Capability.READ}
        seeking = dict.fromkeys(("read_seekable", "read_ranges"), Capability.SEEKABLE_READ)
        method = self._declared({**plain, **seeking})
        if not method:
            return self._query()
        path = f"{self._name()}/" if self._half() and self._half() and self._half() else self._file()
        count = {"read_bytes": 0, "read": self._number(3), "read_ranges": 2 * self._number(MANY)}.get(method, 2)
        numbers = tuple(self._one(OFFSETS) for _ in range(count if method != "read_seekable" else 0))
        if method == "read_ranges":
            # Without a byte to read, the file may be missing.
            numbers = (numbers[0], numbers[1] or 1, *numbers[2:])
        steps = tuple(self._step() for _ in range(1 + self._number(4))) if method == "read_seekable" else ()
        action = self._action(method, path, numbers=numbers, steps=steps)
        if method.startswith("read_range") and not self._mostly():
            return replace(action, numbers=(-1, *numbers[1:]), wrong=NUMBERS)
        return self._conditional(action)

    def _step(self) -> Step:
        number = self._one(OFFSETS)
        buffer = self._one([("B", number), ("H", 2 * number), ("d", 8 * self._number(9))])
        steps: list[Step] = [("read", number), ("seek", number), ("readinto", *buffer), ("read",), ("readline",)]
        return self._one([*steps[:3], *steps, ("tell",), ("seek", 0, 2), ("seek", number, 1)])

    def _list(self) -> Action:
        listings = dict.fromkeys(("list_files", "list_folders", "iter_children"), Capability.LIST)
        method = self._declared({**listings, "glob": Capability.GLOB})
        if method == "glob":
            return self._action(method, self._one(PATTERNS))
        if method != "list_files":
            return self._action(method, self._any_folder()) if method else self._query()
        depth = self._flags("recursive") | self._perhaps("max_depth", range(3))
        wrong = {} if self._mostly() else {"max_depth": -1}
        return self._action(method, self._any_folder(), depth | wrong, wrong="max_depth" if wrong else "")

    def _query(self) -> Action:
        facts = {"get_file_info": self._file, "get_folder_info": self._any_folder}
        queries: dict[str, Callable[[], Any]] = {
            **dict.fromkeys(("exists", "is_file", "is_folder"), self._probed),
            **(facts if Capability.METADATA in self._has else {}),
            **dict.fromkeys(("native_path", "resolve"), self._here),
            **dict.fromkeys(("check_health", "unwrap"), tuple),
        }
        method = self._one(list(queries))
        action = self._action(method, queries[method]())
        return self._conditional(action) if method == "get_file_info" else action

    def _name(self) -> str:
        return self._one(self._names)

    def _parent(self) -> str:
        return self._name().rpartition("/")[0] or HERE

    def _here(self) -> str:
        return self._recent() if self._mostly() else self._parent()

    def _recent(self) -> str:
        """A name, often the last one, since a bug may need several calls on one file."""
        return self._last if self._last and self._half() else self._name()

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
        if self._half() and self._half():
            usual = f"{self._name()}/"
        return usual if self._mostly() else self._one([ROOT, NUL])

    def _payload(self, kind: str) -> Payload:
        sizes = LARGE if self._large and not self._mostly() else SIZES
        return Payload(self._one("xyz"), self._one(sizes), kind)

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

    def _number(self, most: int) -> int:
        """A number from 1."""
        return 1 + _number(self._draw, most)

    def _one(self, values: Sequence[T]) -> T:
        return values[_number(self._draw, len(values))]

    def _action(self, method: str, paths: Any, options: dict[str, Any] | None = None, **more: Any) -> Action:
        several = paths if isinstance(paths, tuple) else (paths,)
        self._last = next((path for path in several[-1:] if path in self._names), self._last)
        return Action(method, several, options or {}, instance=self._one(range(self._instances)), **more)
