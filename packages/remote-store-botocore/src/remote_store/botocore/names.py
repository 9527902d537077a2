"""Looks up the public names of an SDK that a release may not have.

Imported plainly are only the names without which there is no client to make or to call: `Session`, `Config`, `UNSIGNED`
and `xform_name`, the classes of clients, filesystems, credentials and exceptions, and what aiobotocore has in their
place. Their methods are taken for granted too, such as a session's `get_config_variable`. All other names are looked up
by `lookup`, and the lanes go on without them.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


def lookup(owner: Any, name: str) -> Any:
    """A public name of an SDK; `None` where this release does not have it.

    Args:
        owner: What has the name: an object, or the dotted name of a module.
        name: The name.
    """
    if isinstance(owner, str):
        try:
            owner = import_module(owner)
        except ImportError:
            return None
    return getattr(owner, name, None)
