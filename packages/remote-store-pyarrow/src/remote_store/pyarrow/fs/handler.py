"""What pyarrow calls to work with a store."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import pyarrow as pa
from pyarrow.fs import FileInfo as ArrowInfo
from pyarrow.fs import FileSelector, FileSystemHandler, FileType, S3FileSystem

from remote_store.core import (
    Capability,
    CapabilityNotSupported,
    FileInfo,
    FolderEntry,
    InvalidPath,
    NotFound,
    RemotePath,
    Store,
)
from remote_store.pyarrow.fs.errors import is_other_kind, of_files, of_folders, of_one_version
from remote_store.pyarrow.fs.known import KnownFiles
from remote_store.pyarrow.fs.reading import check_same, opened, pinned
from remote_store.pyarrow.fs.writing import OutputFile

HEADERS = {
    "cache-control": "cache_control",
    "content-disposition": "content_disposition",
    "content-encoding": "content_encoding",
}
"""Names in the `metadata` of an output stream, as in S3FileSystem, and the options of a write that they become."""

SAME_PLACE = ("s3", "local")
"""Kinds of backends of which two with the same location have the same files."""


class StoreHandler(FileSystemHandler):  # type: ignore[misc]  # pyarrow has no types
    """Implements a `pyarrow.fs.PyFileSystem` by a store.

    A path is an exact key, except that one slash at its end is dropped; `""` and `"/"` are the root. Errors reach the
    caller as they were raised: pyarrow keeps the Python exception while it passes through C++.

    Args:
        store: The store.
        native: Read through pyarrow's own S3 filesystem.
        whole_file_size: Files of up to this size are read by one request.
    """

    def __init__(self, store: Store, *, native: bool, whole_file_size: int) -> None:
        self.store = store
        self.native = native
        self.whole_file_size = whole_file_size
        self._known = KnownFiles()

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_known": KnownFiles()}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, StoreHandler):
            return NotImplemented
        if (self.native, self.whole_file_size) != (other.native, other.whole_file_size):
            return False
        ours, theirs = self.store.resolve(), other.store.resolve()
        shared = self.store.backend is other.store.backend or ours.kind in SAME_PLACE
        return shared and ours == theirs and ours.details == theirs.details

    def __hash__(self) -> int:
        return hash((self.native, self.whole_file_size, self.store.resolve().native_path))

    def know(self, infos: Iterable[FileInfo]) -> None:
        """Open these files without a request, each in this version, as if `get_file_info` had returned them."""
        self._known.add(infos)

    def get_type_name(self) -> str:
        return f"remote-store+{self.store.backend.name}"

    def normalize_path(self, path: str) -> str:
        """The path as it is: keys are exact."""
        return path

    def get_file_info(self, paths: list[str]) -> list[ArrowInfo]:
        """A HEAD for each path, several at once, and 1 request more for a path that is no file. None for the root."""
        keys = {path: exact(path) for path in paths}
        found: dict[str, FileInfo | FileType] = {"": FileType.Directory}
        asked = dict.fromkeys(key for key in keys.values() if key)
        for outcome in self.store.head_many(asked, max_concurrency=min(len(asked), 8) or 1):
            found[outcome.path] = self._seen(outcome.path, outcome.value, outcome.error)
        return [described(path, found[keys[path]]) for path in paths]

    def _seen(self, path: str, info: FileInfo | None, error: Exception | None) -> FileInfo | FileType:
        self._known.forget(path)
        if info is not None:
            self._known.add([info])
            return info
        if isinstance(error, InvalidPath) and is_other_kind(error):
            return FileType.Directory
        if isinstance(error, NotFound):
            return FileType.NotFound
        raise error or AssertionError

    def get_file_info_selector(self, selector: FileSelector) -> list[ArrowInfo]:
        """1 request per 1,000 keys, also if it is recursive; 1 or 2 more if there is nothing."""
        base = exact(selector.base_dir)
        files, folders = self._listed(base, recursive=selector.recursive)
        self._known.forget_folder(base, recursive=selector.recursive)
        self._known.add(files)
        if base and not files and not folders and not selector.allow_not_found:
            self._require_folder(base)
        rows = [described(str(info.path), info) for info in files]
        return rows + [described(path, FileType.Directory) for path in folders]

    def _listed(self, base: str, *, recursive: bool) -> tuple[list[FileInfo], list[str]]:
        if recursive:
            files = list(self.store.list_files(base, recursive=True))
            return files, list(dict.fromkeys(folder for info in files for folder in folders_of(str(info.path), base)))
        rows = list(self.store.iter_children(base))
        folders = [str(row.path) for row in rows if isinstance(row, FolderEntry)]
        return [row for row in rows if isinstance(row, FileInfo)], folders

    def _require_folder(self, path: str) -> None:
        if self.store.is_folder(path):
            return
        if self.store.is_file(path):
            raise NotADirectoryError(errno.ENOTDIR, "the path is a file; pass it itself, not as a base_dir", path)
        raise FileNotFoundError(errno.ENOENT, "there is no such folder, and no key begins like it", path)

    def create_dir(self, path: str, recursive: bool) -> None:
        """Does nothing, and sends no request: a folder exists as soon as it has a file."""

    def delete_dir(self, path: str) -> None:
        with of_folders(path):
            self.store.delete_folder(exact(path), recursive=True)
        self._known.forget_folder(exact(path))

    def delete_dir_contents(self, path: str, missing_dir_ok: bool) -> None:
        """Delete all below a folder. On S3 the folder is gone with it."""
        key = exact(path)
        if not key:
            raise InvalidPath(
                "the path is the root, so this would empty the store; pass accept_root_dir=True if it is meant",
                path=path,
                backend=self.store.backend.name,
            )
        with of_folders(path):
            self.store.delete_folder(key, recursive=True, missing_ok=missing_dir_ok)
        self._known.forget_folder(key)

    def delete_root_dir_contents(self) -> None:
        """Delete all files below the root of the store, and nothing beside it in the bucket."""
        children = list(self.store.iter_children())
        for outcome in self.store.delete_many([child.path for child in children if isinstance(child, FileInfo)]):
            outcome.result()
        for child in children:
            if isinstance(child, FolderEntry):
                self.store.delete_folder(child.path, recursive=True, missing_ok=True)
        self._known.forget_folder("")

    def delete_file(self, path: str) -> None:
        with of_files(path):
            self.store.delete(exact(path))
        self._known.forget(exact(path))

    def move(self, src: str, dest: str) -> None:
        """Move a file, replacing `dest`. A folder is refused: on S3 it could not be moved at once."""
        with of_files(src):
            self.store.move(exact(src), exact(dest), overwrite=True)
        self._known.forget(exact(src))
        self._known.forget(exact(dest))

    def copy_file(self, src: str, dest: str) -> None:
        """Copy a file on the server, replacing `dest`."""
        with of_files(src):
            self.store.copy(exact(src), exact(dest), overwrite=True)
        self._known.forget(exact(dest))

    def open_input_stream(self, path: str) -> pa.NativeFile:
        """1 GET, from whose response the bytes are read."""
        if self.native:
            return self._native().open_input_stream(self.store.native_path(exact(path)), compression=None)
        key = exact(path)
        known = self._known.find(key)
        if known is not None and known.size <= self.whole_file_size:
            return self.open_input_file(path)
        version = {"if_match": known.etag} if known is not None and self._pins(known) else {}
        with of_files(path), of_one_version(key):
            reader = self.store.read(key, **version)
        check_same(known, reader.info)
        return pa.PythonFile(reader, mode="r")

    def open_input_file(self, path: str) -> pa.NativeFile:
        """A small file by 1 GET. Of a larger one, nothing yet. 1 HEAD before it if Arrow did not ask about the file."""
        if self.native:
            return self._native().open_input_file(self.store.native_path(exact(path)))
        key = exact(path)
        with of_files(path):
            known = self._known.find(key)
            info = self.store.head(key) if known is None and self._pins(None) else known
            return self._opened(key, info)

    def _opened(self, key: str, info: FileInfo | None) -> pa.NativeFile:
        if info is None or not self._pins(info):
            reader = self.store.read_seekable(key)
            check_same(info, reader.info)
            if reader.info.size > self.whole_file_size:
                return pa.PythonFile(opened(reader), mode="r")
            with reader:
                return pa.BufferReader(reader.read())
        if info.size > self.whole_file_size:
            return pa.PythonFile(pinned(self.store, key, info), mode="r")
        with of_one_version(key):
            return pa.BufferReader(self.store.read_bytes(key, if_match=info.etag))

    def open_output_stream(self, path: str, metadata: Mapping[bytes, bytes] | None) -> pa.NativeFile:
        """Nothing yet. The requests of `Store.write` when it is closed. An existing file is replaced."""
        key = exact(path)
        with of_files(path):
            opening = self.store.open_atomic(key, overwrite=True, **options_of(metadata))
            file = OutputFile(opening, lambda: self._known.forget(key), key)
        return pa.PythonFile(file, mode="w")

    def open_append_stream(self, path: str, metadata: Mapping[bytes, bytes] | None) -> pa.NativeFile:  # noqa: ARG002
        raise CapabilityNotSupported(
            "files are written whole and cannot be appended to; write a new file beside it, as a dataset does",
            capability="append",
            path=path,
            backend=self.store.backend.name,
        )

    def _native(self) -> Any:
        return self.store.unwrap(S3FileSystem)

    def _pins(self, info: FileInfo | None) -> bool:
        """Whether every request can require the version. No condition matches a weak ETag."""
        if not self.store.supports(Capability.CONDITIONAL_READ):
            return False
        return info is None or (info.etag is not None and not info.etag.startswith("W/"))


def exact(path: str) -> str:
    """The key of a path, byte for byte but for one slash at the end."""
    return RemotePath.exact(path.removesuffix("/"))


def described(path: str, what: FileInfo | FileType) -> ArrowInfo:
    """A row of `get_file_info`."""
    if isinstance(what, FileInfo):
        return ArrowInfo(path, FileType.File, size=what.size, mtime=what.modified_at)
    return ArrowInfo(path, what)


def folders_of(path: str, base: str) -> Iterator[str]:
    """The folders of a file that are below a base folder, from top to bottom."""
    start = len(base) + 1 if base else 0
    while (end := path.find("/", start)) >= 0:
        yield path[:end]
        start = end + 1


def options_of(metadata: Mapping[bytes, bytes] | None) -> dict[str, Any]:
    """The options of a write from the metadata of an output stream. Names without a meaning become user metadata."""
    options: dict[str, Any] = {}
    own: dict[str, str] = {}
    for name, value in (metadata or {}).items():
        word, text = name.decode().lower(), value.decode()
        if word == "content-type":
            options["content_type"] = text
        elif word == "expires":
            options["expires"] = parsedate_to_datetime(text)
        elif word in HEADERS:
            options[HEADERS[word]] = text
        else:
            own[word] = text
    return options | ({"metadata": own} if own else {})
