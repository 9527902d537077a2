# Generated from conformance/src/remote_store/conformance/model/async_perform.py by tools/unasync.py; edit that.
"""Makes a call that is given as data, and returns its outcome as data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from remote_store.conformance.checking.callers import Boom
from remote_store.conformance.model.actions import Action, Payload, Result
from remote_store.core import Backend, FileInfo, FolderInfo, WriteResult


def perform(backend: Backend, action: Action) -> Result:
    """Make a call; return its value or its exception."""
    try:
        return Result(SPECIAL.get(action.method, _plain)(backend, action))
    except Exception as error:
        return Result(error=error)


def _plain(backend: Backend, action: Action) -> object:
    return getattr(backend, action.method)(*action.paths, **action.options)


def _facts(backend: Backend, action: Action) -> object:
    return facts(getattr(backend, action.method)(*action.paths))


def _read(backend: Backend, action: Action) -> object:
    with backend.read(*action.paths) as stream:
        return stream.read(action.numbers[0]) + stream.read()


def _read_seekable(backend: Backend, action: Action) -> object:
    with backend.read_seekable(*action.paths) as stream:
        stream.seek(action.numbers[0])
        return stream.read(action.numbers[1])


def _read_range(backend: Backend, action: Action) -> object:
    return backend.read_range(action.paths[0], *action.numbers)


def _write(backend: Backend, action: Action) -> object:
    content = (action.payload or Payload()).content()
    return facts(getattr(backend, action.method)(*action.paths, content, **action.options))


def _open_atomic(backend: Backend, action: Action) -> object:
    with backend.open_atomic(*action.paths, **action.options) as stream:
        stream.write((action.payload or Payload()).data)
        if action.fails:
            raise Boom
    return None


def _files(backend: Backend, action: Action) -> object:
    listing = getattr(backend, action.method)(*action.paths, **action.options)
    return sorted([(file.path, file.size) for file in listing])


def _folders(backend: Backend, action: Action) -> object:
    return sorted([folder.path for folder in backend.list_folders(*action.paths)])


def _children(backend: Backend, action: Action) -> object:
    return sorted([(type(child).__name__, child.path) for child in backend.iter_children(*action.paths)])


def _native_path(backend: Backend, action: Action) -> object:
    return backend.to_key(backend.native_path(*action.paths))


def _resolve(backend: Backend, action: Action) -> object:
    return backend.resolve(*action.paths).key


def _unwrap(backend: Backend, action: Action) -> object:
    return backend.unwrap(bytearray)


def facts(described: FileInfo | FolderInfo | WriteResult) -> dict[str, object]:
    """The facts of a file, a folder or a write that are the same for every backend."""
    if isinstance(described, FolderInfo):
        return {
            "path": described.path.rstrip("/"),
            "file_count": described.file_count,
            "total_size": described.total_size,
        }
    known: dict[str, object] = {
        "path": described.path,
        "size": described.size,
        "metadata": dict(described.metadata or {}),
    }
    if isinstance(described, FileInfo):
        known |= {"name": described.name, "content_type": described.content_type}
    return known


SPECIAL: dict[str, Callable[[Backend, Action], Any]] = {
    "get_file_info": _facts,
    "get_folder_info": _facts,
    "read": _read,
    "read_seekable": _read_seekable,
    "read_range": _read_range,
    "write": _write,
    "write_atomic": _write,
    "open_atomic": _open_atomic,
    "list_files": _files,
    "glob": _files,
    "list_folders": _folders,
    "iter_children": _children,
    "native_path": _native_path,
    "resolve": _resolve,
    "unwrap": _unwrap,
}
