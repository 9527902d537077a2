from __future__ import annotations

import inspect
from typing import Any

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
)
from remote_store.conformance.check import identifiers_of, validate
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


def test_an_exception_that_nobody_expected_carries_the_rule_as_a_note() -> None:
    with pytest.raises(NotFound) as caught:
        Checks().test_raises(case_of(Memory()))
    assert "READ-001 MUST" in caught.value.__notes__[0]


@pytest.mark.parametrize("name", ["test_writes", "test_needs"])
def test_a_capability_that_is_not_declared_makes_a_check_not_applicable(name: str) -> None:
    with pytest.raises(pytest.skip.Exception, match="not applicable: the backend does not declare"):
        getattr(Checks(), name)(case_of(ReaderHarness()))


@pytest.mark.parametrize(
    "name, raises",
    [("test_fails", AssertionError), ("test_raises", NotFound), ("test_does_not_see_it", NotFound)],
)
def test_a_deviation_that_shows_as_declared_is_an_expected_failure(name: str, raises: type[Exception]) -> None:
    harness = Memory(READ_001=Deviation(reason="known", raises=raises))
    with pytest.raises(pytest.xfail.Exception, match="deviation: known"):
        getattr(Checks(), name)(case_of(harness, name))


def test_a_deviation_that_passes_is_red() -> None:
    harness = Memory(READ_001=Deviation(reason="known"))
    with pytest.raises(CheckFailed, match="remove it: known"):
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
    with pytest.raises(ConfigurationError, match=r"no check of it is test_x\*"):
        validate(Checks, case_of(Memory(READ_001=Deviation(reason="known", checks=("test_x*",)))))
