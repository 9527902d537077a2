"""What obstore tells about a file, in the words of the contract."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import TYPE_CHECKING

from remote_store.core import FileInfo
from remote_store.obstore.kinds import Kind

if TYPE_CHECKING:
    from obstore import ObjectMeta

HEADERS = frozenset(
    {
        "cache-control",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-type",
        "storage-class",
    }
)
"""Attributes that obstore takes for headers, in any case; all others are user metadata."""


def check_names(metadata: Mapping[str, str], kind: Kind) -> None:
    """Check that the store keeps the metadata as it is.

    Raises:
        ValueError: A name is that of a header, which obstore would set instead, or the service does not accept it.
    """
    refused = [name for name in metadata if not kind.metadata_name.fullmatch(name)]
    if refused:
        raise ValueError(
            f"on Azure, names of metadata are letters, digits and '_', not {', '.join(refused)}; rename it"
        )
    taken = sorted(HEADERS & metadata.keys())
    if taken:
        raise ValueError(f"obstore sets the header of this name instead of metadata: {', '.join(taken)}; rename it")


def described(meta: ObjectMeta, attributes: Mapping[str, str] | None = None) -> FileInfo:
    """The facts of a file.

    Args:
        meta: The object, from a listing or a response.
        attributes: Its headers and metadata; a listing has none.
    """
    content_type = metadata = None
    if attributes is not None:
        content_type = attributes.get("Content-Type")
        metadata = {name: attributes[name] for name in attributes if name.lower() not in HEADERS}
    return FileInfo(
        path=meta["path"],
        name=meta["path"].rpartition("/")[2],
        size=meta["size"],
        modified_at=meta["last_modified"].astimezone(UTC),
        etag=unquoted(meta["e_tag"]),
        content_type=content_type,
        metadata=metadata,
        version_id=meta["version"],
    )


def unquoted(e_tag: str | None) -> str | None:
    """An entity tag without its quotes; a weak one as it is."""
    return e_tag if e_tag is None or e_tag.startswith("W/") else e_tag.strip('"')


def quoted(e_tag: str) -> str:
    """An entity tag as a service writes it."""
    return e_tag if e_tag.startswith("W/") else f'"{e_tag}"'
