"""Makes a call that is given as data, and returns its outcome as data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from remote_store.conformance.model.steps import Body, Boom, Result, Step
from remote_store.core import AsyncBackend, FileInfo, FolderInfo, WriteResult


async def perform(backend: AsyncBackend, step: Step) -> Result:
    """Make a call; return its value or its exception."""
    try:
        return Result(await SPECIAL.get(step.method, _plain)(backend, step))
    except Exception as error:
        return Result(error=error)


async def _plain(backend: AsyncBackend, step: Step) -> object:
    return await getattr(backend, step.method)(*step.paths, **step.options)


async def _facts(backend: AsyncBackend, step: Step) -> object:
    return facts(await getattr(backend, step.method)(*step.paths))


async def _read(backend: AsyncBackend, step: Step) -> object:
    async with await backend.read(*step.paths) as stream:
        return await stream.read(step.numbers[0]) + await stream.read()


async def _read_seekable(backend: AsyncBackend, step: Step) -> object:
    async with await backend.read_seekable(*step.paths) as stream:
        await stream.seek(step.numbers[0])
        return await stream.read(step.numbers[1])


async def _read_range(backend: AsyncBackend, step: Step) -> object:
    return await backend.read_range(step.paths[0], *step.numbers)


async def _write(backend: AsyncBackend, step: Step) -> object:
    content = (step.body or Body()).content()
    return facts(await getattr(backend, step.method)(*step.paths, content, **step.options))


async def _open_atomic(backend: AsyncBackend, step: Step) -> object:
    async with backend.open_atomic(*step.paths, **step.options) as stream:
        await stream.write((step.body or Body()).data)
        if step.fails:
            raise Boom
    return None


async def _files(backend: AsyncBackend, step: Step) -> object:
    listing = getattr(backend, step.method)(*step.paths, **step.options)
    return sorted([(file.path, file.size) async for file in listing])


async def _folders(backend: AsyncBackend, step: Step) -> object:
    return sorted([folder.path async for folder in backend.list_folders(*step.paths)])


async def _children(backend: AsyncBackend, step: Step) -> object:
    return sorted([(type(child).__name__, child.path) async for child in backend.iter_children(*step.paths)])


async def _native_path(backend: AsyncBackend, step: Step) -> object:
    return backend.to_key(backend.native_path(*step.paths))


async def _resolve(backend: AsyncBackend, step: Step) -> object:
    return backend.resolve(*step.paths).key


async def _unwrap(backend: AsyncBackend, step: Step) -> object:
    return backend.unwrap(bytearray)


def facts(told: FileInfo | FolderInfo | WriteResult) -> dict[str, object]:
    """The facts of a file, a folder or a write that are the same for every backend."""
    if isinstance(told, FolderInfo):
        return {"path": told.path.rstrip("/"), "file_count": told.file_count, "total_size": told.total_size}
    known: dict[str, object] = {"path": told.path, "size": told.size, "metadata": dict(told.metadata or {})}
    if isinstance(told, FileInfo):
        known |= {"name": told.name, "content_type": told.content_type}
    return known


SPECIAL: dict[str, Callable[[AsyncBackend, Step], Any]] = {
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
