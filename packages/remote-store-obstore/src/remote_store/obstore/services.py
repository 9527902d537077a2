"""Backends that make their own store, from settings: for URLs and configuration files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack
from urllib.parse import SplitResult, urlunsplit

from obstore.store import AzureStore, GCSStore, HTTPStore, LocalStore, MemoryStore, S3Store

from remote_store.core import ConfigError
from remote_store.core.home import public
from remote_store.obstore.backend import ObstoreBackend
from remote_store.obstore.errors import configuring
from remote_store.obstore.objects import Objects
from remote_store.obstore.settings import (
    AzureSettings,
    ClientSettings,
    GCSSettings,
    S3Settings,
    require_bucket,
    require_url,
    service,
)
from remote_store.obstore.writing import PART_SIZE

if TYPE_CHECKING:
    from obstore.store import S3Config

S3_CONFIG: S3Config = {
    "copy_if_not_exists": "header-with-status:If-None-Match:*:412",
    "disable_bulk_delete": True,
}
"""What `ObstoreBackend` needs of an `S3Store`: copies that create only, and deletes that can express every key."""

SHARED: dict[str, MemoryStore] = {}


@public("remote_store.obstore")
class ObstoreMemoryBackend(ObstoreBackend):
    """Files in obstore's memory; by URL `obstore+memory://bucket/folder`.

    Backends of this process with the same bucket share their files, which stay until the process ends.

    Args:
        bucket: Name of the files to share; `None` for files of its own.
        part_size: As for `ObstoreBackend`.

    Raises:
        ConfigError: A setting is malformed.
    """

    name = "obstore-memory"

    def __init__(self, bucket: str | None = None, *, part_size: int = PART_SIZE) -> None:
        self._bucket = bucket
        super().__init__(shared(bucket), part_size=part_size)
        if bucket is not None:
            self._base = f"memory://{bucket}/"

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        if self._bucket is not None and not self._objects.is_closed:
            del state["_objects"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if "_objects" not in state:
            self._objects = Objects(shared(self._bucket), self._kind, self.name)


@public("remote_store.obstore")
class ObstoreLocalBackend(ObstoreBackend):
    """Files in a folder, read and written by obstore; by URL `obstore+file:///folder`.

    Core's `LocalBackend` keeps metadata and has fewer limits; this backend is for what else works with obstore.

    Args:
        root: The folder.
        create: Create the folder if it does not exist.
        part_size: As for `ObstoreBackend`.

    Raises:
        ConfigError: The folder does not exist, or a setting is malformed.
    """

    name = "obstore-file"

    def __init__(self, root: str | Path, *, create: bool = False, part_size: int = PART_SIZE) -> None:
        if not isinstance(root, str | Path) or not str(root):
            raise ConfigError(f"root must be the path of a folder, not {root!r}")
        # A relative path would be taken as of the root of the disk.
        folder = Path(root).absolute()
        with configuring():
            store = LocalStore(folder, automatic_cleanup=True, mkdir=create)
        if not folder.is_dir():
            raise ConfigError(f"root must be a folder, but {str(folder)!r} is a file")
        super().__init__(store, part_size=part_size)


@public("remote_store.obstore")
class ObstoreS3Backend(ObstoreBackend):
    """A bucket of an S3 server, accessed by obstore; by URL `obstore+s3://bucket/prefix?region=eu-central-1`.

    Every create sends `If-None-Match`, also of a copy. A server that ignores it replaces the file.

    Args:
        bucket: Name of the bucket.
        **settings: `region`, `endpoint`, `access_key_id`, `secret_access_key` and the other fields of `S3Settings`.

    Raises:
        ConfigError: A setting is unknown or malformed.
    """

    name = "obstore-s3"

    def __init__(self, bucket: str, **settings: Unpack[S3Settings]) -> None:
        part_size = settings.pop("part_size", PART_SIZE)
        super().__init__(service(S3Store, require_bucket(bucket), settings, **S3_CONFIG), part_size=part_size)


@public("remote_store.obstore")
class ObstoreGCSBackend(ObstoreBackend):
    """A bucket of Google Cloud Storage; by URL `obstore+gs://bucket/prefix`.

    Args:
        bucket: Name of the bucket.
        **settings: `service_account` and the other fields of `GCSSettings`.

    Raises:
        ConfigError: A setting is unknown or malformed.
    """

    name = "obstore-gs"

    def __init__(self, bucket: str, **settings: Unpack[GCSSettings]) -> None:
        part_size = settings.pop("part_size", PART_SIZE)
        super().__init__(service(GCSStore, require_bucket(bucket), settings), part_size=part_size)


@public("remote_store.obstore")
class ObstoreAzureBackend(ObstoreBackend):
    """A container of Azure Blob Storage; by URL `obstore+az://container/prefix?account_name=me`.

    Args:
        bucket: Name of the container.
        **settings: `account_name`, `account_key` and the other fields of `AzureSettings`.

    Raises:
        ConfigError: A setting is unknown or malformed.
    """

    name = "obstore-az"

    def __init__(self, bucket: str, **settings: Unpack[AzureSettings]) -> None:
        part_size = settings.pop("part_size", PART_SIZE)
        super().__init__(service(AzureStore, require_bucket(bucket), settings), part_size=part_size)


@public("remote_store.obstore")
class ObstoreHTTPBackend(ObstoreBackend):
    """The files of an HTTP server, read-only; by URL `obstore+https://host/folder`.

    The server must answer HEAD, with `Content-Length` and `Last-Modified`, and honour `Range`.

    Args:
        url: The URL of the folder that is the root.
        **settings: The fields of `ClientSettings`.

    Raises:
        ConfigError: The URL or a setting is malformed.
    """

    name = "obstore-http"

    def __init__(self, url: str, **settings: Unpack[ClientSettings]) -> None:
        part_size = settings.pop("part_size", PART_SIZE)
        require_url("url", url)
        super().__init__(service(HTTPStore, url, settings), part_size=part_size)

    @classmethod
    def from_url(cls, url: SplitResult, **settings: Unpack[ClientSettings]) -> ObstoreHTTPBackend:
        """Make the backend of a URL `obstore+https://host/folder` or `obstore+http://host/folder`."""
        return cls(urlunsplit((url.scheme.rpartition("+")[2], url.netloc, url.path, "", "")), **settings)


def shared(bucket: str | None) -> MemoryStore:
    """The files of a bucket in memory, or new ones for `None`.

    Raises:
        ConfigError: It is no name of a bucket.
    """
    return MemoryStore() if bucket is None else SHARED.setdefault(require_bucket(bucket), MemoryStore())
