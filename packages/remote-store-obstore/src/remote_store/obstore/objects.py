"""The requests of a backend to its store."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING, Any, cast

import obstore

from remote_store.core import (
    BackendUnavailable,
    Capability,
    FileInfo,
    FolderEntry,
    InvalidPath,
    NotFound,
    RemoteStoreError,
    require_file_path,
)
from remote_store.obstore.entries import described
from remote_store.obstore.errors import ANOTHER_SERVICE, absent_is_empty, errors_of
from remote_store.obstore.kinds import Kind
from remote_store.obstore.paths import check_path, folder_of, is_reachable
from remote_store.obstore.reading import BLOCK

if TYPE_CHECKING:
    from obstore import GetOptions, GetResult, ObjectMeta
    from obstore.store import ObjectStore

PAGE = 1000
ATTEMPTS = 3
PROBED = "remote-store"
"""The file that is asked for where no other is named; it need not exist."""


class Objects:
    """The objects of a store. Every request raises errors of the contract.

    Args:
        store: The store.
        kind: Its kind.
        name: Name of the backend for errors.
    """

    def __init__(self, store: ObjectStore, kind: Kind, name: str) -> None:
        self._store: ObjectStore | None = store
        self._kind = kind
        self._name = name
        self._process = os.getpid()
        # A service that its responses do not tell from others is believed.
        self._is_proven = not kind.is_told_by_responses

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        # An unpickled backend belongs to the process that unpickles it.
        self._process = os.getpid()

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called."""
        return self._store is None

    @property
    def store(self) -> ObjectStore:
        """The store, if it can be used."""
        store = self._store
        if store is None:
            raise BackendUnavailable("the backend is closed; make a new one", backend=self._name)
        if self._process != os.getpid():
            # obstore would hang here and, from then on, in the parent.
            message = "obstore does not work in a forked process; start processes with 'spawn' or 'forkserver'"
            raise BackendUnavailable(message, backend=self._name)
        return store

    def check_open(self) -> None:
        """Check that the store can be used.

        Raises:
            BackendUnavailable: The backend is closed, or this process is a fork of the one that made it.
        """
        _ = self.store

    def close(self) -> None:
        """Let go of the store, which closes its connections when its last reference is gone."""
        self._store = None

    def errors(self, path: str) -> AbstractContextManager[None]:
        """Raise errors of the contract for what obstore raises in the block."""
        return errors_of(path, self._name)

    def request(self, path: str, *, head: bool = False, **options: Any) -> GetResult:
        """Send a GET, or a HEAD."""
        try:
            with self.errors(path):
                result = obstore.get(self.store, path, options=cast("GetOptions", {**options, "head": head}))
        except NotFound as error:
            self._is_proven |= error.code is not None
            self.prove(path)
            raise
        except RemoteStoreError as error:
            if not head or error.code is not None or error.status not in (400, 403):
                raise
            # The response to a HEAD has no body and so no code; that to a GET may have one.
            with self.errors(path):
                obstore.get(self.store, path)
            raise
        self._believe(path, is_from_service=result.meta["e_tag"] is not None)
        return result

    def prove(self, path: str) -> None:
        """Check that the endpoint is a service of this kind, before what it does not have is taken for absent.

        One GET, of a file that need not exist, unless an earlier response has shown it.

        Raises:
            RemoteStoreError: It is another service.
        """
        if not self._is_proven:
            try:
                with self.errors(path):
                    result = obstore.get(self.store, path or PROBED)
                self._believe(path, is_from_service=result.meta["e_tag"] is not None)
            except BackendUnavailable:
                raise
            except RemoteStoreError as error:
                if error.status is None:
                    raise
                self._believe(path, is_from_service=error.code is not None)

    def _believe(self, path: str, *, is_from_service: bool) -> None:
        if self._kind.is_told_by_responses and not is_from_service:
            raise RemoteStoreError(ANOTHER_SERVICE, path=path, backend=self._name)
        self._is_proven = True

    def get(self, path: str, **options: Any) -> GetResult:
        """Send a GET, or a HEAD, for a file.

        Raises:
            InvalidPath: The path is a folder.
            NotFound: There is no such file.
        """
        self.check_open()
        check_path(path, self._kind, self._name)
        require_file_path(path, self._name)
        missing = NotFound("there is no such file", path=path, backend=self._name)
        try:
            if is_reachable(path, self._kind):
                return self.request(path, **options)
        except NotFound as error:
            missing = error
        is_folder = False
        # This lookup only improves the message, so it may fail.
        with suppress(RemoteStoreError):
            is_folder = Capability.LIST in self._kind.capabilities and any(self.pages(path))
        if is_folder:
            raise InvalidPath("the path is a folder; name a file", path=path, backend=self._name) from missing
        raise missing

    def body(self, path: str, result: GetResult) -> Iterator[bytes]:
        """The content of a response, in pieces."""
        with self.errors(path):
            yield from result.stream(min_chunk_size=BLOCK)

    def content(self, path: str, result: GetResult) -> bytes:
        """The content of a response."""
        with self.errors(path):
            return bytes(result.bytes())

    def pages(self, path: str) -> Iterator[Sequence[ObjectMeta]]:
        """The files below a folder, at every depth."""
        folder = folder_of(path)
        if folder and not is_reachable(folder, self._kind):
            return
        is_empty = True
        with absent_is_empty(), self.errors(path):
            for page in obstore.list(self.store, folder or None, chunk_size=PAGE):
                self._require_below(folder, (meta["path"] for meta in page))
                is_empty = False
                yield page
                # If the backend was closed meanwhile, obstore would go on.
                self.check_open()
            if is_empty:
                self.prove(path)

    def children(self, path: str) -> Iterator[FileInfo | FolderEntry]:
        """The files and folders of a folder."""
        folder = folder_of(path)
        if folder and not is_reachable(folder, self._kind):
            return
        with absent_is_empty(), self.errors(path):
            found = obstore.list_with_delimiter(self.store, folder or None)
            self._require_below(folder, (meta["path"] for meta in found["objects"]))
            self._require_below(folder, found["common_prefixes"])
            if not found["objects"] and not found["common_prefixes"]:
                self.prove(path)
            yield from map(described, found["objects"])
            yield from (FolderEntry(name, name.rpartition("/")[2]) for name in found["common_prefixes"])

    def delete(self, path: str) -> None:
        """Delete a file."""
        with self.errors(path):
            obstore.delete(self.store, path)

    def delete_all(self, folder: str, keys: Sequence[str]) -> None:
        """Delete files of a folder.

        Raises:
            RemoteStoreError: Files are still there; `paths` names them.
        """
        # The marker of the folder is listed without its slash, like the file of that name, which stays.
        left = [key for key in keys if key != folder and is_reachable(key, self._kind)]
        try:
            self._delete_listed(folder, left)
            if len(left) < len(keys):
                message = "files in the folder have names that this store lists but cannot open; delete them yourself"
                raise InvalidPath(message, path=folder, backend=self._name)
        except RemoteStoreError as error:
            error.paths = tuple(self._still_listed(folder, keys))
            raise

    def _require_below(self, folder: str, keys: Iterable[str]) -> None:
        """Refuse a listing of another folder, whose files would be deleted as those of this one."""
        start = folder and f"{folder}/"
        if other := next((key for key in keys if key != folder and not key.startswith(start)), None):
            message = f"the service listed {other!r}, which is not in the folder"
            raise RemoteStoreError(message, path=folder, backend=self._name)

    def _delete_listed(self, folder: str, left: Sequence[str]) -> None:
        attempts = ATTEMPTS
        while left:
            try:
                with self.errors(folder):
                    obstore.delete(self.store, left)
                left = []
            except NotFound as error:
                # Either another caller deleted a file first, or the store lists what it does not find.
                before, left = left, self._still_listed(folder, left)
                attempts = ATTEMPTS if len(left) < len(before) else attempts - 1
                if not attempts:
                    message = "the store lists files that it does not find; delete them yourself"
                    raise RemoteStoreError(message, path=folder, backend=self._name) from error

    def _still_listed(self, folder: str, keys: Sequence[str]) -> list[str]:
        listed = {meta["path"] for page in self.pages(folder) for meta in page}
        return [key for key in keys if key in listed]
