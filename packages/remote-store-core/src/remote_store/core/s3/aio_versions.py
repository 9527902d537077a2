"""The part of the S3 backend that is about versions and tags."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from remote_store.core.capabilities import Capability
from remote_store.core.models import FileVersion, WriteResult
from remote_store.core.options import ReadOptions, check_version_id, lacking, version_option
from remote_store.core.s3.aio_base import AsyncS3Base
from remote_store.core.s3.operations import copying, tagging
from remote_store.core.s3.operations.versions import VersionCursor, next_versions
from remote_store.core.s3.protocol.keys import check_key
from remote_store.core.tags import check_tags


class AsyncS3Versions(AsyncS3Base):
    """The methods of the S3 backend that are about versions and tags."""

    def list_versions(self, path: str) -> AsyncIterator[FileVersion]:
        """The versions of one file, the latest first: 1 request per 1,000 versions.

        S3 reports versions and markers apart and in whole seconds. A version and a marker of the same second may be in
        either order.
        """
        self._check(check_key, path)
        self._need(Capability.VERSIONS, "list_versions", path)
        return self._versions(path)

    async def restore_version(self, path: str, version_id: str) -> WriteResult:
        """Copy a version onto its key: 3 requests, or 2 if it is the current one, and 1 per part above 5 GiB."""
        self._check(check_key, path)
        self._need(Capability.VERSIONS, "restore_version", path)
        check_version_id(version_id)
        return await self._run(copying.restore(self._bucket, path, {"version_id": version_id}), path)

    async def get_tags(self, path: str, *, version_id: str | None = None) -> dict[str, str]:
        """The tags of a file: 1 request, and 1 more with `version_id`."""
        self._check(check_key, path)
        self._need(Capability.TAGS, "get_tags", path)
        return await self._run(tagging.get_tags(self._bucket, path, self._version(path, version_id)), path)

    async def set_tags(self, path: str, tags: Mapping[str, str], *, version_id: str | None = None) -> None:
        """Replace the tags of a file: 1 request, and 1 more with `version_id` or without tags."""
        self._check(check_key, path)
        self._need(Capability.TAGS, "set_tags", path)
        checked = check_tags(tags)
        await self._run(tagging.set_tags(self._bucket, path, checked, self._version(path, version_id)), path)

    async def _versions(self, path: str) -> AsyncIterator[FileVersion]:
        allowance, cursor = self._allowance(), VersionCursor(path)
        while not cursor.done:
            for version in await self._run(next_versions(self._bucket, cursor), path, None, allowance):
                yield version

    def _version(self, path: str, version_id: str | None) -> dict[str, str]:
        return self._asked(ReadOptions, path, version_option(version_id))

    def _need(self, capability: Capability, method: str, path: str) -> None:
        if capability not in self.capabilities:
            raise lacking(capability, f"the method {method}", path, self.name)
