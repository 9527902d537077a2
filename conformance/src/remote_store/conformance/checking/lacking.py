"""Tells a broken rule from a check that cannot run because the backend lacks a capability the check uses."""

from __future__ import annotations

from typing import Any

from remote_store.conformance.checking.case import AnyCase
from remote_store.core import Capability

NEEDS = {
    "read": Capability.READ,
    "read_bytes": Capability.READ,
    "read_range": Capability.READ,
    "read_seekable": Capability.SEEKABLE_READ,
    "read_ranges": Capability.SEEKABLE_READ,
    "write": Capability.WRITE,
    "write_atomic": Capability.ATOMIC_WRITE,
    "open_atomic": Capability.ATOMIC_WRITE,
    "delete": Capability.DELETE,
    "delete_folder": Capability.DELETE,
    "list_files": Capability.LIST,
    "list_folders": Capability.LIST,
    "iter_children": Capability.LIST,
    "get_file_info": Capability.METADATA,
    "get_folder_info": Capability.METADATA,
    "move": Capability.MOVE,
    "copy": Capability.COPY,
    "glob": Capability.GLOB,
}
TAKING_METADATA = frozenset({"write", "write_atomic", "open_atomic"})
# These rules are about refusals, so a wrong refusal is a failure.
ABOUT_REFUSALS = frozenset({"ERR-015", "LIFE-006"})


def lacking(case: AnyCase[Any], error: BaseException) -> Capability | None:
    """The undeclared capability that ended a check: the check called a method that needs it, and the backend refused.

    Refusing a method whose capability is declared is a failure, whatever the error says.

    Args:
        case: The case of the check.
        error: The exception that ended the check.
    """
    if not ABOUT_REFUSALS.isdisjoint(entry.id for entry in case.rules):
        return None
    for method, refusal in case.log.refusals:
        if refusal is error or refusal is error.__cause__:
            with_metadata = method in TAKING_METADATA and refusal.capability == Capability.USER_METADATA.value
            needed = Capability.USER_METADATA if with_metadata else NEEDS.get(method)
            return needed if needed is not None and needed not in case.backend.capabilities else None
    return None
