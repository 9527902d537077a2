"""Unfinished multipart uploads, and the conditions that the endpoint honours."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from remote_store.core.aio.files import async_counted
from remote_store.core.aio.resumed_downloads import identity
from remote_store.core.aio.resumed_uploads import async_check_source, async_recording
from remote_store.core.capabilities import Capability
from remote_store.core.conditional_writes import ConditionalWrites
from remote_store.core.models import UnfinishedUpload, WriteResult
from remote_store.core.options import check_resumable, require
from remote_store.core.progress import Progress
from remote_store.core.stores.async_rooted import AsyncRooted


class AsyncUploads(AsyncRooted):
    """The methods of a store that are about how its service writes."""

    async def _resume_upload(
        self,
        source: object,
        path: str,
        *,
        overwrite: bool,
        metadata: Mapping[str, str] | None,
        content_type: str | None,
        progress: Progress | None,
        **options: Any,
    ) -> WriteResult:
        """Go on with an upload, or begin one that can go on."""
        key, needed = self._scope.key(path), Capability.MULTIPART_UPLOADS
        with self._scope.errors():
            require(needed, "resume=True", self._backend.capabilities, key, self._backend.name)
            passed = self._written(self._backend.resume_upload, key, options, overwrite=overwrite)
        check_resumable(options)
        target = identity(self._backend.resolve(key))
        async with async_recording(await async_check_source(source), target) as upload:
            content = async_counted(upload.stream, progress)
            with self._scope.errors(key):
                result = await self._backend.resume_upload(
                    key,
                    content,
                    record=upload.record,
                    keep=upload.keep,
                    overwrite=overwrite,
                    metadata=metadata,
                    content_type=content_type,
                    **passed,
                )
        return self._scope.written(result)

    async def probe_conditions(self, prefix: str) -> ConditionalWrites:
        """Find out which conditions this endpoint honours, by writing, copying and deleting a few objects.

        Each condition is tried with a request that must succeed and with one that must be refused, and the object is
        read afterwards. Of 4 writes at once with the same condition, exactly one must succeed. A server that checks a
        condition without a lock can still pass by luck, and deletes are not tried at once.

        On S3: about 100 requests. The objects and uploads are removed again, also after an error.

        Args:
            prefix: The folder to write to; `""` is the root. The names begin with `.remote-store-probe-` and end with
                random characters, so that no other file is touched.

        Returns:
            `True` or `False` for each condition. Pass it as `conditional_writes` to trust what was found.

        Raises:
            CapabilityNotSupported: The backend is not over S3.
            InvalidPath: The prefix is malformed.
            PermissionDenied: The service did not let the caller write, read or delete there.
            BackendUnavailable: The service did not respond, so that nothing was found out.

        Example:
            >>> from remote_store.core import CapabilityNotSupported
            >>> try:
            ...     found = await store.probe_conditions("probe")
            ... except CapabilityNotSupported:
            ...     print("not over S3")
            not over S3
        """
        key = self._scope.key(prefix)
        with self._scope.errors():
            return await self._backend.probe_conditions(key)

    async def list_uploads(self, path: str = "") -> AsyncIterator[UnfinishedUpload]:
        """Iterate over the multipart uploads of a file, or below a folder, that are neither completed nor aborted.

        They may belong to a writer that is still running, in any process.

        On S3: 1 request per 1,000 uploads of keys that begin with the path.

        Args:
            path: The file or the folder; `""` is the root.

        Returns:
            An iterator, in unspecified order.

        Raises:
            CapabilityNotSupported: The backend does not have `MULTIPART_UPLOADS`.
            InvalidPath: The path is malformed.

        Example:
            >>> from remote_store.core import Capability
            >>> if store.supports(Capability.MULTIPART_UPLOADS):
            ...     uploads = [upload async for upload in store.list_uploads()]
        """
        key = self._scope.below(path)
        with self._scope.errors():
            async for upload in self._backend.list_uploads(key):
                yield replace(upload, path=self._scope.path(upload.path))

    async def abort_uploads(self, path: str = "", *, older_than: timedelta) -> int:
        """Abort old uploads of a file, or below a folder, so that their parts are no longer stored and billed.

        The age of an upload is taken from the clock of the service. An upload whose age the service does not say is
        left alone. An upload that has ended meanwhile is not counted.

        On S3: 1 request per 1,000 uploads of keys that begin with the path, and 1 for each upload that is aborted.

        Args:
            path: The file or the folder; `""` is the root.
            older_than: Leave uploads alone that were begun within this time, since they may still be running.

        Returns:
            The number of uploads that were aborted.

        Raises:
            CapabilityNotSupported: The backend does not have `MULTIPART_UPLOADS`.
            InvalidPath: The path is malformed.
            RemoteStoreError: Some uploads could not be aborted, and the others were. `paths` contains their files.
            TypeError: `older_than` is not a `timedelta`.
            ValueError: `older_than` is negative.

        Example:
            >>> from datetime import timedelta
            >>> from remote_store.core import Capability
            >>> if store.supports(Capability.MULTIPART_UPLOADS):
            ...     count = await store.abort_uploads(older_than=timedelta(days=1))
        """
        key = self._scope.below(path)
        with self._scope.errors():
            return await self._backend.abort_uploads(key, older_than=older_than)
