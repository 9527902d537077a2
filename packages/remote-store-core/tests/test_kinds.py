from __future__ import annotations

import re
from typing import Any

import pytest

from remote_store.core import AsyncStore, MemoryBackend, Store, ThreadedBackend


def test_a_store_of_the_wrong_kind_says_what_to_do() -> None:
    for make, backend, hint in (
        (AsyncStore, MemoryBackend(), "AsyncStore(ThreadedBackend(MemoryBackend(...)))"),
        (Store, ThreadedBackend(MemoryBackend()), "AsyncStore"),
        (Store, MemoryBackend, "instance of MemoryBackend"),
        (AsyncStore, "memory://", "from_url"),
        (Store, Store(MemoryBackend()), "pass a backend"),
        (ThreadedBackend, ThreadedBackend(MemoryBackend()), "AsyncStore"),
        (ThreadedBackend, MemoryBackend, "backend must be of type Backend, not ABCMeta"),
    ):
        given: Any = backend
        with pytest.raises(TypeError, match=re.escape(hint)):
            make(given)
