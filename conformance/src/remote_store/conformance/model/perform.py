# Generated from conformance/src/remote_store/conformance/model/async_perform.py by tools/unasync.py; edit that.
"""Makes a call that is given as data, and returns its outcome as data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from remote_store.conformance.model.steps import Body, Boom, Result, Step
from remote_store.core import Backend, FileInfo, FolderInfo, WriteResult


def perform(backend: Backend, step: Step) -> Result:
    """Make a call; return its value or its exception."""
    try:
        return Result(SPECIAL.get(step.method, _plain)(backend, step))
    except Exception as error:
        return Result(error=error)


def _plain(backend: Backend, step: Step) -> object:
    return getattr(backend, step.method)(*step.paths, **step.options)


def _facts(backend: Backend, step: Step) -> object:
    return facts(getattr(backend, step.method)(*step.paths))


def _read(backend: Backend, step: Step) -> object:
    with backend.read(*step.paths) as stream:
        return stream.read(step.numbers[0]) + stream.read()


def _read_seekable(backend: Backend, step: Step) -> object:
    with backend.read_seekable(*step.paths) as stream:
        stream.seek(step.numbers[0])
        return stream.read(step.numbers[1])


def _read_range(backend: Backend, step: Step) -> object:
    return backend.read_range(step.paths[0], *step.numbers)


def _write(backend: Backend, step: Step) -> object:
    content = (step.body or Body()).content()
    return facts(getattr(backend, step.method)(*step.paths, content, **step.options))


def _open_atomic(backend: Backend, step: Step) -> object:
    with backend.open_atomic(*step.paths, **step.options) as stream:
        stream.write((step.body or Body()).data)
        if step.fails:
            raise Boom
    return None


def _files(backend: Backend, step: Step) -> object:
    listing = getattr(backend, step.method)(*step.paths, **step.options)
    return sorted([(file.path, file.size) for file in listing])


def _folders(backend: Backend, step: Step) -> object:
    return sorted([folder.path for folder in backend.list_folders(*step.paths)])


def _children(backend: Backend, step: Step) -> object:
    return sorted([(type(child).__name__, child.path) for child in backend.iter_children(*step.paths)])


def _native_path(backend: Backend, step: Step) -> object:
    return backend.to_key(backend.native_path(*step.paths))


def _resolve(backend: Backend, step: Step) -> object:
    return backend.resolve(*step.paths).key


def _unwrap(backend: Backend, step: Step) -> object:
    return backend.unwrap(bytearray)


def facts(told: FileInfo | FolderInfo | WriteResult) -> dict[str, object]:
    """The facts of a file, a folder or a write that are the same for every backend."""
    if isinstance(told, FolderInfo):
        return {"path": told.path.rstrip("/"), "file_count": told.file_count, "total_size": told.total_size}
    known: dict[str, object] = {"path": told.path, "size": told.size, "metadata": dict(told.metadata or {})}
    if isinstance(told, FileInfo):
        known |= {"name": told.name, "content_type": told.content_type}
    return known


SPECIAL: dict[str, Callable[[Backend, Step], Any]] = {
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
