from __future__ import annotations

import io
import itertools
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, cast
from urllib.parse import unquote

import pytest

from remote_store.conformance import BackendConformance, Case, Harness, Oracle, Profile, rule
from remote_store.conformance.check import identifiers_of
from remote_store.core import (
    Backend,
    Capability,
    InvalidPath,
    MemoryBackend,
    NotFound,
    RemotePath,
    RemoteStoreError,
    WriteResult,
)


class DecodesKeys(MemoryBackend):
    def write(self, path: str, *arguments: Any, **options: Any) -> WriteResult:
        return super().write(unquote(path) if isinstance(path, str) else path, *arguments, **options)


class NormalisesKeys(MemoryBackend):
    def _find(self, path: str) -> Any:
        return super()._find(unicodedata.normalize("NFC", path))

    def write(self, path: str, *arguments: Any, **options: Any) -> WriteResult:
        path = unicodedata.normalize("NFC", path) if isinstance(path, str) else path
        return super().write(path, *arguments, **options)


class RepairsKeys(MemoryBackend):
    def write(self, path: str, *arguments: Any, **options: Any) -> WriteResult:
        with suppress(InvalidPath):
            path = RemotePath(path)
        return super().write(path, *arguments, **options)


class MatchesPrefixes(MemoryBackend):
    def is_folder(self, path: str) -> bool:
        return super().is_folder(path) or any(key.startswith(path) for key in self._files)


class EmptiesTheRoot(MemoryBackend):
    def delete_folder(self, path: str, **options: Any) -> None:
        if path == "" and options.get("recursive"):
            self._files.clear()
        else:
            super().delete_folder(path, **options)


class TakesNoneForText(MemoryBackend):
    def exists(self, path: str) -> bool:
        return super().exists(str(path))


class ForgetsWhoItIs(MemoryBackend):
    def _missing(self, path: str, what: str) -> NotFound:
        return NotFound(f"there is no {what}", path=path)


class TalksAboutThePath(MemoryBackend):
    def _missing(self, path: str, what: str) -> NotFound:
        return NotFound(f"there is no {path}", path=path, backend=self.name)


class Unpicklable(NotFound):
    def __reduce__(self) -> Any:
        return NotFound, ("another text",)


class RaisesWhatCannotTravel(MemoryBackend):
    def _missing(self, path: str, what: str) -> NotFound:
        return Unpicklable("gone", path=path, backend=self.name)


class ForgivesWrongKinds(MemoryBackend):
    def delete(self, path: str, *, missing_ok: bool = False) -> None:
        if not missing_ok or path in self._files or not path:
            super().delete(path, missing_ok=missing_ok)


class AnswersWhenClosed(MemoryBackend):
    def is_file(self, path: str) -> bool:
        return not self._closed and super().is_file(path)


class LooksAtTheTargetFirst(MemoryBackend):
    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        if src and dst:
            self._check_free(dst, overwrite=overwrite)
        super().copy(src, dst, overwrite=overwrite)


class WrapsTheCallersErrors(MemoryBackend):
    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        try:
            return super().write(path, content, **options)
        except (RemoteStoreError, TypeError, ValueError):
            raise
        except Exception as error:
            raise RemoteStoreError("the write failed", path=path, backend=self.name) from error


class DoesMoreThanItSays(MemoryBackend):
    capabilities = frozenset(Capability) - {Capability.GLOB}


class TakesText(MemoryBackend):
    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        return super().write(path, content.encode() if isinstance(content, str) else content, **options)


class OneByteShort(MemoryBackend):
    def read_range(self, path: str, start: int, length: int) -> bytes:
        return super().read_range(path, start, max(length - 1, 0) if isinstance(length, int) and length > 0 else length)


class CountsFromTheEnd(MemoryBackend):
    def read_range(self, path: str, start: int, length: int) -> bytes:
        self._check_open()
        return self._file(path).content[start : start + length]


class LazyStream(io.BytesIO):
    def __init__(self, backend: MemoryBackend, path: str) -> None:
        super().__init__()
        self.backend, self.path = backend, path

    def read(self, size: int | None = -1) -> bytes:
        position = self.tell()
        if not self.getvalue():
            self.write(self.backend._file(self.path).content)
            self.seek(position)
        return super().read(size)


class OpensLate(MemoryBackend):
    def read(self, path: str) -> BinaryIO:
        return cast("BinaryIO", LazyStream(self, path))


class LiveStream(io.RawIOBase):
    def __init__(self, backend: MemoryBackend, path: str) -> None:
        self.backend, self.path, self.position = backend, path, 0
        backend._file(path)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.backend._file(self.path).content[self.position :][: len(buffer)]
        buffer[: len(data)] = data
        self.position += len(data)
        return len(data)


class MixesVersions(MemoryBackend):
    def read(self, path: str) -> BinaryIO:
        return cast("BinaryIO", io.BufferedReader(LiveStream(self, path)))


class ClosesTheSource(MemoryBackend):
    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        result = super().write(path, content, **options)
        if hasattr(content, "close"):
            content.close()
        return result


class RewindsTheSource(MemoryBackend):
    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if isinstance(content, io.BytesIO):
            content.seek(0)
        return super().write(path, content, **options)


class TakesAShortReadForTheEnd(MemoryBackend):
    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        content = content.read(1 << 20) if isinstance(content, io.RawIOBase) else content
        return super().write(path, content, **options)


class CountsItems(MemoryBackend):
    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if isinstance(content, memoryview):
            content = content.tobytes()[: len(content)]
        return super().write(path, content, **options)


class KeepsHalf(MemoryBackend):
    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        try:
            return super().write(path, content, **options)
        except Exception as error:
            if type(error).__name__ == "Boom":
                super().write(path, b"half", overwrite=True)
            raise


class KeepsTheTail(MemoryBackend):
    def _commit(self, path: str, content: bytes, *rest: Any) -> WriteResult:
        old = self._files.get(path)
        tail = old.content[len(content) :] if old is not None and rest[0] else b""
        return super()._commit(path, content + tail, *rest)


class OverwritesAlways(MemoryBackend):
    def _check_free(self, path: str, *, overwrite: bool) -> None:
        pass


class KeepsTheBuffer(MemoryBackend):
    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        result = super().write(path, content, **options)
        if isinstance(content, bytearray):
            stored = self._files[path]
            object.__setattr__(stored, "content", content)
        return result

    def read_bytes(self, path: str) -> bytes:
        return bytes(super().read_bytes(path))


class TakesNothingForTheEnd(MemoryBackend):
    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if not isinstance(content, bytes | bytearray | memoryview) and hasattr(content, "read"):
            content = b"".join(iter(lambda: content.read(1 << 20), None))
        return super().write(path, content, **options)


class LooksThenWrites(MemoryBackend):
    def _commit(self, path: str, content: bytes, overwrite: bool, *rest: Any) -> WriteResult:
        self._check_free(path, overwrite=overwrite)
        time.sleep(0.01)
        return super()._commit(path, content, True, *rest)


class CommitsOnClose(MemoryBackend):
    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[BinaryIO]:
        stream = io.BytesIO()
        try:
            yield cast("BinaryIO", stream)
        finally:
            self.write(path, stream.getvalue(), **options)


class ShowsTheStart(MemoryBackend):
    @contextmanager
    def open_atomic(self, path: str, **options: Any) -> Iterator[BinaryIO]:
        with super().open_atomic(path, **options) as stream:
            self.write(path, b"", overwrite=True)
            yield stream
            self.delete(path)


class SlowTear(MemoryBackend):
    def write_atomic(self, path: str, content: Any, **options: Any) -> WriteResult:
        if path in self._files and options.get("overwrite"):
            super().write(path, content[: len(content) // 2], overwrite=True)
            time.sleep(0.01)
        return super().write_atomic(path, content, **options)


class SeeksNowhere(MemoryBackend):
    def read_seekable(self, path: str) -> BinaryIO:
        stream = self.read(path)
        stream.seek = lambda offset, whence=0: offset  # type: ignore[method-assign]
        return stream


class ListsTidyNames(MemoryBackend):
    def list_files(self, path: str, **options: Any) -> Iterator[Any]:
        return (entry for entry in super().list_files(path, **options) if "//" not in entry.path)


class ReadsTidyNames(MemoryBackend):
    def _file(self, path: str) -> Any:
        return super()._file(path.replace("//", "/") if isinstance(path, str) else path)


class DeletesByPattern(MemoryBackend):
    def delete(self, path: str, **options: Any) -> None:
        super().delete(path, **options)
        tidy = "/".join(segment for segment in path.split("/") if segment not in ("", ".", ".."))
        self._files.pop(tidy, None)


MUTANTS: dict[type[MemoryBackend], str] = {
    DecodesKeys: "PATH-001",
    NormalisesKeys: "PATH-002",
    RepairsKeys: "PATH-004",
    TakesNoneForText: "PATH-006",
    EmptiesTheRoot: "PATH-009",
    ReadsTidyNames: "PATH-010",
    ListsTidyNames: "PATH-011",
    DeletesByPattern: "PATH-014",
    MatchesPrefixes: "PATH-016",
    ForgetsWhoItIs: "ERR-002",
    TalksAboutThePath: "ERR-003",
    RaisesWhatCannotTravel: "ERR-004",
    ForgivesWrongKinds: "ERR-008",
    AnswersWhenClosed: "ERR-009",
    LooksAtTheTargetFirst: "ERR-011",
    WrapsTheCallersErrors: "ERR-012",
    TakesText: "ERR-014",
    DoesMoreThanItSays: "ERR-015",
    OneByteShort: "READ-003",
    CountsFromTheEnd: "READ-006",
    OpensLate: "READ-007",
    MixesVersions: "READ-013",
    SeeksNowhere: "SEEK-001",
    CountsItems: "WRITE-002",
    TakesAShortReadForTheEnd: "WRITE-003",
    RewindsTheSource: "WRITE-004",
    ClosesTheSource: "WRITE-005",
    OverwritesAlways: "WRITE-006",
    KeepsTheTail: "WRITE-007",
    KeepsHalf: "WRITE-008",
    KeepsTheBuffer: "WRITE-013",
    TakesNothingForTheEnd: "WRITE-014",
    SlowTear: "ATOM-002",
    ShowsTheStart: "ATOM-003",
    CommitsOnClose: "ATOM-004",
    LooksThenWrites: "ATOM-012",
}


class ModelOracle(Oracle):
    def __init__(self, files: dict[str, Any]) -> None:
        self.files = files

    def raw_put(self, key: str, data: bytes = b"", **facts: Any) -> None:
        spare = MemoryBackend()
        spare.write("spare", data)
        self.files[key] = spare._files["spare"]

    def raw_get(self, key: str) -> bytes | None:
        return self.files[key].content if key in self.files else None

    def raw_list(self, prefix: str = "") -> list[str]:
        return [key for key in self.files if key.startswith(prefix)]

    def raw_delete(self, key: str) -> None:
        self.files.pop(key, None)


class MutantHarness(Harness):
    profile = Profile(max_key_bytes=None, in_process=True)

    def __init__(self, kind: type[MemoryBackend]) -> None:
        self.kind, self.model = kind, MemoryBackend()

    def make(self, **options: Any) -> Backend:
        backend = self.kind(**options)
        backend._files, backend._lock = self.model._files, self.model._lock
        return backend

    def isolated(self) -> MutantHarness:
        return MutantHarness(self.kind)

    @property
    def oracle(self) -> Oracle:
        return ModelOracle(self.model._files)


def runs(identifier: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every check of a rule with every combination of its parameters."""
    for name in dir(BackendConformance):
        method = getattr(BackendConformance, name)
        if identifier not in identifiers_of(method):
            continue
        axes = []
        for mark in method.pytestmark:
            if mark.name == "parametrize":
                names = [part.strip() for part in mark.args[0].split(",")]
                values = mark.args[1]
                axes.append([dict(zip(names, row if len(names) > 1 else (row,), strict=True)) for row in values])
        for combination in itertools.product(*axes):
            yield name, {key: value for part in combination for key, value in part.items()}


def verdicts(kind: type[MemoryBackend], identifier: str) -> list[str]:
    """The checks of a rule that a backend does not pass."""
    failed = []
    for name, parameters in runs(identifier):
        try:
            getattr(BackendConformance(), name)(case=Case(MutantHarness(kind), name), **parameters)
        except pytest.skip.Exception:
            continue
        except Exception:  # noqa: BLE001
            failed.append(f"{name}{parameters}")
    return failed


@pytest.mark.parametrize("kind", MUTANTS, ids=lambda kind: kind.__name__)
def test_a_backend_that_breaks_a_rule_is_red_at_that_rule(kind: type[MemoryBackend]) -> None:
    assert verdicts(kind, MUTANTS[kind]) != [], rule(MUTANTS[kind]).text


@pytest.mark.parametrize("identifier", sorted(set(MUTANTS.values())))
def test_a_backend_that_keeps_a_rule_is_green_there(identifier: str) -> None:
    assert verdicts(MemoryBackend, identifier) == []
