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
