"""Which keys can be names of files here."""

from __future__ import annotations

import os
import sys

from remote_store.core.errors import InvalidPath
from remote_store.core.path import require_canonical, require_text

UNFINISHED = ".remote-store-unfinished"
WINDOWS = sys.platform == "win32"
# What Windows takes for a separator, a drive, a stream of a file, a wildcard or a redirection.
WINDOWS_CHARACTERS = frozenset('\\:*?"<>|') | {chr(code) for code in range(32)}
WINDOWS_DEVICES = frozenset({"con", "prn", "aux", "nul", "conin$", "conout$"}) | {
    f"{device}{number}" for device in ("com", "lpt") for number in "123456789¹²³"
}
PATH_MAX = 4096


def is_hidden(name: str) -> bool:
    """Whether a name is kept for what is not finished."""
    return name.startswith(UNFINISHED)


def require_name(path: str, backend: str) -> None:
    """Refuse what can name nothing on this file system, or what is kept for unfinished writes.

    A name that is no UTF-8 is as `os.listdir` gives it: each byte of it that fits nowhere is a lone surrogate.

    Raises:
        InvalidPath: The path has a NUL, a character without bytes, or a name that is kept.
        TypeError: The path is not a string.
    """
    try:
        require_text(path, backend)
    except InvalidPath:
        if "\0" in path or not _is_of_the_disk(path):
            raise
    if any(map(is_hidden, path.split("/"))):
        raise InvalidPath("the name is kept for unfinished writes", path=path, backend=backend)


def require_file_name(path: str, backend: str) -> None:
    """Refuse what can name no file that is read, deleted or copied from.

    Raises:
        InvalidPath: The path is the root, has a NUL, a character without bytes, or a name that is kept.
        TypeError: The path is not a string.
    """
    require_name(path, backend)
    if not path:
        raise InvalidPath("the root is a folder; name a file", path=path, backend=backend)


def require_new_name(path: str, backend: str) -> None:
    """Refuse what no file may be called.

    Raises:
        InvalidPath: The path is no canonical key, or Windows would rewrite it.
        TypeError: The path is not a string.
    """
    require_canonical(path, backend)
    require_name(path, backend)
    if WINDOWS and any(map(is_rewritten_by_windows, path.split("/"))):
        message = "Windows takes this name for something else, such as a device, a drive or two names; rename it"
        raise InvalidPath(message, path=path, backend=backend)


def can_exist(key: str) -> bool:
    """Whether a key is spelt as the file system would spell it: `a//b` never is."""
    segments = key.split("/")
    if any(segment in ("", ".", "..") for segment in segments):
        return False
    return not (WINDOWS and any(map(is_rewritten_by_windows, segments)))


def is_rewritten_by_windows(segment: str) -> bool:
    """Whether Windows would not take a segment of a key for the name of one file."""
    stem = segment.partition(".")[0].rstrip(" ").lower()
    return bool(WINDOWS_CHARACTERS & set(segment)) or segment.endswith((".", " ")) or stem in WINDOWS_DEVICES


def is_too_long(root: str, key: str) -> bool:
    """Whether no other program could open the file by its path."""
    return len(os.fsencode(f"{root}/{key}")) >= PATH_MAX


def _is_of_the_disk(path: str) -> bool:
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        return False
    return True
