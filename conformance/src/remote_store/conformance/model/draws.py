"""The random calls of a history: only declared capabilities, on paths that conflict with each other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from random import Random
from typing import Any, TypeVar

from remote_store.conformance.checking.hostile import segmented_key
from remote_store.conformance.harness import Profile
from remote_store.conformance.model.actions import HERE, KINDS, ROOT, Action, Payload
from remote_store.core import Capability

T = TypeVar("T")
NUL = "nul\0"
NOT_CANONICAL = ("a//b", "/a", "a/.", "../a")
FEW = 4
FILLS = (3, 6)
NUMBERS = (0, 1, 2, 5, 65_536, 80_000)
SIZES = (0, 1, 3, 70_000, 70_001)
METADATA: tuple[dict[str, str], ...] = ({"name": "value"}, {"other": "1", "name": "2"}, {})
PATTERNS = ("*", "**", "a*", "?", "[ab]", "*/b", "a/*", "**/b*", "a/**")


class Draws:
    """The calls of one history, a method for each kind. Calls that need an undeclared capability become probes.

    Args:
        chance: The source of random choices.
        names: Names of files, whose folders are the parts before a slash.
        profile: Facts about the storage.
        capabilities: What the backend declares.
        instances: How many instances take turns.
        few: How many of the names the history uses.
    """

    def __init__(
        self,
        chance: Random,
        names: Sequence[str],
        profile: Profile,
        capabilities: Collection[Capability],
        instances: int,
        *,
        few: int = FEW,
    ) -> None:
        most = profile.max_key_bytes
        # Longer than the limit by itself, in any folder.
        self._malformed = [NUL, *([segmented_key(most + 1, "long/")] if most is not None else [])]
        self._chance = chance
        self._names = chance.sample(names, min(few, len(names)))
        self._has = frozenset(capabilities)
        self._instances = instances
        self._kinds = [self._write] * 4 + [self._transfer] * 2 + [self._delete] * 2
        self._kinds += [self._read] * 3 + [self._list] * 3 + [self._query] * 2

    def fills(self) -> Iterator[Action]:
        """The initial files."""
        for _ in range(self._chance.randint(*FILLS)):
            yield self._action("write", self._name(), {"overwrite": True}, payload=self._payload("bytes"))

    def call(self) -> Action:
        """Any call; more often one that changes files."""
        return self._one(self._kinds)()

    def _write(self) -> Action:
        methods = ["write", *(["write_atomic", "open_atomic"] if Capability.ATOMIC_WRITE in self._has else [])]
        method = self._one(methods)
        options = self._flags("overwrite")
        if Capability.USER_METADATA in self._has:
            options |= self._perhaps("content_type", ["text/csv"]) | self._perhaps("metadata", METADATA)
        if method == "open_atomic":
            return self._action(method, self._target(), options, payload=self._payload("bytes"), fails=self._half())
        kind = "bytes" if self._half() else self._one(list(KINDS))
        return self._action(method, self._target(), options, payload=self._payload(kind))

    def _transfer(self) -> Action:
        method = self._declared({"copy": Capability.COPY, "move": Capability.MOVE})
        # With two malformed paths, the error may name either.
        pairs = [(self._name(), self._name())] * 2 + [(self._here(), self._target()), (self._file(), self._name())]
        return self._action(method, self._one(pairs), self._flags("overwrite")) if method else self._query()

    def _delete(self) -> Action:
        if Capability.DELETE not in self._has:
            return self._query()
        if self._half():
            return self._action("delete", self._file(), self._flags("missing_ok"))
        return self._action("delete_folder", self._any_folder(), self._flags("recursive", "missing_ok"))

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
        parent = self._parent()
        return self._one([parent, self._name(), HERE, parent if parent == HERE else f"{parent}/"])

    def _any_folder(self) -> str:
        return self._folder() if self._mostly() else self._one(self._malformed)

    def _file(self) -> str:
        return self._here() if self._mostly() else self._one([ROOT, *self._malformed])

    def _target(self) -> str:
        return self._name() if self._mostly() else self._one([ROOT, *NOT_CANONICAL, *self._malformed])

    def _probed(self) -> str:
        usual = self._here() if self._half() else self._folder()
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
        return self._chance.random() < 1 / 2

    def _mostly(self) -> bool:
        """Four times out of five."""
        return self._chance.random() < 4 / 5

    def _one(self, values: Sequence[T]) -> T:
        return self._chance.choice(values)

    def _action(self, method: str, paths: Any, options: dict[str, Any] | None = None, **more: Any) -> Action:
        several = paths if isinstance(paths, tuple) else (paths,)
        return Action(method, several, options or {}, instance=self._chance.randrange(self._instances), **more)
