"""A backend that keeps files in the memory of this process."""

from __future__ import annotations

from remote_store.core.memory.backend import MemoryBackend

__all__ = ["MemoryBackend"]
