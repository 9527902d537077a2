"""The module that a public name belongs to, wherever its code stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def public(module: str) -> Callable[[T], T]:
    """Name the module that users import a class or a function from: reprs, pickles and tracebacks show it.

    Args:
        module: Name of the module, such as `remote_store.core`.
    """

    def named(thing: T) -> T:
        thing.__module__ = module
        return thing

    return named
