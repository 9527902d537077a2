"""The storage contract, its stores, and the backends that need nothing else."""

from __future__ import annotations

from remote_store.core.aio.backend import AsyncBackend
from remote_store.core.aio.bridge import ThreadedBackend
from remote_store.core.aio.delegating import AsyncDelegatingBackend
from remote_store.core.aio.reader import AsyncReader
from remote_store.core.aio.streams import AsyncSource
from remote_store.core.async_store import AsyncStore, open_async_store
from remote_store.core.backend import Backend
from remote_store.core.capabilities import Capability
from remote_store.core.conditional_writes import ConditionalWrites
from remote_store.core.config.file import BackendConfig, Config, StoreConfig
from remote_store.core.config.registry import BackendNotInstalled, LaneChoice, choose_async_lane, choose_lane
from remote_store.core.config.settings import ConfigError
from remote_store.core.credentials import S3Credentials
from remote_store.core.delegating import DelegatingBackend
from remote_store.core.errors import (
    AlreadyExists,
    BackendUnavailable,
    CapabilityNotSupported,
    ChecksumMismatch,
    DirectoryNotEmpty,
    InvalidConfiguration,
    InvalidPath,
    NotFound,
    ObjectArchived,
    PermissionDenied,
    PreconditionFailed,
    RemoteStoreError,
)
from remote_store.core.events import RequestEvent
from remote_store.core.glob import GlobPattern
from remote_store.core.io.range_reader import RangeReader
from remote_store.core.io.reader import Reader
from remote_store.core.io.source import AsyncBinaryIO, AsyncContent, Buffer, Content, SupportsAsyncRead, SupportsRead
from remote_store.core.io.streams import Source, check_max_depth, check_range
from remote_store.core.local import LocalBackend
from remote_store.core.memory import MemoryBackend
from remote_store.core.metadata import check_content_type, check_metadata
from remote_store.core.models import (
    ContentDigest,
    FileInfo,
    FileVersion,
    FolderEntry,
    FolderInfo,
    NotModified,
    Outcome,
    PresignedPost,
    ResolutionPlan,
    UnfinishedUpload,
    WriteResult,
)
from remote_store.core.options import (
    ConditionalReadOptions,
    CopyOptions,
    DeleteOptions,
    MoveOptions,
    PostCondition,
    ReadOptions,
    WriteOptions,
)
from remote_store.core.path import RemotePath, require_canonical, require_file_path, require_text
from remote_store.core.progress import Progress
from remote_store.core.retry import RetryPolicy
from remote_store.core.secret import Secret
from remote_store.core.store import Store, open_store
from remote_store.core.tags import check_tags
from remote_store.core.versions import installed_version

__version__ = installed_version("remote-store-core")

__all__ = [
    "AlreadyExists",
    "AsyncBackend",
    "AsyncBinaryIO",
    "AsyncContent",
    "AsyncDelegatingBackend",
    "AsyncReader",
    "AsyncSource",
    "AsyncStore",
    "Backend",
    "BackendConfig",
    "BackendNotInstalled",
    "BackendUnavailable",
    "Buffer",
    "Capability",
    "CapabilityNotSupported",
    "ChecksumMismatch",
    "ConditionalReadOptions",
    "ConditionalWrites",
    "Config",
    "ConfigError",
    "Content",
    "ContentDigest",
    "CopyOptions",
    "DelegatingBackend",
    "DeleteOptions",
    "DirectoryNotEmpty",
    "FileInfo",
    "FileVersion",
    "FolderEntry",
    "FolderInfo",
    "GlobPattern",
    "InvalidConfiguration",
    "InvalidPath",
    "LaneChoice",
    "LocalBackend",
    "MemoryBackend",
    "MoveOptions",
    "NotFound",
    "NotModified",
    "ObjectArchived",
    "Outcome",
    "PermissionDenied",
    "PostCondition",
    "PreconditionFailed",
    "PresignedPost",
    "Progress",
    "RangeReader",
    "ReadOptions",
    "Reader",
    "RemotePath",
    "RemoteStoreError",
    "RequestEvent",
    "ResolutionPlan",
    "RetryPolicy",
    "S3Credentials",
    "Secret",
    "Source",
    "Store",
    "StoreConfig",
    "SupportsAsyncRead",
    "SupportsRead",
    "ThreadedBackend",
    "UnfinishedUpload",
    "WriteOptions",
    "WriteResult",
    "check_content_type",
    "check_max_depth",
    "check_metadata",
    "check_range",
    "check_tags",
    "choose_async_lane",
    "choose_lane",
    "open_async_store",
    "open_store",
    "require_canonical",
    "require_file_path",
    "require_text",
]
