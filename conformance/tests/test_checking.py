from __future__ import annotations

import inspect
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NoReturn

import pytest

from remote_store.conformance import (
    AsyncCase,
    Case,
    CheckFailed,
    ConfigurationError,
    Deviation,
    Harness,
    Profile,
    ThreadedHarness,
    async_check,
    check,
    not_applicable,
)
from remote_store.conformance import rules as all_rules
from remote_store.conformance.checking.decorators import SOAK_ROUNDS, identifiers_of, validate
from remote_store.conformance.checking.expect import CheckHung
from remote_store.conformance.contract import rulebook
from remote_store.conformance.values.outcome import (
    ExcusedFailure,
    HarnessFailed,
    KnownDeviation,
    NotApplicable,
    Untested,
    Withheld,
)
from remote_store.core import Backend, Capability, MemoryBackend, NotFound


class Memory(Harness):
    profile = Profile(shared=False)

    def __init__(self, **deviations: Deviation | tuple[Deviation, ...]) -> None:
        self.deviations = {name.replace("_", "-"): deviation for name, deviation in deviations.items()}

    def make(self, **options: Any) -> Backend:
        return MemoryBackend(**options)


class Reader(MemoryBackend):
    capabilities = frozenset({Capability.READ})


class ReaderHarness(Memory):
    def make(self, **options: Any) -> Backend:
        return Reader(**options)


class Checks:
    @check("READ-001")
    def test_passes(self, case: Case) -> None:
        case.expect_equal(case.backend.exists(case.path("file")), False, "exists")

    @check("READ-001", "READ-002")
    def test_fails(self, case: Case) -> None:
        case.expect_equal(case.backend.exists(case.path("file")), True, "exists")

    @check("READ-001")
    def test_raises(self, case: Case) -> None:
        case.backend.read(case.path("file"))

    @check("READ-001")
    def test_does_not_see_it(self, case: Case) -> None:
        with case.expect_raises(ValueError):
            case.backend.read(case.path("file"))

    @check("WRITE-001")
    def test_writes(self, case: Case) -> None:
        case.fail("this runs", "not to run", "it ran")

    @check("READ-001", needs=(Capability.DELETE,))
    def test_needs(self, case: Case) -> None:
        case.fail("this runs", "not to run", "it ran")

    @async_check("READ-001")
    async def test_awaits(self, case: AsyncCase) -> None:
        case.expect_equal(await case.backend.exists(case.path("file")), True, "exists")

    def test_is_no_check(self) -> None:
        raise NotImplementedError


def case_of(harness: Harness, name: str = "test_fails", variant: str = "") -> Case:
    return Case(harness, name, variant)


def test_a_check_is_marked_and_keeps_its_name() -> None:
    assert [mark.args for mark in Checks.test_fails.pytestmark] == [("READ-001", "READ-002")]  # type: ignore[attr-defined]
    assert Checks.test_fails.__name__ == "test_fails"
    assert identifiers_of(Checks.test_fails) == ("READ-001", "READ-002")
    assert identifiers_of(Checks.test_is_no_check) == ()


def test_an_asynchronous_check_is_a_plain_function_to_pytest() -> None:
    assert not inspect.iscoroutinefunction(Checks.test_awaits)
    assert not hasattr(Checks.test_awaits, "__wrapped__")
    assert list(inspect.signature(Checks.test_awaits).parameters) == ["self", "case"]


def test_a_check_needs_a_rule_that_exists() -> None:
    with pytest.raises(ConfigurationError, match="READ-999"):
        check("READ-999")(Checks.test_passes)
    with pytest.raises(ConfigurationError, match="no rule"):
        check()(Checks.test_passes)


def test_a_check_that_holds_passes() -> None:
    case = case_of(Memory())
    Checks().test_passes(case)
    assert [rule.id for rule in case.rules] == ["READ-001"]


def test_a_check_that_does_not_hold_fails_with_every_rule() -> None:
    with pytest.raises(CheckFailed, match="(?s)READ-001 MUST.+READ-002 MUST"):
        Checks().test_fails(case_of(Memory()))
    with pytest.raises(CheckFailed, match="READ-001"):
        Checks().test_awaits(AsyncCase(ThreadedHarness(Memory())))


def test_an_exception_that_nobody_expected_carries_its_line_and_the_rule_as_notes() -> None:
    with pytest.raises(NotFound) as caught:
        Checks().test_raises(case_of(Memory()))
    line, lesson = caught.value.__notes__
    assert re.fullmatch(r"  raised in test_raises \(.*test_checking.py, line \d+\)", line)
    assert lesson.startswith("  READ-001 MUST")


@pytest.mark.parametrize("name", ["test_writes", "test_needs"])
def test_a_capability_that_is_not_declared_makes_a_check_not_applicable(name: str) -> None:
    with pytest.raises(NotApplicable, match="not applicable: the backend does not declare") as caught:
        getattr(Checks(), name)(case_of(ReaderHarness()))
    assert caught.value.lacks in (Capability.WRITE, Capability.DELETE)


@pytest.mark.parametrize(
    "name, raises",
    [("test_fails", AssertionError), ("test_raises", NotFound), ("test_does_not_see_it", NotFound)],
)
def test_a_deviation_that_shows_as_declared_is_an_expected_failure(name: str, raises: type[Exception]) -> None:
    harness = Memory(READ_001=Deviation(reason="known", raises=raises))
    with pytest.raises(KnownDeviation, match="deviation: known") as caught:
        getattr(Checks(), name)(case_of(harness, name))
    assert caught.value.deviation.reason == "known"


def test_a_deviation_that_passes_is_red() -> None:
    harness = Memory(READ_001=Deviation(reason="known"))
    with pytest.raises(CheckFailed, match="remove the deviation: known"):
        Checks().test_passes(case_of(harness, "test_passes"))


def test_a_deviation_that_shows_sometimes_may_pass() -> None:
    harness = Memory(READ_001=Deviation(reason="a race", sometimes=True))
    case = case_of(harness, "test_passes")
    Checks().test_passes(case)
    assert case.rules
    with pytest.raises(pytest.xfail.Exception):
        Checks().test_fails(case_of(harness))


def test_a_deviation_that_fails_otherwise_is_red() -> None:
    harness = Memory(READ_001=Deviation(reason="known", raises=PermissionError))
    with pytest.raises(NotFound) as caught:
        Checks().test_raises(case_of(harness, "test_raises"))
    assert "declared as a deviation" in caught.value.__notes__[-1]


@pytest.mark.parametrize(
    "name, variant, expected",
    [("test_fails", "tab", True), ("test_fails", "newline", False), ("test_raises", "tab", False)],
)
def test_a_deviation_is_about_the_checks_and_parameters_that_it_names(name: str, variant: str, expected: bool) -> None:
    known = Deviation(reason="known", checks=("test_f*",), variants=("tab*",))
    case = Case(Memory(READ_001=(known,)), name, variant)
    kind: type[BaseException] = pytest.xfail.Exception if expected else CheckFailed
    with pytest.raises(kind):
        Checks().test_fails(case)


def test_a_deviation_about_nothing_is_an_error_of_the_harness() -> None:
    validate(Checks, case_of(Memory(READ_001=Deviation(reason="known", checks=("test_f*",)))))
    with pytest.raises(ConfigurationError, match="READ-999"):
        validate(Checks, case_of(Memory(READ_999=Deviation(reason="unknown"))))
    with pytest.raises(ConfigurationError, match=r"no check of this rule matches test_x\*"):
        validate(Checks, case_of(Memory(READ_001=Deviation(reason="known", checks=("test_x*",)))))


def test_a_failure_tells_what_was_done_and_how_to_do_it_again() -> None:
    case = Case(Memory(), "test_fails", "tab", repeat="run it --again")
    with pytest.raises(CheckFailed) as caught:
        Checks().test_fails(case)
    text = str(caught.value)
    assert "\n  calls:\n    exists('conformance-" in text
    assert text.endswith("/file') -> False\n  seed: 0, test_fails[tab]\n  to repeat it: run it --again")


def test_a_failure_shows_no_secret() -> None:
    class Talkative(MemoryBackend):
        def read(self, path: str) -> NoReturn:
            raise NotFound("the secret is hunter2", path=path, backend=self.name)

    class Harnessed(Memory):
        profile = Profile(secrets=("hunter2",))

        def make(self, **options: Any) -> Backend:
            return Talkative()

    with pytest.raises(CheckFailed) as caught:
        Checks().test_does_not_see_it(case_of(Harnessed()))
    assert "the secret is ***" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_check_whose_rules_bind_other_storages_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {**all_rules(), "READ-001": replace(all_rules()["READ-001"], kind="http")}
    monkeypatch.setattr(rulebook, "rules", lambda: found)
    with pytest.raises(NotApplicable, match="it binds only storages over HTTP"):
        Checks().test_raises(case_of(Memory()))
    case = case_of(Memory())
    case.kind = "s3"
    with pytest.raises(NotFound):
        Checks().test_raises(case)


class Provisional:
    @pytest.fixture(autouse=True)
    def catalogue(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = {**all_rules(), "READ-001": replace(all_rules()["READ-001"], provisional=True)}
        monkeypatch.setattr(rulebook, "rules", lambda: found)


class TestProvisional(Provisional):
    def test_a_check_of_new_rules_only_fails_without_turning_red(self) -> None:
        with pytest.raises(ExcusedFailure, match="(?s)provisional: .*NotFound.*READ-001 MUST"):
            Checks().test_raises(case_of(Memory()))

    def test_a_deviation_that_fails_in_another_way_does_not_turn_it_red_either(self) -> None:
        harness = Memory(READ_001=Deviation(reason="a server ignores it"))
        with pytest.raises(ExcusedFailure, match="(?s)provisional: .*declared as a deviation that fails with"):
            Checks().test_raises(case_of(harness))

    def test_a_check_of_recommended_rules_only_does_not_turn_red(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = {**all_rules(), "READ-001": replace(all_rules()["READ-001"], level="SHOULD")}
        monkeypatch.setattr(rulebook, "rules", lambda: found)
        with pytest.raises(ExcusedFailure, match="(?s)recommended: .*NotFound.*READ-001 SHOULD"):
            Checks().test_raises(case_of(Memory()))

    def test_a_check_of_an_old_rule_too_is_red(self) -> None:
        with pytest.raises(CheckFailed):
            Checks().test_fails(case_of(Memory()))


class Broken(Memory):
    def make(self, **options: Any) -> Backend:
        raise OSError("no server")


def test_what_the_harness_raises_is_an_error_of_the_harness() -> None:
    with pytest.raises(
        HarnessFailed, match=r"make\(\) raised OSError: no server in \w+ \(.*test_checking.py, line \d+\)"
    ):
        Checks().test_passes(case_of(Broken()))
    with pytest.raises(HarnessFailed, match=r"make\(\) raised OSError"):
        Checks().test_does_not_see_it(case_of(Broken()))


def test_what_an_oracle_raises_is_an_error_of_the_harness() -> None:
    class Blind(Memory):
        @property
        def oracle(self) -> Any:
            raise PermissionError("no access")

    class Looks:
        @check("READ-001")
        def test_looks(self, case: Case) -> None:
            case.expect(case.oracle, "an oracle")

    with pytest.raises(HarnessFailed, match=r"Blind.oracle\(\) raised PermissionError: no access"):
        Looks().test_looks(case_of(Blind()))


@pytest.fixture
def release() -> Iterator[None]:
    """Let what hangs go on after the test, because the interpreter would wait for threads of a pool."""
    RELEASED.clear()
    yield
    RELEASED.set()


RELEASED = threading.Event()


class Hanging(MemoryBackend):
    def exists(self, path: str) -> bool:
        return RELEASED.wait()


class HangingHarness(Memory):
    profile = Profile(shared=False, timeout=0.1)

    def make(self, **options: Any) -> Backend:
        return Hanging()


@pytest.mark.usefixtures("release")
def test_a_check_that_hangs_fails_in_its_time_and_tells_the_call() -> None:
    with pytest.raises(CheckHung, match=r"(?s)`exists` hangs.*within 0\.1 seconds.*exists\(.*\) has not returned"):
        Checks().test_passes(case_of(HangingHarness()))
    with pytest.raises(CheckHung):
        Checks().test_awaits(AsyncCase(ThreadedHarness(HangingHarness())))


@pytest.mark.usefixtures("release")
def test_a_factory_that_hangs_is_an_error_of_the_harness() -> None:
    class Never(HangingHarness):
        def make(self, **options: Any) -> Backend:
            RELEASED.wait()
            return Hanging()

    with pytest.raises(HarnessFailed, match=r"make\(\) hangs"):
        Checks().test_passes(case_of(Never()))


def test_a_check_is_tried_again_only_where_the_profile_allows_it_and_that_is_counted() -> None:
    class Flaky(Memory):
        made = 0

        def make(self, **options: Any) -> Backend:
            self.made += 1
            backend = MemoryBackend()
            if self.made < 3:
                backend.exists = lambda path: True  # type: ignore[method-assign]
            return backend

    with pytest.raises(CheckFailed):
        Checks().test_passes(case_of(Flaky()))
    harness = Flaky()
    harness.profile = Profile(shared=False, attempts=3)
    case = case_of(harness)
    Checks().test_passes(case)
    assert case.retries == 2


def test_a_race_is_run_often_in_the_soak_tier_with_other_bytes_each_time() -> None:
    seen: list[bytes] = []

    class Races:
        @check("READ-001")
        def test_races(self, case: Case) -> None:
            seen.append(case.content(8))
            case.together([lambda: case.backend.exists("a")] * 2)

        @check("READ-001")
        def test_walks(self, case: Case) -> None:
            seen.append(case.content(8))
            case.backend.exists("a")

    Races().test_walks(Case(Memory(), "test_walks", tier="soak"))
    Races().test_races(Case(Memory(), "test_races", tier="full"))
    assert len(seen) == 2
    Races().test_races(Case(Memory(), "test_races", tier="soak"))
    assert len(seen) == len(set(seen)) + 1 == 2 + SOAK_ROUNDS


class Empties:
    @check("DEL-005")
    def test_empties(self, case: Case) -> None:
        case.backend.write(case.path("kept"), b"")
        with case.expect_raises(ValueError):
            case.backend.delete_folder("", recursive=True)
        case.expect(case.backend.is_file(case.path("kept")), "it is kept")


class Shared(Memory):
    profile = Profile()

    def __init__(self, *, alone: bool) -> None:
        super().__init__()
        self.alone = alone
        self.files: dict[str, Any] = {}

    def make(self, **options: Any) -> Backend:
        backend = EmptiesAll()
        backend._files = self.files
        return backend

    def isolated(self) -> Any:
        return Shared(alone=True) if self.alone else None


class EmptiesAll(MemoryBackend):
    def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        if path == "":
            self._files.clear()
        super().delete_folder(path, recursive=recursive, missing_ok=missing_ok)


def test_a_call_that_could_empty_the_storage_is_withheld_unless_it_is_expendable() -> None:
    harness = Shared(alone=False)
    harness.make().write("others", b"theirs")
    with pytest.raises(
        Withheld,
        match="a call outside this check's folder could remove other files; to run it, implement `Harness.isolated`",
    ):
        Empties().test_empties(case_of(harness))
    assert isinstance(Withheld("x"), Untested)
    assert list(harness.files) == ["others"]
    harness.profile = Profile(expendable=True)
    with pytest.raises(CheckFailed, match="it is kept"):
        Empties().test_empties(case_of(harness))
    assert harness.files == {}


def test_a_call_that_could_empty_the_storage_is_made_on_one_that_nobody_else_uses() -> None:
    harness = Shared(alone=True)
    harness.make().write("others", b"theirs")
    with pytest.raises(CheckFailed, match="it is kept"):
        Empties().test_empties(case_of(harness))
    assert list(harness.files) == ["others"]


@pytest.mark.parametrize("path", [None, "", ".", "..", "../others", "{root}/..", "{root}/../others", "{root}2", 0])
@pytest.mark.parametrize("method", ["delete", "delete_folder", "move"])
def test_only_what_is_in_the_own_folder_may_be_removed(method: str, path: Any) -> None:
    case = Case(Shared(alone=False))
    given = path.format(root=case.root) if isinstance(path, str) else path
    with pytest.raises(Withheld):
        getattr(case.backend, method)(given, *([case.path("b")] if method == "move" else []))
    with pytest.raises(NotFound):
        getattr(case.backend, method)(case.path("missing"), *([case.path("b")] if method == "move" else []))


@pytest.mark.parametrize(
    "end", [lambda: not_applicable("too hard"), lambda: pytest.skip("later"), lambda: pytest.xfail("")]
)
def test_a_backend_cannot_end_a_check_by_the_means_of_pytest(end: Any) -> None:
    class Evasive(MemoryBackend):
        def exists(self, path: str) -> bool:
            end()
            return False

    class Harnessed(Memory):
        def make(self, **options: Any) -> Backend:
            return Evasive()

    with pytest.raises(RuntimeError, match="the backend raised .*, which only a check may raise"):
        Checks().test_passes(case_of(Harnessed()))


def test_what_works_though_undeclared_is_named() -> None:
    class Modest(MemoryBackend):
        capabilities = frozenset(Capability) - {Capability.COPY}

    class Harnessed(Memory):
        def make(self, **options: Any) -> Backend:
            return Modest()

    from remote_store.conformance import BackendConformance

    case = Case(Harnessed(), "test_error_of_an_undeclared_capability", "copy_from")
    with pytest.raises(CheckFailed, match="COPY works although it is not declared: declare it, or refuse the call"):
        BackendConformance().test_error_of_an_undeclared_capability(case, operation="copy_from")
    assert case.facts()["under_claimed"] == "COPY"
