"""The search for a history of calls on which a backend differs from the model."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from remote_store.conformance.harness import Profile
from remote_store.conformance.model.actions import Action, Result, TakenAction
from remote_store.conformance.model.around import leaves_out
from remote_store.conformance.model.draws import FEW, draw_history, histories
from remote_store.conformance.model.model import WRITES, Model
from remote_store.conformance.model.questions import of_folder, questions
from remote_store.core import Capability

LOOKS = {
    Capability.READ: Action("read", numbers=(5,)),
    Capability.RANGE_READ: Action("read_range", numbers=(1, 80_000)),
    Capability.SEEKABLE_READ: Action("read_seekable", steps=(("seek", 2), ("read", 80_000))),
    Capability.TAGS: Action("get_tags"),
}
SHORTENING = 3000
"""The calls that are made to shorten a history."""
CHANGES = (*WRITES, "delete", "delete_folder", "delete_many")
FILES = 20
"""The number of files of a tree that are looked at; of more, some."""
MISSING = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """The subject of an exploration.

    Attributes:
        names: Names of files, whose folders are the parts before a slash.
        folder: The folder of the examples; each gets a subfolder.
        profile: Facts about the storage.
        capabilities: What the backend declares.
        declared: Ids of the rules with a declared deviation.
        instances: How many instances take turns.
        perform: Makes a call on the backend.
        seed: Decides which questions are asked.
        looks: How many questions are asked about the tree at the end of each history; `None` for all.
        large: Whether some contents have several blocks.
        first: The calls with one of which each history begins, in turns.
    """

    names: Sequence[str]
    folder: str
    profile: Profile
    capabilities: Collection[Capability]
    declared: Collection[str]
    instances: int
    perform: Callable[[Action], Result]
    seed: str = ""
    looks: int | None = 0
    large: bool = False
    first: Sequence[Action] = ()


class Divergence(Exception):
    """The backend differs from the model.

    Args:
        folder: Folder of the example.
        calls: The calls, up to and including the wrong one.
    """

    def __init__(self, folder: str, calls: list[TakenAction]) -> None:
        super().__init__(folder)
        self.folder = folder
        self.calls = calls
        self.again = True


class Example:
    """One example.

    Args:
        ground: The subject of the exploration.
        folder: The folder of the example, which is empty.
    """

    def __init__(self, ground: Ground, folder: str) -> None:
        self._ground = ground
        self._folder = folder
        self._model = Model(ground.profile, ground.capabilities)
        self._calls: list[TakenAction] = []

    def take(self, action: Action) -> None:
        """Make a call on the backend and on the model, unless it depends on a rule with a declared deviation.

        Raises:
            Divergence: The outcomes differ.
        """
        placed = self._model.settled(action.below(self._folder))
        if leaves_out(self._ground.declared, self._model, placed):
            return
        self._hold(placed)
        if self._ground.profile.empty_folders and action.method in CHANGES:
            self._tidy(placed)

    def look(self) -> None:
        """Compare every file and, if LIST is declared, the whole folder with the model, through every instance.

        Then ask the questions of `questions`, each through one of the instances.

        Raises:
            Divergence: A file is missing, unexpected or different.
        """
        declared, files = self._ground.capabilities, self._model.files(self._folder)
        if Capability.LIST in declared:
            # The first name may be a prefix of others.
            tops = [f"{self._folder}/{path[len(self._folder) + 1 :].partition('/')[0]}" for path in files[:1]]
            for folder in (self._folder, *tops):
                self._see(Action("list_files", (folder,), {"recursive": True}))
        else:
            for name in self._ground.names:
                self._see(Action("is_file", (name,)).below(self._folder))
        ways = [action for capability, action in LOOKS.items() if capability in declared]
        draw = random.Random(self._ground.seed + self._folder.removeprefix(self._ground.folder))
        some = files if len(files) <= FILES else draw.sample(files, FILES)
        for number, path in enumerate(some):
            if Capability.METADATA in declared:
                self._see(Action("get_file_info", (path,)))
            if ways:
                self._see(replace(ways[number % len(ways)], paths=(path,)))
        names = [Action("", (name,)).below(self._folder).paths[0] for name in self._ground.names]
        missing = [name for name in draw.sample(names, min(len(names), FILES)) if name not in files][:MISSING]
        asked = list(questions(self._folder, some, missing, declared))
        for action in asked if self._ground.looks is None else draw.sample(asked, min(len(asked), self._ground.looks)):
            self._ask(replace(action, instance=draw.randrange(self._ground.instances)))

    def look_around(self) -> None:
        """Ask every question about the folder, and about those that the first calls made.

        Raises:
            Divergence: An answer is wrong.
        """
        made = [path for action in self._ground.first for path in action.below(self._folder).paths]
        for folder in dict.fromkeys([self._folder, *made]):
            for action in of_folder(folder, self._ground.capabilities):
                self._ask(action)

    def _ask(self, action: Action) -> None:
        if not leaves_out(self._ground.declared, self._model, action):
            self._hold(action, keep=False)

    def _see(self, action: Action) -> None:
        for instance in range(self._ground.instances):
            self._hold(replace(action, instance=instance), keep=False)

    def _hold(self, action: Action, *, keep: bool = True) -> None:
        call = TakenAction(action, self._model.predict(action), self._ground.perform(action))
        if not call.right:
            raise Divergence(self._folder, [*self._calls, call])
        if keep:
            self._calls.append(call)

    def _tidy(self, action: Action) -> None:
        """Remove the empty folders that this storage keeps."""
        for path in action.paths:
            while len(path := path.rpartition("/")[0]) >= len(self._folder):
                if not self._model.is_folder(path):
                    self._hold(Action("delete_folder", (path,), {"missing_ok": True}))


def search(ground: Ground, *, chance: str, examples: int, actions: int, few: int = FEW) -> Divergence | None:
    """Run histories until one fails, and shorten that one as far as possible; `None` if all pass.

    Args:
        ground: The subject of the exploration.
        chance: The seed. With the same one, the histories are the same.
        examples: How many histories.
        actions: How many calls in each, after those that create the initial files.
        few: How many of the names each uses.
    """
    numbers = itertools.count()

    def begin() -> Example:
        return Example(ground, f"{ground.folder}/{next(numbers):04}")

    for number in range(examples):
        # Of many names, each history draws from its own, so that few histories draw the same.
        names = ground.names[number::examples] if len(ground.names) > few * (examples + 1) else ground.names
        strategy = histories(
            names,
            ground.profile,
            ground.capabilities,
            instances=ground.instances,
            actions=actions,
            few=few,
            large=ground.large,
            first=ground.first[number % len(ground.first) :][:1] if ground.first else (),
        )
        try:
            _play(begin(), draw_history(f"{chance}, history {number}", strategy), around=bool(ground.first))
        except Divergence as divergence:
            return shortened(begin, divergence)
    return None


def _play(example: Example, history: Iterable[Action], *, around: bool) -> None:
    for number, action in enumerate(history):
        example.take(action)
        if around and not number:
            example.look_around()
    if around:
        example.look_around()
    example.look()


def shortened(begin: Callable[[], Example], found: Divergence) -> Divergence:
    """The divergence with fewer and simpler calls; `again` tells whether repeating the calls fails again."""
    actions = [call.action.above(found.folder) for call in found.calls]

    left = SHORTENING

    def again(candidate: list[Action]) -> bool:
        nonlocal actions, found, left
        if (left := left - sum(action.cost for action in candidate)) < 0:
            return False
        example = begin()
        try:
            for action in candidate:
                example.take(action)
        except Divergence as divergence:
            if len(divergence.calls) == len(candidate) and divergence.calls[-1].kind == found.calls[-1].kind:
                actions, found = candidate, divergence
                return True
        return False

    found.again = again(actions)
    size = len(actions) - 1
    while size:
        for start in reversed(range(0, len(actions) - 1, size)):
            again(actions[:start] + actions[min(start + size, len(actions) - 1) :])
        size //= 2
    for number in reversed(range(len(actions))):
        for simpler in actions[number].simpler():
            again([*actions[:number], simpler, *actions[number + 1 :]])
    return found
