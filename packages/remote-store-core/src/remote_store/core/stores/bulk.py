# Generated from packages/remote-store-core/src/remote_store/core/stores/async_bulk.py by tools/unasync.py; edit that.
"""Many paths, or many ranges of one file, in one call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Unpack

from remote_store.core.models import Outcome
from remote_store.core.options import ReadOptions
from remote_store.core.stores.rooted import Rooted


class Bulk(Rooted):
    """The methods of a store that are about many paths or ranges."""

    def read_ranges(self, path: str, ranges: Sequence[tuple[int, int]], **options: Unpack[ReadOptions]) -> list[bytes]:
        """Read several ranges of one version of a file. Ranges that are close to each other share a request.

        On S3: 1 request per group of ranges with at most 1 MiB between them, several at once.

        Args:
            path: The file.
            ranges: Start and length of each range, in any order.
            options: `if_match` and `version_id`; see `ReadOptions`.

        Returns:
            The bytes of each range, in the order of `ranges`; fewer, or none, where the file ends first.

        Raises:
            NotFound: The file does not exist.
            InvalidPath: The path is the root, a folder, or malformed.
            PreconditionFailed: The file was replaced while it was read, or is not the version of `if_match`.
            ValueError: A start or a length is negative.

        Example:
            >>> store.read_ranges("greeting.txt", [(0, 2), (4, 1)])
            [b'he', b'o']
        """
        key = self._scope.key(path)
        with self._scope.errors():
            return self._backend.read_ranges(key, ranges, **self._passed(ReadOptions, key, options))

    def delete_many(self, paths: Iterable[str]) -> Iterator[Outcome[None]]:
        """Delete files. A file that does not exist counts as deleted.

        On S3: 1 request per 1,000 files.

        Args:
            paths: The files.

        Returns:
            An iterator over an outcome for each path, in unspecified order. A path that fails does not end it.

        Example:
            >>> for outcome in store.delete_many(["greeting.txt", "none.txt"]):
            ...     outcome.result()
        """
        keys = [self._scope.key(path) for path in paths]
        with self._scope.errors():
            for outcome in self._backend.delete_many(keys):
                yield replace(outcome, path=self._scope.path(outcome.path))
