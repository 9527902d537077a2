"""Looks up the public names of an SDK that a release may lack.

The lanes import only the names that making and calling a client requires: `Session`, `Config`, `UNSIGNED`,
`xform_name`, the classes of clients, filesystems, credentials and exceptions, and their aiobotocore counterparts. They
rely on the methods of these classes too, such as a session's `get_config_variable`. They find all other names by
`lookup`, and work without them.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


def lookup(owner: Any, name: str) -> Any:
    """A public name of an SDK; `None` if this release does not have it.

    Args:
        owner: The object that has the name, or the dotted name of a module.
        name: The name.
    """
    if isinstance(owner, str):
        try:
            owner = import_module(owner)
        except ImportError:
            return None
    return getattr(owner, name, None)
