"""Backends that confuse versions, lose tags, or ignore how a file is to be stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from mutants.http_port import HttpPort
from mutants.http_s3 import HttpBackend
from mutants.registry import broken
from remote_store.core import FileVersion, InvalidPath, MemoryBackend, NotFound, WriteResult
from remote_store.core.s3 import Call


@broken("VERS-001")
class ListsNeighbours(HttpBackend):
    """Lists the versions of every file whose path begins with the path."""

    def list_versions(self, path: str) -> Iterator[FileVersion]:
        yield from super().list_versions(path)
        for info in self.list_files(""):
            if info.path.startswith(path) and info.path != path:
                yield from super().list_versions(info.path)


@broken("VERS-001")
class HidesDeletions(HttpBackend):
    """Lists no markers of deletions."""

    def list_versions(self, path: str) -> Iterator[FileVersion]:
        return (version for version in super().list_versions(path) if not version.is_deleted)


@broken("VERS-001")
class ListsTheOldestFirst(HttpBackend):
    """Lists versions in the order in which they were written."""

    def list_versions(self, path: str) -> Iterator[FileVersion]:
        return iter(list(super().list_versions(path))[::-1])


class ForgetsVersions(HttpPort):
    """A port that drops the version from reads, and returns the id that was asked for."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        wanted = call.params.get("VersionId")
        if wanted is None or call.operation not in ("GetObject", "HeadObject"):
            return super().perform(call)
        plain = {name: value for name, value in call.params.items() if name != "VersionId"}
        return {**super().perform(Call(call.operation, plain)), "VersionId": wanted}


@broken("VERS-002", "VERS-003")
class ReadsTheCurrentVersion(HttpBackend):
    """Reads the current version, whatever version is asked for."""

    port = ForgetsVersions


@broken("VERS-003")
class MissingVersionsAreCurrent(HttpBackend):
    """`read_bytes` returns the current version in place of one that does not exist."""

    def read_bytes(self, path: str, **options: Any) -> Any:
        try:
            return super().read_bytes(path, **options)
        except NotFound:
            return super().read_bytes(path)


@broken("VERS-004")
class DeletesTheFile(HttpBackend):
    """`delete` with a version id deletes the current version."""

    def delete(self, path: str, *, missing_ok: bool = False, **options: Any) -> None:
        options.pop("version_id", None)
        super().delete(path, missing_ok=missing_ok, **options)


@broken("VERS-005")
class CopiesTheCurrentVersion(HttpBackend):
    """`copy` with a version id copies the current version."""

    def copy(self, src: str, dst: str, *, overwrite: bool = False, **options: Any) -> None:
        options.pop("version_id", None)
        super().copy(src, dst, overwrite=overwrite, **options)


@broken("VERS-006")
class RestoresByRemoving(HttpBackend):
    """`restore_version` removes all later versions."""

    def restore_version(self, path: str, version_id: str) -> WriteResult:
        result = super().restore_version(path, version_id)
        for version in list(self.list_versions(path)):
            if version.version_id not in (version_id, result.version_id):
                self.delete(path, version_id=version.version_id)
        return result


@broken("VERS-006")
class RestoresTheBareContent(HttpBackend):
    """`restore_version` writes the content again, without the metadata."""

    def restore_version(self, path: str, version_id: str) -> WriteResult:
        return self.write(path, super().read_bytes(path, version_id=version_id), overwrite=True)


@broken("VERS-007")
class AddsTags(MemoryBackend):
    """`set_tags` adds to the tags that the file has."""

    def set_tags(self, path: str, tags: Mapping[str, str], *, version_id: str | None = None) -> None:
        super().set_tags(path, {**self.get_tags(path), **tags}, version_id=version_id)


@broken("VERS-007")
class WritesWithoutTags(MemoryBackend):
    """Accepts the tags of a write and does not store them."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        return super().write(path, content, **{**options, "tags": None})


@broken("VERS-008")
class CopiesNoTags(MemoryBackend):
    """Copies and moves a file without its tags."""

    def copy(self, src: str, dst: str, *, overwrite: bool = False, **options: Any) -> None:
        super().copy(src, dst, overwrite=overwrite, **options)
        self._files[dst] = replace(self._files[dst], tags={})

    def move(self, src: str, dst: str, *, overwrite: bool = False, **options: Any) -> None:
        super().move(src, dst, overwrite=overwrite, **options)
        self._files[dst] = replace(self._files[dst], tags={})


@broken("VERS-009")
class CutsTags(MemoryBackend):
    """Stores the first ten tags, and drops the others."""

    def set_tags(self, path: str, tags: Mapping[str, str], *, version_id: str | None = None) -> None:
        super().set_tags(path, dict(list(tags.items())[:10]), version_id=version_id)


@broken("VERS-010")
class NothingHasNoTags(MemoryBackend):
    """`get_tags` returns no tags for a file that does not exist."""

    def get_tags(self, path: str, *, version_id: str | None = None) -> dict[str, str]:
        try:
            return super().get_tags(path, version_id=version_id)
        except (NotFound, InvalidPath):
            return {}


class StoresAsStandard(HttpPort):
    """A port that drops the storage class."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        plain = {name: value for name, value in call.params.items() if name != "StorageClass"}
        return super().perform(Call(call.operation, plain))


@broken("VERS-011")
class IgnoresTheStorageClass(HttpBackend):
    """Accepts a storage class and does not send it."""

    port = StoresAsStandard


@broken("VERS-012")
class LocksNothing(HttpBackend):
    """Drops options of Object Lock that contradict each other."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        try:
            return super().write(path, content, **options)
        except ValueError:
            locks = ("object_lock_mode", "object_lock_until")
            return super().write(path, content, **{name: value for name, value in options.items() if name not in locks})


@broken("VERS-013")
class TagsAfterwards(HttpBackend):
    """Sets the tags of a write by a second request."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        tags = options.pop("tags", None)
        result = super().write(path, content, **options)
        if tags:
            self.set_tags(path, tags)
        return result
