# Generated from packages/remote-store-fsspec/src/remote_store/fsspec/operations/aio/reading.py by tools/unasync.py;
# edit that.
"""The bytes of files and of ranges."""

from __future__ import annotations

from functools import partial
from typing import Any

from remote_store.core import NotModified, RemotePath
from remote_store.fsspec.cache import ContentCache
from remote_store.fsspec.errors import translated
from remote_store.fsspec.names.pairs import is_folder
from remote_store.fsspec.names.paths import exact, key_of
from remote_store.fsspec.operations.concurrency import gather
from remote_store.fsspec.operations.listing import Listing
from remote_store.fsspec.operations.ranges import Ranges, is_plain_range


class Reading(Listing):
    """The methods of a filesystem that return the bytes of files.

    Attributes:
        cache: The content of small files, if the caller asked for a cache.
    """

    cache: ContentCache | None = None

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **options: Any) -> bytes:
        """The bytes of a file, or of a range of it. Negative offsets count from the end.

        On S3: 1 request; 2 for a negative offset, or for a range without an end.

        Args:
            path: The file.
            start: Offset of the first byte.
            end: Offset behind the last byte.
            options: `if_match` and `version_id`, as of the store.
        """
        key = exact(key_of(path))
        with translated():
            if start is None and end is None:
                return self._whole(key, options)
            if is_plain_range(start, end):
                return self.store.read_range(key, start or 0, max(0, (end or 0) - (start or 0)), **options)
            with self.store.read_seekable(key, **options) as file:
                size = (file.get_info()).size
                first, last, _ = slice(start, end).indices(size)
                file.seek(first)
                return file.read(max(0, last - first))

    def _whole(self, key: RemotePath, options: dict[str, Any]) -> bytes:
        """The bytes of a file. With a cache, those that are kept if the service says that they are current."""
        if self.cache is None or options:
            return self.store.read_bytes(key, **options)
        kept = self.cache.of(key)
        if kept is not None:
            content = self.store.read_bytes(key, if_none_match=kept.etag)
            if isinstance(content, NotModified):
                return kept.content
            # The answer does not say the ETag of the new version.
            self.cache.forget(key)
            return content
        with self.store.read(key) as file:
            content = file.read()
            self.cache.keep(key, (file.get_info()).etag, content)
        return content

    def cat(
        self,
        path: str | list[str],
        recursive: bool = False,
        on_error: str = "raise",
        batch_size: int | None = None,
        **options: Any,
    ) -> Any:
        """The bytes of a file, or a dict of those of several, which are read several at once."""
        entries = self._expanded(path, recursive, None, globs=True)
        paths = [name for name in entries if not is_folder(entries, name)]
        if isinstance(path, str) and paths == [key_of(path)] and on_error == "raise":
            return self.cat_file(paths[0], **options)
        results = gather([partial(self.cat_file, name, **options) for name in paths])
        failures = [result for result in results if isinstance(result, Exception)]
        if failures and on_error == "raise":
            raise failures[0]
        return {
            name: result
            for name, result in zip(paths, results, strict=True)
            if on_error != "omit" or not isinstance(result, Exception)
        }

    def cat_ranges(
        self,
        paths: list[str],
        starts: Any,
        ends: Any,
        max_gap: int | None = None,
        batch_size: int | None = None,
        on_error: str = "return",
        **options: Any,
    ) -> list[Any]:
        """Read ranges of files. Ranges of one file are of one version, and share a request if they are close.

        On S3: 1 request per group of close ranges of a file, several at once. `max_gap` is the store's.
        """
        ranges = Ranges.of(paths, starts, ends)
        calls = [partial(self._ranges_of, path, asked, options) for path, asked in ranges.by_path.items()]
        results = gather(calls)
        if on_error != "return":
            for result in results:
                if isinstance(result, Exception):
                    raise result
        return ranges.collected(results)

    def _ranges_of(self, path: str, asked: list[tuple[Any, Any]], options: dict[str, Any]) -> list[bytes]:
        if all(start is not None and end is not None and is_plain_range(start, end) for start, end in asked):
            pairs = [(start, max(0, end - start)) for start, end in asked]
            with translated():
                return self.store.read_ranges(exact(key_of(path)), pairs, **options)
        return [self.cat_file(path, start, end, **options) for start, end in asked]

    def head(self, path: str, size: int = 1024) -> bytes:
        """The first bytes of a file. On S3: 1 request."""
        return self.cat_file(path, 0, size)

    def tail(self, path: str, size: int = 1024) -> bytes:
        """The last bytes of a file. On S3: 2 requests."""
        return self.cat_file(path, -size if size else 0, None if size else 0)
