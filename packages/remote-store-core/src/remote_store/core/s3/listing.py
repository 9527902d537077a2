"""Listings, one page at a time: a request carries up to 1,000 keys, whatever the number of folders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from remote_store.core.errors import RemoteStoreError
from remote_store.core.models import FileInfo, FolderEntry, FolderInfo
from remote_store.core.s3 import faults, probes, responses
from remote_store.core.s3.bucket import Bucket
from remote_store.core.s3.calls import Fault
from remote_store.core.s3.keys import prefix_of
from remote_store.core.s3.responses import Page
from remote_store.core.s3.steps import Operation

T = TypeVar("T")
EMPTY = Page([], [], None)


@dataclass(slots=True)
class Cursor:
    """Where a listing stands.

    Attributes:
        prefix: What every key begins with.
        delimiter: `/` for one level, empty for all of them.
        token: What asks for the next page.
        done: Whether the last page was seen.
    """

    prefix: str
    delimiter: str = ""
    token: str | None = None
    done: bool = False


Plan: TypeAlias = tuple[Cursor, Callable[[Page], Iterator[T]]]
"""Where a listing begins, and what is taken of each page."""


def next_page(bucket: Bucket, cursor: Cursor) -> Operation[Page]:
    """The next page: 1 LIST. An absent bucket is an absent folder, on the first page and not after.

    Raises:
        RemoteStoreError: The server repeats its token, and would list for ever.
    """
    place = {"ContinuationToken": cursor.token} if cursor.token is not None else {}
    levels = {"Delimiter": cursor.delimiter} if cursor.delimiter else {}
    try:
        answer = yield bucket.call("ListObjectsV2", Prefix=cursor.prefix, EncodingType="url", **levels, **place)
    except Fault as fault:
        if cursor.token is None and faults.is_missing(fault):
            cursor.done = True
            return EMPTY
        raise
    page = responses.page(answer)
    if page.token is None and answer.get("IsTruncated"):
        raise RemoteStoreError("the server says that the listing goes on, and not where; the listing is not whole")
    if page.token is not None and page.token == cursor.token:
        raise RemoteStoreError("the server repeats a page of the listing for ever; the listing is not whole")
    cursor.token, cursor.done = page.token, page.token is None
    return page


def files_in(folder: str, *, recursive: bool, max_depth: int | None) -> Plan[FileInfo]:
    """How to list the files of a folder."""
    if not recursive or max_depth == 0:
        return Cursor(prefix_of(folder), "/"), Page.files
    prefix = prefix_of(folder)
    if max_depth is None:
        return Cursor(prefix), Page.files
    return Cursor(prefix), lambda page: (
        info for info in page.files() if info.path.count("/", len(prefix)) <= max_depth
    )


def folders_in(folder: str) -> Plan[FolderEntry]:
    """How to list the folders directly in a folder."""
    return Cursor(prefix_of(folder), "/"), Page.folders


def children_of(folder: str) -> Plan[FileInfo | FolderEntry]:
    """How to list the files and the folders directly in a folder."""
    return Cursor(prefix_of(folder), "/"), _children


def _children(page: Page) -> Iterator[FileInfo | FolderEntry]:
    yield from page.files()
    yield from page.folders()


def get_folder_info(bucket: Bucket, path: str) -> Operation[FolderInfo]:
    """The totals of a folder: 1 LIST per 1,000 keys, and 1 HEAD if there are none."""
    cursor = Cursor(prefix_of(path))
    count = size = 0
    seen = not path
    latest = None
    while not cursor.done:
        page = yield from next_page(bucket, cursor)
        seen = seen or bool(page.objects)
        for info in page.files():
            count += 1
            size += info.size
            if latest is None or (info.modified_at is not None and info.modified_at > latest):
                latest = info.modified_at
    if not seen:
        raise (yield from probes.no_folder(bucket, path))
    return FolderInfo(path, count, size, latest)
