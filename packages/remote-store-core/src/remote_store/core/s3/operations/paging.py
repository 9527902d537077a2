"""Following a listing from page to page, to an end that is sure to come."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from remote_store.core.models import FileInfo
from remote_store.core.s3.operations.bucket import Bucket
from remote_store.core.s3.operations.steps import Operation
from remote_store.core.s3.protocol import faults
from remote_store.core.s3.protocol.calls import Fault
from remote_store.core.s3.protocol.pages import Page

EMPTY = Page([], [], None)

MOST_EMPTY_PAGES = 1000
"""Pages without an entry in a row that are borne: a server steps so over millions of versions that were deleted."""


@dataclass(slots=True)
class Cursor:
    """Where a listing stands.

    Attributes:
        prefix: What every key begins with.
        delimiter: `/` for one level, empty for all of them.
        limit: How many entries a page may have; `None` for as many as the server gives.
        token: What asks for the next page.
        done: Whether the last page was seen.
    """

    prefix: str
    delimiter: str = ""
    limit: int | None = None
    token: str | None = None
    done: bool = False
    _seen: set[int] = field(default_factory=set)
    _keys: frozenset[str] = frozenset()
    _prefixes: frozenset[str] = frozenset()
    _empty: int = 0

    def turn(self, page: Page) -> Page:
        """Go to behind a page, and return it without the folders that the page before it has named already.

        Raises:
            Fault: The server lists something again, and so would list for ever, or has sent too many empty pages.
        """
        keys = frozenset(info.path for info in page.objects)
        if keys & self._keys:
            raise _broken("lists a key again on the next page")
        new = [prefix for prefix in page.prefixes if prefix not in self._prefixes]
        if page.objects or new:
            self._note(hash((keys, frozenset(new))), "repeats a page")
            self._empty = 0
        else:
            self._empty += 1
        if page.token is not None:
            self._note(hash(page.token), "repeats the mark of a page")
            if self._empty >= MOST_EMPTY_PAGES:
                raise _broken(f"sends {MOST_EMPTY_PAGES} empty pages in a row")
        self._keys, self._prefixes = keys, frozenset(page.prefixes)
        self.token, self.done = page.token, page.token is None
        return Page(page.objects, new, page.token)

    def _note(self, mark: int, what: str) -> None:
        if mark in self._seen:
            raise _broken(f"{what}, and so lists for ever")
        self._seen.add(mark)


def next_page(bucket: Bucket, cursor: Cursor) -> Operation[Page]:
    """The next page: 1 LIST. An absent bucket is an absent folder, on the first page and not after.

    Raises:
        Fault: The listing would never end, or is broken.
    """
    place = {"ContinuationToken": cursor.token} if cursor.token is not None else {}
    levels = {"Delimiter": cursor.delimiter} if cursor.delimiter else {}
    limit = {"MaxKeys": cursor.limit} if cursor.limit is not None else {}
    try:
        page = yield from _ask(bucket, Prefix=cursor.prefix, EncodingType="url", **levels, **limit, **place)
    except Fault as fault:
        if cursor.token is None and faults.is_missing(fault):
            cursor.done = True
            return EMPTY
        raise
    return cursor.turn(page)


def has_entry(bucket: Bucket, prefix: str) -> Operation[bool]:
    """Whether any key begins with the prefix: 1 LIST of 1 key, and 1 more for each page that is empty and goes on.

    Raises:
        Fault: The service refused, also because there is no such bucket.
    """
    return bool((yield from first_entries(bucket, prefix)))


def first_entries(bucket: Bucket, prefix: str) -> Operation[list[FileInfo]]:
    """The first page that has an entry, asked for 1 key; none where no key begins with the prefix.

    Raises:
        Fault: The service refused, also because there is no such bucket.
    """
    cursor = Cursor(prefix, limit=1)
    while not cursor.done:
        place = {"ContinuationToken": cursor.token} if cursor.token is not None else {}
        page = yield from _ask(bucket, Prefix=prefix, MaxKeys=1, EncodingType="url", **place)
        if cursor.turn(page).objects:
            return page.objects
    return []


def _ask(bucket: Bucket, **params: Any) -> Operation[Page]:
    try:
        page: Page = yield bucket.call("ListObjectsV2", **params)
    except Fault as fault:
        if fault.code != "NoSuchKey":
            raise
        # An endpoint_url that names a bucket has the server take our bucket's name for a key.
        what = "the server took a listing for a read (NoSuchKey); endpoint_url must not name a bucket"
        raise Fault("NotS3", fault.status, what, fault.request_id, attempts=fault.attempts) from fault.__cause__
    return page


def _broken(what: str) -> Fault:
    return Fault("BrokenAnswer", 200, f"the server {what}; the listing is not whole")
