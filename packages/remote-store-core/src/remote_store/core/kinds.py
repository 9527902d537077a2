"""Says what to pass to a store instead of what was passed."""

from __future__ import annotations

from remote_store.core.aio.backend import AsyncBackend
from remote_store.core.backend import Backend


def instead_of(backend: object) -> str:
    """What to do with an object that is no backend of the store's kind."""
    name = type(backend).__name__
    if isinstance(backend, Backend):
        return f"wrap it in a ThreadedBackend, which runs it in threads: AsyncStore(ThreadedBackend({name}(...)))"
    if isinstance(backend, AsyncBackend):
        return "use it with an AsyncStore"
    if isinstance(backend, type):
        return f"pass an instance of {backend.__name__}, not the class"
    if isinstance(backend, str):
        return "for a URL, use from_url"
    return "pass a backend, such as MemoryBackend()"
