# Generated from packages/remote-store-core/src/remote_store/core/s3/aio_backend.py by tools/unasync.py; edit that.
"""The backend that a lane fills with a port: each method checks its arguments and hands an operation to the runner."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, BinaryIO, Self, TypeVar, cast

from remote_store.core.backend import Backend
from remote_store.core.capabilities import Capability
from remote_store.core.errors import CapabilityNotSupported, InvalidPath
from remote_store.core.glob import GlobPattern
from remote_store.core.home import public
from remote_store.core.io.source import Content
from remote_store.core.io.streams import Source, check_max_depth, check_range
from remote_store.core.metadata import MOST_ENTRIES, MOST_OF_A_HANDLE, check_content_type, check_metadata
from remote_store.core.models import FileInfo, FolderEntry, FolderInfo, ResolutionPlan, WriteResult
from remote_store.core.path import require_text
from remote_store.core.s3.engine.errors import contract_errors
from remote_store.core.s3.engine.reader import ObjectReader
from remote_store.core.s3.engine.runner import Runner
from remote_store.core.s3.engine.spool import Spool
from remote_store.core.s3.operations import copying, deleting, fetching, listing, paging, probes, writing
from remote_store.core.s3.operations.bucket import Bucket
from remote_store.core.s3.operations.paging import Cursor
from remote_store.core.s3.operations.reading import ReadPlan
from remote_store.core.s3.operations.steps import Operation
from remote_store.core.s3.protocol.calls import S3Port
from remote_store.core.s3.protocol.keys import check_folder, check_key, check_new_key
from remote_store.core.s3.protocol.options import S3Options, check_bucket
from remote_store.core.s3.protocol.pages import Page

T = TypeVar("T")


@public("remote_store.core.s3")
class S3Backend(Backend):
    """The contract over one bucket of an S3 server, for any SDK: a lane says how to connect, and nothing else.

    Making one does no I/O. Requests per method are those of the operations in `remote_store.core.s3`.

    Args:
        bucket: Name of the bucket.
        options: The checked options.
        own_client: Whether the lane makes the client, so that it reads as many header lines as the lane sees to.

    Raises:
        ValueError: The name of the bucket is blank or malformed.
    """

    name = "s3"
    capabilities = frozenset(Capability) - {Capability.ATOMIC_MOVE}

    def __init__(self, bucket: str, options: S3Options, *, own_client: bool = True) -> None:
        self._bucket = Bucket(check_bucket(bucket), options)
        self._most_metadata = MOST_ENTRIES if own_client else MOST_OF_A_HANDLE
        if not options.endpoint.creates_atomically:
            self.capabilities = self.capabilities - {Capability.ATOMIC_CREATE}
        self._runner = self._new_runner()

    def _new_runner(self) -> Runner:
        return Runner(self._connect, self._bucket.options.max_concurrency)

    @abstractmethod
    def _connect(self) -> S3Port:
        """Make the port: called at the first request of a process, and once."""

    def exists(self, path: str) -> bool:
        """Whether a file or a folder is there: 1 request for a file, else 2, none for the root."""
        self._check(check_folder, path)
        return not path or self._run(probes.exists(self._bucket, path), path)

    def is_file(self, path: str) -> bool:
        """Whether a file is there: 1 request, none for the root."""
        self._check(check_folder, path)
        return bool(path) and self._run(probes.is_file(self._bucket, path), path)

    def is_folder(self, path: str) -> bool:
        """Whether a folder is there: 1 request, none for the root."""
        self._check(check_folder, path)
        return not path or self._run(probes.is_folder(self._bucket, path), path)

    def read(self, path: str) -> BinaryIO:
        """Open a file for reading from its start: 1 request, and 1 more for each seek that is read from.

        A `read` or `readinto` of 32 MiB, or 4 times a smaller `part_size`, or more is several requests at once. After
        8 MiB in sequence, as long as 32 MiB or more are left, ranges of 4 MiB are fetched ahead: `max_concurrency` at
        once, in less memory than as many parts. A seek away from them, or `close`, cancels what is under way.
        """
        self._check(check_key, path)
        plan, body = self._run(fetching.open_sequential(self._bucket, path), path)
        return self._reader(plan, body, path, exact=False)

    def read_seekable(self, path: str) -> BinaryIO:
        """Open a file for random access: 1 request, and 1 more for each read."""
        self._check(check_key, path)
        plan = self._run(fetching.open_random(self._bucket, path), path)
        return self._reader(plan, None, path, exact=True)

    def read_bytes(self, path: str) -> bytes:
        """The whole content: 1 request, and ranges at once from 32 MiB, or 4 times a smaller `part_size`, on."""
        self._check(check_key, path)
        return self._run(fetching.read_bytes(self._bucket, path), path)

    def read_range(self, path: str, start: int, length: int) -> bytes:
        """Up to `length` bytes from `start`: 1 request, and ranges at once as in `read_bytes`."""
        self._check(check_key, path)
        check_range(start, length)
        return self._run(fetching.read_range(self._bucket, path, start, length), path)

    def write(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        """Write a whole object or nothing: 1 request up to `part_size`, n + 2 for n parts.

        With `overwrite=False` it is a conditional request, and 1 HEAD before it where the endpoint is not known to
        honour conditions. Memory: `max_concurrency` + 1 parts. A failed upload is aborted; where the response to
        `CreateMultipartUpload` is lost, the upload stays until a lifecycle rule of the bucket removes it.
        """
        self._check(check_new_key, path)
        described = check_metadata(metadata, most=self._most_metadata)
        check_content_type(content_type)
        source = Source(content)
        operation = writing.write(
            self._bucket, path, source.size, overwrite=overwrite, metadata=described, content_type=content_type
        )
        return self._run(operation, path, source)

    def write_atomic(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> WriteResult:
        """The same as `write`, which is atomic on S3."""
        return self.write(path, content, overwrite=overwrite, metadata=metadata, content_type=content_type)

    @contextmanager
    def _spooled(self, path: str, *, overwrite: bool, **described: Any) -> Iterator[BinaryIO]:
        if not overwrite:
            self._run(probes.refuse_existing(self._bucket, path), path)
        spool = Spool(self._bucket.options.part_size)
        try:
            yield cast("BinaryIO", spool)
            self.write(path, spool.content(), overwrite=overwrite, **described)
        finally:
            spool.release()

    def open_atomic(
        self,
        path: str,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> Any:
        """Open a file to be written in blocks, spooled to disk above `part_size`, written on a clean exit.

        A create looks first whether the file exists: 1 request more than `write`.
        """
        self._check(check_new_key, path)
        check_metadata(metadata, most=self._most_metadata)
        check_content_type(content_type)
        return self._spooled(path, overwrite=overwrite, metadata=metadata, content_type=content_type)

    def delete(self, path: str, *, missing_ok: bool = False) -> None:
        """Delete one object: 2 requests."""
        self._check(check_key, path)
        self._run(deleting.delete(self._bucket, path, missing_ok=missing_ok), path)

    def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        """Delete what is below a folder, its marker too: 2 requests for each 1,000 keys."""
        self._check(check_key, path)
        operation = deleting.delete_folder(self._bucket, path, recursive=recursive, missing_ok=missing_ok)
        self._run(operation, path)

    def list_files(self, path: str, *, recursive: bool = False, max_depth: int | None = None) -> Iterator[FileInfo]:
        """The files of a folder: 1 request for each 1,000 keys, whatever the number of folders."""
        self._check(check_folder, path)
        check_max_depth(max_depth)
        return self._pages(path, *listing.files_in(path, recursive=recursive, max_depth=max_depth))

    def list_folders(self, path: str) -> Iterator[FolderEntry]:
        """The folders directly in a folder: 1 request for each 1,000 entries."""
        self._check(check_folder, path)
        return self._pages(path, *listing.folders_in(path))

    def iter_children(self, path: str) -> Iterator[FileInfo | FolderEntry]:
        """The files and folders directly in a folder: 1 request for each 1,000 entries."""
        self._check(check_folder, path)
        return self._pages(path, *listing.children_of(path))

    def get_file_info(self, path: str) -> FileInfo:
        """The facts of one file: 1 request."""
        self._check(check_key, path)
        return self._run(probes.get_file_info(self._bucket, path), path)

    def get_folder_info(self, path: str) -> FolderInfo:
        """The totals of one folder: 1 request for each 1,000 keys."""
        self._check(check_folder, path)
        return self._run(listing.get_folder_info(self._bucket, path), path)

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        """Look at the source, copy it, and delete it if it is still what was copied: 3 requests.

        Where the endpoint is not known to honour conditions, 1 HEAD more before each request that is conditional. A
        source that is replaced between the last HEAD and the delete is lost then.
        """
        self._check(check_key, src)
        self._check(check_new_key, dst)
        self._run(copying.move(self._bucket, src, dst, overwrite=overwrite), src)

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        """Copy one object inside the bucket, at any size, without passing it through the client: 1 to 2 requests."""
        self._check(check_key, src)
        self._check(check_new_key, dst)
        self._run(copying.copy(self._bucket, src, dst, overwrite=overwrite), src)

    def glob(self, pattern: str) -> Iterator[FileInfo]:
        """The files that match: 1 request for each 1,000 keys behind the pattern's plain beginning."""
        self._check(require_text, pattern)
        parsed = GlobPattern.parse(pattern, self.name)
        cursor = Cursor(parsed.prefix, "" if parsed.recursive else "/")
        return self._pages(pattern, cursor, lambda page: (info for info in page.files() if parsed.matches(info.path)))

    def native_path(self, key: str) -> str:
        """`bucket/key`."""
        require_text(key)
        return f"{self._bucket.name}/{key}" if key else self._bucket.name

    def to_key(self, path: str) -> str:
        """The key of a `bucket/key`."""
        require_text(path)
        bucket = self._bucket.name
        # The ARN of an access point may hold a slash itself.
        if path != bucket and not path.startswith(f"{bucket}/"):
            raise InvalidPath(f"a native path here begins with {bucket}/", path=path, backend=self.name)
        return path[len(bucket) + 1 :]

    def resolve(self, key: str) -> ResolutionPlan:
        """The bucket, the endpoint and the region of a key."""
        options = self._bucket.options
        place = {"bucket": self._bucket.name, "endpoint_url": options.endpoint_url, "region_name": options.region_name}
        details = {name: value for name, value in place.items() if value is not None}
        return ResolutionPlan("s3", self.name, key, self.native_path(key), details)

    def check_health(self) -> None:
        """List one key of the bucket: 1 request, whose response has a code where that of a HEAD has none."""
        self._run(probes.check_health(self._bucket), None)

    def unwrap(self, kind: type[T]) -> T:
        """Refuse: this backend hands out no native handle; a lane that has one does.

        Raises:
            CapabilityNotSupported: Always.
        """
        self._runner.check_open()
        raise CapabilityNotSupported(f"no handle of type {kind.__name__} here", capability="unwrap", backend=self.name)

    def close(self) -> None:
        """Close the client, unless it is the user's own."""
        self._runner.close()

    def __enter__(self) -> Self:
        self._runner.check_open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        endpoint = self._bucket.options.endpoint_url
        return f"{type(self).__name__}({self._bucket.name!r}{f', endpoint_url={endpoint!r}' if endpoint else ''})"

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_runner"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._runner = self._new_runner()

    def _check(self, check: Callable[[str], None], path: str) -> None:
        with contract_errors(self.name, path):
            self._runner.check_open()
            check(path)

    def _run(self, operation: Operation[T], path: str | None, source: Source | None = None) -> T:
        with contract_errors(self.name, path, source):
            return self._runner.run(operation, source)

    def _reader(self, plan: ReadPlan, body: Any, path: str, *, exact: bool) -> BinaryIO:
        options = self._bucket.options
        reader = ObjectReader(self._runner, options, plan, body, exact=exact, backend=self.name, path=path)
        return cast("BinaryIO", reader)

    def _pages(self, path: str, cursor: Cursor, take: Callable[[Page], Iterator[T]]) -> Iterator[T]:
        while not cursor.done:
            page = self._run(paging.next_page(self._bucket, cursor), path)
            for item in take(page):
                yield item
