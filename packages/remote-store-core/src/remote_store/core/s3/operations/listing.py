"""Lists files and folders page by page. A page has up to 1,000 keys, from any number of folders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias, TypeVar

from remote_store.core.models import FileInfo, FolderEntry, FolderInfo
from remote_store.core.s3.operations import probes
from remote_store.core.s3.operations.bucket import Bucket
from remote_store.core.s3.operations.paging import Cursor, next_page
from remote_store.core.s3.operations.steps import Operation
from remote_store.core.s3.protocol.keys import prefix_of
from remote_store.core.s3.protocol.pages import Page

T = TypeVar("T")


Plan: TypeAlias = tuple[Cursor, Callable[[Page], Iterator[T]]]
"""Where a listing begins, and the function that yields the entries of a page."""


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
