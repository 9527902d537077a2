"""One write: its arguments, and the content on its way to obstore."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING

import obstore

from remote_store.core import (
    ConfigError,
    Content,
    NotFound,
    PreconditionFailed,
    RemoteStoreError,
    Source,
    WriteResult,
    check_content_type,
    check_metadata,
)
from remote_store.obstore.entries import check_names, unquoted
from remote_store.obstore.errors import ANOTHER_SERVICE, errors_of
from remote_store.obstore.kinds import Kind

if TYPE_CHECKING:
    from obstore import PutMode
    from obstore.store import ObjectStore

PART_SIZE = 8 * 1024 * 1024
MOST_PARTS = 10_000
TAG = re.compile(r"[!#-+\--~]+")
"""An entity tag without its quotes (RFC 9110, 8.8.3), and without a comma."""


def check_part_size(part_size: int) -> int:
    """Return the size of parts.

    Raises:
        ConfigError: It is not a positive `int`.
    """
    if isinstance(part_size, bool) or not isinstance(part_size, int) or part_size < 1:
        raise ConfigError(f"part_size must be a positive int, not {part_size!r}")
    return part_size


def check_condition(if_match: str | None, *, overwrite: bool) -> None:
    """Check the condition of a write.

    Raises:
        TypeError: `if_match` is not a `str`.
        ValueError: `if_match` is no ETag that a condition can name, or is given without `overwrite=True`.
    """
    if if_match is None:
        return
    if not isinstance(if_match, str):
        raise TypeError(f"if_match is a str, not {type(if_match).__name__}")
    if not TAG.fullmatch(if_match) or if_match == "*" or if_match.startswith("W/"):
        raise ValueError("if_match must be an ETag as FileInfo.etag has it: not empty, quoted or weak")
    if not overwrite:
        raise ValueError("if_match names a version to replace; pass overwrite=True too")


def attributes_of(metadata: Mapping[str, str] | None, content_type: str | None, kind: Kind) -> dict[str, str]:
    """The attributes of obstore for metadata and a content type.

    Raises:
        TypeError: They are not text.
        ValueError: They cannot be stored unchanged.
    """
    check_content_type(content_type)
    attributes = check_metadata(metadata)
    check_names(attributes, kind)
    if content_type is not None:
        attributes["Content-Type"] = content_type
    return attributes


def put(
    store: ObjectStore,
    path: str,
    content: Content,
    attributes: Mapping[str, str] | None,
    *,
    mode: PutMode,
    part_size: int,
    metadata: Mapping[str, str] | None,
    backend: str,
) -> WriteResult:
    """Write a file. An overwrite above `part_size` is a multipart upload; everything else is one PUT.

    Exceptions of the content pass unchanged.

    Raises:
        RemoteStoreError: The content did not tell its size, and is too large for parts of `part_size`.
    """
    source = Source(content)
    # A service accepts at most 10,000 parts.
    part_size = max(part_size, -(-(source.size or 0) // MOST_PARTS))
    first, second = source.read_block(part_size), source.read_block(part_size)
    in_parts = bool(second) and mode == "overwrite"
    size = 0

    def pieces() -> Iterator[bytes]:
        nonlocal size
        for piece in chain((first, second), source.blocks(part_size)):
            size += len(piece)
            if in_parts and size > MOST_PARTS * part_size:
                # obstore cannot make the later parts larger.
                message = f"the content has more than {MOST_PARTS:,} parts of {part_size:,} bytes; raise part_size"
                raise RemoteStoreError(message, path=path, backend=backend)
            yield piece

    body = pieces() if in_parts else b"".join(pieces())
    try:
        with errors_of(path, backend):
            result = obstore.put(
                store, path, body, attributes=dict(attributes) if attributes else None, mode=mode, chunk_size=part_size
            )
    except BaseException as error:
        if source.failure is not None:
            raise source.failure  # noqa: B904 - it is the source's own exception
        if isinstance(error, NotFound) and not isinstance(mode, str) and error.code != "NoSuchBucket":
            message = "the file no longer exists, so it is not the expected version; nothing was written"
            raise PreconditionFailed(message, path=path, backend=backend) from error
        if isinstance(error, NotFound) and error.status is not None and error.code is None:
            raise RemoteStoreError(ANOTHER_SERVICE, path=path, backend=backend, status=error.status) from error
        raise
    return WriteResult(path, size, unquoted(result["e_tag"]), result["version"], metadata=dict(metadata or {}))
