# Generated from conformance/src/remote_store/conformance/suite/aio/names/beside.py by tools/unasync.py; edit that.
"""Checks that a call about one name neither sees nor changes what has a name like it: each call, name and kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from remote_store.conformance.checking.case import Case, untested
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.neighbours import EVERY, FAMILIES
from remote_store.conformance.checking.trees import without_odd
from remote_store.conformance.model.actions import Action, Payload
from remote_store.conformance.model.around import leaves_out
from remote_store.conformance.model.explore import said
from remote_store.conformance.model.model import Model
from remote_store.conformance.model.perform import perform
from remote_store.conformance.suite.names.corpus import literal
from remote_store.core import Capability

WRITE, LIST, DELETE = Capability.WRITE, Capability.LIST, Capability.DELETE
FILE, FOLDER, NOTHING = ("",), ("/file", "/below/file"), ()
ROUNDS: Sequence[Sequence[tuple[str, ...]]] = ((FOLDER,), (FILE,), (FILE, FOLDER, NOTHING))
"""What a name may be in each round, as the ends of the paths of its files."""
NEEDS = {
    **dict.fromkeys(("read", "read_bytes", "read_range"), Capability.READ),
    "read_seekable": Capability.SEEKABLE_READ,
    **dict.fromkeys(("get_file_info", "get_folder_info"), Capability.METADATA),
    **dict.fromkeys(("write_atomic", "open_atomic"), Capability.ATOMIC_WRITE),
}
NEW = Payload("n", 500)
FLAGS = (False, True)
Calls = Callable[[str, str], Iterator[Action]]


@dataclass(frozen=True, slots=True)
class Amount:
    """How much of the product of names, kinds and calls a check goes through.

    Attributes:
        families: The number of families of names.
        rounds: How many of `ROUNDS`.
        calls: How many calls of each family and round.
        names: How many names of a family.
    """

    families: int
    rounds: int
    calls: int
    names: int = 100


IN_PROCESS = {"smoke": Amount(1, 1, 10), "quick": Amount(1, 1, 25)}
ALL = Amount(len(FAMILIES), len(ROUNDS), 1_000)
BEHIND_AN_ENDPOINT = {"quick": Amount(1, 1, 6, 5), "full": Amount(6, 1, 12, 8)}
ELSEWHERE = {"quick": Amount(1, 1, 15, 8), "full": Amount(8, len(ROUNDS), 30, 12)}


class BesideSuite:
    """PATH, LIST, GLOB, WRITE, DEL and COPY: a call about one name, beside names that are like it."""

    @check("PATH-002", "PATH-016", needs=(WRITE, LIST))
    def test_path_looks_at_a_name_beside_others(self, case: Case) -> None:
        beside(case, looks)

    @check("LIST-009", needs=(WRITE,))
    def test_list_a_name_beside_others(self, case: Case) -> None:
        beside(case, lists)

    @check("GLOB-007", needs=(WRITE, LIST))
    def test_glob_of_a_name_beside_others(self, case: Case) -> None:
        beside(case, globs)

    @check("WRITE-018", needs=(LIST, DELETE))
    def test_write_a_name_beside_others(self, case: Case) -> None:
        beside(case, writes)

    @check("DEL-006", "DEL-009", needs=(WRITE, LIST))
    def test_delete_a_name_beside_others(self, case: Case) -> None:
        beside(case, deletes)

    @check("COPY-008", needs=(WRITE, LIST, DELETE))
    def test_copy_a_name_beside_others(self, case: Case) -> None:
        beside(case, partial(transfers, "copy"))

    @check("COPY-021", needs=(WRITE, LIST, DELETE))
    def test_move_a_name_beside_others(self, case: Case) -> None:
        beside(case, partial(transfers, "move"))


def looks(name: str, _other: str) -> Iterator[Action]:
    for probe in ("exists", "is_file", "is_folder"):
        yield Action(probe, (name,))
        yield Action(probe, (f"{name}/",))
        yield Action(probe, (f"{name}/file",))
    for method in ("read_bytes", "get_file_info", "get_folder_info"):
        yield Action(method, (name,))
    yield Action("read_bytes", (f"{name}/file",))
    yield Action("read", (name,), numbers=(5,))
    yield Action("read_range", (name,), numbers=(1, 100))
    yield Action("read_seekable", (name,), steps=(("seek", 1), ("read", 100)))


def lists(name: str, _other: str) -> Iterator[Action]:
    for path in (name, f"{name}/", f"{name}/below"):
        yield Action("list_files", (path,))
        yield Action("list_files", (path,), {"recursive": True})
        yield Action("list_files", (path,), {"recursive": True, "max_depth": 0})
        yield Action("list_files", (path,), {"recursive": True, "max_depth": 1})
        yield Action("list_folders", (path,))
        yield Action("iter_children", (path,))


def globs(name: str, _other: str) -> Iterator[Action]:
    for ending in ("", "/*", "/**", "/*/*", "*", "*/*", "?"):
        yield Action("glob", (f"{literal(name)}{ending}",))
    for beginning in ("*", "**/"):
        yield Action("glob", (f"{beginning}{literal(name)}",))
    yield Action("glob", (f"[{name[0]}]{literal(name[1:])}" if name[0] not in "]!" else f"?{literal(name[1:])}",))


def writes(name: str, _other: str) -> Iterator[Action]:
    for method in ("write", "write_atomic", "open_atomic"):
        for options in ({}, {"overwrite": True}):
            yield Action(method, (name,), options, payload=NEW)
            if method == "write":
                yield Action(method, (f"{name}/file",), options, payload=NEW)
    yield Action("write", (name,), {"overwrite": True}, payload=Payload("f", 5, "failing"))
    yield Action("open_atomic", (name,), {"overwrite": True}, payload=NEW, fails=True)


def deletes(name: str, _other: str) -> Iterator[Action]:
    for missing_ok in FLAGS:
        yield Action("delete", (name,), {"missing_ok": missing_ok})
        yield Action("delete", (f"{name}/file",), {"missing_ok": missing_ok})
        for recursive in FLAGS:
            options = {"recursive": recursive, "missing_ok": missing_ok}
            yield Action("delete_folder", (name,), options)
            yield Action("delete_folder", (f"{name}/below",), options)
    yield Action("delete_folder", (f"{name}/",), {"recursive": True, "missing_ok": True})


def transfers(method: str, name: str, other: str) -> Iterator[Action]:
    for overwrite in FLAGS:
        for paths in (
            (name, other),
            (name, name),
            (name, "new/file"),
            (f"{name}/file", other),
            (name, f"{other}/file"),
        ):
            yield Action(method, paths, {"overwrite": overwrite})


def beside(case: Case, calls: Calls) -> None:
    """Make the calls about each name of a family while the others exist, and compare what they return and leave."""
    case.require_profile("the storage keeps empty folders", not case.profile.empty_folders)
    amount = amount_of(case)
    for number, family in enumerate(case.rng.sample(FAMILIES, amount.families)):
        names = apart(case, (*case.rng.sample(family, min(amount.names, len(family))), *case.rng.sample(EVERY, 3)))
        for again, kinds in enumerate(case.rng.sample(ROUNDS, amount.rounds)):
            scene = Scene(case, case.path(f"{number}-{again}"))
            files = [f"{name}{end}" for name in names for end in case.rng.choice(kinds)]
            scene.fill(files)
            product = [action for name in names for action in calls(name, case.rng.choice(names))]
            for action in case.rng.sample(product, min(amount.calls, len(product))):
                scene.take(action)
            if DELETE in case.backend.capabilities:
                case.backend.delete_folder(case.path(f"{number}-{again}"), recursive=True, missing_ok=True)


def amount_of(case: Case) -> Amount:
    """How much to go through. In the smoke tier the check ends if the storage is not in this process."""
    if case.profile.in_process:
        return IN_PROCESS.get(case.tier, ALL)
    if case.tier == "smoke":
        untested("calls about every name are made in the quick tier")
    amounts = ELSEWHERE if case.harness.endpoint is None else BEHIND_AN_ENDPOINT
    return amounts.get(case.tier, ALL)


def apart(case: Case, names: Sequence[str]) -> list[str]:
    """The names that the storage tells apart, without those with a character of which a deviation says something."""
    able = without_odd(case, names)
    return able if case.profile.case_sensitive else list({name.casefold(): name for name in able}.values())


class Scene:
    """A folder of files with different sizes, which is put in order again after each call.

    Args:
        case: The case.
        folder: The folder.
    """

    def __init__(self, case: Case, folder: str) -> None:
        self._case, self._folder = case, folder
        self._model = Model(case.profile, case.backend.capabilities)
        self._everything = Action("list_files", (folder,), {"recursive": True})
        self._sizes: dict[str, int] = {}

    def fill(self, names: Sequence[str]) -> None:
        """Write the files."""
        self._sizes = {f"{self._folder}/{name}": number for number, name in enumerate(dict.fromkeys(names), start=1)}
        self._mend({})

    def take(self, action: Action) -> None:
        """Make a call; the check fails if it returns or leaves something else than it should."""
        placed, declared = action.below(self._folder), self._case.backend.capabilities
        if leaves_out(self._case.deviations.keys(), self._model, placed):
            return
        if action.method in NEEDS and NEEDS[action.method] not in declared:
            return
        self._hold(placed, "beside names that are like it")
        if action.payload is None and action.method not in ("delete", "delete_folder", "copy", "move"):
            return
        left = self._hold(self._everything, f"after {told(placed)}")
        self._mend(dict(left))

    def _hold(self, action: Action, when: str) -> list[tuple[str, int]]:
        expected, came = self._model.predict(action), perform(self._case.backend, action)
        if not any(outcome.allows(came) for outcome in expected):
            value = expected[0].value
            if isinstance(value, list) and isinstance(came.value, list):
                self._case.expect_equal(came.value, value, f"{told(action)} {when}")
            wanted = " or ".join(said(outcome, came) for outcome in expected)
            self._case.fail(f"{told(action)} {when}", wanted, came.error or said(came, expected[0]))
        return came.value if isinstance(came.value, list) else []

    def _mend(self, sizes: dict[str, int]) -> None:
        """Make the calls after which the files are as they were."""
        for path in sizes.keys() - self._sizes.keys():
            self._hold(Action("delete", (path,)), "of a file that was made")
        for path, size in self._sizes.items():
            if sizes.get(path) != size:
                action = Action("write", (path,), {"overwrite": True}, payload=Payload("x", size))
                self._hold(action, "of a file that was there")


def told(action: Action) -> str:
    """A call in words."""
    given = [*map(repr, action.paths), *(f"{name}={value}" for name, value in action.options.items())]
    return f"{action.method}({', '.join(given)})"
