# Generated from packages/remote-store-core/src/remote_store/core/stores/async_bulk.py by tools/unasync.py; edit that.
"""Many paths, or many ranges of one file, in one call."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Unpack

from remote_store.core.errors import RemoteStoreError, about
from remote_store.core.io.outcomes import (
    MOST_AT_ONCE,
    Items,
    check_max_concurrency,
    each,
    each_pair,
    ending,
    outcome,
    unordered,
)
from remote_store.core.io.source import Content
from remote_store.core.io.streams import check_ranges
from remote_store.core.models import FileInfo, Outcome, WriteResult
from remote_store.core.options import ReadOptions, WriteOptions
from remote_store.core.stores.rooted import Rooted

DELETED_AT_ONCE = 1000
"""Paths that a backend is given at once: as many as S3 deletes by one request."""

UNSAID = "the backend did not say whether it deleted the file; look, and tell the author of the backend"


class Bulk(Rooted, ABC):
    """The methods of a store that are about many paths or ranges."""

    @abstractmethod
    def read_bytes(self, path: str) -> bytes: ...

    @abstractmethod
    def head(self, path: str) -> FileInfo: ...

    @abstractmethod
    def write(
        self,
        path: str,
        content: Content,
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        **options: Unpack[WriteOptions],
    ) -> WriteResult: ...

    @abstractmethod
    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None: ...

    def read_many(self, paths: Items[str], *, max_concurrency: int = MOST_AT_ONCE) -> Iterator[Outcome[bytes]]:
        """Read whole files, several at once. The outcomes come as they are ready, not in order.

        A path that fails does not end it: its outcome has the error. An exception of your own, in `paths` or in the
        loop, and closing the iterator do: no further file is requested, and those in flight are given up or waited for,
        10 s at most. Paths are taken while you wait for an outcome, never in between, and at most `max_concurrency`
        outcomes are outstanding. So `paths` may be endless. Memory: `max_concurrency` files.

        On S3: the requests of `read_bytes` for each file.

        Args:
            paths: The files. A path that comes twice is read twice.
            max_concurrency: Most files at once. Blocking calls run in as many threads; 1 means your own thread.

        Returns:
            An iterator over an outcome for each path, whose `path` is as you gave it.

        Raises:
            TypeError: `paths` is one path, or cannot be iterated over; or `max_concurrency` is not an `int`.
            ValueError: `max_concurrency` is less than 1.

        Example:
            >>> for outcome in store.read_many(["greeting.txt"]):
            ...     print(outcome.path, outcome.result())
            greeting.txt b'hello'
        """
        check_max_concurrency(max_concurrency)

        def read(path: str) -> Outcome[bytes]:
            return outcome(partial(self.read_bytes, path), path)

        return unordered(each(paths), read, max_concurrency)

    def head_many(self, paths: Items[str], *, max_concurrency: int = MOST_AT_ONCE) -> Iterator[Outcome[FileInfo]]:
        """Describe files, several at once, as `read_many` reads them.

        On S3: the requests of `head` for each file.

        Args:
            paths: The files. A path that comes twice is looked at twice.
            max_concurrency: Most files at once. Blocking calls run in as many threads; 1 means your own thread.

        Returns:
            An iterator over an outcome for each path, whose `path` is as you gave it.

        Raises:
            TypeError: `paths` is one path, or cannot be iterated over; or `max_concurrency` is not an `int`.
            ValueError: `max_concurrency` is less than 1.

        Example:
            >>> for outcome in store.head_many(["greeting.txt"]):
            ...     print(outcome.path, outcome.result().size)
            greeting.txt 5
        """
        check_max_concurrency(max_concurrency)

        def look(path: str) -> Outcome[FileInfo]:
            return outcome(partial(self.head, path), path)

        return unordered(each(paths), look, max_concurrency)

    def write_many(
        self,
        pairs: Items[tuple[str, Content]],
        *,
        overwrite: bool = False,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        max_concurrency: int = MOST_AT_ONCE,
        **options: Unpack[WriteOptions],
    ) -> Iterator[Outcome[WriteResult]]:
        """Write whole files, several at once, as `read_many` reads them. The keyword arguments apply to all files.

        An exception raised by the content of a file is the error of its outcome, and nothing is written for it. If the
        iterator ends early, writes in flight may still take effect.

        On S3: the requests of `write` for each file. Memory: that of `max_concurrency` writes, and what `pairs` yields.

        Args:
            pairs: Path and content of each file. If a path comes twice, either content may be the last.
            overwrite: Replace files that exist.
            metadata: User metadata.
            content_type: MIME type to store with the files.
            max_concurrency: Most files at once. Blocking calls run in as many threads; 1 means your own thread.
            options: What else to store with the files, such as `cache_control`; see `WriteOptions`.

        Returns:
            An iterator over an outcome for each path, whose `path` is as you gave it.

        Raises:
            CapabilityNotSupported: The backend does not have the capability that an option needs.
            TypeError: `pairs` cannot be iterated over, or `max_concurrency` is not an `int`. The iterator raises it,
                and ends, for an item that is not a pair.
            ValueError: `max_concurrency` is less than 1, or options contradict each other.

        Example:
            >>> for outcome in store.write_many([("one.txt", b"1"), ("two.txt", b"22")]):
            ...     written = outcome.result()
            >>> store.read_bytes("two.txt")
            b'22'
        """
        check_max_concurrency(max_concurrency)
        self._written(self._backend.write, "", options, overwrite=overwrite)

        def write(pair: tuple[str, Content]) -> Outcome[WriteResult]:
            put = partial(self.write, overwrite=overwrite, metadata=metadata, content_type=content_type, **options)
            return outcome(partial(put, *pair), pair[0])

        return unordered(each_pair(pairs), write, max_concurrency)

    def copy_many(
        self,
        pairs: Items[tuple[str, str]],
        *,
        overwrite: bool = False,
        max_concurrency: int = MOST_AT_ONCE,
    ) -> Iterator[Outcome[None]]:
        """Copy files, several at once, as `read_many` reads them. If it ends early, copies may still take effect.

        On S3: the requests of `copy` for each file. The server copies.

        Args:
            pairs: Source and target of each copy. If a target comes twice, either source may be the last.
            overwrite: Replace targets that exist.
            max_concurrency: Most files at once. Blocking calls run in as many threads; 1 means your own thread.

        Returns:
            An iterator over an outcome for each pair, whose `path` is the source and `target` the target, as you gave
            them.

        Raises:
            TypeError: `pairs` cannot be iterated over, or `max_concurrency` is not an `int`. The iterator raises it,
                and ends, for an item that is not a pair.
            ValueError: `max_concurrency` is less than 1.

        Example:
            >>> for outcome in store.copy_many([("greeting.txt", "copy.txt")]):
            ...     outcome.result()
            >>> store.read_bytes("copy.txt")
            b'hello'
        """
        check_max_concurrency(max_concurrency)

        def copy(pair: tuple[str, str]) -> Outcome[None]:
            return outcome(partial(self.copy, *pair, overwrite=overwrite), *pair)

        return unordered(each_pair(pairs), copy, max_concurrency)

    def delete_many(self, paths: Items[str]) -> Iterator[Outcome[None]]:
        """Delete files. A file that does not exist counts as deleted.

        A path that fails does not end it: its outcome has the error. A folder is never deleted: its outcome has
        `InvalidPath`, or none where the backend does not look, as on S3. Paths are taken 1,000 at a time, before these
        are deleted. If it ends early, deletes in flight may still take effect.

        On S3: 1 request per 1,000 files, if the server has DeleteObjects; 2 for a path that ends in a slash.

        Args:
            paths: The files. A path that comes twice has two outcomes.

        Returns:
            An iterator over an outcome for each path, in unspecified order, whose `path` is as you gave it.

        Raises:
            TypeError: `paths` is one path, or cannot be iterated over.

        Example:
            >>> for outcome in store.delete_many(["greeting.txt", "none.txt"]):
            ...     outcome.result()
        """
        return self._delete_many(each(paths))

    def _delete_many(self, paths: Iterator[str]) -> Iterator[Outcome[None]]:
        asked: dict[str, list[str]] = {}
        count, more = 0, True
        while more:
            try:
                path = next(paths)
            except StopIteration:
                more = False
            else:
                try:
                    asked.setdefault(self._scope.key(path), []).append(path)
                except Exception as error:  # noqa: BLE001 - the outcome carries it
                    yield Outcome(path, error=error)
                    continue
                count += 1
            if count == DELETED_AT_ONCE or not more:
                with ending(self._deleted(asked)) as outcomes:
                    for outcome in outcomes:
                        yield outcome
                asked, count = {}, 0

    def _deleted(self, asked: Mapping[str, Sequence[str]]) -> Iterator[Outcome[None]]:
        """Delete some keys. Yields an outcome for each path that was given for a key."""
        left = dict.fromkeys(asked)
        failure: Exception = RemoteStoreError(UNSAID, backend=self._backend.name)
        with ending(self._told(list(asked))) as told:
            for outcome in told:
                if isinstance(outcome, Exception):
                    failure = outcome
                elif outcome.path in left:
                    del left[outcome.path]
                    for path in asked[outcome.path]:
                        yield Outcome(path, error=self._rebased(outcome.error))
        for key in left:
            for path in asked[key]:
                yield Outcome(path, error=self._rebased(about(failure, key)))

    def _told(self, keys: list[str]) -> Iterator[Outcome[None] | Exception]:
        """The outcomes of the backend, and the exception that it raised in place of the others."""
        try:
            with ending(iter(self._backend.delete_many(keys))) as outcomes:
                for outcome in outcomes:
                    yield outcome
        except Exception as error:  # noqa: BLE001 - it is the outcome of every key that is left
            yield error

    def _rebased(self, error: Exception | None) -> Exception | None:
        if isinstance(error, RemoteStoreError):
            self._scope.errors().rebase(error)
        return error

    def read_ranges(self, path: str, ranges: Sequence[tuple[int, int]], **options: Unpack[ReadOptions]) -> list[bytes]:
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

        Example:
            >>> store.read_ranges("greeting.txt", [(0, 2), (4, 1)])
            [b'he', b'o']
        """
        key = self._scope.key(path)
        asked = check_ranges(ranges)
        with self._scope.errors():
            return self._backend.read_ranges(
                key, asked, **self._passed(self._backend.read_ranges, ReadOptions, key, options)
            )
