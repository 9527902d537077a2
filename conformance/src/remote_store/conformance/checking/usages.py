# Generated from conformance/src/remote_store/conformance/checking/async_usages.py by tools/unasync.py; edit that.
"""A table of every use of a backend's methods, so that one check can cover a rule about all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from remote_store.core import Backend, Capability

DATA = b"operation"


class Usage(NamedTuple):
    """One use of a method on a path. The other path is the second path of a copy or a move.

    Attributes:
        run: Calls the method and finishes what it began: reads streams, consumes listings.
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
    "exists": Usage(_exists, None),
    "is_file": Usage(_is_file, None),
    "is_folder": Usage(_is_folder, None),
}
FILE_USAGES = {
    "read": Usage(_read, Capability.READ),
    "read_seekable": Usage(_read_seekable, Capability.SEEKABLE_READ),
    "read_bytes": Usage(_read_bytes, Capability.READ),
    "read_range": Usage(_read_range, Capability.READ),
    "get_file_info": Usage(_get_file_info, Capability.METADATA),
    "delete": Usage(_delete, Capability.DELETE),
    "copy_from": Usage(_copy_from, Capability.COPY),
    "move_from": Usage(_move_from, Capability.MOVE),
}
TOLERANT_USAGES = {
    "delete_tolerant": Usage(_delete_tolerant, Capability.DELETE),
    "delete_folder_tolerant": Usage(_delete_folder_tolerant, Capability.DELETE),
}
WRITE_USAGES = {
    "write": Usage(_write, Capability.WRITE),
    "overwrite": Usage(_overwrite, Capability.WRITE),
    "write_atomic": Usage(_write_atomic, Capability.ATOMIC_WRITE),
    "open_atomic": Usage(_open_atomic, Capability.ATOMIC_WRITE),
    "copy_to": Usage(_copy_to, Capability.COPY),
    "move_to": Usage(_move_to, Capability.MOVE),
}
FOLDER_USAGES = {
    "delete_folder": Usage(_delete_folder, Capability.DELETE),
    "get_folder_info": Usage(_get_folder_info, Capability.METADATA),
}
LISTINGS = {
    "list_files": Usage(_list_files, Capability.LIST),
    "list_folders": Usage(_list_folders, Capability.LIST),
    "iter_children": Usage(_iter_children, Capability.LIST),
}
OTHERS = {
    "glob": Usage(_glob, Capability.GLOB),
    "user_metadata": Usage(_user_metadata, Capability.USER_METADATA),
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
