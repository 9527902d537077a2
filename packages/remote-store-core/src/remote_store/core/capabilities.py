"""The capabilities that a backend can declare."""

from __future__ import annotations

from enum import Enum

from remote_store.core.home import public


@public("remote_store.core")
class Capability(Enum):
    """A feature that a backend supports. The class declares a set of these; an instance may declare fewer."""

    READ = "read"
    """Whole files and streams can be read."""
    WRITE = "write"
    """Files can be written."""
    DELETE = "delete"
    """Files and folders can be deleted."""
    LIST = "list"
    """Folders can be listed."""
    GLOB = "glob"
    """Files can be found by pattern."""
    MOVE = "move"
    """Files can be moved."""
    COPY = "copy"
    """Files can be copied without passing through the client."""
    METADATA = "metadata"
    """`get_file_info` returns the size, time and other attributes of a file."""
    USER_METADATA = "user_metadata"
    """User metadata and a content type are stored with a file."""
    ATOMIC_WRITE = "atomic_write"
    """Readers see a write in full or not at all."""
    ATOMIC_CREATE = "atomic_create"
    """If several writers create the same path with `overwrite=False`, exactly one succeeds."""
    ATOMIC_MOVE = "atomic_move"
    """A move is a single step: readers see the file under one name or the other."""
    SEEKABLE_READ = "seekable_read"
    """`read_seekable` gives random access."""
    LAZY_READ = "lazy_read"
    """`read` transfers only the bytes that are read."""
    RANGE_READ = "range_read"
    """`read_range` transfers only the requested range."""
    WRITE_RESULT_NATIVE = "write_result_native"
    """The fields of a `WriteResult` come from the service's response to that write."""
    COMPARE_AND_SWAP = "compare_and_swap"
    """Writes take `if_match`, and replace exactly the version that it names."""
    CONDITIONAL_READ = "conditional_read"
    """Reads take `if_match` and `if_none_match`, and `copy` takes `if_match`."""
    CONDITIONAL_DELETE = "conditional_delete"
    """`delete` and `move` take `if_match`, and delete exactly the version that it names."""
    CONTENT_HEADERS = "content_headers"
    """Writes store `Cache-Control`, `Content-Disposition`, `Content-Encoding` and `Expires`."""
    CHECKSUMS = "checksums"
    """Writes take a `checksum`, which the service verifies and stores."""
    MULTIPART_UPLOADS = "multipart_uploads"
    """Unfinished uploads can be listed, resumed and aborted."""
    PRESIGN = "presign"
    """`presign` makes URLs that work without credentials."""
    STORAGE_OPTIONS = "storage_options"
    """Writes take a storage class, server-side encryption and object lock."""
    TAGS = "tags"
    """Files have tags, which can be read and replaced."""
    VERSIONS = "versions"
    """Replaced and deleted versions of a file can be listed, read and restored."""


CONTRACT_0_1 = frozenset(
    {
        Capability.READ,
        Capability.WRITE,
        Capability.DELETE,
        Capability.LIST,
        Capability.GLOB,
        Capability.MOVE,
        Capability.COPY,
        Capability.METADATA,
        Capability.USER_METADATA,
        Capability.ATOMIC_WRITE,
        Capability.ATOMIC_CREATE,
        Capability.ATOMIC_MOVE,
        Capability.SEEKABLE_READ,
        Capability.LAZY_READ,
        Capability.RANGE_READ,
        Capability.WRITE_RESULT_NATIVE,
    }
)
"""The capabilities of contract 0.1."""
