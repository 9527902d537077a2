from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NoReturn
from urllib.request import Request, urlopen

import pytest

from remote_store.conformance import (
    AsyncCase,
    Case,
    CheckFailed,
    Harness,
    Oracle,
    Profile,
    ThreadedHarness,
    check,
    untested,
)
from remote_store.conformance.endpoint import Endpoint
from remote_store.conformance.harness import FactoryHarness
from remote_store.conformance.servers import dead_endpoint
from remote_store.conformance.stores.harness import AsyncChildHarness, ChildHarness
from remote_store.conformance.values.outcome import HarnessFailed, NotApplicable, Untested
from remote_store.core import Backend, Capability, MemoryBackend


class Undeletable(MemoryBackend):
    def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> NoReturn:
        raise RuntimeError("broken")


class WithoutAnyDelete(Undeletable):
    def delete(self, path: str, *, missing_ok: bool = False) -> NoReturn:
        raise RuntimeError("broken")


class Shared(Harness):
    options = frozenset({"colour"})

    def __init__(self, backend: MemoryBackend | None = None, *, shared: bool = True) -> None:
        self.model = backend or MemoryBackend()
        self.profile = Profile(shared=shared)
        self.made: list[Mapping[str, Any]] = []

    def make(self, **options: Any) -> Backend:
        self.made.append(options)
        backend = type(self.model)()
        backend._files, backend._lock = self.model._files, self.model._lock
        return backend


class WithOracle(Shared):
    @property
    def oracle(self) -> Oracle:
        return DictOracle(self.model._files)


class DictOracle(Oracle):
    def __init__(self, files: dict[str, Any]) -> None:
        self.files = files

    def raw_put(
        self, key: str, data: bytes = b"", *, metadata: Mapping[str, str] | None = None, content_type: str | None = None
    ) -> None:
        raise NotImplementedError

    def raw_get(self, key: str) -> bytes | None:
        return self.files[key].content if key in self.files else None

    def raw_list(self, prefix: str = "") -> list[str]:
        return [key for key in self.files if key.startswith(prefix)]

    def raw_delete(self, key: str) -> None:
        del self.files[key]


def test_every_case_has_a_folder_of_its_own_and_the_same_randomness() -> None:
    first, second = (Case(Shared(), "test_name", "variant") for _ in range(2))
    assert first.folder != second.folder
    assert first.path("a/b") == f"{first.folder}/a/b"
    assert first.content(1_000) == second.content(1_000) != first.content(1_000)
    assert Case(Shared(), root="").path("a") == "a"


def test_instances_are_made_when_they_are_asked_for_and_closed_at_the_end() -> None:
    harness = Shared()
    with Case(harness) as case:
        assert harness.made == []
        backends = [case.backend, case.make(colour="red")]
        assert case.backend is backends[0]
        assert harness.made == [{}, {"colour": "red"}]
    assert all(backend._closed for backend in backends)  # type: ignore[attr-defined]


def test_what_the_harness_cannot_do_is_not_applicable() -> None:
    case = Case(Shared())
    with pytest.raises(pytest.skip.Exception, match="not applicable: .* shade"):
        case.make(shade="dark")
    with pytest.raises(pytest.skip.Exception, match="not applicable: .* share"):
        Case(Shared(shared=False)).make()
    with pytest.raises(pytest.skip.Exception, match="not applicable: .* absent"):
        case.absent()
    with pytest.raises(pytest.skip.Exception, match="not applicable: .* endpoint"):
        _ = case.endpoint
    with pytest.raises(pytest.skip.Exception, match="untested: .* oracle"):
        _ = case.oracle
    with pytest.raises(pytest.skip.Exception, match="untested: .* isolated storage"), case.isolated():
        pass
    with pytest.raises(pytest.skip.Exception, match="not applicable: no wings"):
        case.require_profile("no wings", condition=False)
    case.require(Capability.READ)
    assert case.harness.oracle is None


@pytest.mark.parametrize("harness", [Shared(), WithOracle(), WithOracle(Undeletable())])
def test_a_case_leaves_nothing_of_its_own_and_everything_else(harness: Shared) -> None:
    harness.model.write("conformance", b"kept")
    with Case(harness) as case:
        case.backend.write(case.path("a/b"), b"gone")
    assert list(harness.model._files) == ["conformance"]


@pytest.mark.parametrize("harness", [Shared(), WithOracle()])
async def test_an_asynchronous_case_leaves_nothing_either(harness: Shared) -> None:
    async with AsyncCase(ThreadedHarness(harness)) as case:
        await case.backend.write(case.path("a/b"), b"gone")
        assert list(harness.model._files) == [case.path("a/b")]
    assert list(harness.model._files) == []


def test_a_cleanup_that_fails_hides_no_failure() -> None:
    harness = Shared(WithoutAnyDelete())
    case = Case(harness)

    def run() -> None:
        with case:
            case.backend.write(case.path("a"), b"stays")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run()
    assert list(harness.model._files) == [case.path("a")]
    assert case.left == case.root


def test_a_cleanup_finds_another_way_where_folders_cannot_be_deleted() -> None:
    harness = Shared(Undeletable())
    harness.model.write("kept", b"")
    with Case(harness) as case:
        case.backend.write(case.path("a/b"), b"goes")
        case.backend.close()
    assert list(harness.model._files) == ["kept"]
    assert case.left == ""


def test_tasks_run_at_the_same_time_and_keep_their_order() -> None:
    meeting = threading.Barrier(3)

    def task(number: int) -> int:
        meeting.wait(10)
        if number == 1:
            raise ValueError(number)
        return number

    results = Case(Shared()).together([lambda: task(0), lambda: task(1), lambda: task(2)])
    assert [results[0], type(results[1]), results[2]] == [0, ValueError, 2]


async def test_awaited_tasks_keep_their_order_too() -> None:
    async def task(number: int) -> int:
        if number == 1:
            raise ValueError(number)
        return number

    results = await AsyncCase(ThreadedHarness(Shared())).together([lambda: task(0), lambda: task(1)])
    assert [results[0], type(results[1])] == [0, ValueError]


def test_a_case_on_a_storage_of_its_own_has_the_root() -> None:
    class Alone(Shared):
        def isolated(self) -> Alone:
            return Alone()

    with Case(Alone()) as case, case.isolated() as alone:
        assert alone.path("x") == "x"
        alone.backend.write("x", b"")
        assert not case.backend.exists("x")


def test_of_a_factory_alone_rules_about_facts_are_untested() -> None:
    case = Case(FactoryHarness(MemoryBackend))
    case.harness.profile = Profile(shared=False, max_key_bytes=None)
    message = "no key is too long, as assumed without a profile; to run it, state `Profile.max_key_bytes`"
    with pytest.raises(Untested, match=message):
        case.require_profile("no key is too long", case.profile.max_key_bytes)
    with pytest.raises(Untested, match="two instances do not share a storage"):
        case.make()


def test_a_server_without_an_endpoint_before_it_leaves_rules_untested() -> None:
    harness = Shared()
    harness.profile = Profile(kind="http")
    with pytest.raises(Untested, match="no endpoint in front of its server"):
        _ = Case(harness).endpoint


def test_of_a_factory_alone_nobody_knows_whether_a_container_can_be_absent() -> None:
    with pytest.raises(Untested, match="the storage has no container that can be absent"):
        Case(FactoryHarness(MemoryBackend)).absent()
    with pytest.raises(Untested, match="the storage has no container that can be absent"):
        AsyncCase(ThreadedHarness(FactoryHarness(MemoryBackend))).absent()


def test_a_storage_of_its_own_for_each_instance_is_isolated_as_it_is() -> None:
    harness = FactoryHarness(MemoryBackend)
    harness.profile = Profile(shared=False, expendable=True)
    with Case(harness) as case, case.isolated() as alone:
        assert alone.root == ""
        alone.backend.delete_folder(alone.path("x"), recursive=True, missing_ok=True)


def test_an_instance_for_one_thread_at_a_time_races_with_nobody() -> None:
    harness = Shared()
    harness.profile = Profile(threads=False)
    with pytest.raises(NotApplicable, match="one thread at a time"):
        Case(harness).together([lambda: None])


def test_a_task_that_ends_the_check_ends_it() -> None:
    with pytest.raises(Untested, match="no eyes"):
        Case(Shared()).together([lambda: None, lambda: untested("no eyes")])


def test_a_storage_that_settles_is_waited_for_and_that_is_noted() -> None:
    harness = Shared()
    harness.profile = Profile(settles_within=0.02)
    with Case(harness) as case:
        case.backend.write(case.path("a"), b"")
        case.backend.exists(case.path("a"))
    assert 0 < case.facts()["waited"] <= 0.02
    assert Case(Shared()).facts()["waited"] == 0


def test_the_facts_of_a_check_are_noted() -> None:
    case = Case(Shared(), "test_x", "y")
    assert case.facts() == {
        "requests": None,
        "sent": None,
        "retries": 0,
        "waited": 0.0,
        "seed": "0, test_x[y]",
        "left": "",
        "under_claimed": "",
    }


def test_a_factory_that_gives_something_else_later_is_an_error_of_the_harness() -> None:
    with pytest.raises(HarnessFailed, match="make\\(\\) returned 42, which is not a backend"):
        _ = Case(FactoryHarness(lambda: 42)).backend  # type: ignore[arg-type, return-value]


class Readable(MemoryBackend):
    capabilities = frozenset({Capability.READ})


class Beside(Shared):
    """A harness with two other adapters, one of which only reads."""

    @property
    def peers(self) -> Mapping[str, Callable[[], Backend]]:
        return {"full": Shared(self.model).make, "modest": Readable}


def test_other_adapters_are_those_that_can_do_what_the_check_needs() -> None:
    with Case(Beside()) as case:
        assert case.peers().keys() == {"full", "modest"}
        able = case.peers(Capability.READ, Capability.WRITE)
        assert able.keys() == {"full"}
        able["full"].write(case.path("a"), b"x")
        assert case.backend.read_bytes(case.path("a")) == b"x"
        assert [line.split("(")[0] for line in case.log.lines()] == ["full: write", "read_bytes"]
    assert able["full"]._closed  # type: ignore[attr-defined]


def test_without_another_adapter_that_can_the_check_ends() -> None:
    class Lacking(Shared):
        peers = {"modest": Readable}  # noqa: RUF012 - a harness states facts so

    with pytest.raises(pytest.skip.Exception, match="untested: the harness names no other adapter"):
        Case(Shared()).peers()
    with pytest.raises(pytest.skip.Exception, match="not applicable: no other adapter"):
        Case(Lacking()).peers(Capability.WRITE)


def test_another_adapter_that_cannot_be_made_is_an_error_of_the_harness() -> None:
    class Ill(Shared):
        peers = {"ill": lambda: 42}  # noqa: RUF012 - a harness states facts so

    with pytest.raises(HarnessFailed, match=r"peers\['ill'\]\(\) returned 42, which is not a backend"):
        Case(Ill()).peers()


async def test_other_adapters_are_awaited_and_seen_through_a_child_too() -> None:
    async with AsyncCase(AsyncChildHarness(ThreadedHarness(Beside()))) as case:
        await case.peers()["full"].write("a", b"x")
        assert await case.backend.read_bytes("a") == b"x"
    with Case(ChildHarness(Beside())) as blocking:
        blocking.peers()["full"].write("a", b"x")
        assert blocking.backend.read_bytes("a") == b"x"


def test_requests_are_noted_without_what_could_be_a_secret() -> None:
    class Listening(Shared):
        def __init__(self, endpoint: Endpoint) -> None:
            super().__init__()
            self._endpoint = endpoint

        @property
        def endpoint(self) -> Endpoint:
            return self._endpoint

    class Checks:
        @check("READ-001")
        def test_asks(self, case: Case) -> None:
            headers = {"Authorization": "hunter2", "Content-Length": "3"}
            url = f"{case.endpoint.url}/bucket/key?X-Amz-Signature=hunter2"
            with suppress(OSError):
                urlopen(Request(url, b"abc", headers, method="PUT"), timeout=10).close()
            case.fail("asking", "this", "that")

    with Endpoint(dead_endpoint()) as endpoint:
        case = Case(Listening(endpoint), "test_asks")
        with pytest.raises(CheckFailed) as caught:
            Checks().test_asks(case)
    assert "\n  requests:\n    PutObject: PUT /bucket/key?X-Amz-Signature\n" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert (case.facts()["requests"], case.facts()["sent"]) == (1, 3)
