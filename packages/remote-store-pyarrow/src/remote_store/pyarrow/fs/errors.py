"""Turns errors of a store into those that users of pyarrow expect."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from remote_store.core import InvalidPath, NotFound, PreconditionFailed

CHANGED = (
    "the file is not the version that get_file_info, or the dataset that lists it, has seen; "
    "call get_file_info again, or make the dataset again"
)


def is_other_kind(error: InvalidPath) -> bool:
    """Whether the path is a folder where a file is meant, or the reverse, and not malformed."""
    return error.http_status == NotFound.http_status


@contextmanager
def of_files(path: str) -> Iterator[None]:
    """A folder where a file is meant raises `IsADirectoryError`, as on a local disk."""
    try:
        yield
    except InvalidPath as error:
        if not is_other_kind(error):
            raise
        raise IsADirectoryError(errno.EISDIR, error.message, path) from error


@contextmanager
def of_folders(path: str) -> Iterator[None]:
    """A file where a folder is meant raises `NotADirectoryError`, as on a local disk."""
    try:
        yield
    except InvalidPath as error:
        if not is_other_kind(error):
            raise
        raise NotADirectoryError(errno.ENOTDIR, error.message, path) from error


@contextmanager
def of_one_version(path: str) -> Iterator[None]:
    """Say what to do if the file is no longer the version that Arrow has seen."""
    try:
        yield
    except PreconditionFailed as error:
        raise PreconditionFailed(
            CHANGED,
            path=path,
            backend=error.backend,
            code=error.code,
            status=error.status,
            request_id=error.request_id,
        ) from error
