"""Detects names that a listing repeats, in bounded memory."""

from __future__ import annotations

from operator import lt

from remote_store.core.s3.protocol.calls import Fault

KEPT_IN_ORDER = 10_000
"""Most names that are kept while a listing is in order, in case the order ends."""

MOST_KEPT = 1_000_000
"""Most names that are kept once a listing is out of order: about 100 MB."""


class Listed:
    """The names of one kind, keys or common prefixes, that a listing has returned so far.

    S3 sorts by UTF-8 bytes (S3 API Reference, ListObjectsV2); servers over a file system often sort folder by folder.
    While either order holds, comparing with the last name is enough to detect a repeated one. Directory buckets and
    some servers do not sort; their names are kept, as hashes.
    """

    def __init__(self) -> None:
        self._by_byte = self._by_folder = True
        self._last: list[str] = []
        self._kept: set[int] = set()
        self._keeps_all = True

    def new(self, names: list[str], *, trusted: bool) -> list[str]:
        """Record the names of a page, and return those that have not been listed before.

        Args:
            names: The names, each once.
            trusted: Whether to continue without a check when there are too many names to keep.

        Raises:
            Fault: There are too many names to tell whether they have been listed before.
        """
        row = self._last + names
        # Python compares strings by code point, which is the order of their UTF-8 bytes.
        self._by_byte = self._by_byte and _ascends(row)
        # In this order, `a/x` comes before `a-b`, because the folder `a` does.
        self._by_folder = self._by_folder and _ascends([name.replace("/", "\0") for name in row])
        self._last = row[-1:]
        if self._by_byte or self._by_folder:
            self._keep(names, KEPT_IN_ORDER)
            return names
        new = [name for name in names if hash(name) not in self._kept]
        if not self._keeps_all and not trusted:
            raise broken("lists a name out of order")
        self._keep(new, MOST_KEPT)
        if not self._keeps_all and not trusted:
            raise broken(f"lists more than {MOST_KEPT} names out of order, so repeated ones cannot be detected")
        return new

    def _keep(self, names: list[str], most: int) -> None:
        self._keeps_all = self._keeps_all and len(self._kept) + len(names) <= most
        if self._keeps_all:
            self._kept.update(map(hash, names))
        elif most == KEPT_IN_ORDER:
            self._kept.clear()


def broken(what: str) -> Fault:
    """The fault of a listing that may be incomplete."""
    return Fault("BrokenAnswer", 200, f"the server {what}; the listing is incomplete")


def _ascends(names: list[str]) -> bool:
    return all(map(lt, names, names[1:]))
