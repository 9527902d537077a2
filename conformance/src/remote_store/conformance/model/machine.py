"""The state machine over a backend; imported only where it runs, because it needs Hypothesis."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from remote_store.conformance.harness import Profile
from remote_store.conformance.model.around import leaves_out
from remote_store.conformance.model.draws import Draws
from remote_store.conformance.model.model import WRITES, Model
from remote_store.conformance.model.steps import Result, Step, TakenStep
from remote_store.core import Capability

AVAILABLE_PROVIDERS["remote-store"] = "remote_store.conformance.model.chance.Chance"
LOOKS = {
    Capability.READ: Step("read", numbers=(5,)),
    Capability.RANGE_READ: Step("read_range", numbers=(1, 80_000)),
    Capability.SEEKABLE_READ: Step("read_seekable", numbers=(2, 80_000)),
}
CHANGES = (*WRITES, "delete", "delete_folder")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What is explored.

    Attributes:
        names: Names of files; folders are what stands before their slashes.
        folder: Where the examples go, each into a folder of its own.
        profile: Facts about the storage.
        capabilities: What the backend declares.
        declared: Ids of the rules that are known not to hold.
        instances: How many instances take turns.
        perform: Makes a call on the backend.
    """

    names: Sequence[str]
    folder: str
    profile: Profile
    capabilities: Collection[Capability]
    declared: Collection[str]
    instances: int
    perform: Callable[[Step], Result]


class Divergence(Exception):
    """The backend went another way than the model.

    Args:
        folder: Folder of the example.
        calls: The calls up to the one that went wrong.
    """

    def __init__(self, folder: str, calls: list[TakenStep]) -> None:
        super().__init__(folder)
        self.folder = folder
        self.calls = calls
        self.again = True


class Example:
    """One example.

    Args:
        ground: What is explored.
        folder: The folder of the example, which is empty.
    """

    def __init__(self, ground: Ground, folder: str) -> None:
        self._ground = ground
        self._folder = folder
        self._model = Model(ground.profile, ground.capabilities)
        self._calls: list[TakenStep] = []
        self.wrong = False

    def take(self, step: Step) -> None:
        """Make a call on the backend and on the model, unless it is about a rule that is known not to hold.

        Raises:
            Divergence: They went different ways.
        """
        placed = step.below(self._folder)
        if leaves_out(self._ground.declared, self._model, placed):
            return
        self._hold(placed)
        if self._ground.profile.empty_folders and step.method in CHANGES:
            self._tidy(placed)

    def look(self) -> None:
        """Hold every file, and where it can be listed the whole folder, to the model, as every instance sees them.

        Raises:
            Divergence: Something is missing, left over, or other than it should be.
        """
        declared, files = self._ground.capabilities, self._model.files(self._folder)
        if Capability.LIST in declared:
            # The first name below is the beginning of others, if there are such.
            tops = [f"{self._folder}/{path[len(self._folder) + 1 :].partition('/')[0]}" for path in files[:1]]
            for folder in (self._folder, *tops):
                self._see(Step("list_files", (folder,), {"recursive": True}))
        else:
            for name in self._ground.names:
                self._see(Step("is_file", (name,)).below(self._folder))
        ways = [step for capability, step in LOOKS.items() if capability in declared]
        for number, path in enumerate(files):
            if Capability.METADATA in declared:
                self._see(Step("get_file_info", (path,)))
            if ways:
                self._see(replace(ways[number % len(ways)], paths=(path,)))

    def _see(self, step: Step) -> None:
        for instance in range(self._ground.instances):
            self._hold(replace(step, instance=instance), keep=False)

    def _hold(self, step: Step, *, keep: bool = True) -> None:
        call = TakenStep(step, self._model.answer(step), self._ground.perform(step))
        if not call.right:
            self.wrong = True
            raise Divergence(self._folder, [*self._calls, call])
        if keep:
            self._calls.append(call)

    def _tidy(self, step: Step) -> None:
        """Remove the folders that such a storage keeps, as if they went with their last file."""
        for path in step.paths:
            while len(path := path.rpartition("/")[0]) >= len(self._folder):
                if not self._model.is_folder(path):
                    self._hold(Step("delete_folder", (path,), {"missing_ok": True}))


def search(ground: Ground, *, examples: int, steps: int) -> Divergence | None:
    """Run histories until one goes wrong, and make that as short as can be; `None` where none does.

    The histories are the same in every run.

    Args:
        ground: What is explored.
        examples: How many histories.
        steps: How many calls in each, beside those that fill it first.
    """
    numbers, found = itertools.count(), list[Divergence]()

    def begin() -> Example:
        return Example(ground, f"{ground.folder}/{next(numbers):04}")

    held = settings(
        max_examples=examples,
        stateful_step_count=steps,
        backend="remote-store",
        derandomize=True,
        database=None,
        deadline=None,
        # Shrinking takes hundreds of histories there, and their requests may be paid for; `shortened` takes few.
        phases=(Phase.generate,),
        print_blob=False,
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(machine(ground, begin, found), settings=held)
    except (Divergence, Flaky):
        if not found:
            raise
        return shortened(begin, found[0])
    return None


def machine(ground: Ground, begin: Callable[[], Example], found: list[Divergence]) -> type[RuleBasedStateMachine]:
    """The machine for a ground, which notes what it finds.

    It has one rule: of several Hypothesis would leave some out, which takes more histories to make up for.
    """
    draws = Draws(ground.names, ground.profile, ground.capabilities, ground.instances)

    class Histories(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.example = begin()

        @initialize(steps=st.lists(draws.fills(), min_size=3, max_size=6))
        def fill(self, steps: list[Step]) -> None:
            for step in steps:
                self.call(step)

        @rule(step=draws.calls())
        def call(self, step: Step) -> None:
            self._noted(lambda: self.example.take(step))

        def teardown(self) -> None:
            if not self.example.wrong:
                self._noted(self.example.look)

        def _noted(self, part: Callable[[], None]) -> None:
            try:
                part()
            except Divergence as divergence:
                found.append(divergence)
                raise

    return Histories


def shortened(begin: Callable[[], Example], found: Divergence) -> Divergence:
    """The same with fewer and simpler calls; whether it goes wrong again at all is noted in it."""
    steps = [call.step.above(found.folder) for call in found.calls]

    def again(candidate: list[Step]) -> bool:
        nonlocal steps, found
        example = begin()
        try:
            for step in candidate:
                example.take(step)
        except Divergence as divergence:
            if len(divergence.calls) == len(candidate) and divergence.calls[-1].kind == found.calls[-1].kind:
                steps, found = candidate, divergence
                return True
        return False

    found.again = again(steps)
    for number in reversed(range(len(steps) - 1)):
        again(steps[:number] + steps[number + 1 :])
    for number in reversed(range(len(steps))):
        for simpler in steps[number].simpler():
            again([*steps[:number], simpler, *steps[number + 1 :]])
    return found
