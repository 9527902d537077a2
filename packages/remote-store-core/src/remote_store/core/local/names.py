"""Which keys can be file names on this platform."""

from __future__ import annotations

import os
import sys

from remote_store.core.errors import InvalidPath, wrong_kind
from remote_store.core.path import require_canonical, require_text

UNFINISHED = ".remote-store-unfinished"
WINDOWS = sys.platform == "win32"
# Windows reserves these: separators, drives, alternate data streams, wildcards, redirection, control characters.
WINDOWS_CHARACTERS = frozenset('\\:*?"<>|') | {chr(code) for code in range(32)}
WINDOWS_DEVICES = frozenset({"con", "prn", "aux", "nul", "conin$", "conout$"}) | {
    f"{device}{number}" for device in ("com", "lpt") for number in "123456789¹²³"
}
PATH_MAX = 4096


def is_hidden(name: str) -> bool:
    """Whether a name is reserved for unfinished writes."""
    return name.startswith(UNFINISHED)


def require_name(path: str, backend: str) -> None:
    """Check that a path can name something on this file system and is not reserved for unfinished writes.

    Names that are not UTF-8 are accepted as `os.listdir` returns them: each undecodable byte is a lone surrogate.

    Raises:
        InvalidPath: The path has a NUL, a character that cannot be encoded, or a reserved name.
        TypeError: The path is not a string.
    """
    try:
        require_text(path, backend)
    except InvalidPath:
        if "\0" in path or not _is_of_the_disk(path):
            raise
    if any(map(is_hidden, path.split("/"))):
        raise InvalidPath("the name is reserved for unfinished writes; use another", path=path, backend=backend)


def require_file_name(path: str, backend: str) -> None:
    """Check the path of a file to read, delete or copy from.

    Raises:
        InvalidPath: The path is the root, or has a NUL, a character that cannot be encoded, or a reserved name.
        TypeError: The path is not a string.
    """
    require_name(path, backend)
    if not path:
        raise wrong_kind("the path is the root, which is a folder; name a file", path=path, backend=backend)


def require_new_name(path: str, backend: str) -> None:
    """Check the path of a file to write.

    Raises:
        InvalidPath: The path is not a canonical key, or Windows would rewrite it.
        TypeError: The path is not a string.
    """
    require_canonical(path, backend)
    require_name(path, backend)
    if WINDOWS and any(map(is_rewritten_by_windows, path.split("/"))):
        message = "Windows would read this name as a device, a drive or several names; use another name"
        raise InvalidPath(message, path=path, backend=backend)


def can_exist(key: str) -> bool:
    """Whether a key can name an entry of the file system. `a//b` cannot."""
    segments = key.split("/")
    if any(segment in ("", ".", "..") for segment in segments):
        return False
    return not (WINDOWS and any(map(is_rewritten_by_windows, segments)))


def is_rewritten_by_windows(segment: str) -> bool:
    """Whether Windows would not use a segment unchanged as one file name."""
    stem = segment.partition(".")[0].rstrip(" ").lower()
    return bool(WINDOWS_CHARACTERS & set(segment)) or segment.endswith((".", " ")) or stem in WINDOWS_DEVICES


def is_too_long(root: str, key: str) -> bool:
    """Whether the full path exceeds PATH_MAX, so that other programs could not open it."""
    return len(os.fsencode(f"{root}/{key}")) >= PATH_MAX


def _is_of_the_disk(path: str) -> bool:
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        return False
    return True
