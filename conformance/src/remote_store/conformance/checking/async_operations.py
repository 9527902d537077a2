"""A table of every operation of a backend, so that one check can cover a rule about all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from remote_store.core import AsyncBackend, Capability

DATA = b"operation"


class AsyncOperation(NamedTuple):
    """One operation on a path. The other path is the second path of a copy or a move.

    Attributes:
        run: Performs the operation completely: reads streams, consumes listings.
        capability: The capability that it needs; `None` for no capability.
    """

    run: Callable[[AsyncBackend, str, str], Any]
    capability: Capability | None


async def _exists(backend: AsyncBackend, path: str, _other: str) -> object:
    return await backend.exists(path)


async def _is_file(backend: AsyncBackend, path: str, _other: str) -> object:
    return await backend.is_file(path)


async def _is_folder(backend: AsyncBackend, path: str, _other: str) -> object:
    return await backend.is_folder(path)


async def _read(backend: AsyncBackend, path: str, _other: str) -> object:
    async with await backend.read(path) as stream:
        return await stream.read()


async def _read_seekable(backend: AsyncBackend, path: str, _other: str) -> object:
    async with await backend.read_seekable(path) as stream:
        return await stream.read()


async def _read_bytes(backend: AsyncBackend, path: str, _other: str) -> object:
    return await backend.read_bytes(path)


async def _read_range(backend: AsyncBackend, path: str, _other: str) -> object:
    return await backend.read_range(path, 0, 100)


async def _get_file_info(backend: AsyncBackend, path: str, _other: str) -> object:
    return await backend.get_file_info(path)


async def _delete(backend: AsyncBackend, path: str, _other: str) -> None:
    await backend.delete(path)


async def _delete_tolerant(backend: AsyncBackend, path: str, _other: str) -> None:
    await backend.delete(path, missing_ok=True)


async def _copy_from(backend: AsyncBackend, path: str, other: str) -> None:
    await backend.copy(path, other)


async def _move_from(backend: AsyncBackend, path: str, other: str) -> None:
    await backend.move(path, other)


async def _write(backend: AsyncBackend, path: str, _other: str) -> object:
    return await backend.write(path, DATA)


async def _overwrite(backend: AsyncBackend, path: str, _other: str) -> object:
    return await backend.write(path, DATA, overwrite=True)


async def _write_atomic(backend: AsyncBackend, path: str, _other: str) -> object:
    return await backend.write_atomic(path, DATA)


async def _open_atomic(backend: AsyncBackend, path: str, _other: str) -> object:
    async with backend.open_atomic(path) as stream:
        return await stream.write(DATA)


async def _copy_to(backend: AsyncBackend, path: str, other: str) -> None:
    await backend.copy(other, path)


async def _move_to(backend: AsyncBackend, path: str, other: str) -> None:
    await backend.move(other, path)


async def _delete_folder(backend: AsyncBackend, path: str, _other: str) -> None:
    await backend.delete_folder(path, recursive=True)


async def _delete_folder_tolerant(backend: AsyncBackend, path: str, _other: str) -> None:
    await backend.delete_folder(path, recursive=True, missing_ok=True)


async def _get_folder_info(backend: AsyncBackend, path: str, _other: str) -> object:
    return await backend.get_folder_info(path)


async def _list_files(backend: AsyncBackend, path: str, _other: str) -> object:
    return [entry async for entry in backend.list_files(path)]


async def _list_folders(backend: AsyncBackend, path: str, _other: str) -> object:
    return [entry async for entry in backend.list_folders(path)]


async def _iter_children(backend: AsyncBackend, path: str, _other: str) -> object:
    return [entry async for entry in backend.iter_children(path)]


async def _glob(backend: AsyncBackend, path: str, _other: str) -> object:
    return [entry async for entry in backend.glob(path)]


async def _user_metadata(backend: AsyncBackend, path: str, _other: str) -> object:
    return await backend.write(path, DATA, metadata={"name": "value"})


PROBES = {
    "exists": AsyncOperation(_exists, None),
    "is_file": AsyncOperation(_is_file, None),
    "is_folder": AsyncOperation(_is_folder, None),
}
FILE_OPERATIONS = {
    "read": AsyncOperation(_read, Capability.READ),
    "read_seekable": AsyncOperation(_read_seekable, Capability.SEEKABLE_READ),
    "read_bytes": AsyncOperation(_read_bytes, Capability.READ),
    "read_range": AsyncOperation(_read_range, Capability.READ),
    "get_file_info": AsyncOperation(_get_file_info, Capability.METADATA),
    "delete": AsyncOperation(_delete, Capability.DELETE),
    "copy_from": AsyncOperation(_copy_from, Capability.COPY),
    "move_from": AsyncOperation(_move_from, Capability.MOVE),
}
TOLERANT_OPERATIONS = {
    "delete_tolerant": AsyncOperation(_delete_tolerant, Capability.DELETE),
    "delete_folder_tolerant": AsyncOperation(_delete_folder_tolerant, Capability.DELETE),
}
WRITE_OPERATIONS = {
    "write": AsyncOperation(_write, Capability.WRITE),
    "overwrite": AsyncOperation(_overwrite, Capability.WRITE),
    "write_atomic": AsyncOperation(_write_atomic, Capability.ATOMIC_WRITE),
    "open_atomic": AsyncOperation(_open_atomic, Capability.ATOMIC_WRITE),
    "copy_to": AsyncOperation(_copy_to, Capability.COPY),
    "move_to": AsyncOperation(_move_to, Capability.MOVE),
}
FOLDER_OPERATIONS = {
    "delete_folder": AsyncOperation(_delete_folder, Capability.DELETE),
    "get_folder_info": AsyncOperation(_get_folder_info, Capability.METADATA),
}
LISTINGS = {
    "list_files": AsyncOperation(_list_files, Capability.LIST),
    "list_folders": AsyncOperation(_list_folders, Capability.LIST),
    "iter_children": AsyncOperation(_iter_children, Capability.LIST),
}
OTHERS = {
    "glob": AsyncOperation(_glob, Capability.GLOB),
    "user_metadata": AsyncOperation(_user_metadata, Capability.USER_METADATA),
}
OPERATIONS = {
    **PROBES,
    **FILE_OPERATIONS,
    **TOLERANT_OPERATIONS,
    **WRITE_OPERATIONS,
    **FOLDER_OPERATIONS,
    **LISTINGS,
    **OTHERS,
}
PATH_OPERATIONS = {name: row for name, row in OPERATIONS.items() if name != "user_metadata"}
EXACT_OPERATIONS = {name: row for name, row in PATH_OPERATIONS.items() if name != "glob"}
