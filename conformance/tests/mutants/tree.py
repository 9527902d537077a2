"""The correct backend for bugs that memory cannot have: a folder on disk, with real folders, kept across processes."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from remote_store.conformance import Harness, Profile
from remote_store.core import LocalBackend


class TreeHarness(Harness):
    """Instances of one class in one folder.

    Args:
        kind: The class; the correct backend by default.
    """

    profile = Profile(
        kind="tree",
        endpoint_kind="files",
        flat=False,
        foreign_keys=False,
        max_key_bytes=None,
        max_segment_bytes=255,
    )

    def __init__(self, kind: type[LocalBackend] = LocalBackend) -> None:
        self.kind = kind
        self._folder = tempfile.TemporaryDirectory(prefix="mutants-")

    def make(self, **options: Any) -> LocalBackend:
        return self.kind(self._folder.name, **options)

    def make_absent(self, **options: Any) -> LocalBackend:
        return self.kind(Path(self._folder.name, "absent"), **options)

    def isolated(self) -> TreeHarness:
        return TreeHarness(self.kind)
