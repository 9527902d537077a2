"""Fetches the pages of a listing, and stops if the listing would never end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from remote_store.core.models import FileInfo
from remote_store.core.s3.operations.bucket import Bucket
from remote_store.core.s3.operations.listed import Listed, broken
from remote_store.core.s3.operations.steps import Operation
from remote_store.core.s3.protocol import faults
from remote_store.core.s3.protocol.calls import Fault
from remote_store.core.s3.protocol.pages import Page

EMPTY = Page([], [], None)

MOST_EMPTY_PAGES = 1000
"""Most empty pages in a row. Servers send them while they skip millions of deleted versions."""


@dataclass(slots=True)
class Cursor:
    """The state of a listing.

    Attributes:
        prefix: The prefix of all keys.
        delimiter: `/` for one level, empty for all levels.
        limit: Most entries of a page; `None` means the server's default.
        token: The continuation token for the next page.
        done: Whether the last page has been fetched.
    """

    prefix: str
    delimiter: str = ""
    limit: int | None = None
    token: str | None = None
    done: bool = False
    _tokens: set[int] = field(default_factory=set)
    _keys: Listed = field(default_factory=Listed)
    _folders: Listed = field(default_factory=Listed)
    _spanning: frozenset[str] = frozenset()
    _empty: int = 0

    def turn(self, page: Page, *, trusted: bool = False) -> Page:
        """Advance past a page, and return it without the folders that earlier pages had.

        Args:
            page: The page.
            trusted: Whether the server is known to list nothing twice, even if it does not sort.

        Raises:
            Fault: The server repeats a key or a token, or has sent too many empty pages.
        """
        keys = [info.path for info in page.objects]
        if len(self._keys.new(keys, trusted=trusted)) < len(keys):
            raise broken("lists a key again")
        # The keys of a folder may begin on one page and end on the next.
        new = self._folders.new([name for name in page.prefixes if name not in self._spanning], trusted=trusted)
        self._empty = 0 if keys or new else self._empty + 1
        if page.token is not None:
            if hash(page.token) in self._tokens:
                raise broken("repeats a continuation token, so the listing would never end")
            self._tokens.add(hash(page.token))
            if self._empty >= MOST_EMPTY_PAGES:
                raise broken(f"sends {MOST_EMPTY_PAGES} empty pages in a row")
        self._spanning = frozenset(page.prefixes)
        self.token, self.done = page.token, page.token is None
        return Page(page.objects, new, page.token)


def next_page(bucket: Bucket, cursor: Cursor) -> Operation[Page]:
    """The next page: 1 LIST. If the bucket does not exist, the first page is empty.

    Raises:
        Fault: The listing would never end, or breaks the protocol. Or the bucket is missing after the first page.
    """
    place = {"ContinuationToken": cursor.token} if cursor.token is not None else {}
    levels = {"Delimiter": cursor.delimiter} if cursor.delimiter else {}
    limit = {"MaxKeys": cursor.limit} if cursor.limit is not None else {}
    try:
        page = yield from _list(bucket, Prefix=cursor.prefix, EncodingType="url", **levels, **limit, **place)
    except Fault as fault:
        if cursor.token is None and faults.is_missing(fault):
            cursor.done = True
            return EMPTY
        raise
    return _turned(bucket, cursor, page)


def has_entry(bucket: Bucket, prefix: str) -> Operation[bool]:
    """Whether any key begins with the prefix: 1 LIST of 1 key, and 1 more after each empty page that is truncated.

    Raises:
        Fault: The service refused, or the bucket does not exist.
    """
    return bool((yield from first_entries(bucket, prefix)))


def first_entries(bucket: Bucket, prefix: str) -> Operation[list[FileInfo]]:
    """The entries of the first page that is not empty, by LISTs of 1 key; empty if no key begins with the prefix.

    Raises:
        Fault: The service refused, or the bucket does not exist.
    """
    cursor = Cursor(prefix, limit=1)
    while not cursor.done:
        place = {"ContinuationToken": cursor.token} if cursor.token is not None else {}
        page = yield from _list(bucket, Prefix=prefix, MaxKeys=1, EncodingType="url", **place)
        if _turned(bucket, cursor, page).objects:
            return page.objects
    return []


def _turned(bucket: Bucket, cursor: Cursor, page: Page) -> Page:
    endpoint = bucket.options.endpoint
    return cursor.turn(page, trusted=endpoint.aws and endpoint.bucket_kind == "directory")


def _list(bucket: Bucket, **params: Any) -> Operation[Page]:
    try:
        page: Page = yield bucket.call("ListObjectsV2", **params)
    except Fault as fault:
        if fault.code != "NoSuchKey":
            raise
        # If endpoint_url contains a bucket, the server reads our bucket's name as a key.
        what = "the server took the listing for a read (NoSuchKey); endpoint_url must not contain a bucket"
        raise Fault("NotS3", fault.status, what, fault.request_id, attempts=fault.attempts) from fault.__cause__
    return page
