"""Checks of paths that no service makes."""

from __future__ import annotations

from remote_store.core import InvalidPath, require_text
from remote_store.obstore.kinds import Kind


def check_path(path: str, kind: Kind, backend: str) -> None:
    """Check that a path is text, and no longer than the storage allows.

    Raises:
        InvalidPath: It is not text, or it or one of its segments is too long.
    """
    require_text(path, backend)
    if kind.longest_key is not None and len(path.encode()) > kind.longest_key:
        raise InvalidPath(f"a key has at most {kind.longest_key} bytes", path=path, backend=backend)
    longest = kind.longest_segment
    if longest is not None and any(len(segment.encode()) > longest for segment in path.split("/")):
        raise InvalidPath(f"a segment of a path has at most {longest} bytes", path=path, backend=backend)


def require_reachable(path: str, kind: Kind, backend: str) -> None:
    """Check that the store can hold this key.

    Raises:
        InvalidPath: The store would look elsewhere for the file.
    """
    if kind.unreachable.fullmatch(path):
        message = (
            "this store would look elsewhere for the file: LocalStore takes a name like 'c:' for a drive and one like "
            "'a#1' for an unfinished upload, Azure a backslash for a slash; rename it"
        )
        raise InvalidPath(message, path=path, backend=backend)


def is_reachable(path: str, kind: Kind) -> bool:
    """Whether the store looks for a key where it is. obstore rewrites or refuses the keys that are not canonical."""
    return not {"", ".", ".."} & set(path.split("/")) and not kind.unreachable.fullmatch(path)


def folder_of(path: str) -> str:
    """A folder's path without a trailing slash."""
    return path.removesuffix("/")
