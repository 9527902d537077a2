"""Makes the filesystem that a protocol or a URL names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, unquote

import fsspec
from fsspec.core import url_to_fs

from remote_store.core import ConfigError, RemoteStoreError, Secret
from remote_store.fsspec.backend.errors import typed

PREFIX = "fsspec+"
OWN: Mapping[str, Any] = {"skip_instance_cache": True}
"""The instance belongs to the backend, which closes it, so it is not the one that fsspec keeps for others."""


def open_protocol(protocol: str, options: Mapping[str, Any]) -> Any:
    """The filesystem of a protocol.

    Raises:
        RemoteStoreError: It cannot be opened.
        TypeError: The filesystem has no such option.
        ValueError: fsspec knows no such protocol.
        ImportError: The filesystem needs a package that is not installed.
    """
    return _opened(fsspec.filesystem, protocol, options)


def open_url(url: SplitResult, options: Mapping[str, Any]) -> tuple[Any, str]:
    """The filesystem of a URL such as `fsspec+sftp://host/folder`, and the folder as the filesystem writes it.

    Raises:
        ConfigError: The URL names no protocol, or chains several.
        RemoteStoreError: It cannot be opened.
        TypeError: The filesystem has no such option.
        ValueError: fsspec knows no such protocol.
        ImportError: The filesystem needs a package that is not installed.
    """
    protocol = url.scheme.removeprefix(PREFIX)
    if protocol == url.scheme:
        raise ConfigError(f"the URL names no protocol of fsspec; write it like {PREFIX}memory://folder")
    place = unquote(url.netloc) + unquote(url.path)
    if "::" in place:
        message = "the URL has a '::', which chains filesystems; make the filesystem in Python, and pass it"
        raise ConfigError(f"{message}: FsspecBackend(*fsspec.url_to_fs(...))")
    fs, root = _opened(url_to_fs, f"{protocol}://{place}", options)
    return fs, str(root)


def _opened(make: Any, place: str, options: Mapping[str, Any]) -> Any:
    revealed = {name: value.reveal() if isinstance(value, Secret) else value for name, value in options.items()}
    try:
        return make(place, **revealed, **OWN)
    except (ImportError, RemoteStoreError, TypeError, ValueError):
        raise
    except Exception as error:
        raise typed(error, "") from error
