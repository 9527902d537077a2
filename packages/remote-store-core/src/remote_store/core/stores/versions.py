# Generated from packages/remote-store-core/src/remote_store/core/stores/async_versions.py by tools/unasync.py; edit
# that.
"""The versions of a file, and its tags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from remote_store.core.models import FileVersion, WriteResult
from remote_store.core.stores.rooted import Rooted


class Versions(Rooted):
    """The methods of a store that are about versions and tags."""

    def list_versions(self, path: str) -> Iterator[FileVersion]:
        """Iterate over the versions of one file, the latest first, with the markers of its deletions.

        On S3: 1 request per 1,000 versions. S3 reports versions and markers apart, so if both were made in the same
        second, their order may be exchanged.

        Args:
            path: The file. It need not exist now.

        Returns:
            An iterator. It yields nothing if there never was such a file.

        Raises:
            CapabilityNotSupported: The backend does not have `VERSIONS`.
            InvalidPath: The path is the root, or malformed.

        Example:
            >>> from remote_store.core import Capability
            >>> if store.supports(Capability.VERSIONS):
            ...     versions = [version for version in store.list_versions("greeting.txt")]
        """
        key = self._scope.key(path)
        with self._scope.errors():
            for version in self._backend.list_versions(key):
                yield replace(version, path=self._scope.path(version.path))

    def restore_version(self, path: str, version_id: str) -> WriteResult:
        """Make a former version the current one again, by a copy on the server.

        No version is lost while the bucket keeps versions. If versioning is suspended, the copy replaces the version
        `null`, as any write does.

        On S3: 3 requests, and 1 per part above 5 GiB. Restoring the current version changes nothing.

        Args:
            path: The file.
            version_id: The version, as `list_versions` returns it.

        Returns:
            The file as the service confirmed it.

        Raises:
            CapabilityNotSupported: The backend does not have `VERSIONS`.
            NotFound: There is no such version, or it is the marker of a deletion.
            InvalidPath: The path is the root, or malformed.

        Example:
            >>> from remote_store.core import Capability
            >>> if store.supports(Capability.VERSIONS):
            ...     written = store.restore_version("greeting.txt", "version")
        """
        key = self._scope.key(path)
        with self._scope.errors():
            return self._scope.written(self._backend.restore_version(key, version_id))

    def get_tags(self, path: str, *, version_id: str | None = None) -> dict[str, str]:
        """The tags of a file.

        On S3: 1 request, and 1 more with `version_id`.

        Args:
            path: The file.
            version_id: The version; `None` for the current one.

        Returns:
            The tags, empty if there are none.

        Raises:
            CapabilityNotSupported: The backend does not have `TAGS`.
            NotFound: The file does not exist.
            InvalidPath: The path is the root, a folder, or malformed.

        Example:
            >>> from remote_store.core import Capability
            >>> if store.supports(Capability.TAGS):
            ...     tags = store.get_tags("greeting.txt")
        """
        key = self._scope.key(path)
        with self._scope.errors():
            return self._backend.get_tags(key, version_id=version_id)

    def set_tags(self, path: str, tags: Mapping[str, str], *, version_id: str | None = None) -> None:
        """Replace all tags of a file. Its content, its time and its version stay.

        On S3: 1 request, and 1 more with `version_id` or without tags.

        Args:
            path: The file.
            tags: The tags; none removes them. At most 10, with names of 1 to 128 and values of up to 256 characters:
                letters, numbers, spaces and `+-=._:/@`.
            version_id: The version; `None` for the current one.

        Raises:
            CapabilityNotSupported: The backend does not have `TAGS`.
            NotFound: The file does not exist.
            InvalidPath: The path is the root, a folder, or malformed.
            ValueError: The tags or the version id are malformed.

        Example:
            >>> from remote_store.core import Capability
            >>> if store.supports(Capability.TAGS):
            ...     store.set_tags("greeting.txt", {"project": "apollo"})
        """
        key = self._scope.key(path)
        with self._scope.errors():
            self._backend.set_tags(key, tags, version_id=version_id)
