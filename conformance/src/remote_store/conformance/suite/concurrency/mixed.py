# Generated from conformance/src/remote_store/conformance/suite/aio/concurrency/mixed.py by tools/unasync.py; edit that.
"""Checks of many callers at once, each with a program of its own, compared with a dictionary."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.decorators import check
from remote_store.core import AlreadyExists, Backend, Capability, NotFound

READ, WRITE, LIST, ATOMIC = Capability.READ, Capability.WRITE, Capability.LIST, Capability.ATOMIC_WRITE
CALLERS: Mapping[str, tuple[int, int]] = {"smoke": (3, 5), "quick": (8, 14), "full": (16, 80), "soak": (32, 200)}
"""How many callers there are, and how many steps each takes."""
SIZES = (0, 1, 1000, 70_000)
NAMES = ("a", "b", "below/c", "below/d")


class Caller:
    """A caller with a folder of its own, and a dictionary of what must be in it.

    Args:
        backend: The instance.
        folder: The folder.
        seed: Decides the steps.
    """

    def __init__(self, backend: Backend, folder: str, seed: str) -> None:
        self._backend = backend
        self._folder = folder
        self._rng = random.Random(seed)
        self._files = dict[str, bytes]()
        able = backend.capabilities
        self._steps: list[Callable[[str], Any]] = [self._write, self._create, self._read, self._list]
        optional = {
            ATOMIC: self._block,
            Capability.COPY: self._copy,
            Capability.MOVE: self._move,
            Capability.DELETE: self._delete,
            Capability.METADATA: self._look,
        }
        self._steps += [step for needs, step in optional.items() if needs in able]

    def run(self, steps: int) -> list[str]:
        """Take the steps. Returns what was not as it must be."""
        told = []
        for _ in range(steps):
            step, path = self._rng.choice(self._steps), f"{self._folder}/{self._rng.choice(NAMES)}"
            before = dict(self._files)
            if not step(path):
                sizes = {path: len(content) for path, content in before.items()}
                told.append(f"{step.__name__.strip('_')} of {path} with the files {sizes}")
        if not self._list(""):
            told.append("the files at the end")
        return told

    def _content(self) -> bytes:
        return self._rng.randbytes(self._rng.choice(SIZES))

    def _write(self, path: str) -> bool:
        content = self._content()
        source: Any = self._rng.choice((content, iter([content[:10], content[10:]])))
        result = self._backend.write(path, source, overwrite=True)
        self._files[path] = content
        return result.size in (None, len(content))

    def _create(self, path: str) -> bool:
        content = self._content()
        try:
            self._backend.write(path, content)
        except AlreadyExists as error:
            return path in self._files and error.path == path
        created = path not in self._files
        self._files[path] = content
        return created

    def _block(self, path: str) -> bool:
        content = self._content()
        with self._backend.open_atomic(path, overwrite=True) as stream:
            stream.write(content[:10])
            stream.write(content[10:])
        self._files[path] = content
        return True

    def _read(self, path: str) -> bool:
        expected = self._files.get(path)
        try:
            content = self._backend.read_bytes(path)
            part = self._backend.read_range(path, 5, 20)
            with self._backend.read(path) as stream:
                streamed = stream.read(7) + stream.read()
        except NotFound as error:
            return expected is None and error.path == path
        return expected is not None and (content, part, streamed) == (expected, expected[5:25], expected)

    def _list(self, _path: str) -> bool:
        listed = {entry.path: entry.size for entry in self._backend.list_files(self._folder, recursive=True)}
        return listed == {path: len(content) for path, content in self._files.items()}

    def _look(self, path: str) -> bool:
        there = self._backend.exists(path)
        try:
            info = self._backend.get_file_info(path)
        except NotFound as error:
            return path not in self._files and not there and error.path == path
        return there and path in self._files and info.size == len(self._files[path])

    def _copy(self, path: str) -> bool:
        return self._transfer(self._backend.copy, path)

    def _move(self, path: str) -> bool:
        done = self._transfer(self._backend.move, path)
        self._files.pop(path, None)
        return done

    def _transfer(self, call: Callable[..., Any], path: str) -> bool:
        target = self._rng.choice([f"{self._folder}/{name}" for name in NAMES if not path.endswith(name)])
        try:
            call(path, target, overwrite=True)
        except NotFound as error:
            return path not in self._files and error.path == path
        there = path in self._files
        self._files[target] = self._files.get(path, b"")
        return there

    def _delete(self, path: str) -> bool:
        if self._rng.random() < 0.2:
            self._backend.delete_folder(self._folder, recursive=True, missing_ok=True)
            self._files.clear()
            return True
        try:
            self._backend.delete(path)
        except NotFound as error:
            return path not in self._files and error.path == path
        return self._files.pop(path, None) is not None


class MixedSuite:
    """LIFE-001 and LIFE-002: every operation, by many callers at once."""

    @check("LIFE-001", needs=(READ, WRITE, LIST))
    def test_life_many_callers_mix_operations(self, case: Case) -> None:
        case.backend.exists(case.path("first"))
        self._mix(case, [case.backend])

    @check("LIFE-002", "LIFE-021", needs=(READ, WRITE, LIST))
    def test_life_many_callers_begin_with_two_instances(self, case: Case) -> None:
        self._mix(case, [case.make(), case.make()])

    def _mix(self, case: Case, instances: list[Backend]) -> None:
        callers, steps = CALLERS[case.tier]
        tasks = []
        for number in range(callers):
            backend = instances[number % len(instances)]
            tasks.append(partial(Caller(backend, case.path(f"{number}"), f"{case.seed}-{number}").run, steps))
        for told in case.together(tasks):
            case.expect_equal(told, [], "the results of many callers at once that were wrong")
