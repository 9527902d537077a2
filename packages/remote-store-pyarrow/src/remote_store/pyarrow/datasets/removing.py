"""Removes the files of earlier versions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from remote_store.core import Store
from remote_store.core.s3 import public
from remote_store.pyarrow.datasets.manifest import FILES, below, require
from remote_store.pyarrow.datasets.writing import MOST_DAYS

ONE_DAY = timedelta(days=1)


@public("remote_store.pyarrow")
def delete_old_files(store: Store, base_dir: str, *, older_than: timedelta = ONE_DAY) -> int:
    """Delete the files of a dataset that are not of its current version.

    Deleted are files that were replaced at least `older_than` ago, and files of writers that died, if they were written
    that long ago. So choose it longer than a reader keeps a dataset open, and longer than a writer takes: before a
    writer ends, its files are in no version.

    On S3: 1 request to read the manifest, 1 per 1,000 files to list them, and 1 per 1,000 files to delete them.

    Args:
        store: The store.
        base_dir: Folder of the dataset.
        older_than: How long ago, by default 1 day; at most 30 days.

    Returns:
        The number of files that were deleted.

    Raises:
        NotFound: There is no dataset with a manifest in the folder.
        ValueError: `older_than` is negative, or more than 30 days.
    """
    if not timedelta() <= older_than <= MOST_DAYS:
        raise ValueError(f"older_than must be between 0 and {MOST_DAYS.days} days, but is {older_than}")
    before = datetime.now(UTC) - older_than
    manifest = require(store, base_dir).manifest
    used = {file.path for file in manifest.files}
    start = len(below(base_dir, ""))
    old: list[str] = []
    for info in store.list_files(below(base_dir, FILES), recursive=True):
        path = info.path[start:]
        time = manifest.replaced.get(path, info.modified_at)
        if path not in used and time is not None and time <= before:
            old.append(info.path)
    for outcome in store.delete_many(old):
        outcome.result()
    return len(old)
