# Generated from packages/remote-store-fsspec/src/remote_store/fsspec/operations/aio/looking.py by tools/unasync.py;
# edit that.
"""What is there, and what is known of it.

The names of the methods with an underscore are those that fsspec documents for an `AbstractFileSystem`.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

from fsspec.spec import AbstractFileSystem

from remote_store.core import InvalidPath, Store
from remote_store.fsspec.errors import is_wrong_kind, missing
from remote_store.fsspec.names.entries import Entry, entry_of, folder_entry, modified, ukey
from remote_store.fsspec.names.paths import ROOTS, exact, folder_name, key_of


class Looking(AbstractFileSystem):
    """The methods of a filesystem about one file or folder.

    Attributes:
        store: The store.
    """

    store: Store

    def changed(self) -> None:
        """Called before each change, for a filesystem that keeps what it saw."""

    def info(self, path: str, *, refresh: bool = False) -> Entry:
        """Describe a file or a folder. If there are both, describe the file.

        On S3: 1 request for a file, 2 for a folder, none for the root.
        """
        key = key_of(path)
        if key in ROOTS:
            return folder_entry("")
        if key.endswith("/"):
            return self._folder_info(key)
        try:
            return entry_of(self.store.head(exact(key)))
        except InvalidPath as error:
            if is_wrong_kind(error):
                return folder_entry(key)
            raise

    def _folder_info(self, key: str) -> Entry:
        if self.isdir(key):
            return folder_entry(folder_name(key))
        raise missing(key)

    def exists(self, path: str, *, refresh: bool = False) -> bool:
        """Whether there is a file or a folder. A refused request is an error.

        On S3: 1 request for a file, 2 for a folder or nothing, none for the root.
        """
        key = key_of(path)
        if key.endswith("/"):
            return self.isdir(key)
        with suppress(InvalidPath):
            return self.store.exists(exact(key))
        return False

    def isfile(self, path: str) -> bool:
        """Whether there is a file. A refused request is an error. On S3: 1 request, none for the root."""
        with suppress(InvalidPath):
            return self.store.is_file(exact(key_of(path)))
        return False

    def isdir(self, path: str) -> bool:
        """Whether there is a folder, perhaps beside a file of that name. On S3: 1 request, none for the root."""
        key = key_of(path)
        with suppress(InvalidPath):
            return key in ROOTS or self.store.is_folder(exact(key))
        return False

    def size(self, path: str) -> int | None:
        """The size of a file in bytes. On S3: 1 request."""
        size: int | None = (self.info(path))["size"]
        return size

    def modified(self, path: str) -> datetime:
        """The time of the last write, aware and in UTC. On S3: 1 request.

        Raises:
            NotImplementedError: The path is a folder.
        """
        return modified(self.info(path))

    def created(self, path: str) -> datetime:
        """The same as `modified`: a file is written once, as a whole. On S3: 1 request."""
        return modified(self.info(path))

    def ukey(self, path: str) -> str:
        """A text that changes when the file does: a digest of its place, ETag, size and time. On S3: 1 request."""
        return ukey(self.store.native_path(), self.info(path))

    def checksum(self, path: str) -> int:
        """The number of `ukey`."""
        return int(self.ukey(path), 16)

    def sign(self, path: str, expiration: float = 100, **options: Any) -> str:
        """A URL with which anyone can read the file for some time. Sends no request.

        Args:
            path: The file.
            expiration: Seconds until the URL expires.
            options: `method`, `content_type`, `response_headers` and `version_id`, as of the store's `presign`.
        """
        return self.store.presign(exact(key_of(path)), expires_in=expiration, **options)
