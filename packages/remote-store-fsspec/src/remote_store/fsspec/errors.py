"""The errors that users of fsspec expect, in place of ours."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from remote_store.core import InvalidPath, NotFound


class Discarded(Exception):
    """Ends the block of a file whose content is not to be written."""


def is_wrong_kind(error: InvalidPath) -> bool:
    """Whether the path is a folder where a file is meant, or the reverse. Otherwise it is malformed."""
    return error.http_status == NotFound.http_status


def is_a_directory(error: InvalidPath) -> IsADirectoryError:
    """The error for a folder where a file is meant."""
    return IsADirectoryError(errno.EISDIR, error.message, error.path)


@contextmanager
def translated() -> Iterator[None]:
    """Raise `IsADirectoryError` if a folder is used as a file. All other errors are a builtin already, and pass.

    Raises:
        IsADirectoryError: The path is a folder.
    """
    try:
        yield
    except InvalidPath as error:
        if is_wrong_kind(error):
            raise is_a_directory(error) from error
        raise


def missing(key: str) -> FileNotFoundError:
    """The error for a path where nothing is."""
    return FileNotFoundError(errno.ENOENT, "there is no such file or folder", key)


def already_there(key: str) -> FileExistsError:
    """The error for a path where something is."""
    return FileExistsError(errno.EEXIST, "there is a file or folder already", key)


def not_a_folder(error: InvalidPath) -> NotADirectoryError:
    """The error for a file where a folder is meant."""
    return NotADirectoryError(errno.ENOTDIR, error.message, error.path)
