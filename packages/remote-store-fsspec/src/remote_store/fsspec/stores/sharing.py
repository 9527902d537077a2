"""Stores that filesystems share, so that each URL and each unpickled filesystem does not connect anew."""

from __future__ import annotations

import hashlib
import io
import pickle
from typing import Any, Final, TypeVar

from remote_store.core import AsyncStore, RemotePath, Store

S = TypeVar("S", Store, AsyncStore)

MOST_KEPT: Final = 32
"""Stores that are kept open although no filesystem may use them."""

WITHOUT_CONNECTIONS = ("local", "memory")
"""Kinds of backends."""

KEPT: dict[str, Any] = {}
"""The stores by the digest of their configuration, the one that was asked for last at the end."""


def digest_of(store: Store | AsyncStore) -> str | None:
    """A text that stores of the same configuration share; `None` if a store cannot be pickled.

    The digest of a store in memory is also one of its files.
    """
    configuration = io.BytesIO()
    pickler = pickle.Pickler(configuration)
    # The bytes then do not depend on which of the equal texts are one object.
    pickler.fast = True
    try:
        pickler.dump((type(store), store.backend, str(store.root_path)))
    except Exception:  # noqa: BLE001 - the settings may be objects of any kind
        return None
    return hashlib.sha256(configuration.getbuffer()).hexdigest()


def is_same(one: Store | AsyncStore, other: Store | AsyncStore) -> bool:
    """Whether two stores have the same files: by their configuration, or in memory by the files."""
    if one.backend is other.backend:
        return one.root_path == other.root_path
    if type(one.backend) is not type(other.backend) or one.native_path() != other.native_path():
        return False
    digest = digest_of(one)
    return one.resolve().kind == "local" or (digest is not None and digest == digest_of(other))


def shared(store: S) -> S:
    """A store of the same configuration whose connections exist, or this one. Closing it leaves them open.

    Stores in memory and on the local disk have no connections, and are returned as they are.
    """
    digest = None if store.resolve().kind in WITHOUT_CONNECTIONS else digest_of(store)
    if digest is None:
        return store
    # Each line is atomic: a lock could be held by another thread while the process forks.
    kept: S = KEPT.pop(digest, store)
    KEPT[digest] = kept
    if len(KEPT) > MOST_KEPT:
        KEPT.pop(next(iter(KEPT)), None)
    return type(store)(kept.backend, RemotePath.exact(kept.root_path), owns_backend=False)
