"""Makes the store of a filesystem from what the caller gave: a store, a URL, or a configuration."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from remote_store.core import AsyncStore, Config, RemotePath, Store, ThreadedBackend, open_async_store, open_store

Configuration = Config | Mapping[str, Any] | str | os.PathLike[str]

FOR_FSSPEC = ("use_listings_cache", "listings_expiry_time", "max_paths", "skip_instance_cache")
"""Options that fsspec passes to every filesystem, and that mean nothing without a cache of listings."""


@dataclass(frozen=True)
class StoreSource:
    """What a caller gave to name a store.

    Attributes:
        store: A store.
        url: URL of a store.
        config: A configuration, or the path of its file.
        name: Name of a store in the configuration.
        options: Settings of the backend, for a URL.

    Raises:
        TypeError: There is not exactly one of `store`, `url` and `config`, or an argument does not fit to it.
    """

    store: Store | AsyncStore | None = None
    url: str | None = None
    config: Configuration | None = None
    name: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        named = {"store": self.store, "url": self.url, "config": self.config}
        given = [label for label, value in named.items() if value is not None]
        if len(given) != 1:
            among = " and ".join(given) or "none of them"
            raise TypeError(f"pass one of store, url, and config with name; there is {among}")
        if (self.name is None) != (self.config is None):
            raise TypeError("config and name go together: pass the configuration, and the name of a store in it")
        if self.url is None and self.settings:
            raise TypeError(f"unknown arguments: {', '.join(self.settings)}; settings of a backend go with a url")

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of the backend."""
        return {name: value for name, value in self.options.items() if name not in FOR_FSSPEC}

    def blocking(self) -> Store:
        """A blocking store. Sends no request.

        Raises:
            BackendNotInstalled: The distribution of the backend is not installed; the message has the `pip install`.
            ConfigError: The URL, the configuration or a setting is wrong.
            TypeError: The store is none.
        """
        if self.url is not None:
            return Store.from_url(self.url, **self.settings)
        if self.config is not None:
            return open_store(self.config, self.name or "")
        if not isinstance(self.store, Store):
            raise TypeError(f"store must be a Store or an AsyncStore, not {type(self.store).__name__}")
        return self.store

    def awaited(self) -> AsyncStore:
        """An async store. Sends no request. The calls of a blocking store are made in threads.

        Raises:
            BackendNotInstalled: The distribution of the backend is not installed; the message has the `pip install`.
            ConfigError: The URL, the configuration or a setting is wrong.
            TypeError: The store is none.
        """
        if self.url is not None:
            return AsyncStore.from_url(self.url, **self.settings)
        if self.config is not None:
            return open_async_store(self.config, self.name or "")
        if isinstance(self.store, AsyncStore):
            return self.store
        store = self.blocking()
        return AsyncStore(ThreadedBackend(store.backend), RemotePath.exact(store.root_path), owns_backend=False)
