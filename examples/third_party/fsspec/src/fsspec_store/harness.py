"""The harness for the conformance suite; the backend does not import it."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable
from importlib.resources import files
from typing import Any

from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem
from remote_store.conformance import Harness, Profile, load_deviations
from remote_store.core import Backend, LocalBackend

from fsspec_store.backend import FsspecBackend


class MemoryHarness(Harness):
    """A folder in fsspec's memory."""

    profile = Profile(kind="tree", flat=False, foreign_keys=False, in_process=True, max_key_bytes=None)

    def __init__(self) -> None:
        self._root = f"/fsspec-store-{secrets.token_hex(8)}"
        MemoryFileSystem().mkdir(self._root)

    def make(self, **_options: Any) -> FsspecBackend:
        return FsspecBackend(MemoryFileSystem(), self._root)

    def isolated(self) -> MemoryHarness:
        return MemoryHarness()


class LocalHarness(Harness):
    """A temporary folder on disk."""

    deviations = load_deviations(files("fsspec_store") / "deviations-local.toml")
    profile = Profile(
        kind="tree",
        flat=False,
        foreign_keys=False,
        empty_folders=True,
        max_key_bytes=None,
        max_segment_bytes=255,
    )

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="fsspec-store-")

    def make(self, **_options: Any) -> FsspecBackend:
        return FsspecBackend(LocalFileSystem(), self._folder.name)

    def make_absent(self, **_options: Any) -> FsspecBackend:
        return FsspecBackend(LocalFileSystem(), f"{self._folder.name}/absent/root")

    @property
    def peers(self) -> dict[str, Callable[[], Backend]]:
        return {"local": lambda: LocalBackend(self._folder.name)}

    def isolated(self) -> LocalHarness:
        return LocalHarness()
