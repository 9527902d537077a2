"""What a backend can do, as data that a caller can ask for."""

from __future__ import annotations

from enum import Enum


class Capability(Enum):
    """One thing a backend promises; declared on the class, narrowed on an instance that promises less."""

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
    """Size, time and further facts of a file can be asked for."""
    USER_METADATA = "user_metadata"
    """The user's own metadata is stored with a file."""
    ATOMIC_WRITE = "atomic_write"
    """A write is seen whole or not at all."""
    ATOMIC_CREATE = "atomic_create"
    """Of several writers with `overwrite=False` exactly one wins."""
    ATOMIC_MOVE = "atomic_move"
    """A move is one step that nobody sees half done."""
    SEEKABLE_READ = "seekable_read"
    """`read_seekable` gives random access."""
    LAZY_READ = "lazy_read"
    """`read` transfers only what is read."""
    RANGE_READ = "range_read"
    """`read_range` transfers only the range."""
    WRITE_RESULT_NATIVE = "write_result_native"
    """The facts in a `WriteResult` come from the service's answer to that write."""


Capability.__module__ = "remote_store.core"
