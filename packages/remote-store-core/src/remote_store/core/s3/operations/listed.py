"""What a listing has named already, kept in bounded memory."""

from __future__ import annotations

from operator import lt

from remote_store.core.s3.protocol.calls import Fault

KEPT_IN_ORDER = 10_000
"""Names of a listing in order that are kept, in case it turns out to have none."""

MOST_KEPT = 1_000_000
"""Names of a listing without order that are kept: about 100 MB."""


class Listed:
    """The names of one kind, keys or common prefixes, that a listing has had.

    S3 lists by the bytes of UTF-8 (S3 API Reference, ListObjectsV2), and servers over a file system often folder by
    folder. As long as one of these orders holds, the last name is enough to see that none comes twice. Directory
    buckets and some servers have no order; their names are kept, as hashes.
    """

    def __init__(self) -> None:
        self._by_byte = self._by_folder = True
        self._last: list[str] = []
        self._kept: set[int] = set()
        self._keeps_all = True

    def new(self, names: list[str], *, trusted: bool) -> list[str]:
        """Take note of the names of a page, and return those that have not been listed before.

        Args:
            names: The names, each once.
            trusted: Whether to go on without a check where there are too many names to be kept.

        Raises:
            Fault: Whether they have been listed before cannot be told.
        """
        row = self._last + names
        # Python compares texts by code point, which is the order of the bytes of UTF-8.
        self._by_byte = self._by_byte and _ascends(row)
        # `a/x` comes before `a-b` in this order, since the folder `a` does.
        self._by_folder = self._by_folder and _ascends([name.replace("/", "\0") for name in row])
        self._last = row[-1:]
        if self._by_byte or self._by_folder:
            self._keep(names, KEPT_IN_ORDER)
            return names
        new = [name for name in names if hash(name) not in self._kept]
        if not self._keeps_all and not trusted:
            raise broken("goes back behind what it has listed")
        self._keep(new, MOST_KEPT)
        if not self._keeps_all and not trusted:
            raise broken(f"lists more than {MOST_KEPT} names in no order, so repeated ones cannot be told")
        return new

    def _keep(self, names: list[str], most: int) -> None:
        self._keeps_all = self._keeps_all and len(self._kept) + len(names) <= most
        if self._keeps_all:
            self._kept.update(map(hash, names))
        elif most == KEPT_IN_ORDER:
            self._kept.clear()


def broken(what: str) -> Fault:
    """The fault of a listing that cannot be believed."""
    return Fault("BrokenAnswer", 200, f"the server {what}; the listing is not whole")


def _ascends(names: list[str]) -> bool:
    return all(map(lt, names, names[1:]))
