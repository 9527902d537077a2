"""The storage contract, its stores, and the backends that need nothing else."""

from __future__ import annotations

from remote_store.core.aio.backend import AsyncBackend
from remote_store.core.backend import Backend
from remote_store.core.capabilities import Capability
from remote_store.core.content import AsyncBinaryIO, AsyncContent, Buffer, Content
from remote_store.core.errors import (
    AlreadyExists,
    BackendUnavailable,
    CapabilityNotSupported,
    DirectoryNotEmpty,
    InvalidPath,
    NotFound,
    PermissionDenied,
    PreconditionFailed,
    RemoteStoreError,
)
from remote_store.core.local import LocalBackend
from remote_store.core.memory import MemoryBackend
from remote_store.core.models import ContentDigest, FileInfo, FolderEntry, FolderInfo, ResolutionPlan, WriteResult
from remote_store.core.path import RemotePath
from remote_store.core.retry import RetryPolicy
from remote_store.core.secret import Secret

__all__ = [
    "AlreadyExists",
    "AsyncBackend",
    "AsyncBinaryIO",
    "AsyncContent",
    "Backend",
    "BackendUnavailable",
    "Buffer",
    "Capability",
    "CapabilityNotSupported",
    "Content",
    "ContentDigest",
    "DirectoryNotEmpty",
    "FileInfo",
    "FolderEntry",
    "FolderInfo",
    "InvalidPath",
    "LocalBackend",
    "MemoryBackend",
    "NotFound",
    "PermissionDenied",
    "PreconditionFailed",
    "RemotePath",
    "RemoteStoreError",
    "ResolutionPlan",
    "RetryPolicy",
    "Secret",
    "WriteResult",
]
