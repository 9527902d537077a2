# Generated from conformance/src/remote_store/conformance/checking/async_cleanup.py by tools/unasync.py; edit that.
"""Removes the files of a check with the backend under test, which may be unable to delete."""

from __future__ import annotations

from contextlib import suppress

from remote_store.conformance.values.outcome import RAISED
from remote_store.core import Backend


def clear(backend: Backend, folder: str) -> bool:
    """Remove a folder, file by file if need be. Returns whether it is gone."""
    with suppress(*RAISED):
        backend.delete_folder(folder, recursive=True, missing_ok=True)
    if _gone(backend, folder):
        return True
    with suppress(*RAISED):
        for path in [entry.path for entry in backend.list_files(folder, recursive=True)]:
            if path.startswith(f"{folder}/"):
                with suppress(*RAISED):
                    backend.delete(path)
    return _gone(backend, folder)


def _gone(backend: Backend, folder: str) -> bool:
    try:
        return not backend.exists(folder)
    except RAISED:
        return False
