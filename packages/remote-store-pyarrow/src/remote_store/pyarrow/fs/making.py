"""Makes the filesystem."""

from __future__ import annotations

from pyarrow.fs import PyFileSystem, S3FileSystem

from remote_store.core import AsyncStore, Store
from remote_store.core.s3 import public
from remote_store.pyarrow.fs.handler import StoreHandler

WHOLE_FILE_SIZE = 1 << 20


@public("remote_store.pyarrow")
def filesystem(store: Store, *, native: bool = False, whole_file_size: int = WHOLE_FILE_SIZE) -> PyFileSystem:
    """Make a pyarrow filesystem of a store, of any backend. Sends no request.

    Pass it as `filesystem=` to `pyarrow.parquet`, `pyarrow.dataset`, `pandas.read_parquet` and others. Its paths are
    those of the store, byte for byte; a slash at the end is dropped, and `""` is the root.

    **Reading.** A file is read in one of three ways:

    1. With `native=True`, by pyarrow's own S3 client, which reads many ranges of a file at once. It does not pin: if
       the object is replaced meanwhile, the bytes can be of two versions. See `S3PyArrowBackend`.
    2. A file of up to `whole_file_size` bytes, by one GET.
    3. Else by exact ranges, one request each. All have `If-Match`. Neighbouring small ranges share a request.

    The version of a file is the one that `get_file_info` returned last, which datasets and `read_table` call
    themselves; opening such a file needs no request. If the file is replaced afterwards, reading it raises
    `PreconditionFailed` until `get_file_info` is called for it, or its folder is listed again. So a dataset never
    combines a footer and rows of different versions. A file that `get_file_info` was not asked about costs 1 HEAD, and
    its version is the one at that moment.

    **Writing.** A file appears when its stream is closed, complete, and replaces an existing one. An exception in the
    `with` block of the stream, or of a writer over it, discards it, and so does a stream that is never closed. Close
    outside of `except` blocks: pyarrow does not tell the stream why it is closed, so one that is closed while an
    exception is handled is discarded, and the logger `remote_store` warns. There are no appends. Of `metadata`, the
    names `Content-Type`, `Cache-Control`, `Content-Disposition`, `Content-Encoding` and `Expires` are stored as such,
    others as user metadata.

    **Folders.** `create_dir` does nothing: a folder exists if a key begins like it. `delete_dir_contents` refuses the
    root without `accept_root_dir=True`. `move` moves files only.

    Errors are those of the store, most of which are also `OSError`, such as `FileNotFoundError`. A folder where a file
    is meant is an `IsADirectoryError`, the reverse a `NotADirectoryError`, with the store's error as its cause. The
    filesystem pickles with its store. It serves many threads; Arrow fetches ranges of one file one after the other,
    and of several files at once.

    Args:
        store: The store. The filesystem does not close it.
        native: Read through `store.unwrap(pyarrow.fs.S3FileSystem)`. Gives up the pinning.
        whole_file_size: In bytes, 1 MiB by default; 0 for none. Memory: such a file as a whole while it is open.

    Returns:
        The filesystem. Two are equal if they have the same options, and the same backend or location.

    Raises:
        CapabilityNotSupported: `native` is `True`, and the backend has no such filesystem: use a store on
            `S3PyArrowBackend`, or leave it out.
        PermissionDenied: `native` is `True`, and no credentials were found.
        TypeError: `store` is not a `Store`.
        ValueError: `whole_file_size` is negative.
    """
    if isinstance(store, AsyncStore):
        raise TypeError(
            "filesystem() needs a Store, not an AsyncStore, because Arrow calls it from its own threads; "
            "make a Store over the sync backend of the same lane, such as Store(S3FsBackend(...))"
        )
    if not isinstance(store, Store):
        raise TypeError(f"filesystem() needs a Store, not {type(store).__name__}; for a backend, pass Store(backend)")
    if whole_file_size < 0:
        raise ValueError(f"whole_file_size must not be negative, but is {whole_file_size}")
    if native:
        store.unwrap(S3FileSystem)
    return PyFileSystem(StoreHandler(store, native=native, whole_file_size=whole_file_size))
