"""Backends over a storage that has little room for metadata, or that guesses what it was not told."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mutants.registry import broken
from remote_store.core import FileInfo, MemoryBackend, RemoteStoreError, WriteResult

ROOM = 100


@broken("META-027")
class DropsMetadataThatDoesNotFit(MemoryBackend):
    """Stores the first 100 entries of metadata and drops the others."""

    def _commit(
        self, path: str, content: bytes, overwrite: bool, metadata: Mapping[str, str], *rest: Any, **asked: Any
    ) -> WriteResult:
        return super()._commit(path, content, overwrite, dict(list(metadata.items())[:ROOM]), *rest, **asked)


@broken("META-027")
class ReplacesBeforeMetadataFails(MemoryBackend):
    """Replaces the file, and then finds that there is no room for its metadata."""

    def _commit(
        self, path: str, content: bytes, overwrite: bool, metadata: Mapping[str, str], *rest: Any, **asked: Any
    ) -> WriteResult:
        if len(metadata) <= ROOM:
            return super()._commit(path, content, overwrite, metadata, *rest, **asked)
        super()._commit(path, content, overwrite, {}, *rest, **asked)
        raise RemoteStoreError("no room for the metadata; shorten it", path=path, backend=self.name)


@broken("META-028")
class GuessesWhatItWasNotTold(MemoryBackend):
    """Guesses the content type from the name of a file that was written without one."""

    def get_file_info(self, path: str) -> FileInfo:
        info = super().get_file_info(path)
        return info if info.content_type else replace(info, content_type=mimetypes.guess_type(path)[0])
