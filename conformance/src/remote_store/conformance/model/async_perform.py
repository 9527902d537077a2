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
from remote_store.core import AsyncBackend, FileInfo, FolderInfo, NotModified, WriteResult

HEADERS = ("cache_control", "content_disposition", "content_encoding", "expires")


async def perform(backend: AsyncBackend, action: Action) -> Result:
    """Make a call; return its value or its exception."""
    try:
        return Result(await SPECIAL.get(action.method, _plain)(backend, await _named(backend, action)))
    except Exception as error:
        return Result(error=error)


async def _named(backend: AsyncBackend, action: Action) -> Action:
    """The call with the ETag that the file has now."""
    names = [name for name in CONDITIONS if action.options.get(name) == CURRENT]
    if not names:
        return action
    tag = (await backend.get_file_info(action.paths[0])).etag
    return replace(action, options={**action.options, **dict.fromkeys(names, tag)})


async def _plain(backend: AsyncBackend, action: Action) -> object:
    return await getattr(backend, action.method)(*action.paths, **action.options)


async def _facts(backend: AsyncBackend, action: Action) -> object:
    return facts(await getattr(backend, action.method)(*action.paths, **action.options))


async def _read_bytes(backend: AsyncBackend, action: Action) -> object:
    found: object = await backend.read_bytes(*action.paths, **action.options)
    return NOT_MODIFIED if isinstance(found, NotModified) else found


async def _read(backend: Any, action: Action) -> object:
    async with await backend.read(*action.paths, **action.options) as stream:
        return b"".join([await stream.read(size) for size in (*action.numbers, -1)])


async def _read_seekable(backend: Any, action: Action) -> object:
    assert action.steps, "a read of a stream has steps"
    async with await backend.read_seekable(*action.paths, **action.options) as stream:
        return [await _stepped(stream, step) for step in action.steps]


async def _stepped(stream: Any, step: Step) -> object:
    name, *arguments = step
    if name == "tell":
        return stream.tell()
    if name != "readinto":
        return await getattr(stream, name)(*arguments)
    buffer = array(arguments[0], bytes(arguments[1]))
    return await stream.readinto(buffer), buffer.tobytes()


async def _read_range(backend: Any, action: Action) -> object:
    return await backend.read_range(action.paths[0], *action.numbers, **action.options)


async def _read_ranges(backend: Any, action: Action) -> object:
    pairs = list(zip(action.numbers[::2], action.numbers[1::2], strict=True))
    return await backend.read_ranges(action.paths[0], pairs, **action.options)


async def _fill(backend: AsyncBackend, action: Action) -> object:
    count, *deep = action.numbers
    for number in range(count):
        await backend.write(f"{action.paths[0]}/{number}{'/x' if deep else ''}", b"", overwrite=True)
    return None


async def _delete_many(backend: AsyncBackend, action: Action) -> object:
    outcomes = backend.delete_many(list(action.paths))
    return sorted([(outcome.path, type(outcome.error).__name__) async for outcome in outcomes])


async def _tags(backend: AsyncBackend, action: Action) -> object:
    return sorted((await backend.get_tags(*action.paths)).items())


async def _write(backend: AsyncBackend, action: Action) -> object:
    content = (action.payload or Payload()).content()
    return facts(await getattr(backend, action.method)(*action.paths, content, **action.options))


async def _open_atomic(backend: AsyncBackend, action: Action) -> object:
    async with backend.open_atomic(*action.paths, **action.options) as stream:
        await stream.write((action.payload or Payload()).data)
        for step in action.steps:
            await _stepped(stream, step)
        if action.fails:
            raise Boom
    return None


async def _files(backend: AsyncBackend, action: Action) -> object:
    listing = getattr(backend, action.method)(*action.paths, **action.options)
    return sorted([(file.path, file.size) async for file in listing])


async def _folders(backend: AsyncBackend, action: Action) -> object:
    return sorted([folder.path async for folder in backend.list_folders(*action.paths)])


async def _children(backend: AsyncBackend, action: Action) -> object:
    return sorted([(type(child).__name__, child.path) async for child in backend.iter_children(*action.paths)])


async def _native_path(backend: AsyncBackend, action: Action) -> object:
    return backend.to_key(backend.native_path(*action.paths))


async def _resolve(backend: AsyncBackend, action: Action) -> object:
    return backend.resolve(*action.paths).key


async def _unwrap(backend: AsyncBackend, action: Action) -> object:
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


SPECIAL: dict[str, Callable[[AsyncBackend, Action], Any]] = {
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
