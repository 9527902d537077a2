"""Makes a call that is given as data, and returns its outcome as data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from remote_store.conformance.checking.callers import Boom
from remote_store.conformance.model.actions import Action, Payload, Result
from remote_store.core import AsyncBackend, FileInfo, FolderInfo, WriteResult


async def perform(backend: AsyncBackend, action: Action) -> Result:
    """Make a call; return its value or its exception."""
    try:
        return Result(await SPECIAL.get(action.method, _plain)(backend, action))
    except Exception as error:
        return Result(error=error)


async def _plain(backend: AsyncBackend, action: Action) -> object:
    return await getattr(backend, action.method)(*action.paths, **action.options)


async def _facts(backend: AsyncBackend, action: Action) -> object:
    return facts(await getattr(backend, action.method)(*action.paths))


async def _read(backend: AsyncBackend, action: Action) -> object:
    async with await backend.read(*action.paths) as stream:
        return await stream.read(action.numbers[0]) + await stream.read()


async def _read_seekable(backend: AsyncBackend, action: Action) -> object:
    async with await backend.read_seekable(*action.paths) as stream:
        await stream.seek(action.numbers[0])
        return await stream.read(action.numbers[1])


async def _read_range(backend: AsyncBackend, action: Action) -> object:
    return await backend.read_range(action.paths[0], *action.numbers)


async def _write(backend: AsyncBackend, action: Action) -> object:
    content = (action.payload or Payload()).content()
    return facts(await getattr(backend, action.method)(*action.paths, content, **action.options))


async def _open_atomic(backend: AsyncBackend, action: Action) -> object:
    async with backend.open_atomic(*action.paths, **action.options) as stream:
        await stream.write((action.payload or Payload()).data)
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


SPECIAL: dict[str, Callable[[AsyncBackend, Action], Any]] = {
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
