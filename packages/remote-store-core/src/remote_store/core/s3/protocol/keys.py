"""Keys and prefixes: what may be sent, and how a folder's path and its prefix belong together."""

from __future__ import annotations

import re

from remote_store.core.errors import InvalidPath
from remote_store.core.path import require_canonical, require_file_path, require_text

LONGEST_KEY = 1024

# XML 1.0 has no form for these, or its parsers change them, so no DeleteObjects body can name such a key.
UNSPEAKABLE_IN_XML = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def check_key(path: str) -> None:
    """Refuse what cannot be the key of an object; every exact key that exists is let through.

    Raises:
        InvalidPath: The path is the root, malformed, or longer than 1,024 bytes of UTF-8 (S3 User Guide, object keys).
        TypeError: The path is not a string.
    """
    require_file_path(path)
    check_length(path)


def check_new_key(path: str) -> None:
    """Refuse what must not become the key of an object.

    Raises:
        InvalidPath: The path is the root, malformed, not canonical, or longer than 1,024 bytes of UTF-8.
        TypeError: The path is not a string.
    """
    require_canonical(path)
    check_length(path)


def check_folder(path: str) -> None:
    """Refuse what cannot be the path of a folder; the root is one.

    Raises:
        InvalidPath: The path is malformed or longer than 1,024 bytes of UTF-8.
        TypeError: The path is not a string.
    """
    require_text(path)
    check_length(path)


def check_length(path: str) -> None:
    """Refuse a key that is longer than S3 takes.

    Raises:
        InvalidPath: The key is longer than 1,024 bytes of UTF-8.
    """
    if len(path) > LONGEST_KEY or (not path.isascii() and len(path.encode()) > LONGEST_KEY):
        raise InvalidPath(f"the key is longer than {LONGEST_KEY} bytes of UTF-8; shorten it", path=path)


def prefix_of(folder: str) -> str:
    """What the key of everything in the folder begins with."""
    return folder if not folder or folder.endswith("/") else folder + "/"


def folder_of(prefix: str) -> str:
    """The path of the folder with this prefix: without its last slash, unless an empty segment ends there."""
    path = prefix[:-1]
    return prefix if not path or path.endswith("/") else path


def is_marker(key: str, size: int) -> bool:
    """Whether an object only makes a folder visible."""
    return size == 0 and key.endswith("/")


def ancestors(key: str) -> list[str]:
    """Every key that would be a file in the way of this one."""
    segments = key.split("/")
    return ["/".join(segments[:count]) for count in range(1, len(segments))]
