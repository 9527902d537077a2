"""User metadata, content types and headers, stored in extended attributes of the files."""

# `Path` has no extended attributes.
# ruff: noqa: PTH112, PTH120
from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from remote_store.core.backend import Backend
from remote_store.core.capabilities import CONTRACT_0_1, Capability
from remote_store.core.headers import TEXTS, kept_headers
from remote_store.core.local.locking import can_lock
from remote_store.core.local.system import NoAttributes
from remote_store.core.metadata import NAME, VALUE

CONTENT_TYPE = "user.remote_store.content_type"
HEADERS = "user.remote_store.headers"
METADATA = "user.remote_store.metadata"
NEED_ATTRIBUTES = frozenset({Capability.USER_METADATA, Capability.CONTENT_HEADERS})
UNSUPPORTED = (errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EPERM)
SWAPS = frozenset({Capability.COMPARE_AND_SWAP, Capability.CONDITIONAL_DELETE})
EVERY = CONTRACT_0_1 | NEED_ATTRIBUTES | SWAPS | {Capability.CONDITIONAL_READ}
FULL = (errno.ENOSPC, errno.EDQUOT, errno.E2BIG, errno.ERANGE)
NO_ATTRIBUTES = "the file system stores no extended attributes, so it cannot keep metadata or a content type"


class Declared:
    """The capabilities of a local backend: of the class all, of an instance those that its file system allows.

    An instance tests its file system when it is first asked, so that the constructor does no I/O.
    """

    def __get__(self, backend: Backend | None, kind: type[Backend]) -> frozenset[Capability]:
        if backend is None:
            return EVERY
        # The attribute hides this descriptor: the file system is tested once.
        backend.capabilities = EVERY - lacks(backend.native_path(""))
        return backend.capabilities


def lacks(root: str) -> frozenset[Capability]:
    """The capabilities of `EVERY` that the file system of a folder does not allow."""
    missing = frozenset() if can_be_kept(root) else NEED_ATTRIBUTES
    return missing if can_compare(root) else missing | SWAPS


def can_compare(root: str) -> bool:
    """Whether a file can be compared and changed in one step in a folder, tested on a file without a name.

    Where none can be made (a folder that cannot be written to, NFS, FUSE, macOS), the result is `False`.
    """
    try:
        descriptor = _nameless(root)
    except (AttributeError, OSError):
        return False
    try:
        return can_lock(descriptor)
    finally:
        os.close(descriptor)


def can_be_kept(root: str) -> bool:
    """Whether the file system of a folder stores extended attributes. Nothing is left behind or visible meanwhile.

    Sets one on a file without a name. Where none can be made (a folder that cannot be written to, NFS, FUSE), it asks
    the folder for an attribute instead. A folder that does not exist counts as its nearest parent that does.
    """
    if not hasattr(os, "setxattr"):
        return False
    try:
        descriptor = _nameless(root)
    except OSError:
        return _is_supported(os.getxattr, _nearest(root), METADATA)
    try:
        return _is_supported(os.setxattr, descriptor, METADATA, b"")
    finally:
        os.close(descriptor)


def _nearest(root: str) -> str:
    while not os.path.isdir(root) and root != os.path.dirname(root):
        root = os.path.dirname(root)
    return root


def _nameless(root: str) -> int:
    return os.open(_nearest(root), os.O_TMPFILE | os.O_RDWR, 0o600)


def _is_supported(call: Callable[..., object], *arguments: Any) -> bool:
    try:
        call(*arguments)
    except OSError as error:
        return error.errno not in UNSUPPORTED
    return True


def encoded(metadata: Mapping[str, str], content_type: str | None) -> dict[str, bytes]:
    """The attributes of a file. Metadata is one attribute with a line `name=value` per entry.

    One attribute per entry would take 16 more bytes for each; ext4 has about 4,000 for all attributes of a file.
    """
    attributes = {}
    if metadata:
        attributes[METADATA] = "\n".join(f"{name}={value}" for name, value in metadata.items()).encode()
    if content_type is not None:
        attributes[CONTENT_TYPE] = content_type.encode()
    return attributes


def encoded_headers(options: Mapping[str, Any]) -> dict[str, bytes]:
    """The attribute for the headers among the options of a write: a line `name=value` per header; none without any."""
    headers = kept_headers(options)
    if "expires" in headers:
        headers["expires"] = headers["expires"].isoformat()
    return {HEADERS: "\n".join(f"{name}={value}" for name, value in headers.items()).encode()} if headers else {}


def decoded_headers(attributes: Mapping[str, bytes]) -> dict[str, Any]:
    """The headers in the attributes of a file, without those that no write could have stored."""
    lines = (line.partition("=") for line in _text(attributes.get(HEADERS, b"")).split("\n"))
    found: dict[str, Any] = {name: value for name, _, value in lines}
    headers = {name: found[name] for name in TEXTS if VALUE.fullmatch(found.get(name, " "))}
    try:
        return headers | kept_headers({"expires": datetime.fromisoformat(found["expires"])})
    except (KeyError, ValueError, OverflowError):
        return headers


def decoded(attributes: Mapping[str, bytes]) -> tuple[dict[str, str], str | None]:
    """The metadata and the content type in the attributes of a file.

    Other programs may have written them: names that are no metadata names and content types that no header can carry
    are left out.
    """
    lines = _text(attributes.get(METADATA, b"")).split("\n")
    entries = ((name.lower(), value) for name, equals, value in (line.partition("=") for line in lines) if equals)
    content_type = _text(attributes.get(CONTENT_TYPE, b"")).strip()
    return (
        {name: value for name, value in entries if NAME.fullmatch(name)},
        content_type if content_type and VALUE.fullmatch(content_type) else None,
    )


def attach(descriptor: int, attributes: Mapping[str, bytes]) -> None:
    """Set the attributes of an open file.

    Raises:
        NoAttributes: The file system has no extended attributes.
        OSError: They are too large for the file system, or a system call failed.
    """
    for name, value in attributes.items():
        try:
            os.setxattr(descriptor, name, value)
        except OSError as error:
            if error.errno in UNSUPPORTED:
                raise NoAttributes(errno.ENOTSUP, f"{NO_ATTRIBUTES}; leave them out") from error
            if error.errno in FULL:
                size = sum(map(len, attributes.values()))
                message = f"there is no room for {size:,} bytes of metadata and headers with the file"
                raise OSError(errno.E2BIG, message) from error
            raise


def attached(descriptor: int) -> dict[str, bytes] | None:
    """Our attributes of an open file; `None` if the platform or the file system has none or does not show them."""
    if not hasattr(os, "getxattr"):
        return None
    found = {}
    for name in (CONTENT_TYPE, HEADERS, METADATA):
        try:
            found[name] = os.getxattr(descriptor, name)
        except OSError as error:
            if error.errno in (*UNSUPPORTED, errno.EACCES):
                return None
            if error.errno != errno.ENODATA:
                raise
    return found


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
