"""The base classes of wrappers, and two wrappers as a user writes them."""

from __future__ import annotations

import inspect
import pickle
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, BinaryIO

import pytest

from remote_store.core import (
    AsyncBackend,
    AsyncDelegatingBackend,
    AsyncStore,
    Backend,
    BackendUnavailable,
    Capability,
    Content,
    DelegatingBackend,
    FileInfo,
    LocalBackend,
    MemoryBackend,
    NotFound,
    Store,
    ThreadedBackend,
    WriteResult,
)

PAIRS: list[Any] = [(Backend, DelegatingBackend), (AsyncBackend, AsyncDelegatingBackend)]
METHODS = [
    (*pair, name)
    for pair in PAIRS
    for name, _ in inspect.getmembers(pair[0], inspect.isfunction)
    if not name.startswith("_")
]
each_method = pytest.mark.parametrize(
    "contract, wrapper, name", METHODS, ids=[f"{wrapper.__name__}-{name}" for _, wrapper, name in METHODS]
)


@pytest.mark.parametrize("contract, wrapper", PAIRS)
def test_a_wrapper_has_each_member_of_the_contract(contract: Any, wrapper: Any) -> None:
    members = {name for name in vars(contract) if not name.startswith("_")} | set(contract.__annotations__)
    assert members | contract.__abstractmethods__ <= set(vars(wrapper))
    assert not wrapper.__abstractmethods__


@each_method
def test_a_member_has_the_signature_of_the_contract(contract: Any, wrapper: Any, name: str) -> None:
    promised, forwarded = getattr(contract, name), getattr(wrapper, name)
    given = inspect.signature(forwarded)
    added = [parameter.kind for parameter in given.parameters.values() if parameter.name == "options"]
    plain = given.replace(parameters=[one for one in given.parameters.values() if one.name != "options"])
    # Optional keyword arguments are passed on. A backend of contract 0.1 has none.
    assert added in ([], [inspect.Parameter.VAR_KEYWORD])
    if name in ("read_bytes", "get_file_info"):
        assert given.return_annotation == f"{inspect.signature(promised).return_annotation} | NotModified"
    elif name not in ("read_ranges", "resume_upload"):
        assert plain == inspect.signature(promised)
    assert inspect.iscoroutinefunction(forwarded) == inspect.iscoroutinefunction(promised)


def probe(contract: Any) -> Any:
    """A backend that records each call and returns an object of its own."""
    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def recording(name: str) -> Any:
        def call(self: Any, *arguments: Any, **options: Any) -> Any:
            calls.append((name, arguments, options))
            return self.result

        async def call_async(self: Any, *arguments: Any, **options: Any) -> Any:
            return call(self, *arguments, **options)

        return call_async if inspect.iscoroutinefunction(getattr(contract, name)) else call

    names = {name for name, _ in inspect.getmembers(contract, inspect.isfunction) if not name.startswith("_")}
    made = {name: recording(name) for name in names | contract.__abstractmethods__}
    facts = {"name": "probe", "capabilities": frozenset(), "calls": calls, "result": object()}
    return type("Probe", (contract,), {**made, **facts})()


@each_method
async def test_a_call_reaches_the_inner_backend_with_its_arguments(contract: Any, wrapper: Any, name: str) -> None:
    inner = probe(contract)
    parameters = list(inspect.signature(getattr(contract, name)).parameters.values())[1:]
    given = [object() for parameter in parameters if parameter.kind is parameter.POSITIONAL_OR_KEYWORD]
    options = {parameter.name: object() for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY}
    result = getattr(wrapper(inner), name)(*given, **options)
    result = await result if inspect.iscoroutine(result) else result
    [(called, arguments, passed)] = inner.calls
    assert (called, list(arguments), passed) == (name, given, options)
    assert result is (inner.result if inspect.signature(getattr(contract, name)).return_annotation != "None" else None)


@pytest.mark.parametrize("contract, wrapper", PAIRS)
def test_name_and_capabilities_are_those_of_the_moment(contract: Any, wrapper: Any) -> None:
    inner = probe(contract)
    backend = wrapper(inner)
    assert (backend.name, backend.capabilities) == ("probe", frozenset())
    inner.capabilities = frozenset({Capability.READ})
    assert backend.capabilities == {Capability.READ}


@pytest.mark.parametrize("wrong", [None, "memory://", MemoryBackend])
@pytest.mark.parametrize("wrapper", [DelegatingBackend, AsyncDelegatingBackend])
def test_what_is_no_backend_is_refused(wrapper: Any, wrong: Any) -> None:
    with pytest.raises(TypeError, match="inner must be of type"):
        wrapper(wrong)


def test_a_blocking_backend_is_none_for_async_code() -> None:
    with pytest.raises(TypeError, match="AsyncBackend"):
        AsyncDelegatingBackend(MemoryBackend())  # type: ignore[arg-type]


class Closing(DelegatingBackend):
    closed = 0

    def close(self) -> None:
        self.closed += 1
        super().close()


def test_the_end_of_a_block_closes_the_wrapper_and_what_it_wraps() -> None:
    with Closing(MemoryBackend()) as backend:
        assert isinstance(backend, Closing)
        backend.write("a", b"1")
    assert backend.closed == 1
    with pytest.raises(BackendUnavailable):
        backend.inner.exists("a")


async def test_the_end_of_an_async_block_closes_what_it_wraps() -> None:
    async with AsyncDelegatingBackend(ThreadedBackend(MemoryBackend())) as backend:
        await backend.write("a", b"1")
    with pytest.raises(BackendUnavailable):
        await backend.inner.exists("a")


def test_a_wrapper_pickles_and_shows_what_it_wraps(tmp_path: Any) -> None:
    backend = Closing(LocalBackend(tmp_path))
    backend.write("a", b"1")
    assert pickle.loads(pickle.dumps(backend)).read_bytes("a") == b"1"
    assert repr(backend) == f"Closing(LocalBackend({str(tmp_path)!r}))"


class Counting(DelegatingBackend):
    """Counts the bytes read in whole files."""

    name = "counting"

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.counts: Counter[str] = Counter()

    def read_bytes(self, path: str) -> bytes:
        data = super().read_bytes(path)
        self.counts[path] += len(data)
        return data


def test_a_wrapper_that_counts_changes_nothing_else() -> None:
    backend = Counting(MemoryBackend())
    store = Store(backend, "root")
    store.write_text("a", "hello")
    assert store.child("").read_text("a") == "hello"
    assert list(store.list_files("")) == [store.head("a")]
    assert backend.counts == {"root/a": 5}
    assert backend.name == "counting"
    with pytest.raises(NotFound):
        store.read_bytes("b")


class HeadCache(DelegatingBackend):
    """Keeps the facts of files until this process changes them."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self._known: dict[str, FileInfo] = {}

    def get_file_info(self, path: str) -> FileInfo:
        if path not in self._known:
            self._known[path] = super().get_file_info(path)
        return self._known[path]

    def write(self, path: str, content: Content, **options: Any) -> WriteResult:
        with self._changing(path):
            return super().write(path, content, **options)

    def write_atomic(self, path: str, content: Content, **options: Any) -> WriteResult:
        with self._changing(path):
            return super().write_atomic(path, content, **options)

    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[BinaryIO]:
        with self._changing(path), super().open_atomic(path, **options) as file:
            yield file

    def delete(self, path: str, *, missing_ok: bool = False) -> None:
        with self._changing(path):
            super().delete(path, missing_ok=missing_ok)

    def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        with self._changing(*self._known):
            super().delete_folder(path, recursive=recursive, missing_ok=missing_ok)

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        with self._changing(src, dst):
            super().move(src, dst, overwrite=overwrite)

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        with self._changing(dst):
            super().copy(src, dst, overwrite=overwrite)

    @contextmanager
    def _changing(self, *paths: str) -> Iterator[None]:
        try:
            yield
        finally:
            for path in paths:
                self._known.pop(path, None)


def test_a_wrapper_that_keeps_heads_asks_once_for_each_version() -> None:
    seen: list[str] = []
    store = Store(HeadCache(MemoryBackend(on_event=lambda event: seen.append(event.operation))))
    store.write("a", b"1")
    assert [store.head("a").size for _ in range(3)] == [1, 1, 1]
    with store.open_atomic("a", overwrite=True) as file:
        file.write(b"22")
    assert [store.head("a").size for _ in range(3)] == [2, 2, 2]
    store.move("a", "b")
    with pytest.raises(NotFound):
        store.head("a")
    assert store.head("b").size == 2
    store.delete_folder("c", missing_ok=True)
    assert store.head("b").size == 2
    assert seen.count("get_file_info") == 5


class AsyncReadOnly(AsyncDelegatingBackend):
    """Writes nothing."""

    def __init__(self, inner: AsyncBackend) -> None:
        super().__init__(inner)
        self.capabilities = inner.capabilities - {Capability.WRITE, Capability.ATOMIC_WRITE}

    async def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        raise PermissionError(path)

    write_atomic = write

    @asynccontextmanager
    async def open_atomic(
        self,
        path: str,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> AsyncIterator[Any]:
        raise PermissionError(path)
        yield


async def test_a_wrapper_that_refuses_writes_reads_all_the_same() -> None:
    memory = MemoryBackend()
    memory.write("a", b"1")
    async with AsyncStore(AsyncReadOnly(ThreadedBackend(memory))) as store:
        assert await store.read_bytes("a") == b"1"
        assert not store.supports(Capability.WRITE)
        with pytest.raises(PermissionError):
            await store.write("b", b"2")
        with pytest.raises(PermissionError):
            async with store.open_atomic("b"):
                pass
        assert [info.path async for info in store.list_files("")] == ["a"]
