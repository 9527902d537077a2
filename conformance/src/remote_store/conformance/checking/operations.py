# Generated from conformance/src/remote_store/conformance/checking/async_operations.py by tools/unasync.py; edit that.
"""A table of every operation of a backend, so that one check can cover a rule about all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from remote_store.core import Backend, Capability

DATA = b"operation"


class Operation(NamedTuple):
    """One operation on a path. The other path is the second path of a copy or a move.

    Attributes:
        run: Performs the operation completely: reads streams, consumes listings.
        capability: The capability that it needs; `None` for no capability.
    """

    run: Callable[[Backend, str, str], Any]
    capability: Capability | None


def _exists(backend: Backend, path: str, _other: str) -> object:
    return backend.exists(path)


def _is_file(backend: Backend, path: str, _other: str) -> object:
    return backend.is_file(path)


def _is_folder(backend: Backend, path: str, _other: str) -> object:
    return backend.is_folder(path)


def _read(backend: Backend, path: str, _other: str) -> object:
    with backend.read(path) as stream:
        return stream.read()


def _read_seekable(backend: Backend, path: str, _other: str) -> object:
    with backend.read_seekable(path) as stream:
        return stream.read()


def _read_bytes(backend: Backend, path: str, _other: str) -> object:
    return backend.read_bytes(path)


def _read_range(backend: Backend, path: str, _other: str) -> object:
    return backend.read_range(path, 0, 100)


def _get_file_info(backend: Backend, path: str, _other: str) -> object:
    return backend.get_file_info(path)


def _delete(backend: Backend, path: str, _other: str) -> None:
    backend.delete(path)


def _delete_tolerant(backend: Backend, path: str, _other: str) -> None:
    backend.delete(path, missing_ok=True)


def _copy_from(backend: Backend, path: str, other: str) -> None:
    backend.copy(path, other)


def _move_from(backend: Backend, path: str, other: str) -> None:
    backend.move(path, other)


def _write(backend: Backend, path: str, _other: str) -> object:
    return backend.write(path, DATA)


def _overwrite(backend: Backend, path: str, _other: str) -> object:
    return backend.write(path, DATA, overwrite=True)


def _write_atomic(backend: Backend, path: str, _other: str) -> object:
    return backend.write_atomic(path, DATA)


def _open_atomic(backend: Backend, path: str, _other: str) -> object:
    with backend.open_atomic(path) as stream:
        return stream.write(DATA)


def _copy_to(backend: Backend, path: str, other: str) -> None:
    backend.copy(other, path)


def _move_to(backend: Backend, path: str, other: str) -> None:
    backend.move(other, path)


def _delete_folder(backend: Backend, path: str, _other: str) -> None:
    backend.delete_folder(path, recursive=True)


def _delete_folder_tolerant(backend: Backend, path: str, _other: str) -> None:
    backend.delete_folder(path, recursive=True, missing_ok=True)


def _get_folder_info(backend: Backend, path: str, _other: str) -> object:
    return backend.get_folder_info(path)


def _list_files(backend: Backend, path: str, _other: str) -> object:
    return [entry for entry in backend.list_files(path)]


def _list_folders(backend: Backend, path: str, _other: str) -> object:
    return [entry for entry in backend.list_folders(path)]


def _iter_children(backend: Backend, path: str, _other: str) -> object:
    return [entry for entry in backend.iter_children(path)]


def _glob(backend: Backend, path: str, _other: str) -> object:
    return [entry for entry in backend.glob(path)]


def _user_metadata(backend: Backend, path: str, _other: str) -> object:
    return backend.write(path, DATA, metadata={"name": "value"})


PROBES = {
    "exists": Operation(_exists, None),
    "is_file": Operation(_is_file, None),
    "is_folder": Operation(_is_folder, None),
}
FILE_OPERATIONS = {
    "read": Operation(_read, Capability.READ),
    "read_seekable": Operation(_read_seekable, Capability.SEEKABLE_READ),
    "read_bytes": Operation(_read_bytes, Capability.READ),
    "read_range": Operation(_read_range, Capability.READ),
    "get_file_info": Operation(_get_file_info, Capability.METADATA),
    "delete": Operation(_delete, Capability.DELETE),
    "copy_from": Operation(_copy_from, Capability.COPY),
    "move_from": Operation(_move_from, Capability.MOVE),
}
TOLERANT_OPERATIONS = {
    "delete_tolerant": Operation(_delete_tolerant, Capability.DELETE),
    "delete_folder_tolerant": Operation(_delete_folder_tolerant, Capability.DELETE),
}
WRITE_OPERATIONS = {
    "write": Operation(_write, Capability.WRITE),
    "overwrite": Operation(_overwrite, Capability.WRITE),
    "write_atomic": Operation(_write_atomic, Capability.ATOMIC_WRITE),
    "open_atomic": Operation(_open_atomic, Capability.ATOMIC_WRITE),
    "copy_to": Operation(_copy_to, Capability.COPY),
    "move_to": Operation(_move_to, Capability.MOVE),
}
FOLDER_OPERATIONS = {
    "delete_folder": Operation(_delete_folder, Capability.DELETE),
    "get_folder_info": Operation(_get_folder_info, Capability.METADATA),
}
LISTINGS = {
    "list_files": Operation(_list_files, Capability.LIST),
    "list_folders": Operation(_list_folders, Capability.LIST),
    "iter_children": Operation(_iter_children, Capability.LIST),
}
OTHERS = {
    "glob": Operation(_glob, Capability.GLOB),
    "user_metadata": Operation(_user_metadata, Capability.USER_METADATA),
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
