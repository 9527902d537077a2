"""Compares the version of a file with the ETags of a caller's conditions, for backends that do it themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remote_store.core.errors import PreconditionFailed
from remote_store.core.models import NotModified

OTHER_VERSION = "the file is not the version that if_match names; read it again"
NO_VERSION = "the file that if_match names does not exist any more; nothing was written"


def require_match(options: Mapping[str, Any], etag: str | None, path: str, backend: str) -> None:
    """Check that a file is the version that `if_match` names, if it is given.

    Args:
        options: The options of the call.
        etag: ETag of the file; `None` if there is no file.
        path: The path of the file.
        backend: Name of the backend.

    Raises:
        PreconditionFailed: The file is another version, or does not exist.
    """
    wanted = options.get("if_match")
    if wanted is not None and wanted != etag:
        raise PreconditionFailed(NO_VERSION if etag is None else OTHER_VERSION, path=path, backend=backend)


def unmodified(options: Mapping[str, Any], etag: str | None, path: str) -> NotModified | None:
    """The result of a read if the file still is the version that `if_none_match` names, else `None`."""
    known = options.get("if_none_match")
    return NotModified(path, known) if known is not None and known == etag else None
