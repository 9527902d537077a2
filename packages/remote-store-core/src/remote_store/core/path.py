"""Paths as users type them, and the exact keys they are converted to."""

from __future__ import annotations

from typing import Self

from remote_store.core.errors import InvalidPath, wrong_kind
from remote_store.core.home import public


@public("remote_store.core")
class RemotePath(str):
    """A path inside a store: a `str` that is a valid key.

    A plain `str` is made canonical: empty and `.` segments are removed; `..`, NUL and a path with no segments left are
    refused. A backslash is an ordinary character. Paths returned by a listing are already `RemotePath` and are kept
    byte for byte, so you can read and delete keys that other tools wrote, such as `a//b`.

    Args:
        path: The path as typed, or a `RemotePath`, which is returned unchanged.

    Raises:
        InvalidPath: The path has a `..` segment, a NUL or a lone surrogate, or no segments are left.
        TypeError: The path is not a string.
    """

    __slots__ = ()

    def __new__(cls, path: str) -> Self:
        if isinstance(path, cls):
            return path
        require_text(path)
        segments = [segment for segment in path.split("/") if segment not in ("", ".")]
        if ".." in segments:
            raise InvalidPath("the path has a '..' segment; write the full path without it", path=path)
        if not segments:
            raise wrong_kind("the path has no segments; name a file or folder, or pass '' for the root", path=path)
        return str.__new__(cls, "/".join(segments))

    @classmethod
    def exact(cls, key: str) -> Self:
        """Make a path from a key byte for byte, even if the key is not canonical."""
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
        """The path without its last segment, or `None` if there is only one segment."""
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


@public("remote_store.core")
def require_text(path: str, backend: str | None = None) -> None:
    """Check that a path is a `str` that can be encoded as UTF-8 and has no NUL. Every backend requires this.

    Raises:
        InvalidPath: The path has a NUL or a lone surrogate.
        TypeError: The path is not a string.
    """
    if not isinstance(path, str):
        raise TypeError(f"a path must be a str, not {type(path).__name__}")
    if "\0" in path:
        raise InvalidPath("the path contains a NUL character; remove it", path=path, backend=backend)
    try:
        path.encode()
    except UnicodeEncodeError as error:
        message = "the path contains a lone surrogate and cannot be encoded as UTF-8; remove it"
        raise InvalidPath(message, path=path, backend=backend) from error


@public("remote_store.core")
def require_file_path(path: str, backend: str | None = None) -> None:
    """Check the path of a file to read or delete.

    Raises:
        InvalidPath: The path is the root, or malformed.
        TypeError: The path is not a string.
    """
    require_text(path, backend)
    if not path:
        raise wrong_kind("the path is the root, which is a folder; name a file", path=path, backend=backend)


@public("remote_store.core")
def require_canonical(path: str, backend: str | None = None) -> None:
    """Check the path of a file to write: it must be canonical, so that a typed path can reach it.

    Raises:
        InvalidPath: The path is the root, malformed or not canonical.
        TypeError: The path is not a string.
    """
    require_file_path(path, backend)
    segments = path.split("/")
    if "" in segments or "." in segments or ".." in segments:
        message = "the path has an empty, '.' or '..' segment, which cannot be written; remove the segment"
        raise InvalidPath(message, path=path, backend=backend)
