"""The version of the lane API, and how a lane insists on it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

LANE_API_VERSION = 1
"""The version of what `remote_store.core.s3` exports.

It is raised when a name goes, or when what a name takes, returns or means changes; then every lane has to be looked at.
A new name does not raise it: a lane that needs one asks for the release of `remote-store-core` that has it.
"""


def require_lane_api(wanted: int, lane: str) -> None:
    """Refuse the import of a lane that was written for another version of the lane API.

    A lane calls it in its `__init__.py` before it imports anything else of core.

    Args:
        wanted: The version that the lane was written for.
        lane: Name of the lane's distribution.

    Raises:
        ImportError: The installed core has another version.
    """
    if wanted == LANE_API_VERSION:
        return
    try:
        core = f"remote-store-core {version('remote-store-core')}"
    except PackageNotFoundError:
        core = "remote-store-core"
    raise ImportError(
        f"{lane} is written for version {wanted} of the lane API, and {core} has version {LANE_API_VERSION}; "
        f"pip install --upgrade {lane} remote-store-core"
    )
