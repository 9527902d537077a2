"""Checks of arguments."""

from __future__ import annotations


def check_depth(maxdepth: int | None) -> None:
    """Check a limit of depth.

    Raises:
        ValueError: It is less than 1.
    """
    if maxdepth is not None and maxdepth < 1:
        raise ValueError("maxdepth must be at least 1")


def overwrites(mode: str) -> bool:
    """Whether a write of this mode replaces a file that exists.

    Raises:
        ValueError: The mode is neither `overwrite` nor `create`.
    """
    if mode not in ("overwrite", "create"):
        raise ValueError(f"mode must be 'overwrite' or 'create', not {mode!r}")
    return mode == "overwrite"
