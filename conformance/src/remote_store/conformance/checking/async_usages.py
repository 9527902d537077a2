"""A table of every use of a backend's methods, so that one check can cover a rule about all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from remote_store.core import AsyncBackend, Capability

DATA = b"operation"


class AsyncUsage(NamedTuple):
    """One use of a method on a path. The other path is the second path of a copy or a move.

    Attributes:
        run: Calls the method and finishes what it began: reads streams, consumes listings.
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
    "exists": AsyncUsage(_exists, None),
    "is_file": AsyncUsage(_is_file, None),
    "is_folder": AsyncUsage(_is_folder, None),
}
FILE_USAGES = {
    "read": AsyncUsage(_read, Capability.READ),
    "read_seekable": AsyncUsage(_read_seekable, Capability.SEEKABLE_READ),
    "read_bytes": AsyncUsage(_read_bytes, Capability.READ),
    "read_range": AsyncUsage(_read_range, Capability.READ),
    "get_file_info": AsyncUsage(_get_file_info, Capability.METADATA),
    "delete": AsyncUsage(_delete, Capability.DELETE),
    "copy_from": AsyncUsage(_copy_from, Capability.COPY),
    "move_from": AsyncUsage(_move_from, Capability.MOVE),
}
TOLERANT_USAGES = {
    "delete_tolerant": AsyncUsage(_delete_tolerant, Capability.DELETE),
    "delete_folder_tolerant": AsyncUsage(_delete_folder_tolerant, Capability.DELETE),
}
WRITE_USAGES = {
    "write": AsyncUsage(_write, Capability.WRITE),
    "overwrite": AsyncUsage(_overwrite, Capability.WRITE),
    "write_atomic": AsyncUsage(_write_atomic, Capability.ATOMIC_WRITE),
    "open_atomic": AsyncUsage(_open_atomic, Capability.ATOMIC_WRITE),
    "copy_to": AsyncUsage(_copy_to, Capability.COPY),
    "move_to": AsyncUsage(_move_to, Capability.MOVE),
}
FOLDER_USAGES = {
    "delete_folder": AsyncUsage(_delete_folder, Capability.DELETE),
    "get_folder_info": AsyncUsage(_get_folder_info, Capability.METADATA),
}
LISTINGS = {
    "list_files": AsyncUsage(_list_files, Capability.LIST),
    "list_folders": AsyncUsage(_list_folders, Capability.LIST),
    "iter_children": AsyncUsage(_iter_children, Capability.LIST),
}
OTHERS = {
    "glob": AsyncUsage(_glob, Capability.GLOB),
    "user_metadata": AsyncUsage(_user_metadata, Capability.USER_METADATA),
}
USAGES = {
    **PROBES,
    **FILE_USAGES,
    **TOLERANT_USAGES,
    **WRITE_USAGES,
    **FOLDER_USAGES,
    **LISTINGS,
    **OTHERS,
}
PATH_USAGES = {name: row for name, row in USAGES.items() if name != "user_metadata"}
EXACT_USAGES = {name: row for name, row in PATH_USAGES.items() if name != "glob"}
