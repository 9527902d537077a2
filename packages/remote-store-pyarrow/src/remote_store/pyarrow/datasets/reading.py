"""Opens a dataset that has a manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remote_store.core import FileInfo, Store
from remote_store.core.s3 import public
from remote_store.pyarrow.datasets.formats import format_of, partitioning_of, without_dictionaries
from remote_store.pyarrow.datasets.manifest import below, require
from remote_store.pyarrow.fs.making import WHOLE_FILE_SIZE, filesystem

if TYPE_CHECKING:
    import pyarrow.dataset


@public("remote_store.pyarrow")
def dataset(
    store: Store, base_dir: str, *, whole_file_size: int = WHOLE_FILE_SIZE
) -> pyarrow.dataset.FileSystemDataset:
    """Open a dataset that `write_dataset` wrote, in its current version.

    What you read is that version as a whole, also if the dataset is replaced meanwhile: the manifest has the ETag of
    each file, and every request requires it. Call `dataset` again to see a newer version. When `delete_old_files`
    removes the files of a version, reading it raises `NotFound`.

    On S3: 1 request. Reading sends no HEAD, and lists nothing.

    Args:
        store: The store.
        base_dir: Folder of the dataset.
        whole_file_size: As for `filesystem`.

    Returns:
        The dataset. It has the schema and the partitions that were written, and works in `pyarrow.dataset`, pandas and
        DuckDB as any other. It keeps the store open.

    Raises:
        NotFound: There is no dataset with a manifest in the folder.
        RemoteStoreError: The manifest cannot be read by this release.
    """
    import pyarrow.dataset as ds

    arrow = filesystem(store, whole_file_size=whole_file_size)
    manifest = require(store, base_dir).manifest
    format_ = format_of(manifest.format)
    partitioning = partitioning_of(without_dictionaries(manifest.schema), manifest.partitioning, manifest.flavor)
    paths = {below(base_dir, file.path): file for file in manifest.files}
    arrow.handler.know(
        FileInfo(path, path.rpartition("/")[2], file.size, etag=file.etag) for path, file in paths.items()
    )
    fragments = [
        format_.make_fragment(path, arrow, None if partitioning is None else partitioning.parse(file.name))
        for path, file in paths.items()
    ]
    return ds.FileSystemDataset(fragments, manifest.schema, format_, arrow)
