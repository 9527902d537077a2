from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, cast
from urllib.parse import unquote

import pytest

from remote_store.conformance import (
    AsyncBackendConformance,
    AsyncCase,
    BackendConformance,
    Case,
    CheckFailed,
    Deviation,
    Harness,
    Profile,
    ThreadedHarness,
)
from remote_store.conformance.model.actions import Action
from remote_store.conformance.model.search import Example
from remote_store.core import Backend, Capability, MemoryBackend, NotFound, ThreadedBackend, WriteResult

ANY, HOSTILE, INSTANCES = "test_model_any_history", "test_model_hostile_names", "test_model_instances_in_turns"

WRONG = (Exception, pytest.fail.Exception)


class Shared(Harness):
    def __init__(self, kind: type[MemoryBackend] = MemoryBackend, **facts: Any) -> None:
        self.kind, self.model = kind, MemoryBackend()
        self.profile = Profile(max_key_bytes=None, in_process=True, expendable=True, **facts)

    def make(self, **options: Any) -> Backend:
        backend = self.kind()
        backend._files, backend._lock = self.model._files, self.model._lock
        return backend


class Appends(MemoryBackend):
    def _commit(self, path: str, content: bytes, overwrite: bool, *rest: Any) -> WriteResult:
        old = self._files.get(path)
        return super()._commit(path, old.content + content if old and overwrite else content, overwrite, *rest)


class DeletesByPrefix(MemoryBackend):
    def delete_folder(self, path: str, **options: Any) -> None:
        super().delete_folder(path, **options)
        for key in [key for key in self._files if key.startswith(path)]:
            del self._files[key]


class ListsByPrefix(MemoryBackend):
    def list_files(self, path: str, *, recursive: bool = False, max_depth: int | None = None) -> Iterator[Any]:
        if not recursive or max_depth is not None:
            return super().list_files(path, recursive=recursive, max_depth=max_depth)
        return (file for file in super().list_files("", recursive=True) if file.path.startswith(path))


class MoveKeepsTheSource(MemoryBackend):
    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        if self.is_file(dst):
            self.copy(src, dst, overwrite=overwrite)
        else:
            super().move(src, dst, overwrite=overwrite)


class CommitsHalfABlock(MemoryBackend):
    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[BinaryIO]:
        with super().open_atomic(path, **options) as stream:
            try:
                yield stream
            except Exception:
                self.write(path, b"half", overwrite=True)
                raise


class ForgetsMetadataInCopies(MemoryBackend):
    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        super().copy(src, dst, overwrite=overwrite)
        self.write(dst, self.read_bytes(src), overwrite=True)


class CutsAt64KiB(MemoryBackend):
    def read(self, path: str) -> BinaryIO:
        stream = cast("Any", super().read(path))
        whole = stream.read
        stream.read = lambda size=-1: whole(65_536 if size == -1 else size)
        return cast("BinaryIO", stream)


class MissingOkIsIgnored(MemoryBackend):
    def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        super().delete_folder(path, recursive=recursive)


class DecodesKeys(MemoryBackend):
    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        return super().write(unquote(path), content, **options)


class RemembersWhatIsMissing(MemoryBackend):
    def __init__(self) -> None:
        super().__init__()
        self.missing = set[str]()

    def _file(self, path: str) -> Any:
        if path in self.missing:
            raise self._missing(path, "file")
        try:
            return super()._file(path)
        except NotFound:
            self.missing.add(path)
            raise

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        self.missing.discard(path)
        return super().write(path, content, **options)


BROKEN = {
    Appends: ANY,
    DeletesByPrefix: ANY,
    ListsByPrefix: ANY,
    MoveKeepsTheSource: ANY,
    CommitsHalfABlock: ANY,
    ForgetsMetadataInCopies: ANY,
    CutsAt64KiB: ANY,
    MissingOkIsIgnored: ANY,
    DecodesKeys: HOSTILE,
    RemembersWhatIsMissing: INSTANCES,
}


def run(name: str, harness: Harness, **changes: Any) -> None:
    case = Case(harness, name)
    for attribute, value in changes.items():
        setattr(case, attribute, value)
    getattr(BackendConformance(), name)(case=case)


def run_async(name: str, harness: Harness) -> None:
    getattr(AsyncBackendConformance(), name)(case=AsyncCase(ThreadedHarness(harness), name))


def failure(name: str, harness: Harness, *, asynchronous: bool = False) -> CheckFailed:
    with pytest.raises(CheckFailed) as caught:
        (run_async if asynchronous else run)(name, harness)
    return caught.value


def pasted(error: CheckFailed) -> Any:
    """The function in the text of a failure."""
    text = str(error)
    source = text[text.index("\n\n") : text.index("\n\n  expected:")]
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    return namespace["reproduce"]


@pytest.mark.parametrize("kind", BROKEN, ids=lambda kind: kind.__name__)
def test_a_broken_backend_leaves_the_model_and_the_program_shows_it(kind: type[MemoryBackend]) -> None:
    harness = Shared(kind)
    reproduce = pasted(failure(BROKEN[kind], harness))
    count = reproduce.__code__.co_argcount
    with pytest.raises(WRONG):
        reproduce(*(harness.make() for _ in range(count)))
    whole = Shared()
    reproduce(*(whole.make() for _ in range(count)))


@pytest.mark.parametrize("kind", [Appends, CutsAt64KiB, CommitsHalfABlock], ids=lambda kind: kind.__name__)
def test_the_program_of_an_asynchronous_backend_runs_too(kind: type[MemoryBackend]) -> None:
    reproduce = pasted(failure(ANY, Shared(kind), asynchronous=True))
    with pytest.raises(WRONG):
        asyncio.run(reproduce(ThreadedBackend(kind())))
    asyncio.run(reproduce(ThreadedBackend(MemoryBackend())))


@pytest.mark.parametrize("name", [ANY, HOSTILE, INSTANCES])
@pytest.mark.parametrize("tier", ["quick", "full"])
def test_the_model_does_not_leave_itself(name: str, tier: str) -> None:
    run(name, Shared(), tier=tier)


def test_a_failure_is_short() -> None:
    text = str(failure(ANY, Shared(Appends)))
    assert "    backend.write('repro/" in text
    assert text.count("    backend.") <= 3
    assert "MODEL-001 MUST" in text


def test_histories_are_the_same_in_every_run(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[list[Action]] = []
    take = Example.take
    monkeypatch.setattr(Example, "take", lambda self, action: (runs[-1].append(action), take(self, action))[1])
    for _ in range(2):
        runs.append([])
        run(ANY, Shared())
    assert runs[0] == runs[1]
    assert len(runs[0]) > 200
    assert {action.method for action in runs[0]} >= {
        "write",
        "open_atomic",
        "move",
        "glob",
        "get_folder_info",
        "check_health",
    }


def test_a_tier_says_how_much_is_explored(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = {}
    take = Example.take
    for tier in ("smoke", "quick", "full"):
        actions: list[Action] = []
        monkeypatch.setattr(
            Example, "take", lambda self, action, actions=actions: (actions.append(action), take(self, action))[1]
        )
        run(ANY, Shared(), tier=tier)
        counts[tier] = len(actions)
    assert 20 < counts["smoke"] < counts["quick"] < counts["full"] < 2_500


def test_an_answer_that_does_not_follow_from_the_calls_is_said_to_be_one() -> None:
    class Moody(MemoryBackend):
        count = 0

        def exists(self, path: str) -> bool:
            Moody.count += 1
            return super().exists(path) != (Moody.count == 3)

    assert "the same calls passed when repeated" in str(failure(ANY, Shared(Moody)))


def test_what_is_declared_as_a_deviation_is_left_out() -> None:
    class CopyOverwrites(MemoryBackend):
        def copy(self, src: str, dst: str, *, overwrite: bool = False, **options: Any) -> None:
            super().copy(src, dst, overwrite=True, **options)

    harness = Shared(CopyOverwrites)
    failure(ANY, harness)
    harness.deviations = {"COPY-003": Deviation(reason="it always overwrites")}
    run(ANY, harness)


def test_only_what_is_declared_is_called() -> None:
    class Less(MemoryBackend):
        capabilities = frozenset({Capability.WRITE, Capability.READ})

        def _never(self, *arguments: Any, **options: Any) -> Any:
            raise AssertionError(arguments)

        copy = move = delete = list_files = list_folders = iter_children = glob = _never
        read_seekable = write_atomic = open_atomic = get_file_info = get_folder_info = _never

    run(ANY, Shared(Less))


def test_nothing_that_cannot_be_written_is_explored() -> None:
    class ReadOnly(MemoryBackend):
        capabilities = frozenset(Capability) - {Capability.WRITE}

    with pytest.raises(pytest.skip.Exception, match="WRITE"):
        run(ANY, Shared(ReadOnly))
