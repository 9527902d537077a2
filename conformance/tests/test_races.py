from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mutants import running
from mutants.running import Ending, checks_of
from mutants.tree import TreeHarness
from remote_store.conformance import BackendConformance, Case, CheckFailed, Harness, Profile
from remote_store.conformance.checking import fork
from remote_store.core import AlreadyExists, Backend, LocalBackend, MemoryBackend, NotFound, WriteResult

PAUSE = 0.002


class Shared(Harness):
    profile = Profile(max_key_bytes=None, in_process=True, contenders=4)

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    def make(self, **options: Any) -> Backend:
        return self.backend


@pytest.mark.parametrize("fact, identifier", [("forks", "LIFE-004"), ("picklable", "LIFE-003")])
def test_no_check_of_a_rule_runs_against_what_the_profile_says(fact: str, identifier: str) -> None:
    able, unable = TreeHarness(), TreeHarness()
    unable.profile = replace(unable.profile, **{fact: False})
    assert Ending.GREEN in {running.run(check, able).ending for check in checks_of(identifier, able)}
    assert {running.run(check, unable).ending for check in checks_of(identifier, unable)} == {Ending.SKIPPED}


class LooksThenWrites(MemoryBackend):
    def _commit(self, path: str, content: bytes, overwrite: bool, *rest: Any) -> WriteResult:
        self._check_free(path, overwrite=overwrite)
        time.sleep(PAUSE)
        return super()._commit(path, content, True, *rest)


class TellsLosersTheyWon(MemoryBackend):
    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        try:
            return super().write(path, content, **options)
        except AlreadyExists:
            return WriteResult(path, len(content))


class WritesInHalves(MemoryBackend):
    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if options.get("overwrite"):
            super().write(path, content[: len(content) // 2], **options)
            time.sleep(PAUSE)
        return super().write(path, content, **options)


class SharesItsParts(MemoryBackend):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[bytes] = []

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if isinstance(content, bytes):
            return super().write(path, content, **options)
        while block := content.read(100_000):
            self.parts.append(block)
            time.sleep(PAUSE)
        whole = b"".join(self.parts)
        self.parts = []
        return super().write(path, whole, **options)


class PrunesBusyFolders(MemoryBackend):
    def __init__(self) -> None:
        super().__init__()
        self.folders: set[str] = set()

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        folder = path.rpartition("/")[0]
        self.folders.add(folder)
        time.sleep(PAUSE)
        if folder not in self.folders:
            raise NotFound("the folder has gone", path=path, backend=self.name)
        return super().write(path, content, **options)

    def delete(self, path: str, **options: Any) -> None:
        super().delete(path, **options)
        folder = path.rpartition("/")[0]
        if not self.is_folder(folder):
            self.folders.discard(folder)


class PagesByNumber(MemoryBackend):
    def _list_files(self, path: str, deepest: int | None) -> Iterator[Any]:
        start = 0
        while page := sorted(super()._list_files(path, deepest), key=lambda file: file.path)[start : start + 500]:
            yield from page
            start += 500


class CopiesAndDeletes(MemoryBackend):
    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        self.copy(src, dst, overwrite=overwrite)
        time.sleep(PAUSE)
        self.delete(src)


class DeletesAndWrites(MemoryBackend):
    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        content = self.read_bytes(src)
        self.delete(src)
        time.sleep(PAUSE)
        self.write(dst, content, overwrite=overwrite)


BROKEN: list[tuple[type[MemoryBackend], str, dict[str, Any]]] = [
    (LooksThenWrites, "test_race_for_the_next_number", {}),
    (TellsLosersTheyWon, "test_race_for_the_next_number", {}),
    *(
        (WritesInHalves, "test_race_of_readers_and_overwriters", {"method": method})
        for method in ("read", "read_bytes", "read_range", "read_seekable")
    ),
    (SharesItsParts, "test_race_of_large_overwrites", {}),
    (PrunesBusyFolders, "test_race_of_neighbours_that_come_and_go", {}),
    (PagesByNumber, "test_race_of_listings_and_changes", {}),
    (CopiesAndDeletes, "test_race_of_a_move_and_those_who_look", {}),
    (DeletesAndWrites, "test_race_of_a_move_and_those_who_look", {}),
]


def run(name: str, harness: Harness, parameters: dict[str, Any]) -> None:
    getattr(BackendConformance(), name)(case=Case(harness, name), **parameters)


@pytest.mark.parametrize("kind, name, parameters", BROKEN)
def test_a_backend_that_loses_a_race_is_noticed(
    kind: type[MemoryBackend], name: str, parameters: dict[str, Any]
) -> None:
    with pytest.raises(CheckFailed):
        run(name, Shared(kind()), parameters)


@pytest.mark.parametrize("name, parameters", [row[1:] for row in BROKEN])
def test_a_backend_that_loses_none_passes(name: str, parameters: dict[str, Any]) -> None:
    run(name, Shared(MemoryBackend()), parameters)


class HoldsALock(LocalBackend):
    lock = threading.Lock()

    def read_bytes(self, path: str) -> bytes:
        with self.lock:
            time.sleep(PAUSE)
            return super().read_bytes(path)


@pytest.mark.parametrize("kind", [LocalBackend, HoldsALock])
def test_a_lock_that_a_fork_leaves_held_is_noticed(
    kind: type[LocalBackend], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fork, "SECONDS", 20.0 if kind is LocalBackend else 1.0)
    harness = Shared(kind(tmp_path))
    harness.profile = Profile(flat=False)
    if kind is LocalBackend:
        run("test_race_of_a_fork_and_busy_callers", harness, {})
    else:
        with pytest.raises(CheckFailed, match="TimeoutError"):
            run("test_race_of_a_fork_and_busy_callers", harness, {})
