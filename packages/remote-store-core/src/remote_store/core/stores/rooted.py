# Generated from packages/remote-store-core/src/remote_store/core/stores/async_rooted.py by tools/unasync.py; edit that.
"""What each part of a store needs: the backend, and the folder that is the root."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from remote_store.core.backend import Backend
from remote_store.core.options import WriteOptions, check_write_options, supported, taken
from remote_store.core.rebase import Scope


class Rooted:
    """A backend, limited to one folder."""

    _backend: Backend
    _scope: Scope

    def _passed(self, method: Callable[..., Any], kind: type, key: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options to pass to a method of the backend: those that were given, if the backend supports them."""
        if not options:
            return {}
        return taken(method, supported(kind, options, self._backend.capabilities, key, self._backend.name), key)

    def _written(
        self, method: Callable[..., Any], key: str, options: Mapping[str, Any], *, overwrite: bool
    ) -> dict[str, Any]:
        """The options of a write to pass to a method of the backend."""
        check_write_options(options, overwrite=overwrite)
        return self._passed(method, WriteOptions, key, options)
