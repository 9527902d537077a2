"""The optional keyword arguments of the contract: each needs a capability, and is passed only if it is given."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, TypedDict, get_args

from remote_store.core.capabilities import Capability
from remote_store.core.errors import CapabilityNotSupported
from remote_store.core.headers import check_headers
from remote_store.core.home import public
from remote_store.core.metadata import VALUE
from remote_store.core.storage_options import ObjectLockMode, ServerSideEncryption, check_storage_options
from remote_store.core.tags import check_tags

ChecksumAlgorithm = Literal["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"]
PostCondition: TypeAlias = Mapping[str, str] | Sequence[str | int]
"""A condition of a form for `presign_post`: `{"acl": "private"}`, or `["starts-with", "$x-amz-meta-user", "a"]`."""


@public("remote_store.core")
class ReadOptions(TypedDict, total=False):
    """The optional keyword arguments of methods that read.

    Attributes:
        if_match: ETag of the version to read, as a `FileInfo` or `WriteResult` has it. If the file is another version,
            the call raises `PreconditionFailed`. Needs `CONDITIONAL_READ`.
        version_id: Read this version instead of the current one. Needs `VERSIONS`.
    """

    if_match: str | None
    version_id: str | None


@public("remote_store.core")
class ConditionalReadOptions(ReadOptions, total=False):
    """The optional keyword arguments of `read_bytes` and `get_file_info`.

    Attributes:
        if_none_match: ETag of a version that the caller has. If the file still is that version, the result is
            `NotModified`, and no content is transferred. Needs `CONDITIONAL_READ`.
    """

    if_none_match: str | None


@public("remote_store.core")
class WriteOptions(TypedDict, total=False):
    """The optional keyword arguments of methods that write.

    Attributes:
        if_match: ETag of the version to replace, as a `FileInfo` or `WriteResult` has it. If the file is another
            version, or does not exist, the call raises `PreconditionFailed` and writes nothing. `None` is refused,
            because it names no version. Needs `overwrite=True`, and `COMPARE_AND_SWAP`.
        cache_control: `Cache-Control` header to store with the file. Needs `CONTENT_HEADERS`, as the next three do.
        content_disposition: `Content-Disposition` header. Encode a non-ASCII file name as in RFC 8187.
        content_encoding: `Content-Encoding` header. The content is stored and read as it is, never decoded.
        expires: `Expires` header; an aware datetime. Fractions of a second are dropped, because HTTP has none.
        tags: Tags of the object; 10 at most, with names of 1 to 128 and values of up to 256 characters. Needs `TAGS`.
        storage_class: The storage class, such as `STANDARD_IA`. Needs `STORAGE_OPTIONS`, as the rest but the last do.
        server_side_encryption: How the service encrypts the object: `AES256`, `aws:kms` or `aws:kms:dsse`. It replaces
            all settings of encryption in `put_options`.
        kms_key_id: The key of `aws:kms` and `aws:kms:dsse`, one of which must be given too.
        object_lock_mode: `GOVERNANCE` or `COMPLIANCE`, together with `object_lock_until`.
        object_lock_until: Until when the version cannot be deleted; an aware datetime.
        legal_hold: Whether the version cannot be deleted until the hold is removed.
        checksum: Algorithm of a checksum that is computed here and sent with the content: `CRC32`, `CRC32C`,
            `CRC64NVME`, `SHA1` or `SHA256`. The service compares it with what arrives, refuses damaged content, and
            stores the checksum, which is then the `digest` of the result and of the `FileInfo`. If a service over S3
            does not know the checksum, the result has none. Needs `CHECKSUMS`.
    """

    if_match: str | None
    cache_control: str | None
    content_disposition: str | None
    content_encoding: str | None
    expires: datetime | None
    tags: Mapping[str, str] | None
    storage_class: str | None
    server_side_encryption: ServerSideEncryption | None
    kms_key_id: str | None
    object_lock_mode: ObjectLockMode | None
    object_lock_until: datetime | None
    legal_hold: bool | None
    checksum: ChecksumAlgorithm | None


@public("remote_store.core")
class DeleteOptions(TypedDict, total=False):
    """The optional keyword arguments of `delete`.

    Attributes:
        if_match: ETag of the version to delete. If the file is another version, the call raises `PreconditionFailed`
            and deletes nothing. Needs `CONDITIONAL_DELETE`.
        version_id: Delete this version for good, instead of the current one. Needs `VERSIONS`.
    """

    if_match: str | None
    version_id: str | None


@public("remote_store.core")
class MoveOptions(TypedDict, total=False):
    """The optional keyword arguments of `move`.

    Attributes:
        if_match: ETag of the version of `src` to move. If `src` is another version, the call raises
            `PreconditionFailed` and changes nothing. Needs `CONDITIONAL_DELETE`.
    """

    if_match: str | None


@public("remote_store.core")
class CopyOptions(TypedDict, total=False):
    """The optional keyword arguments of `copy`.

    Attributes:
        if_match: ETag of the version of `src` to copy. If `src` is another version, the call raises
            `PreconditionFailed` and copies nothing. Needs `CONDITIONAL_READ`.
        version_id: Copy this version of `src` instead of the current one. Needs `VERSIONS`.
    """

    if_match: str | None
    version_id: str | None


TAG = re.compile(r"[!#-+\--~]+")
"""An entity tag without its quotes (RFC 9110, 8.8.3), and without a comma."""

NOTHING: Mapping[str, Any] = MappingProxyType({})
"""No options."""

NEEDS: Mapping[str, Capability] = {
    "if_match": Capability.COMPARE_AND_SWAP,
    "if_none_match": Capability.CONDITIONAL_READ,
    "version_id": Capability.VERSIONS,
    "cache_control": Capability.CONTENT_HEADERS,
    "content_disposition": Capability.CONTENT_HEADERS,
    "content_encoding": Capability.CONTENT_HEADERS,
    "expires": Capability.CONTENT_HEADERS,
    "tags": Capability.TAGS,
    "storage_class": Capability.STORAGE_OPTIONS,
    "server_side_encryption": Capability.STORAGE_OPTIONS,
    "kms_key_id": Capability.STORAGE_OPTIONS,
    "object_lock_mode": Capability.STORAGE_OPTIONS,
    "object_lock_until": Capability.STORAGE_OPTIONS,
    "legal_hold": Capability.STORAGE_OPTIONS,
    "checksum": Capability.CHECKSUMS,
}
"""The capability that each optional keyword argument needs, in a write."""

IF_MATCH: Mapping[type, Capability] = {
    ReadOptions: Capability.CONDITIONAL_READ,
    ConditionalReadOptions: Capability.CONDITIONAL_READ,
    CopyOptions: Capability.CONDITIONAL_READ,
    DeleteOptions: Capability.CONDITIONAL_DELETE,
    MoveOptions: Capability.CONDITIONAL_DELETE,
}
"""The capability that `if_match` needs in other methods."""

TAGS_IN_CONDITIONS = ("if_match", "if_none_match")
"""The options that are ETags."""

NAMES_OF_VERSIONS = (*TAGS_IN_CONDITIONS, "version_id")
"""The options that name a version. `None` names none, and the call would do more without them, so it is refused."""

ADVICE: Mapping[Capability, str] = {
    Capability.COMPARE_AND_SWAP: (
        "if the S3 server honours If-Match on PutObject and CompleteMultipartUpload, pass "
        "conditional_writes=ConditionalWrites(swap=True, complete_swap=True)"
    ),
    Capability.CONDITIONAL_DELETE: (
        "if the S3 server honours If-Match on DeleteObject, pass conditional_writes=ConditionalWrites(delete=True)"
    ),
}
"""What to do about a capability that is missing."""


def given(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options to pass on. One that is `None` is left out, except for those that name a version.

    A backend of contract 0.1 takes no options. `supported` refuses a condition or a version id that is `None`.
    """
    return {name: value for name, value in options.items() if value is not None or name in NAMES_OF_VERSIONS}


def taken(method: Callable[..., Any], options: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The options that are not `None`, if the method takes them.

    A backend may declare a capability that its methods do not have: `frozenset(Capability)` grows with each version of
    the contract, and a wrapper that was written for an earlier version has the capabilities of the backend inside.

    Args:
        method: The bound method of a backend that gets the options.
        options: The keyword arguments.
        path: The path that the call is about.

    Raises:
        CapabilityNotSupported: The method does not take an option. It was not called.
    """
    passed = given(options)
    if not passed:
        return passed
    parameters = inspect.signature(method).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return passed
    # The method itself raises TypeError for a name that is no option of the contract.
    for name in NEEDS.keys() & passed.keys() - parameters.keys():
        backend = getattr(method, "__self__", None)
        message = (
            f"{method.__name__} of {type(backend).__name__} does not take {name}, so it was not called; leave {name} "
            "out, or use a release of the backend or wrapper for this version of the contract"
        )
        needed, label = NEEDS[name].value, getattr(backend, "name", None)
        raise CapabilityNotSupported(message, capability=needed, path=path, backend=label)
    return passed


def supported(
    kind: type, options: Mapping[str, Any], capabilities: frozenset[Capability], path: str, backend: str
) -> dict[str, Any]:
    """The options that are not `None`, if the method takes them and the backend has the capability that each needs.

    Args:
        kind: The options that the method takes, such as `ReadOptions`.
        options: The keyword arguments.
        capabilities: The capabilities of the backend.
        path: The path that the call is about.
        backend: Name of the backend.

    Raises:
        CapabilityNotSupported: The backend lacks a capability.
        TypeError: The method does not take an option, or an ETag is not a string.
        ValueError: An ETag cannot be in a condition.
    """
    passed = given(options)
    for name in options:
        if name not in kind.__annotations__:
            raise TypeError(f"this method has no option {name!r}; its options are: {', '.join(kind.__annotations__)}")
        if name in TAGS_IN_CONDITIONS:
            check_tag(options[name], name)
    for name in passed:
        needed = IF_MATCH.get(kind, NEEDS[name]) if name == "if_match" else NEEDS[name]
        if needed not in capabilities:
            raise lacking(needed, f"the option {name}", path, backend)
    if "version_id" in passed:
        check_version_id(passed["version_id"])
    # The caller may change their mapping before a draft is committed.
    return {**passed, "tags": dict(passed["tags"])} if isinstance(passed.get("tags"), Mapping) else passed


def lacking(capability: Capability, what: str, path: str, backend: str) -> CapabilityNotSupported:
    """The error for a call that needs a capability that the backend lacks."""
    message = f"{what} needs the capability {capability.name}, which this backend does not have"
    if capability in ADVICE:
        message = f"{message}; {ADVICE[capability]}"
    return CapabilityNotSupported(message, capability=capability.value, path=path, backend=backend)


def require(capability: Capability, what: str, capabilities: frozenset[Capability], path: str, backend: str) -> None:
    """Check that a backend has a capability.

    Args:
        capability: The capability.
        what: What needs it.
        capabilities: The capabilities of the backend.
        path: The path that the call is about.
        backend: Name of the backend.

    Raises:
        CapabilityNotSupported: The backend lacks it.
    """
    if capability not in capabilities:
        raise lacking(capability, what, path, backend)


def check_write_options(options: Mapping[str, Any], *, overwrite: bool) -> None:
    """Refuse values of a write's options that cannot mean anything.

    Raises:
        ValueError: Options contradict each other.
    """
    if options.get("if_match") is not None and not overwrite:
        raise ValueError("if_match replaces a version that exists; pass overwrite=True with it, or leave it out")
    checksum = options.get("checksum")
    if checksum is not None and checksum not in get_args(ChecksumAlgorithm):
        raise ValueError(f"checksum must be one of {', '.join(get_args(ChecksumAlgorithm))}, not {checksum!r}")
    check_headers(options)
    check_tags(options.get("tags"))
    check_storage_options(options)


def version_option(version_id: str | None) -> dict[str, str]:
    """The option of a method whose parameter `version_id` may be `None`, for the current version."""
    return {} if version_id is None else {"version_id": version_id}


def check_version_id(version_id: object) -> None:
    """Refuse a version id that no request can name.

    Raises:
        TypeError: It is not a string.
        ValueError: It is empty, or not printable ASCII.
    """
    if version_id is None:
        message = "as it is where the bucket keeps no versions; leave it out to mean the current version"
        raise TypeError(f"version_id is None, {message}")
    if not isinstance(version_id, str):
        raise TypeError(f"version_id must be a str, not {type(version_id).__name__}")
    if not VALUE.fullmatch(version_id or " "):
        raise ValueError("version_id must be that of a FileInfo, WriteResult or FileVersion: printable and not empty")


def check_tag(tag: object, name: str) -> None:
    """Refuse an ETag that no condition can name.

    Raises:
        TypeError: It is not a string.
        ValueError: It is empty, quoted, or weak. `If-Match` never matches a weak tag (RFC 9110, 13.1.1).
    """
    if tag is None:
        message = "as the etag of a FileInfo is if the service sent none; leave it out to call without a condition"
        raise TypeError(f"{name} is None, {message}")
    if not isinstance(tag, str):
        raise TypeError(f"{name} must be the ETag of a FileInfo or WriteResult, not {type(tag).__name__}")
    if tag.startswith("W/"):
        raise ValueError(f"{name} is a weak ETag, which no condition matches; read the file again and compare content")
    # A server may take a comma for the end of one tag in a list.
    if not TAG.fullmatch(tag) or tag == "*":
        raise ValueError(
            f"{name} must be an ETag as FileInfo.etag has it: without quotes, commas and white space, and not empty"
        )


def check_resumable(options: Mapping[str, Any]) -> None:
    """Check that the options of a write fit to an upload that may go on in a later call.

    Raises:
        ValueError: There is a checksum, which would have to be computed over the parts of the earlier call, too.
    """
    if options.get("checksum") is not None:
        raise ValueError("an upload with resume=True cannot have a checksum; leave out one of them")


def check_age(older_than: object) -> None:
    """Check the argument `older_than` of `abort_uploads`.

    Raises:
        TypeError: It is not a `timedelta`.
        ValueError: It is negative.
    """
    if not isinstance(older_than, timedelta):
        raise TypeError(f"older_than must be a timedelta, such as timedelta(days=1), not {type(older_than).__name__}")
    if older_than < timedelta():
        raise ValueError(f"older_than must not be negative, but is {older_than}")
