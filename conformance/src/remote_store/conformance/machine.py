"""The state machine over a backend; imported only where it runs, because it needs Hypothesis."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis.errors import FlakyFailure
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from remote_store.conformance.draws import Draws
from remote_store.conformance.harness import Profile
from remote_store.conformance.history import Call, Outcome, Step
from remote_store.conformance.model import WRITES, Model
from remote_store.core import Capability

CHANGES = (*WRITES, "delete", "delete_folder")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What is explored.

    Attributes:
        names: Names of files; folders are what stands before their slashes.
        folder: Where the examples go, each into a folder of its own.
        profile: Facts about the storage.
        capabilities: What the backend declares.
        instances: How many instances take turns.
        perform: Makes a call on the backend.
    """

    names: Sequence[str]
    folder: str
    profile: Profile
    capabilities: Collection[Capability]
    instances: int
    perform: Callable[[Step], Outcome]


class Divergence(Exception):
    """The backend went another way than the model.

    Args:
        folder: Folder of the example.
        calls: The calls up to the one that went wrong.
    """

    def __init__(self, folder: str, calls: list[Call]) -> None:
        super().__init__(folder)
        self.folder = folder
        self.calls = calls
        self.again = True


class Enough(BaseException):
    """A failure has been made shorter for long enough; not an `Exception`, so that Hypothesis lets it out."""


class History:
    """One example.

    Args:
        ground: What is explored.
        folder: The folder of the example, which is empty.
    """

    def __init__(self, ground: Ground, folder: str) -> None:
        self._ground = ground
        self._folder = folder
        self._model = Model(ground.profile, ground.capabilities)
        self._calls: list[Call] = []

    def take(self, step: Step) -> None:
        """Make a call on the backend and on the model.

        Raises:
            Divergence: They went different ways.
        """
        placed = step.below(self._folder)
        self._hold(placed)
        if self._ground.profile.empty_folders and step.method in CHANGES:
            self._tidy(placed)

    def look(self) -> None:
        """Hold every file, and where it can be listed the whole folder, to the model.

        Raises:
            Divergence: Something is missing, left over, or other than it should be.
        """
        if Capability.LIST in self._ground.capabilities:
            self._hold(Step("list_files", (self._folder,), {"recursive": True}), keep=False)
        else:
            for name in self._ground.names:
                self._hold(Step("is_file", (name,)).below(self._folder), keep=False)
        if Capability.READ in self._ground.capabilities:
            for path in self._model.files(self._folder):
                self._hold(Step("read_bytes", (path,)), keep=False)

    def _hold(self, step: Step, *, keep: bool = True) -> None:
        call = Call(step, self._model.answer(step), self._ground.perform(step))
        if not call.right:
            raise Divergence(self._folder, [*self._calls, call])
        if keep:
            self._calls.append(call)

    def _tidy(self, step: Step) -> None:
        """Remove the folders that such a storage keeps, as if they went with their last file."""
        for path in step.paths:
            while len(path := path.rpartition("/")[0]) >= len(self._folder):
                if not self._model.is_folder(path):
                    self._hold(Step("delete_folder", (path,), {"missing_ok": True}))


@dataclass
class Search:
    """Keeps the shortest history that went wrong, while Hypothesis looks for shorter ones.

    Attributes:
        seconds: How long it may look.
        found: The shortest one.
    """

    seconds: float
    found: Divergence | None = None
    _until: float = field(default=0.0, init=False)

    @contextmanager
    def noted(self) -> Iterator[None]:
        """A block that may go wrong."""
        try:
            yield
        except Divergence as now:
            if self.found is None:
                self._until = monotonic() + self.seconds
            if self.found is None or len(now.calls) <= len(self.found.calls):
                self.found = now
            raise

    def check_time(self) -> None:
        """Stop looking when the time is over.

        Raises:
            Enough: It is.
        """
        if self.found is not None and monotonic() > self._until:
            raise Enough


def search(ground: Ground, *, examples: int, steps: int, shrink_seconds: float) -> Divergence | None:
    """Run histories until one goes wrong, and make that as short as can be in the time; `None` where none does.

    The histories are the same in every run.

    Args:
        ground: What is explored.
        examples: How many histories.
        steps: How many calls in each.
        shrink_seconds: How long a history that went wrong may be made shorter.
    """
    result = Search(shrink_seconds)
    numbers = itertools.count()

    def begin() -> History:
        return History(ground, f"{ground.folder}/{next(numbers):04}")

    held = settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        report_multiple_bugs=False,
        print_blob=False,
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(machine(ground, begin, result), settings=held)
    except (Divergence, Enough):
        pass
    except FlakyFailure:
        if result.found is None:
            raise
        result.found.again = False
    return result.found and shortened(begin, result.found)


def machine(ground: Ground, begin: Callable[[], History], result: Search) -> type[RuleBasedStateMachine]:
    """The machine for a ground: a rule for each kind of calls, so that Hypothesis can leave whole kinds out."""
    draws = Draws(ground.names, ground.profile, ground.capabilities, ground.instances)

    class Histories(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            result.check_time()
            self.history = begin()
            self.whole = True

        def _take(self, step: Step) -> None:
            self.whole = False
            with result.noted():
                self.history.take(step)
            self.whole = True

        @rule(step=draws.writes())
        def write(self, step: Step) -> None:
            self._take(step)

        @rule(step=draws.transfers())
        def transfer(self, step: Step) -> None:
            self._take(step)

        @rule(step=draws.deletes())
        def delete(self, step: Step) -> None:
            self._take(step)

        @rule(step=draws.reads())
        def read(self, step: Step) -> None:
            self._take(step)

        @rule(step=draws.listings())
        def find(self, step: Step) -> None:
            self._take(step)

        @rule(step=draws.questions())
        def ask(self, step: Step) -> None:
            self._take(step)

        def teardown(self) -> None:
            if self.whole:
                with result.noted():
                    self.history.look()

    return Histories


def shortened(begin: Callable[[], History], found: Divergence) -> Divergence:
    """The same without the calls that it does not need, each left out once, the last one first."""
    steps = [call.step.above(found.folder) for call in found.calls]
    for left in reversed(range(len(steps) - 1)):
        fewer = steps[:left] + steps[left + 1 :]
        history = begin()
        try:
            for step in fewer:
                history.take(step)
        except Divergence as again:
            if len(again.calls) == len(fewer):
                steps, found = fewer, again
    return found
