"""Checks keys, and converts between a folder's path and its prefix."""

from __future__ import annotations

import re

from remote_store.core.errors import InvalidPath
from remote_store.core.path import require_canonical, require_file_path, require_text

LONGEST_KEY = 1024

# XML 1.0 cannot hold these, or parsers change them, so DeleteObjects cannot name a key that has one.
UNSPEAKABLE_IN_XML = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def check_key(path: str) -> None:
    """Check that the path can be the key of an existing object, whether canonical or not.

    Raises:
        InvalidPath: The path is the root, malformed, or longer than 1,024 bytes of UTF-8 (S3 User Guide, object keys).
        TypeError: The path is not a string.
    """
    require_file_path(path)
    check_length(path)


def check_new_key(path: str) -> None:
    """Check that the path may become the key of a new object.

    Raises:
        InvalidPath: The path is the root, malformed, not canonical, or longer than 1,024 bytes of UTF-8.
        TypeError: The path is not a string.
    """
    require_canonical(path)
    check_length(path)


def check_folder(path: str) -> None:
    """Check that the path can be a folder's; the root is one.

    Raises:
        InvalidPath: The path is malformed or longer than 1,024 bytes of UTF-8.
        TypeError: The path is not a string.
    """
    require_text(path)
    check_length(path)


def check_length(path: str) -> None:
    """Check that the key is not longer than S3 accepts.

    Raises:
        InvalidPath: The key is longer than 1,024 bytes of UTF-8.
    """
    if len(path) > LONGEST_KEY or (not path.isascii() and len(path.encode()) > LONGEST_KEY):
        raise InvalidPath(f"the key is longer than {LONGEST_KEY} bytes of UTF-8; shorten it", path=path)


def prefix_of(folder: str) -> str:
    """The prefix that all keys in the folder share."""
    return folder if not folder or folder.endswith("/") else folder + "/"


def folder_of(prefix: str) -> str:
    """The path of the folder with this prefix: without its last slash, unless the last segment is empty."""
    path = prefix[:-1]
    return prefix if not path or path.endswith("/") else path


def is_marker(key: str, size: int) -> bool:
    """Whether an object is a folder marker: it is empty, and its key ends with a slash."""
    return size == 0 and key.endswith("/")


def ancestors(key: str) -> list[str]:
    """The paths of all folders above the key."""
    segments = key.split("/")
    return ["/".join(segments[:count]) for count in range(1, len(segments))]
