from __future__ import annotations

import socket
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from remote_store.conformance import ConfigurationError, Harness, Profile, ThreadedHarness
from remote_store.conformance.checking import subject
from remote_store.conformance.checking.subject import glance, look
from remote_store.conformance.harness import AsyncFactoryHarness, FactoryHarness
from remote_store.core import AsyncBackend, Backend, MemoryBackend, ResolutionPlan, ThreadedBackend

pytestmark = pytest.mark.usefixtures("heap_is_frozen")


class Placed(MemoryBackend):
    def resolve(self, key: str) -> ResolutionPlan:
        details = {"endpoint_url": "https://user:hunter2@storage.example", "session_token": "abc", "zone": "x-abc"}
        return ResolutionPlan("memory", self.name, key, key, details)


class Stated(Harness):
    profile = Profile(timeout=5, secrets=("abc",))

    def __init__(self, factory: Any = MemoryBackend) -> None:
        self.factory = factory

    def make(self, **options: Any) -> Any:
        return self.factory()


def shared() -> Any:
    files: dict[str, Any] = {}

    def make() -> Backend:
        backend = MemoryBackend()
        backend._files = files
        return backend

    return make


def test_a_look_tells_what_the_backend_is() -> None:
    found = look(Stated())
    assert (found.kind, found.name) == ("remote_store.core:MemoryBackend", "memory")
    assert {"READ", "GLOB"} <= set(found.capabilities)
    assert found.distribution == "remote-store-core 0.1.0"
    assert found.profile is Stated.profile
    assert found.stated


def test_a_look_shows_no_secret() -> None:
    data = look(Stated(Placed)).as_dict()
    assert data["place"] == {
        "kind": "memory",
        "endpoint_url": "https://user:***@storage.example",
        "session_token": "***",
        "zone": "x-***",
    }
    assert data["profile"]["secrets"] == ["***"]
    assert "hunter2" not in str(data)
    assert "abc" not in str(data)


def test_of_a_factory_alone_the_facts_are_assumed() -> None:
    found = look(FactoryHarness(MemoryBackend))
    assert not found.stated
    assert (found.profile.shared, found.profile.expendable) == (False, True)
    assert found.notes == (
        "two instances have separate storages, as a test write showed; rules about shared storages are untested",
    )


def test_a_factory_whose_instances_share_a_storage_is_seen_and_left_as_it_was() -> None:
    make = shared()
    found = look(FactoryHarness(make))
    assert (found.profile.shared, found.profile.expendable, found.profile.picklable) == (True, False, True)
    assert make()._files == {}


def test_asynchronous_backends_are_looked_at_too() -> None:
    make = shared()
    assert look(ThreadedHarness(Stated())).name == "memory"
    assert look(AsyncFactoryHarness(lambda: ThreadedBackend(make()))).profile.shared is True


def test_where_a_look_cannot_tell_it_says_so_and_assumes_the_least() -> None:
    class Broken(MemoryBackend):
        def write(self, *arguments: Any, **options: Any) -> Any:
            raise OSError("disk full")

    found = look(FactoryHarness(Broken))
    assert (found.profile.shared, found.profile.expendable) == (False, False)
    assert "cannot tell whether two instances share a storage: OSError: disk full" in found.notes[0]


def raises() -> Backend:
    raise RuntimeError("no server")


async def coroutine() -> Backend:
    return MemoryBackend()


single = MemoryBackend()


@pytest.mark.parametrize(
    "factory, text",
    [
        (raises, r"make\(\) raised RuntimeError: no server in raises \(.*test_subject.py, line \d+\)"),
        (lambda: "text", r"make\(\) returned 'text'; it must return an instance of Backend"),
        (lambda: ThreadedBackend(MemoryBackend()), "it is an AsyncBackend, so use the suite of that kind"),
        (coroutine, "is a coroutine"),
        (lambda: single, "the same instance twice"),
    ],
)
def test_a_factory_that_cannot_be_used_is_explained(factory: Any, text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        look(FactoryHarness(factory))


def test_a_factory_that_hangs_is_explained() -> None:
    with pytest.raises(ConfigurationError, match=r"make\(\) hangs: it did not return within 0\.05 seconds; it is in"):
        look(FactoryHarness(lambda: threading.Event().wait()), timeout=0.05)  # type: ignore[arg-type, return-value]


def test_a_harness_of_the_wrong_kind_is_explained() -> None:
    with pytest.raises(ConfigurationError, match="must be an instance of Harness"):
        look("pkg:harness")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="must be an instance of Harness"):
        look(Stated)  # type: ignore[arg-type]


def test_versions_that_do_not_go_together_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "skew", lambda found: f"{found.metadata['Name']} is too old")
    with pytest.raises(ConfigurationError, match="remote-store-core is too old"):
        look(Stated())


def test_instances_that_leave_something_behind_are_noticed() -> None:
    kept: list[socket.socket] = []

    class Leaking(MemoryBackend):
        def __init__(self) -> None:
            super().__init__()
            kept.append(socket.socket())

    try:
        notes = look(Stated(Leaking)).notes
    finally:
        for leak in kept:
            leak.close()
    assert notes == ("4 instances left 0 threads and 4 open files behind after they were closed",)


def test_nobody_is_asked_before_the_place_is_agreed_to() -> None:
    asked: list[Mapping[str, str]] = []

    class Watched(Placed):
        def exists(self, path: str) -> bool:
            assert asked
            return super().exists(path)

    glance(FactoryHarness(Watched), asked.append)
    assert asked[0]["endpoint_url"].endswith("storage.example")

    def refuse(place: Mapping[str, str]) -> None:
        raise ConnectionRefusedError

    class Untouched(MemoryBackend):
        def write(self, *arguments: Any, **options: Any) -> Any:
            raise AssertionError("it was touched")

    with pytest.raises(ConnectionRefusedError):
        glance(FactoryHarness(Untouched), refuse)


def test_the_backends_of_a_look_are_closed() -> None:
    made: list[MemoryBackend] = []

    def make() -> MemoryBackend:
        made.append(MemoryBackend())
        return made[-1]

    look(FactoryHarness(make))
    assert made
    assert all(backend._closed for backend in made)


def test_a_backend_that_cannot_tell_what_it_is_is_left_to_the_checks() -> None:
    class Mute(MemoryBackend):
        name = property(lambda self: 1 / 0)  # type: ignore[assignment]
        capabilities = property(lambda self: 1 / 0)  # type: ignore[assignment]

        def resolve(self, key: str) -> ResolutionPlan:
            raise ZeroDivisionError

    found = look(Stated(Mute))
    assert (found.name, found.capabilities, found.place) == ("", (), {})
    assert isinstance(ThreadedBackend(MemoryBackend()), AsyncBackend)
