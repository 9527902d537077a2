"""URLs, the keys in them, and the names of folders."""

from __future__ import annotations

from typing import Any

from fsspec.utils import stringify_path

from remote_store.core import RemotePath

PROTOCOL = "remote-store"
NAMES = (PROTOCOL, "remotestore")
"""What the protocols begin with. `universal_pathlib` takes no protocol with a hyphen."""
SCHEMES = ("file", "local", "memory", "s3", "s3+boto3", "s3+pyarrow", "s3+s3fs")
"""Schemes of stores that are registered with fsspec; each makes a protocol such as `remote-store+s3`."""
PROTOCOLS = tuple(protocol for name in NAMES for protocol in (name, *(f"{name}+{scheme}" for scheme in SCHEMES)))

ROOTS = ("", "/")
"""Both mean the root, but `/` means the folder of the keys that begin with a slash, if there are any."""


def key_of(path: Any) -> str:
    """The key in a URL, byte for byte: what is behind the protocol, or behind the bucket. A key is returned unchanged.

    Args:
        path: A URL of this filesystem, or a key.

    Raises:
        TypeError: The path is not text.
    """
    path = stringify_path(path)
    if not isinstance(path, str):
        raise TypeError(f"a path must be a str, not {type(path).__name__}")
    scheme, found, rest = path.partition("://")
    name, named, _ = scheme.partition("+")
    if not found or name not in NAMES:
        return path
    return rest.partition("/")[2] if named else rest


def url_of(path: str) -> str | None:
    """The URL of the store in the URL of a file, such as `s3://bucket`; `None` if the URL names no store."""
    scheme, found, rest = path.partition("://")
    name, _, kind = scheme.partition("+")
    if not found or name not in NAMES or not kind:
        return None
    place = rest.partition("/")[0]
    return f"{kind}://{place or '/'}"


def exact(key: str) -> RemotePath:
    """A path for a store, which then uses the key byte for byte. A slash may end the key of a folder."""
    return RemotePath.exact(key)


def below(folder: str) -> str:
    """What the keys in a folder begin with."""
    return folder if not folder or folder.endswith("/") else f"{folder}/"


def folder_name(key: str) -> str:
    """The key of a folder as listings have it: without the slash that may end it, unless its last segment is empty."""
    return key if key.endswith("//") else key.removesuffix("/")


def prefix_of(url: str | None) -> str:
    """What the URL of a file begins with, for a filesystem that was made from the URL of a store."""
    if url is None:
        return f"{PROTOCOL}://"
    return f"{PROTOCOL}+{url.rstrip('/')}/" if not url.endswith(":///") else f"{PROTOCOL}+{url}"
