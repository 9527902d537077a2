# Generated from conformance/src/remote_store/conformance/model/async_perform.py by tools/unasync.py; edit that.
"""Makes a call that is given as data, and returns its outcome as data."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from remote_store.conformance.checking.callers import Boom
from remote_store.conformance.model.actions import (
    CONDITIONS,
    CURRENT,
    FILL,
    NOT_MODIFIED,
    Action,
    Payload,
    Result,
    Step,
)
from remote_store.core import Backend, FileInfo, FolderInfo, NotModified, WriteResult

HEADERS = ("cache_control", "content_disposition", "content_encoding", "expires")


def perform(backend: Backend, action: Action) -> Result:
    """Make a call; return its value or its exception."""
    try:
        return Result(SPECIAL.get(action.method, _plain)(backend, _named(backend, action)))
    except Exception as error:
        return Result(error=error)


def _named(backend: Backend, action: Action) -> Action:
    """The call with the ETag that the file has now."""
    names = [name for name in CONDITIONS if action.options.get(name) == CURRENT]
    if not names:
        return action
    tag = (backend.get_file_info(action.paths[0])).etag
    return replace(action, options={**action.options, **dict.fromkeys(names, tag)})


def _plain(backend: Backend, action: Action) -> object:
    return getattr(backend, action.method)(*action.paths, **action.options)


def _facts(backend: Backend, action: Action) -> object:
    return facts(getattr(backend, action.method)(*action.paths, **action.options))


def _read_bytes(backend: Backend, action: Action) -> object:
    found: object = backend.read_bytes(*action.paths, **action.options)
    return NOT_MODIFIED if isinstance(found, NotModified) else found


def _read(backend: Any, action: Action) -> object:
    with backend.read(*action.paths, **action.options) as stream:
        return b"".join([stream.read(size) for size in (*action.numbers, -1)])


def _read_seekable(backend: Any, action: Action) -> object:
    assert action.steps, "a read of a stream has steps"
    with backend.read_seekable(*action.paths, **action.options) as stream:
        return [_stepped(stream, step) for step in action.steps]


def _stepped(stream: Any, step: Step) -> object:
    name, *arguments = step
    if name == "tell":
        return stream.tell()
    if name != "readinto":
        return getattr(stream, name)(*arguments)
    buffer = array(arguments[0], bytes(arguments[1]))
    return stream.readinto(buffer), buffer.tobytes()


def _read_range(backend: Any, action: Action) -> object:
    return backend.read_range(action.paths[0], *action.numbers, **action.options)


def _read_ranges(backend: Any, action: Action) -> object:
    pairs = list(zip(action.numbers[::2], action.numbers[1::2], strict=True))
    return backend.read_ranges(action.paths[0], pairs, **action.options)


def _fill(backend: Backend, action: Action) -> object:
    count, *deep = action.numbers
    for number in range(count):
        backend.write(f"{action.paths[0]}/{number}{'/x' if deep else ''}", b"", overwrite=True)
    return None


def _delete_many(backend: Backend, action: Action) -> object:
    outcomes = backend.delete_many(list(action.paths))
    return sorted([(outcome.path, type(outcome.error).__name__) for outcome in outcomes])


def _tags(backend: Backend, action: Action) -> object:
    return sorted((backend.get_tags(*action.paths)).items())


def _write(backend: Backend, action: Action) -> object:
    content = (action.payload or Payload()).content()
    return facts(getattr(backend, action.method)(*action.paths, content, **action.options))


def _open_atomic(backend: Backend, action: Action) -> object:
    with backend.open_atomic(*action.paths, **action.options) as stream:
        stream.write((action.payload or Payload()).data)
        for step in action.steps:
            _stepped(stream, step)
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


def facts(described: FileInfo | FolderInfo | WriteResult | NotModified) -> object:
    """The facts of a file, a folder or a write that are the same for every backend."""
    if isinstance(described, NotModified):
        return NOT_MODIFIED
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
        "digest": described.digest,
    }
    if isinstance(described, FileInfo):
        known |= {"name": described.name, "content_type": described.content_type}
        known |= {name: getattr(described, name) for name in HEADERS}
    return known


SPECIAL: dict[str, Callable[[Backend, Action], Any]] = {
    "get_file_info": _facts,
    "get_folder_info": _facts,
    "read": _read,
    "read_bytes": _read_bytes,
    "read_ranges": _read_ranges,
    "delete_many": _delete_many,
    "get_tags": _tags,
    FILL: _fill,
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
