"""What each kind of obstore store can do, and how its files are named outside of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any

from obstore.store import AzureStore, GCSStore, HTTPStore, LocalStore, MemoryStore, S3Store

from remote_store.core import Capability, ConfigError
from remote_store.obstore.errors import configuring
from remote_store.obstore.urls import require_no_secret

if TYPE_CHECKING:
    from obstore.store import ObjectStore

READ_ONLY = frozenset(
    {
        Capability.READ,
        Capability.METADATA,
        Capability.SEEKABLE_READ,
        Capability.LAZY_READ,
        Capability.RANGE_READ,
    }
)
WITHOUT_SWAP = READ_ONLY | {
    Capability.WRITE,
    Capability.DELETE,
    Capability.LIST,
    Capability.GLOB,
    Capability.MOVE,
    Capability.COPY,
    Capability.USER_METADATA,
    Capability.ATOMIC_WRITE,
    Capability.ATOMIC_CREATE,
    Capability.WRITE_RESULT_NATIVE,
}
ALL = WITHOUT_SWAP | {Capability.COMPARE_AND_SWAP}
"""The capabilities of a store that replaces exactly the version that an entity tag names."""

UNREACHABLE_ON_DISK = re.compile(r"(?:.*/)?(?:[A-Za-z][:|]|[^/]*#[0-9]+)", re.DOTALL)
"""Keys whose file `LocalStore` cannot open: it takes `c:` for a drive, and `a#1` for an unfinished upload of `a`."""

UNREACHABLE_ON_AZURE = re.compile(r".*\\.*", re.DOTALL)
"""Azure takes a backslash for a slash."""

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
ANY = re.compile(r".*", re.DOTALL)
NEVER = re.compile(r"(?!)")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of store.

    Attributes:
        capabilities: What the store supports.
        base: Returns what stands in front of every key in a native path.
        is_tree: Files are in folders of a disk, so a file and a folder cannot have the same path.
        longest_key: The longest key in bytes; `None` if there is no limit.
        longest_segment: The longest segment of a key in bytes; `None` if there is no limit.
        metadata_name: Matches the names that user metadata may have.
        unreachable: Matches the keys that the store cannot hold, besides those that no obstore store can.
        is_told_by_responses: The service sends an entity tag with each file and a code with each error, so responses
            without them are not from this service.
        deviations: Name of the file in `deviations`; empty if the store was never tested.
    """

    capabilities: frozenset[Capability]
    base: Callable[[Any], str]
    is_tree: bool = False
    longest_key: int | None = None
    longest_segment: int | None = None
    metadata_name: re.Pattern[str] = ANY
    unreachable: re.Pattern[str] = NEVER
    is_told_by_responses: bool = False
    deviations: str = ""

    @property
    def deviations_file(self) -> Traversable | None:
        """The file of the rules that the store cannot keep, for the conformance suite."""
        return files("remote_store.obstore") / "deviations" / self.deviations if self.deviations else None


def kind_of(store: ObjectStore) -> Kind:
    """The kind of a store.

    Raises:
        ConfigError: It is no store of obstore.
    """
    for theirs, kind in KINDS:
        if isinstance(store, theirs):
            return kind
    raise ConfigError(f"store must be a store of obstore.store, not a {type(store).__name__}")


def _memory(_store: MemoryStore) -> str:
    return "memory:///"


def _local(store: LocalStore) -> str:
    return f"file://{str(store.prefix or '').rstrip('/')}/"


def _http(store: HTTPStore) -> str:
    require_no_secret("the URL of the store", store.url)
    return store.url.rstrip("/") + "/"


def _in_bucket(scheme: str, setting: str, store: Any) -> str:
    with configuring():
        bucket = store.config[setting]
    prefix = str(store.prefix or "").strip("/")
    return f"{scheme}://{bucket}/{prefix}{'/' if prefix else ''}"


KINDS: tuple[tuple[type, Kind], ...] = (
    (MemoryStore, Kind(ALL, _memory, deviations="memory.toml")),
    (
        LocalStore,
        Kind(
            WITHOUT_SWAP - {Capability.USER_METADATA},
            _local,
            is_tree=True,
            longest_segment=255,
            unreachable=UNREACHABLE_ON_DISK,
            deviations="local.toml",
        ),
    ),
    (
        S3Store,
        Kind(
            ALL,
            partial(_in_bucket, "s3", "bucket"),
            longest_key=1024,
            is_told_by_responses=True,
            deviations="s3.toml",
        ),
    ),
    (GCSStore, Kind(WITHOUT_SWAP, partial(_in_bucket, "gs", "bucket"), longest_key=1024)),
    (
        AzureStore,
        Kind(
            WITHOUT_SWAP,
            partial(_in_bucket, "az", "container_name"),
            longest_key=1024,
            metadata_name=IDENTIFIER,
            unreachable=UNREACHABLE_ON_AZURE,
        ),
    ),
    (HTTPStore, Kind(READ_ONLY, _http)),
)
