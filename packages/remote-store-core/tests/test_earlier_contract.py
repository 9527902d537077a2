"""Backends and wrappers of contract 0.1 that seem to have the capabilities of a later one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

import pytest

from remote_store.core import (
    AsyncStore,
    Backend,
    Capability,
    CapabilityNotSupported,
    Content,
    DelegatingBackend,
    MemoryBackend,
    Store,
    ThreadedBackend,
    WriteResult,
)


class Wrapper(DelegatingBackend):
    """A wrapper of contract 0.1: its methods have no optional keyword arguments."""

    def read(self, path: str) -> BinaryIO:
        return self.inner.read(path)

    def read_seekable(self, path: str) -> BinaryIO:
        return self.inner.read_seekable(path)

    def read_bytes(self, path: str) -> bytes:  # type: ignore[override]
        return self.inner.read_bytes(path)

    def read_range(self, path: str, start: int, length: int) -> bytes:
        return self.inner.read_range(path, start, length)

    def write(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        return self.inner.write(path, content, overwrite=overwrite, metadata=metadata, content_type=content_type)

    write_atomic = write

    def open_atomic(
        self,
        path: str,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> Any:
        return self.inner.open_atomic(path, overwrite=overwrite, metadata=metadata, content_type=content_type)

    def delete(self, path: str, *, missing_ok: bool = False) -> None:
        self.inner.delete(path, missing_ok=missing_ok)

    def get_file_info(self, path: str) -> Any:
        return self.inner.get_file_info(path)

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        self.inner.move(src, dst, overwrite=overwrite)

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        self.inner.copy(src, dst, overwrite=overwrite)


class Everything(Wrapper):
    """A backend that declares all that there is, also what later versions of the contract add."""

    name = "everything"
    capabilities = frozenset(Capability)
    presign = Backend.presign
    presign_post = Backend.presign_post
    probe_conditions = Backend.probe_conditions
    list_uploads = Backend.list_uploads
    list_versions = Backend.list_versions
    restore_version = Backend.restore_version
    get_tags = Backend.get_tags
    set_tags = Backend.set_tags


CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "read": lambda store, tag: store.read("a", if_match=tag),
    "read_seekable": lambda store, tag: store.read_seekable("a", if_match=tag),
    "read_bytes": lambda store, tag: store.read_bytes("a", if_none_match=tag),
    "read_range": lambda store, tag: store.read_range("a", 0, 1, if_match=tag),
    "write": lambda store, tag: store.write("a", b"new", overwrite=True, if_match=tag),
    "write_atomic": lambda store, tag: store.write_atomic("a", b"new", overwrite=True, if_match=tag),
    "delete": lambda store, tag: store.delete("a", if_match=tag),
    "get_file_info": lambda store, tag: store.head("a", if_match=tag),
    "move": lambda store, tag: store.move("a", "b", if_match=tag),
    "copy": lambda store, tag: store.copy("a", "b", if_match=tag),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("kind", [Wrapper, Everything])
@pytest.mark.parametrize("inside", [lambda backend: backend, DelegatingBackend], ids=["plain", "wrapped"])
def test_an_option_that_a_method_does_not_take_is_refused_before_anything_happens(
    kind: type[Wrapper], inside: Any, name: str
) -> None:
    with Store(inside(kind(MemoryBackend())), root_path="below") as store:
        tag = store.write("a", b"old").etag
        with pytest.raises(CapabilityNotSupported) as caught:
            CALLS[name](store, tag)
        assert f"of {kind.__name__} does not take if_" in caught.value.message
        assert caught.value.path == "a"
        assert (store.read_bytes("a"), store.exists("b")) == (b"old", False)
        assert store.read_range("a", 0, 1) == b"o"


@pytest.mark.parametrize("name", CALLS)
async def test_an_option_that_a_method_does_not_take_is_refused_in_threads(name: str) -> None:
    async with AsyncStore(ThreadedBackend(Everything(MemoryBackend()))) as store:
        tag = (await store.write("a", b"old")).etag
        with pytest.raises(CapabilityNotSupported, match="of Everything does not take if_"):
            await CALLS[name](store, tag)
        assert await store.read_bytes("a") == b"old"


def test_a_file_opened_for_writing_takes_no_option_either() -> None:
    with Store(Everything(MemoryBackend())) as store:
        tag = store.write("a", b"old").etag
        with pytest.raises(CapabilityNotSupported), store.open_atomic("a", overwrite=True, if_match=tag) as file:
            file.write(b"new")
        assert store.read_bytes("a") == b"old"


def test_an_update_is_refused_and_changes_nothing() -> None:
    with Store(Everything(MemoryBackend())) as store:
        store.write("a", b"old")
        with pytest.raises(CapabilityNotSupported):
            store.update("a", lambda content: content + b"new")
        assert store.read_bytes("a") == b"old"


def test_methods_that_a_backend_does_not_have_are_refused() -> None:
    with Store(Everything(MemoryBackend())) as store:
        store.write("a", b"old")
        for call in (
            lambda: store.get_tags("a"),
            lambda: store.set_tags("a", {}),
            lambda: list(store.list_versions("a")),
            lambda: store.restore_version("a", "1"),
            lambda: list(store.list_uploads("")),
            lambda: store.presign("a"),
            lambda: store.probe_conditions("a"),
        ):
            with pytest.raises(CapabilityNotSupported):
                call()  # type: ignore[no-untyped-call]


class PassesOn(DelegatingBackend):
    """A wrapper whose method takes any keyword argument."""

    def write(self, path: str, content: Content, **options: Any) -> WriteResult:
        return super().write(path, content, **options)


def test_a_method_that_takes_any_keyword_argument_gets_the_options() -> None:
    with Store(PassesOn(MemoryBackend())) as store:
        tag = store.write("a", b"old").etag
        store.write("a", b"new", overwrite=True, if_match=tag)
        assert store.read_bytes("a") == b"new"


def test_a_condition_that_is_none_is_refused_through_every_wrapper() -> None:
    backend = MemoryBackend()
    backend.write("a", b"old")
    for wrapped in (backend, DelegatingBackend(backend), Store(backend), Store(DelegatingBackend(backend))):
        with pytest.raises(TypeError, match="if_match is None"):
            wrapped.write("a", b"new", overwrite=True, if_match=None)  # type: ignore[attr-defined]
        with pytest.raises(TypeError, match="if_none_match is None"):
            wrapped.read_bytes("a", if_none_match=None)  # type: ignore[attr-defined]
        with pytest.raises((TypeError, CapabilityNotSupported)):
            wrapped.delete("a", version_id=None)  # type: ignore[attr-defined]
    assert backend.read_bytes("a") == b"old"


def test_calls_without_options_look_at_no_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(inspect, "signature")
    with Store(Everything(MemoryBackend())) as store:
        store.write("a", b"old")
        store.write("b", b"new", cache_control=None)
        assert store.read_bytes("a") == b"old"


async def test_an_unknown_keyword_argument_is_a_type_error() -> None:
    for inner in (Wrapper(MemoryBackend()), MemoryBackend()):
        wrapped: Any = DelegatingBackend(inner)
        threaded: Any = ThreadedBackend(inner)
        with pytest.raises(TypeError, match="overwite"):
            wrapped.write("a", b"x", overwite=True)
        with pytest.raises(TypeError, match="overwite"):
            await threaded.write("a", b"x", overwite=True)
        assert not inner.exists("a")
