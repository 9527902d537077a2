"""PyIceberg's way to files, over a store."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import pyarrow as pa
from pyiceberg.io import FileIO, InputFile, OutputFile

from remote_store.core import InvalidConfiguration, RemotePath, Store
from remote_store.core.s3 import public
from remote_store.pyarrow.fs.errors import of_files
from remote_store.pyarrow.fs.making import filesystem
from remote_store.pyarrow.fs.writing import OutputFile as ArrowOutput

PREFIX = "remote-store."
URL = f"{PREFIX}url"
BUCKETS = ("s3", "s3a", "s3n")
"""Schemes of locations whose rest is the bucket and the key, as in the native path of a backend over S3."""


@public("remote_store.pyarrow.iceberg")
class StoreFileIO(FileIO):  # type: ignore[misc]  # the workspace does not have PyIceberg
    """Reads and writes the files of Iceberg tables through a store.

    Give its name to a catalog of PyIceberg, and the URL of a store:

    ```python
    SqlCatalog(
        "lake",
        uri="sqlite:///lake.db",
        warehouse="s3://my-bucket/warehouse",
        **{
            "py-io-impl": "remote_store.pyarrow.iceberg.StoreFileIO",
            "remote-store.url": "s3+boto3://my-bucket?region_name=eu-central-1",
        },
    )
    ```

    Further properties that begin with `remote-store.`, such as `remote-store.key` and `remote-store.secret`, are
    settings that `Store.from_url` takes beside the URL. Stores of equal properties are shared by the process, and stay
    open.

    A location such as `s3://bucket/key` is a file of the store if the store's `native_path` of it is `bucket/key`;
    `file:` and other locations likewise. Files are read as by `filesystem`, pinned to one version. Metadata files are
    created with one conditional write, so two writers never replace each other's.

    Args:
        properties: The properties of the catalog and of the table.

    Raises:
        ConfigError: The URL or a setting is wrong.
        InvalidConfiguration: There is no `remote-store.url`.
    """

    def __init__(self, properties: Mapping[str, str] | None = None) -> None:
        super().__init__(dict(properties or {}))
        self.store = self.open_store(self.properties)
        self._filesystem = filesystem(self.store)

    def open_store(self, properties: Mapping[str, str]) -> Store:
        """The store of the properties. Override it to make the store in another way.

        Args:
            properties: The properties of the catalog and of the table.

        Returns:
            The store, which is not closed by this object.
        """
        if URL not in properties:
            raise InvalidConfiguration(f"the catalog has no property {URL}; set it to the URL of a store")
        own = {name.removeprefix(PREFIX): value for name, value in properties.items() if name.startswith(PREFIX)}
        return shared_store(own.pop("url"), frozenset(own.items()))

    def new_input(self, location: str) -> InputFile:
        """The file at a location, to read it. Sends no request."""
        return StoreFile(location, self.store, self._filesystem)

    def new_output(self, location: str) -> OutputFile:
        """The file at a location, to write it. Sends no request."""
        return StoreFile(location, self.store, self._filesystem)

    def delete(self, location: str | InputFile | OutputFile) -> None:
        """Delete the file at a location: the requests of `Store.delete`.

        Raises:
            FileNotFoundError: There is none.
        """
        if isinstance(location, InputFile | OutputFile):
            location = location.location
        self._filesystem.delete_file(key_of(location, self.store))


class StoreFile(InputFile, OutputFile):  # type: ignore[misc]  # the workspace does not have PyIceberg
    """A file of an Iceberg table.

    Args:
        location: The location.
        store: The store that it is in.
        arrow: The filesystem of the store.
    """

    def __init__(self, location: str, store: Store, arrow: Any) -> None:
        super().__init__(location)
        self._store = store
        self._arrow = arrow
        self._path = key_of(location, store)
        self._written: ArrowOutput | None = None

    def __len__(self) -> int:
        if self._written is not None:
            return self._written.size
        with of_files(self._path):
            return self._store.head(self._path).size

    def exists(self) -> bool:
        """Whether there is such a file."""
        return self._store.is_file(self._path)

    def open(self, seekable: bool = True) -> pa.NativeFile:  # noqa: FBT002 - PyIceberg's signature
        """Open the file for reading."""
        if seekable:
            return self._arrow.open_input_file(self._path)
        return self._arrow.open_input_stream(self._path, compression=None)

    def create(self, overwrite: bool = False) -> pa.NativeFile:  # noqa: FBT002 - PyIceberg's signature
        """Open the file for writing. It appears when it is closed; after an exception, not at all.

        Raises:
            FileExistsError: It exists, and `overwrite` is `False`; also when it is closed.
        """
        with of_files(self._path):
            opening = self._store.open_atomic(self._path, overwrite=overwrite)
            self._written = ArrowOutput(opening, lambda: None, self._path)
        return pa.PythonFile(self._written, mode="w")

    def to_input_file(self) -> StoreFile:
        """The same file."""
        return self


@lru_cache(maxsize=32)
def shared_store(url: str, options: frozenset[tuple[str, str]]) -> Store:
    """The store of this process with a URL and settings."""
    return Store.from_url(url, **dict(options))


def key_of(location: str, store: Store) -> RemotePath:
    """The path in a store of a location, which is taken as it is.

    PyIceberg percent-encodes the values of partitions in the locations of data files, and other engines open these
    locations without decoding them. Decoded, a value such as `../x` would lead out of the folder of its table.

    Raises:
        InvalidPath: The location is in another bucket or folder than the store.
    """
    scheme, colon, rest = location.partition(":")
    if colon and scheme.lower() in BUCKETS:
        return store.to_key(rest.removeprefix("//"))
    if colon and scheme.lower() == "file":
        # An authority, such as `localhost`, is not part of the path.
        return store.to_key(f"/{rest[2:].partition('/')[2]}" if rest.startswith("//") else rest)
    return store.to_key(location)
