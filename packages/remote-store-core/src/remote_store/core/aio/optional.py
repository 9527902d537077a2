"""The methods of the contract that a backend may leave out, each with what a backend does that leaves it out."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Unpack

from remote_store.core.aio.outcomes import async_outcome
from remote_store.core.capabilities import Capability
from remote_store.core.conditional_writes import ConditionalWrites
from remote_store.core.errors import CapabilityNotSupported
from remote_store.core.io.source import AsyncBinaryIO, AsyncContent
from remote_store.core.io.streams import check_ranges
from remote_store.core.models import FileVersion, Outcome, PresignedPost, UnfinishedUpload, WriteResult
from remote_store.core.options import PostCondition, ReadOptions, WriteOptions, lacking, taken


class AsyncOptional(ABC):
    """Methods with a default, so that a backend of contract 0.1 has them too.

    `delete_many` and `read_ranges` work on any backend. The others raise `CapabilityNotSupported`.
    """

    name: str

    @abstractmethod
    async def delete(self, path: str, *, missing_ok: bool = False) -> None: ...

    @abstractmethod
    async def read_seekable(self, path: str) -> AsyncBinaryIO: ...

    async def read_ranges(
        self, path: str, ranges: Sequence[tuple[int, int]], **options: Unpack[ReadOptions]
    ) -> list[bytes]:
        """Read several ranges of one version of a file. Ranges that are close to each other share a request.

        On S3: 1 request per group of ranges, several at once. A group has gaps of at most 1 MiB, and is no longer than
        4 MiB, except for a longer range. If no range has a byte, no request is sent, so the file may be missing.
        Memory: the result, and `max_concurrency` groups.

        Args:
            path: The file.
            ranges: Start and length of each range, in any order. They may overlap.
            options: `if_match` and `version_id`; see `ReadOptions`.

        Returns:
            The bytes of each range, in the order of `ranges`; fewer, or none, where the file ends first.

        Raises:
            NotFound: The file does not exist.
            InvalidPath: The path is the root, a folder, or malformed.
            CapabilityNotSupported: The backend does not have `SEEKABLE_READ`.
            PreconditionFailed: The file was replaced while it was read, or is not the version of `if_match`.
            TypeError: A range is not a pair of `int`.
            ValueError: A start or a length is negative.
        """
        asked = check_ranges(ranges)
        if not any(length for _, length in asked):
            return [b""] * len(asked)
        extra: dict[str, Any] = taken(self.read_seekable, options, path)
        found: list[bytes] = []
        async with await self.read_seekable(path, **extra) as file:
            # A read may allocate all that it is asked for, so a range ends with the file.
            size = await file.seek(0, io.SEEK_END)
            for start, length in asked:
                await file.seek(min(start, size))
                found.append(await file.read(min(length, max(size - start, 0))))
        return found

    async def delete_many(self, paths: Iterable[str]) -> AsyncIterator[Outcome[None]]:
        """Delete files. A file that does not exist counts as deleted.

        A path that fails does not end it: its outcome has the error. A folder is never deleted: its outcome has
        `InvalidPath`, or no error where the backend does not look, as on S3. An exception that `paths` raises passes
        unchanged.

        On S3: 1 request per 1,000 files, if the server has DeleteObjects; 2 for a path that ends in a slash.

        Args:
            paths: The files. A path that comes twice has two outcomes.

        Returns:
            An iterator over an outcome for each path, in unspecified order, whose `path` is as you gave it.
        """
        for path in paths:
            yield await async_outcome(partial(self.delete, path, missing_ok=True), path)

    async def presign(
        self,
        path: str,
        *,
        method: str = "GET",
        expires_in: float | timedelta = 3600,
        content_type: str | None = None,
        response_headers: Mapping[str, str] | None = None,
        version_id: str | None = None,
    ) -> str:
        """Make a URL with which anyone can read, write or delete one file for some time, without credentials.

        Sends no request, so the file need not exist, and the service may still refuse the URL when it is used. It is
        signed with AWS Signature Version 4. A `PUT` replaces a file that exists.

        Args:
            path: The file.
            method: What the URL allows: `GET`, `HEAD`, `PUT` or `DELETE`.
            expires_in: Seconds until the URL expires, or a `timedelta`; 1 second to 7 days, rounded down to whole
                seconds. With temporary credentials, the URL expires no later than they do.
            content_type: With `PUT`, the `Content-Type` header that the request must have; it is stored with the file.
                `None` allows any, and none.
            response_headers: With `GET` and `HEAD`, headers that the response has instead of the stored ones:
                `Cache-Control`, `Content-Disposition`, `Content-Encoding`, `Content-Language`, `Content-Type` and
                `Expires`.
            version_id: With `GET`, `HEAD` and `DELETE`, the version. Needs `VERSIONS`.

        Returns:
            The URL. It is a secret: do not log it.

        Raises:
            CapabilityNotSupported: The backend does not have `PRESIGN`, or a request by URL cannot have one of its
                `put_options`.
            InvalidPath: The path is the root, or malformed.
            InvalidConfiguration: The client that was passed to the backend signs with Signature Version 2.
            PermissionDenied: There are no credentials to sign with.
            ValueError: The method cannot be presigned, the time is not between 1 second and 7 days, or an argument
                is malformed or does not fit the method.
        """
        raise self._lacks(Capability.PRESIGN, "presign", path)

    async def presign_post(
        self,
        prefix: str,
        conditions: Sequence[PostCondition] = (),
        *,
        expires_in: float | timedelta = 3600,
        max_size: int | None = None,
        content_type: str | None = None,
    ) -> PresignedPost:
        """Make a form with which anyone can upload files below a prefix for some time, without credentials.

        Sends no request. A browser sends the form as `multipart/form-data`. It replaces a file that exists.

        Args:
            prefix: What the path of the file must begin with, such as `uploads/`. The field `key` of the form is the
                prefix and `${filename}`, for which S3 puts the name of the file that is sent. The sender may put any
                other path that begins with the prefix.
            conditions: More conditions of S3's POST policy. An exact one, such as `{"acl": "private"}`, is also a field
                of the form. For another, such as `["starts-with", "$x-amz-meta-user", ""]`, add the field.
            expires_in: Seconds until the form expires, or a `timedelta`; 1 second to 7 days, rounded down to whole
                seconds. With temporary credentials, the form expires no later than they do.
            max_size: The largest number of bytes of the file; `None` for any.
            content_type: The content type that is stored with the file. With one that ends in `/*`, such as `image/*`,
                add a field `Content-Type` to the form, with a value that begins like it. `None` allows no such field.

        Returns:
            The address and the fields of the form. They are secrets: do not log them.

        Raises:
            CapabilityNotSupported: The backend does not have `PRESIGN`, the bucket takes no forms, or the backend has
                `put_options`.
            InvalidPath: The prefix is the root, or malformed.
            InvalidConfiguration: The client that was passed to the backend signs with Signature Version 2.
            PermissionDenied: There are no credentials to sign with.
            ValueError: The time is not between 1 second and 7 days, `max_size` is negative, or a condition is malformed
                or about a field that the other arguments set.
        """
        raise self._lacks(Capability.PRESIGN, "presign_post", prefix)

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
        """
        message = "only a backend over S3 has conditions to probe"
        raise CapabilityNotSupported(message, capability="probe_conditions", path=prefix, backend=self.name)

    def list_uploads(self, path: str) -> AsyncIterator[UnfinishedUpload]:
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
        """
        raise self._lacks(Capability.MULTIPART_UPLOADS, "list_uploads", path)

    async def abort_uploads(self, path: str, *, older_than: timedelta) -> int:
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
        """
        raise self._lacks(Capability.MULTIPART_UPLOADS, "abort_uploads", path)

    async def resume_upload(
        self,
        path: str,
        content: AsyncContent,
        *,
        record: Mapping[str, str],
        keep: Callable[[Mapping[str, str]], object],
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        **options: Unpack[WriteOptions],
    ) -> WriteResult:
        """Write a file so that, after a failure, a later call with the same content sends only what is missing.

        `Store.upload` calls it with `resume=True`. The caller makes sure that no two calls have the same record at
        the same time. Nothing but the bytes of `content` is ever written: what an earlier call sent counts only if its
        digest is that of the content.

        On S3: the same as `write`; a call that goes on sends 1 request per 1,000 parts, 1 per missing part, and 1 more.

        Args:
            path: The file.
            content: The content, from its start. Its length must be known.
            record: What `keep` was called with in the call that failed; empty if there was none.
            keep: Called once before any byte is sent, with what a later call needs, or with an empty mapping. What it
                gets contains no secret. If it raises, nothing is written.
            overwrite: Replace the file if it exists. The condition is checked when all is sent.
            metadata: User metadata, as in `write`.
            content_type: MIME type to store with the file.
            options: As in `write`, but no `checksum`.

        Returns:
            The file as the service confirmed it.

        Raises:
            AlreadyExists: The file exists and `overwrite` is `False`.
            CapabilityNotSupported: The backend does not have `MULTIPART_UPLOADS`.
            InvalidPath: The path is the root, or malformed.
            PermissionDenied: The service did not let the caller list the parts, or write.
            ValueError: The length of the content is not known, or there is a `checksum`.
        """
        raise self._lacks(Capability.MULTIPART_UPLOADS, "resume_upload", path)

    def list_versions(self, path: str) -> AsyncIterator[FileVersion]:
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
        """
        raise self._lacks(Capability.VERSIONS, "list_versions", path)

    async def restore_version(self, path: str, version_id: str) -> WriteResult:
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
        """
        raise self._lacks(Capability.VERSIONS, "restore_version", path)

    async def get_tags(self, path: str, *, version_id: str | None = None) -> dict[str, str]:
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
        """
        raise self._lacks(Capability.TAGS, "get_tags", path)

    async def set_tags(self, path: str, tags: Mapping[str, str], *, version_id: str | None = None) -> None:
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
        """
        raise self._lacks(Capability.TAGS, "set_tags", path)

    def _lacks(self, capability: Capability, method: str, path: str) -> CapabilityNotSupported:
        return lacking(capability, f"the method {method}", path, self.name)
