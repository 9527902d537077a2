"""Paths as people type them, and the exact keys they become."""

from __future__ import annotations

from typing import Self

from remote_store.core.errors import InvalidPath


class RemotePath(str):
    """A path inside a store: a plain string that is known to be a key.

    What a person typed is made canonical: empty and `.` segments drop, `..`, NUL and a path with nothing left are
    refused. Backslash is an ordinary character. A path that a listing returned is already a `RemotePath` and is kept
    byte for byte, so that keys such as `a//b`, which other tools wrote, can be read and deleted.

    Args:
        path: The path as typed, or a `RemotePath`, which stays as it is.

    Raises:
        InvalidPath: The path has a `..` segment, a NUL or no UTF-8 form, or nothing is left of it.
        TypeError: The path is not a string.
    """

    __slots__ = ()

    def __new__(cls, path: str) -> Self:
        if isinstance(path, cls):
            return path
        require_text(path)
        segments = [segment for segment in path.split("/") if segment not in ("", ".")]
        if ".." in segments:
            raise InvalidPath("'..' has no meaning in a key; write the path out", path=path)
        if not segments:
            raise InvalidPath("no file or folder is named; '' alone means the root, where a folder is meant", path=path)
        return str.__new__(cls, "/".join(segments))

    @classmethod
    def exact(cls, key: str) -> Self:
        """Take a key as it is, byte for byte, whether or not it is canonical."""
        return str.__new__(cls, key)

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return type(self).exact, (str(self),)

    def __truediv__(self, other: str) -> RemotePath:
        return RemotePath.exact(f"{self}/{RemotePath(other)}")

    @property
    def name(self) -> str:
        """The last segment."""
        return self.rpartition("/")[2]

    @property
    def parent(self) -> RemotePath | None:
        """The path without its last segment, or `None` directly under the root."""
        parent = self.rpartition("/")[0]
        return RemotePath.exact(parent) if parent else None

    @property
    def parts(self) -> tuple[str, ...]:
        """The segments."""
        return tuple(self.split("/"))

    @property
    def suffix(self) -> str:
        """The file extension of the last segment with its dot, or the empty string."""
        stem, dot, extension = self.name.rpartition(".")
        return dot + extension if stem and extension else ""


RemotePath.__module__ = "remote_store.core"


def require_text(path: str, backend: str | None = None) -> None:
    """Refuse what can be no key anywhere: another type than `str`, a NUL, a lone surrogate.

    Raises:
        InvalidPath: The text has a NUL or cannot be written as UTF-8.
        TypeError: The path is not a string.
    """
    if not isinstance(path, str):
        raise TypeError(f"a path is a str, not {type(path).__name__}")
    if "\0" in path:
        raise InvalidPath("a key cannot contain NUL", path=path, backend=backend)
    try:
        path.encode()
    except UnicodeEncodeError as error:
        message = "a key must have a UTF-8 form; this one has a lone surrogate"
        raise InvalidPath(message, path=path, backend=backend) from error


def require_file_path(path: str, backend: str | None = None) -> None:
    """Refuse, for a file-shaped operation that reads or deletes, what cannot name a file.

    Raises:
        InvalidPath: The path is the root, or malformed.
        TypeError: The path is not a string.
    """
    require_text(path, backend)
    if not path:
        raise InvalidPath("the root is a folder; name a file", path=path, backend=backend)


def require_canonical(path: str, backend: str | None = None) -> None:
    """Refuse, for an operation that writes, every key that a typed path could never reach.

    Raises:
        InvalidPath: The path is the root, malformed or not canonical.
        TypeError: The path is not a string.
    """
    require_file_path(path, backend)
    segments = path.split("/")
    if "" in segments or "." in segments or ".." in segments:
        message = "not a canonical key: empty, '.' and '..' segments are read but never written"
        raise InvalidPath(message, path=path, backend=backend)


require_canonical.__module__ = require_file_path.__module__ = require_text.__module__ = "remote_store.core"
