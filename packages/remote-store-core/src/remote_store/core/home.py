"""Sets the module that a public name is imported from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def public(module: str) -> Callable[[T], T]:
    """Set `__module__` to the module that users import from, so that reprs, pickles and tracebacks show it.

    Args:
        module: Name of the module, such as `remote_store.core`.
    """

    def named(thing: T) -> T:
        thing.__module__ = module
        return thing

    return named
