"""The version of the lane API, and the check that a lane makes against it."""

from __future__ import annotations

from remote_store.core.versions import installed_version

LANE_API_VERSION = 1
"""The version of the names that `remote_store.core.s3` exports.

It is raised when a name is removed, or when its parameters, result or meaning change, so that lanes have to be adapted.
A new name does not raise it; a lane that needs the name requires the release of `remote-store-core` that added it.
"""


def require_lane_api(wanted: int, lane: str) -> str:
    """Fail the import of a lane that was written for another version of the lane API.

    A lane calls this in its `__init__.py`, before it imports anything else from core.

    Args:
        wanted: The version that the lane was written for.
        lane: Name of the lane's distribution.

    Returns:
        The version of the lane's distribution, for its `__version__`.

    Raises:
        ImportError: The installed core has another version.
    """
    if wanted == LANE_API_VERSION:
        return installed_version(lane)
    core = f"remote-store-core {installed_version('remote-store-core')}"
    raise ImportError(
        f"{lane} needs version {wanted} of the lane API, but {core} has version {LANE_API_VERSION}; "
        f"pip install --upgrade {lane} remote-store-core"
    )
