"""What a filesystem can do, as far as its class tells."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from fsspec.archive import AbstractArchiveFileSystem
from fsspec.implementations.dirfs import DirFileSystem

from remote_store.core import Capability

READING = frozenset(
    {
        Capability.READ,
        Capability.LIST,
        Capability.GLOB,
        Capability.METADATA,
        Capability.SEEKABLE_READ,
        Capability.LAZY_READ,
        Capability.RANGE_READ,
    }
)
COPYING = frozenset({Capability.MOVE, Capability.COPY})
EVERYTHING = READING | COPYING | {Capability.WRITE, Capability.DELETE}
BASE_CLASSES = ("fsspec.spec", "fsspec.asyn")
FLAT = frozenset({"abfs", "abfss", "az", "gcs", "gs", "oss", "s3", "s3a"})
"""Protocols whose folders are prefixes of keys, so that they end with their last file."""
REFUSING = frozenset({"file", "local", "memory", "ftp", "sftp", "smb", "ssh"})
"""Protocols of filesystems that refuse to remove a folder with content. Others may remove the content too."""
FORKING = frozenset({"file", "local", "memory", "remote-store"})
"""Protocols of filesystems that share no connection and no open file with a fork."""
SILENT = frozenset({"ftp", "smb"})
"""Protocols whose listings describe what a link leads to. `rm_file` deletes a link, and no content of a folder."""
CONNECTIONS = {"sftp": "client", "ssh": "client", "ftp": "ftp"}
"""Attributes with the connection of filesystems that have no `close`, by protocol."""
PAGES = frozenset({"http", "https"})
"""Protocols whose folders are web pages with links."""
ARROW = "fsspec.implementations.arrow"
"""Its `rmdir` removes the content too, so it is called only if a user asks for it."""


def capabilities_of(fs: Any, *, read_only: bool) -> frozenset[Capability]:
    """The capabilities of a filesystem: those that read if it is read-only, and no copies if its class has none."""
    inner = innermost(fs)
    if read_only or (isinstance(inner, AbstractArchiveFileSystem) and getattr(inner, "mode", "r") == "r"):
        return READING
    return EVERYTHING if is_implemented(inner.cp_file) else EVERYTHING - COPYING


def takes_mode(fs: Any) -> bool:
    """Whether `pipe_file` has the argument `mode`, with which it creates only."""
    return "mode" in inspect.signature(innermost(fs).pipe_file).parameters


def writes_in_place(fs: Any) -> bool:
    """Whether `pipe_file` is that of fsspec's base class, which opens the file and writes into it."""
    inner = innermost(fs)
    return not inner.async_impl and not is_implemented(inner.pipe_file)


def keeps_folders(fs: Any) -> bool:
    """Whether a folder stays when its last file is deleted, and can be removed without risk."""
    rmdir = inspect.unwrap(innermost(fs).rmdir)
    return rmdir.__module__ not in (*BASE_CLASSES, ARROW) and not FLAT.intersection(protocols_of(innermost(fs)))


def hides_links(fs: Any) -> bool:
    """Whether only an attempt to delete a path as a file tells a link from a folder."""
    return bool(SILENT.intersection(protocols_of(innermost(fs))))


def refuses_content(fs: Any) -> bool:
    """Whether `rmdir` is known to refuse a folder with content."""
    return bool(REFUSING.intersection(protocols_of(innermost(fs))))


def protocols_of(fs: Any) -> tuple[str, ...]:
    """The protocols of a filesystem, the usual one first."""
    return (fs.protocol,) if isinstance(fs.protocol, str) else tuple(fs.protocol)


def is_implemented(method: Any) -> bool:
    """Whether a method is another than that of fsspec's base classes. Async ones are wrapped there."""
    return inspect.unwrap(method).__module__ not in BASE_CLASSES


def innermost(fs: Any) -> Any:
    """The filesystem below folders of filesystems, whose methods only pass calls on."""
    while isinstance(fs, DirFileSystem):
        fs = fs.fs
    return fs


def survives_fork(fs: Any) -> bool:
    """Whether a filesystem that was made before a fork works in the child."""
    inner = innermost(fs)
    return not inner.async_impl and bool(FORKING.intersection(protocols_of(inner)))


def close_of(fs: Any) -> Callable[[], object] | None:
    """What closes a filesystem: its own `close`, or that of its connection; `None` if there is none."""
    owners = [fs, *(getattr(fs, CONNECTIONS[name], None) for name in protocols_of(fs) if name in CONNECTIONS)]
    return next((close for owner in owners if callable(close := getattr(owner, "close", None))), None)


def shows_credentials(fs: Any, root: str) -> bool:
    """Whether the root, or the folder of a filesystem, is a URL with a user or a password in it.

    In a URL of Azure, the container stands where others have the user.
    """
    roots = [root]
    while isinstance(fs, DirFileSystem):
        roots.append(fs.path)
        fs = fs.fs
    for scheme, _, rest in (text.partition("://") for text in roots):
        user, sign, _ = rest.partition("/")[0].rpartition("@")
        if sign and scheme in protocols_of(fs) and (":" in user or scheme not in FLAT):
            return True
    return False
