"""Removes the files of a check with the backend under test, which may be unable to delete."""

from __future__ import annotations

from contextlib import suppress

from remote_store.conformance.values.outcome import RAISED
from remote_store.core import AsyncBackend


async def clear(backend: AsyncBackend, folder: str) -> bool:
    """Remove a folder, file by file if need be. Returns whether it is gone."""
    with suppress(*RAISED):
        await backend.delete_folder(folder, recursive=True, missing_ok=True)
    if await _gone(backend, folder):
        return True
    with suppress(*RAISED):
        for path in [entry.path async for entry in backend.list_files(folder, recursive=True)]:
            if path.startswith(f"{folder}/"):
                with suppress(*RAISED):
                    await backend.delete(path)
    return await _gone(backend, folder)


async def _gone(backend: AsyncBackend, folder: str) -> bool:
    try:
        return not await backend.exists(folder)
    except RAISED:
        return False
