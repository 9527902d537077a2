"""The S3 backend that lanes subclass. Each method checks its arguments and passes an operation to the runner."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Unpack, cast, overload

from remote_store.core.aio.streams import AsyncSource
from remote_store.core.glob import GlobPattern
from remote_store.core.home import public
from remote_store.core.io.source import AsyncBinaryIO, AsyncContent
from remote_store.core.io.streams import check_max_depth, check_range
from remote_store.core.metadata import check_content_type, check_metadata
from remote_store.core.models import FileInfo, FolderEntry, FolderInfo, NotModified, WriteResult
from remote_store.core.options import (
    ConditionalReadOptions,
    CopyOptions,
    DeleteOptions,
    MoveOptions,
    ReadOptions,
    WriteOptions,
    check_write_options,
)
from remote_store.core.path import require_text
from remote_store.core.s3.aio_bulk import AsyncS3Bulk
from remote_store.core.s3.aio_presigning import AsyncS3Presigning
from remote_store.core.s3.aio_probing import AsyncS3Probing
from remote_store.core.s3.aio_uploads import AsyncS3Uploads
from remote_store.core.s3.aio_versions import AsyncS3Versions
from remote_store.core.s3.engine.aio_spool import AsyncSpool
from remote_store.core.s3.operations import copying, deleting, fetching, listing, probes, versions, writing
from remote_store.core.s3.operations.paging import Cursor
from remote_store.core.s3.protocol.keys import check_folder, check_key, check_new_key


@public("remote_store.core.s3")
class AsyncS3Backend(
    AsyncS3Bulk,
    AsyncS3Probing,
    AsyncS3Uploads,
    AsyncS3Presigning,
    AsyncS3Versions,
):
    """Implements the contract on one bucket of an S3 server. A lane subclasses it and makes the port in `_connect`.

    The constructor does no I/O.

    Args:
        bucket: Name of the bucket.
        options: The checked options.
        own_client: Whether the lane makes the client, so that the client reads as many header lines as the lane allows.

    Raises:
        ValueError: The name of the bucket is blank or malformed.
    """

    async def exists(self, path: str) -> bool:
        """Whether a file or a folder exists: 1 request for a file, else 2; none for the root."""
        self._check(check_folder, path)
        return not path or await self._run(probes.exists(self._bucket, path), path)

    async def is_file(self, path: str) -> bool:
        """Whether a file exists: 1 request; none for the root."""
        self._check(check_folder, path)
        return bool(path) and await self._run(probes.is_file(self._bucket, path), path)

    async def is_folder(self, path: str) -> bool:
        """Whether a folder exists: 1 request; none for the root."""
        self._check(check_folder, path)
        return not path or await self._run(probes.is_folder(self._bucket, path), path)

    async def read(self, path: str, **options: Unpack[ReadOptions]) -> AsyncBinaryIO:
        """Open a file for reading from its start: 1 request, and 1 more for each read after a seek.

        The `info` of the file comes from the same response.

        A `read` or `readinto` of at least 32 MiB (4 times `part_size`, if that is less) sends several range requests
        concurrently. After 8 MiB read in sequence at less than 128 MiB a second, while at least 32 MiB are left,
        `max_concurrency` ranges of 4 MiB are fetched ahead, in less memory than `max_concurrency` parts. A seek away
        from them, or `close`, cancels them.
        """
        self._check(check_key, path)
        allowance = self._allowance()
        opened = await self._run(
            fetching.open_sequential(self._bucket, path, self._asked(ReadOptions, path, options)), path, None, allowance
        )
        return self._reader(opened, path, exact=False, allowance=allowance)

    async def read_seekable(self, path: str, **options: Unpack[ReadOptions]) -> AsyncBinaryIO:
        """Open a file for random access: 1 request, and 1 more for each read.

        The `info` of the file comes from the first response.
        """
        self._check(check_key, path)
        allowance = self._allowance()
        opened = await self._run(
            fetching.open_random(self._bucket, path, self._asked(ReadOptions, path, options)), path, None, allowance
        )
        return self._reader(opened, path, exact=True, allowance=allowance)

    @overload
    async def read_bytes(self, path: str, **options: Unpack[ReadOptions]) -> bytes: ...

    @overload
    async def read_bytes(self, path: str, **options: Unpack[ConditionalReadOptions]) -> bytes | NotModified: ...

    async def read_bytes(self, path: str, **options: Unpack[ConditionalReadOptions]) -> bytes | NotModified:
        """The whole content: 1 request; concurrent ranges from 32 MiB on (4 times `part_size`, if that is less)."""
        self._check(check_key, path)
        asked = self._asked(ConditionalReadOptions, path, options)
        return await self._run(fetching.read_unless(self._bucket, path, asked), path)

    async def read_range(self, path: str, start: int, length: int, **options: Unpack[ReadOptions]) -> bytes:
        """Up to `length` bytes from `start`: 1 request; concurrent ranges as in `read_bytes`."""
        self._check(check_key, path)
        check_range(start, length)
        asked = self._asked(ReadOptions, path, options)
        return await self._run(fetching.read_range(self._bucket, path, start, length, asked), path)

    async def write(
        self,
        path: str,
        content: AsyncContent,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        **options: Unpack[WriteOptions],
    ) -> WriteResult:
        """Write a whole object: 1 request up to `part_size`, n + 2 for n parts. A failed write leaves no object.

        With `overwrite=False` the request is conditional. If the endpoint is not known to honour conditions, 1 HEAD
        comes first. Memory: `max_concurrency` + 1 parts. A failed upload is aborted. If the response to
        `CreateMultipartUpload` is lost, the upload stays until a lifecycle rule of the bucket removes it.
        """
        self._check(check_new_key, path)
        described = check_metadata(metadata, most=self._most_metadata)
        check_content_type(content_type)
        check_write_options(options, overwrite=overwrite)
        asked = self._asked(WriteOptions, path, options)
        source = AsyncSource(content)
        operation = writing.write(
            self._bucket,
            path,
            source.size,
            overwrite=overwrite,
            metadata=described,
            content_type=content_type,
            options=asked,
        )
        return await self._run(operation, path, source)

    async def write_atomic(
        self,
        path: str,
        content: AsyncContent,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        **options: Unpack[WriteOptions],
    ) -> WriteResult:
        """The same as `write`, because writes to S3 are atomic."""
        return await self.write(
            path, content, overwrite=overwrite, metadata=metadata, content_type=content_type, **options
        )

    @asynccontextmanager
    async def _spooled(self, path: str, *, overwrite: bool, **described: Any) -> AsyncIterator[AsyncBinaryIO]:
        if not overwrite:
            await self._run(probes.refuse_existing(self._bucket, path), path)
        spool = AsyncSpool(self._bucket.options.part_size)
        try:
            yield cast("AsyncBinaryIO", spool)
            await self.write(path, spool.content(), overwrite=overwrite, **described)
        finally:
            spool.release()

    def open_atomic(
        self,
        path: str,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        **options: Unpack[WriteOptions],
    ) -> Any:
        """Open a file for writing in blocks. They are spooled, on disk above `part_size`, and uploaded on a clean exit.

        With `overwrite=False`, 1 HEAD first checks whether the file exists: 1 request more than `write`.
        """
        self._check(check_new_key, path)
        described = check_metadata(metadata, most=self._most_metadata)
        check_content_type(content_type)
        check_write_options(options, overwrite=overwrite)
        asked = self._asked(WriteOptions, path, options)
        return self._spooled(path, overwrite=overwrite, metadata=described, content_type=content_type, **asked)

    async def delete(self, path: str, *, missing_ok: bool = False, **options: Unpack[DeleteOptions]) -> None:
        """Delete one object: 2 requests; 1 with `if_match`. With `version_id`, 2, and 1 LIST more for a marker."""
        self._check(check_key, path)
        asked = self._asked(DeleteOptions, path, options)
        if "version_id" in asked:
            operation = versions.delete(self._bucket, path, asked, missing_ok=missing_ok)
        elif "if_match" in asked:
            operation = deleting.delete_version(self._bucket, path, asked["if_match"], missing_ok=missing_ok)
        else:
            operation = deleting.delete(self._bucket, path, missing_ok=missing_ok)
        await self._run(operation, path)

    async def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        """Delete all keys in a folder, including its marker: 2 requests per 1,000 keys."""
        self._check(check_key, path)
        operation = deleting.delete_folder(self._bucket, path, recursive=recursive, missing_ok=missing_ok)
        await self._run(operation, path)

    def list_files(
        self, path: str, *, recursive: bool = False, max_depth: int | None = None
    ) -> AsyncIterator[FileInfo]:
        """The files of a folder: 1 request per 1,000 keys, for any number of folders."""
        self._check(check_folder, path)
        check_max_depth(max_depth)
        return self._pages(path, *listing.files_in(path, recursive=recursive, max_depth=max_depth))

    def list_folders(self, path: str) -> AsyncIterator[FolderEntry]:
        """The folders directly in a folder: 1 request per 1,000 entries."""
        self._check(check_folder, path)
        return self._pages(path, *listing.folders_in(path))

    def iter_children(self, path: str) -> AsyncIterator[FileInfo | FolderEntry]:
        """The files and folders directly in a folder: 1 request per 1,000 entries."""
        self._check(check_folder, path)
        return self._pages(path, *listing.children_of(path))

    @overload
    async def get_file_info(self, path: str, **options: Unpack[ReadOptions]) -> FileInfo: ...

    @overload
    async def get_file_info(self, path: str, **options: Unpack[ConditionalReadOptions]) -> FileInfo | NotModified: ...

    async def get_file_info(self, path: str, **options: Unpack[ConditionalReadOptions]) -> FileInfo | NotModified:
        """The `FileInfo` of one file: 1 request."""
        self._check(check_key, path)
        asked = self._asked(ConditionalReadOptions, path, options)
        return await self._run(probes.get_file_info(self._bucket, path, asked), path)

    async def get_folder_info(self, path: str) -> FolderInfo:
        """The totals of one folder: 1 request per 1,000 keys."""
        self._check(check_folder, path)
        return await self._run(listing.get_folder_info(self._bucket, path), path)

    async def move(self, src: str, dst: str, *, overwrite: bool = False, **options: Unpack[MoveOptions]) -> None:
        """Check the source, copy it, and delete it if it is still the version that was copied: 3 requests.

        If the endpoint is not known to honour conditions, each conditional request costs 1 HEAD more. A source that is
        replaced between the last HEAD and the delete is then lost.
        """
        self._check(check_key, src)
        self._check(check_new_key, dst)
        asked = self._asked(MoveOptions, src, options)
        await self._run(copying.move(self._bucket, src, dst, overwrite=overwrite, options=asked), src)

    async def copy(self, src: str, dst: str, *, overwrite: bool = False, **options: Unpack[CopyOptions]) -> None:
        """Copy one object of any size inside the bucket. The server copies the bytes: 1 to 2 requests up to 5 GiB.

        With `if_match`, 1 HEAD compares first, and the copy is pinned to that version, on servers that honour it.
        """
        self._check(check_key, src)
        self._check(check_new_key, dst)
        asked = self._asked(CopyOptions, src, options)
        await self._run(copying.copy(self._bucket, src, dst, overwrite=overwrite, options=asked), src)

    def glob(self, pattern: str) -> AsyncIterator[FileInfo]:
        """The files that match: 1 request per 1,000 keys with the pattern's prefix before its first wildcard."""
        self._check(require_text, pattern)
        parsed = GlobPattern.parse(pattern, self.name)
        cursor = Cursor(parsed.prefix, "" if parsed.recursive else "/")
        return self._pages(pattern, cursor, lambda page: (info for info in page.files() if parsed.matches(info.path)))
