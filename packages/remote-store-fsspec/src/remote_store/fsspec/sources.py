"""Makes the store of a filesystem from what the caller gave: a store, a URL, or a configuration."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, TypeVar

from remote_store.core import AsyncStore, Config, RemotePath, Store, ThreadedBackend, open_async_store, open_store

S = TypeVar("S", Store, AsyncStore)
Configuration = Config | Mapping[str, Any] | str | os.PathLike[str]

FOR_FSSPEC = ("use_listings_cache", "listings_expiry_time", "max_paths", "skip_instance_cache")
"""Options that fsspec passes to every filesystem, and that mean nothing without a cache of listings."""


def store_of(
    kind: type[S],
    store: Store | AsyncStore | None,
    url: str | None,
    config: Configuration | None,
    name: str | None,
    options: Mapping[str, Any],
) -> S:
    """The store that a caller described.

    Args:
        kind: `Store` or `AsyncStore`.
        store: A store.
        url: URL of a store.
        config: A configuration, or the path of its file.
        name: Name of a store in the configuration.
        options: Settings of the backend, for a URL.

    Raises:
        BackendNotInstalled: The distribution of the backend is not installed. The message gives the `pip install`.
        ConfigError: The URL, the configuration or a setting is wrong.
        TypeError: There is not exactly one of `store`, `url` and `config`, or an argument does not fit to it.
    """
    options = {option: value for option, value in options.items() if option not in FOR_FSSPEC}
    given = [label for label, value in (("store", store), ("url", url), ("config", config)) if value is not None]
    if len(given) != 1:
        raise TypeError(
            f"pass one of store, url, and config with name; there is {' and '.join(given) or 'none of them'}"
        )
    if options and url is None:
        raise TypeError(f"unknown arguments: {', '.join(options)}; settings of the backend are for a url only")
    if (name is None) != (config is None):
        raise TypeError("config and name go together: pass the configuration, and the name of a store in it")
    if isinstance(store, Store) and kind is AsyncStore:
        # The caller closes the store.
        bridged: Any = AsyncStore(ThreadedBackend(store.backend), RemotePath.exact(store.root_path), owns_backend=False)
        return bridged
    if store is not None:
        if not isinstance(store, kind):
            raise TypeError(f"store must be of type {kind.__name__}, not {type(store).__name__}")
        return store
    if url is not None:
        return kind.from_url(url, **options)
    assert config is not None
    assert name is not None
    configured: Any = open_store(config, name) if kind is Store else open_async_store(config, name)
    return configured


def is_async(store: object, *, asynchronous: bool) -> bool:
    """Whether a filesystem is one of asyncio."""
    return asynchronous or isinstance(store, AsyncStore)
