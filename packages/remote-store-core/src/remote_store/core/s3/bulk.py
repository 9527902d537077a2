# Generated from packages/remote-store-core/src/remote_store/core/s3/aio_bulk.py by tools/unasync.py; edit that.
"""The methods of the S3 backend that are about many objects, or many ranges of one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Unpack

from remote_store.core.errors import about
from remote_store.core.io.streams import check_ranges
from remote_store.core.models import Outcome
from remote_store.core.options import ReadOptions
from remote_store.core.s3.base import S3Base
from remote_store.core.s3.operations import bulk, fetching
from remote_store.core.s3.operations.deleting import MOST_NAMED
from remote_store.core.s3.operations.errors import contract_error
from remote_store.core.s3.protocol.keys import check_key


class S3Bulk(S3Base):
    """Deletes many objects, and reads many ranges."""

    def read_ranges(self, path: str, ranges: Sequence[tuple[int, int]], **options: Unpack[ReadOptions]) -> list[bytes]:
        """Read ranges of one version: 1 request per group of ranges, `max_concurrency` at once.

        A group has gaps of at most 1 MiB and is no longer than 4 MiB, except for a longer range. A range of at least 32
        MiB (4 times `part_size`, if that is less) is several requests, as in `read_range`. Memory: the result, and
        `max_concurrency` groups. If no range has a byte, no request is sent.
        """
        self._check(check_key, path)
        asked = check_ranges(ranges)
        return self._run(fetching.read_ranges(self._bucket, path, asked, self._asked(ReadOptions, path, options)), path)

    def delete_many(self, paths: Iterable[str]) -> Iterator[Outcome[None]]:
        """Delete objects: 1 request per 1,000 keys, and 2 for a key that ends in a slash.

        Paths are taken 1,000 at a time. A key that the response does not mention or that XML cannot carry is deleted by
        a request of its own, and so is each key if the server lacks DeleteObjects, `max_concurrency` at once.
        """
        remaining = iter(paths)
        while batch := list(islice(remaining, MOST_NAMED)):
            keys: list[str] = []
            for path in batch:
                try:
                    self._check(check_key, path)
                except Exception as error:  # noqa: BLE001 - the outcome carries it
                    yield Outcome(path, error=error)
                else:
                    keys.append(path)
            errors = self._delete(list(dict.fromkeys(keys))) if keys else {}
            for key in keys:
                yield Outcome(key, error=errors.get(key))

    def _delete(self, keys: list[str]) -> dict[str, Exception]:
        """Delete up to 1,000 keys. Returns the error of each that could not be deleted."""
        try:
            left = self._run(bulk.delete_many(self._bucket, keys), None)
        except Exception as error:  # noqa: BLE001 - the outcomes carry it
            return {key: about(error, key) for key in keys}
        return {key: contract_error(error, self.name, key) for key, error in left.items()}
