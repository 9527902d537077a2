"""Writes a dataset beside the current version, and then switches to it."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pyarrow as pa

from remote_store.core import AlreadyExists, Capability, FileInfo, PreconditionFailed, RemoteStoreError, Store
from remote_store.core.s3 import public
from remote_store.pyarrow.datasets.formats import format_of, partitioning_of
from remote_store.pyarrow.datasets.manifest import FILES, MANIFEST, Current, DatasetFile, Manifest, below, find
from remote_store.pyarrow.datasets.values import checked
from remote_store.pyarrow.fs.making import filesystem

ExistingData = Literal["error", "replace", "delete_matching", "overwrite_or_ignore"]
BEHAVIORS = ("error", "replace", "delete_matching", "overwrite_or_ignore")

MOST_DAYS = timedelta(days=30)
"""For how long a manifest says when a file was replaced. So `delete_old_files` can wait no longer."""

OTHER_WRITER = "another writer wrote the dataset meanwhile, so nothing was changed; look at it, and write again"


@public("remote_store.pyarrow")
def write_dataset(
    data: Any,
    store: Store,
    base_dir: str,
    *,
    format: str = "parquet",  # noqa: A002 - Arrow's name
    schema: pa.Schema | None = None,
    partitioning: Sequence[str] = (),
    partitioning_flavor: str | None = None,
    existing_data_behavior: ExistingData = "error",
    **options: Any,
) -> int:
    """Write a dataset so that readers see the old version or the new one as a whole. Read it with `dataset`.

    The files go to a new folder below `base_dir`, with `pyarrow.dataset.write_dataset`. Then one write of
    `_manifest.json` makes them the dataset. If anything fails before, the dataset is unchanged and the new files are
    deleted; if the process dies, they stay until `delete_old_files`. Of several writers at the same time, one succeeds
    and the others raise. That takes `COMPARE_AND_SWAP` and `ATOMIC_CREATE`; on a backend without them, two writers that
    switch in the same moment can both succeed, and the last one stays. Files of earlier versions stay for their
    readers, until you call `delete_old_files`.

    `pyarrow.dataset.dataset(base_dir)` finds no files, because their folder begins with `_`.

    On S3: those of the files, 1 request to read the manifest (2 if there is none), 1 per 1,000 files to list them, and
    1 to write the manifest.

    Args:
        data: What `pyarrow.dataset.write_dataset` takes: a table, a batch, a reader, a dataset, or an iterable of
            batches, which needs a `schema`.
        store: The store.
        base_dir: Folder of the dataset.
        format: `parquet`, `ipc` or `csv`.
        schema: The schema of the data.
        partitioning: Names of the columns by whose values the files are divided into folders.
        partitioning_flavor: `hive`, for folders such as `year=2026`, or `None`, for folders such as `2026`.
        existing_data_behavior: What to do if the dataset exists. `error` raises. `replace` replaces all of it.
            `delete_matching` replaces the partitions that `data` has rows of, and keeps the others.
            `overwrite_or_ignore` adds `data`.
        **options: Further arguments of `pyarrow.dataset.write_dataset`, such as `file_options` or `max_rows_per_file`.

    Returns:
        The number of files that were written.

    Raises:
        AlreadyExists: There is a dataset, and `existing_data_behavior` is `error`.
        PreconditionFailed: Another writer wrote the dataset meanwhile, or `delete_old_files` deleted new files. Nothing
            was changed.
        BackendUnavailable: Among others: the service did not answer the write of the manifest. Then the dataset is the
            old version or the new one; `dataset` shows which.
        ValueError: An argument is not one of those above, the data do not fit the dataset that they are added to, or
            a partition cannot have its value as the name of a folder, such as `a/b` without `hive`.
        TypeError: `data` is an iterable and `schema` is missing, `partitioning` is not a sequence of names, or a
            `filesystem` is passed.
    """
    import pyarrow.dataset as ds

    if "filesystem" in options:
        raise TypeError("write_dataset takes no filesystem, because the files go to the store; leave it out")
    if existing_data_behavior not in BEHAVIORS:
        raise ValueError(
            f"existing_data_behavior must be one of {', '.join(BEHAVIORS)}, not {existing_data_behavior!r}"
        )
    new_schema = schema_of(data, schema)
    format_of(format)
    divided = partitioning_of(new_schema, partitioning, partitioning_flavor)
    write = secrets.token_hex(16)
    new = Manifest(write, format, new_schema, tuple(partitioning), partitioning_flavor)
    current = find(store, base_dir)
    if current is not None:
        if existing_data_behavior == "error":
            raise AlreadyExists(
                "there is a dataset; to replace it or to add to it, pass existing_data_behavior",
                path=below(base_dir, MANIFEST),
                backend=store.backend.name,
            )
        if existing_data_behavior != "replace":
            new = fitting(new, current.manifest)
    folder = below(base_dir, f"{FILES}/{write}")
    reported: set[str] = set()
    visitor = options.pop("file_visitor", None)

    def visit(file: Any) -> None:
        reported.add(str(file.path))
        if visitor is not None:
            visitor(file)

    try:
        ds.write_dataset(
            checked(data, new_schema, partitioning, partitioning_flavor),
            folder,
            filesystem=filesystem(store),
            format=format,
            schema=schema,
            partitioning=divided,
            existing_data_behavior="overwrite_or_ignore",
            file_visitor=visit,
            **options,
        )
        infos = list(store.list_files(folder, recursive=True))
        check_complete(reported, infos, folder, store)
        written = [described(info, write, folder) for info in infos]
    except BaseException:
        discard(store, folder)
        raise
    kept, replaced = divide(current, written, existing_data_behavior)
    switch(store, base_dir, current, replace(new, files=(*kept, *written), replaced=replaced))
    return len(written)


def schema_of(data: Any, schema: pa.Schema | None) -> pa.Schema:
    """The schema of what is to be written."""
    if schema is not None:
        return schema
    first = data[0] if isinstance(data, list | tuple) and data else data
    found = getattr(first, "schema", None)
    if not isinstance(found, pa.Schema):
        raise TypeError(f"data of type {type(data).__name__} have no schema; pass schema")
    return found


def fitting(new: Manifest, old: Manifest) -> Manifest:
    """The new manifest with the schema of old and new data together.

    Raises:
        ValueError: They cannot be one dataset.
    """
    for name in ("format", "partitioning", "flavor"):
        if getattr(new, name) != getattr(old, name):
            raise ValueError(
                f"the {name} of the dataset is {getattr(old, name)!r}, not {getattr(new, name)!r}; "
                "pass the same, or replace the dataset"
            )
    try:
        schema = pa.unify_schemas([old.schema, new.schema])
    except pa.ArrowException as error:
        message = f"the data do not fit the dataset: {error}; convert their columns, or replace the dataset"
        raise ValueError(message) from error
    return replace(new, schema=schema)


def described(info: FileInfo, write: str, folder: str) -> DatasetFile:
    """A file that was written."""
    return DatasetFile(write, info.path[len(folder) + 1 :], info.size, info.etag)


def check_complete(reported: Collection[str], infos: Iterable[FileInfo], folder: str, store: Store) -> None:
    """Check that all new files are still there.

    Raises:
        PreconditionFailed: Some are gone.
    """
    if missing := set(reported) - {str(info.path) for info in infos}:
        raise PreconditionFailed(
            f"{len(missing)} of {len(reported)} new files were deleted before they were in the dataset, as "
            "delete_old_files does if its older_than is shorter than a writer takes, so nothing was changed; write "
            "again, and choose a longer older_than",
            path=folder,
            backend=store.backend.name,
        )


def divide(
    current: Current | None, written: Sequence[DatasetFile], behavior: ExistingData
) -> tuple[list[DatasetFile], dict[str, datetime]]:
    """The files of the current version that stay in the dataset, and those that were replaced, now or before."""
    if current is None:
        return [], {}
    new = {file.partition for file in written}
    now = datetime.now(UTC)
    kept: list[DatasetFile] = []
    replaced = {path: time for path, time in current.manifest.replaced.items() if now - time < MOST_DAYS}
    for file in current.manifest.files:
        if behavior == "overwrite_or_ignore" or (behavior == "delete_matching" and file.partition not in new):
            kept.append(file)
        else:
            replaced[file.path] = now
    return kept, replaced


def switch(store: Store, base_dir: str, current: Current | None, new: Manifest) -> None:
    """Make a manifest the current one, if no other writer was faster.

    Raises:
        PreconditionFailed: Another writer was. The new files are deleted.
    """
    try:
        put(store, base_dir, current, new)
    except (AlreadyExists, PreconditionFailed) as conflict:
        # The response to an earlier attempt can be lost, and the retry then finds its own manifest, or a later one.
        found = find(store, base_dir)
        if found is not None and came_after(found.manifest, new):
            return
        discard(store, below(base_dir, f"{FILES}/{new.write}"))
        raise PreconditionFailed(
            OTHER_WRITER, path=below(base_dir, MANIFEST), backend=store.backend.name, code=conflict.code
        ) from conflict


def came_after(found: Manifest, new: Manifest) -> bool:
    """Whether a manifest is this one or was made from it, so that its files are in use or wait for their readers."""
    folder = f"{FILES}/{new.write}/"
    return found.write == new.write or any(
        path.startswith(folder) for path in (*(file.path for file in found.files), *found.replaced)
    )


def put(store: Store, base_dir: str, current: Current | None, new: Manifest) -> None:
    """Write a manifest in place of the current one, or where there is none.

    Raises:
        AlreadyExists: There is one meanwhile.
        PreconditionFailed: It is another one meanwhile.
    """
    path, content = below(base_dir, MANIFEST), new.encode()
    how: dict[str, Any] = {"content_type": "application/json"} if store.supports(Capability.USER_METADATA) else {}
    if current is None:
        store.write_atomic(path, content, **how)
    elif store.supports(Capability.COMPARE_AND_SWAP) and current.etag is not None:
        store.write_atomic(path, content, overwrite=True, if_match=current.etag, **how)
    else:
        found = find(store, base_dir)
        if found is None or found.manifest.write != current.manifest.write:
            raise PreconditionFailed(OTHER_WRITER, path=path, backend=store.backend.name)
        store.write_atomic(path, content, overwrite=True, **how)


def discard(store: Store, folder: str) -> None:
    """Delete files that are in no manifest. A failure leaves them to `delete_old_files`."""
    with suppress(RemoteStoreError):
        store.delete_folder(folder, recursive=True, missing_ok=True)
