"""The file that says which files a dataset has."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa

from remote_store.core import NotFound, RemotePath, RemoteStoreError, Store

MANIFEST = "_manifest.json"
FILES = "_files"
"""Arrow's discovery leaves out names that begin with `_`. So whoever lists the folder sees no mixture of versions."""
LAYOUT = 1


@dataclass(frozen=True, slots=True)
class DatasetFile:
    """A file of a dataset.

    Attributes:
        write: Id of the call that wrote it; its folder.
        name: Path below that folder, which has the values of the partitions.
        size: Length in bytes.
        etag: Entity tag of the version.
    """

    write: str
    name: str
    size: int
    etag: str | None

    @property
    def path(self) -> str:
        """Path below the folder of the dataset."""
        return f"{FILES}/{self.write}/{self.name}"

    @property
    def partition(self) -> str:
        """The part of the name that has the values of the partitions."""
        return self.name.rpartition("/")[0]


@dataclass(frozen=True, slots=True)
class Manifest:
    """One version of a dataset.

    Attributes:
        write: Id of the call that made this version.
        format: Name of Arrow's format of the files.
        schema: The schema, with the columns of the partitions.
        partitioning: Names of the columns of the partitions, from top to bottom.
        flavor: Arrow's `partitioning_flavor`.
        files: The files.
        replaced: Paths of files of earlier versions, each with the time when it was replaced.
    """

    write: str
    format: str
    schema: pa.Schema
    partitioning: tuple[str, ...] = ()
    flavor: str | None = None
    files: tuple[DatasetFile, ...] = ()
    replaced: Mapping[str, datetime] = field(default_factory=dict)

    def encode(self) -> bytes:
        """The manifest as JSON."""
        files = [{"write": file.write, "name": file.name, "size": file.size, "etag": file.etag} for file in self.files]
        document = {
            "layout": LAYOUT,
            "write": self.write,
            "format": self.format,
            "schema": base64.b64encode(self.schema.serialize()).decode(),
            "partitioning": self.partitioning,
            "flavor": self.flavor,
            "files": files,
            "replaced": {path: time.isoformat() for path, time in self.replaced.items()},
        }
        return json.dumps(document, indent=1).encode()

    @classmethod
    def decode(cls, content: bytes) -> Manifest:
        """Read a manifest.

        Raises:
            ValueError: It is not a manifest of this layout.
        """
        document = json.loads(content)
        if not isinstance(document, dict) or document.get("layout") != LAYOUT:
            raise ValueError(f"not a manifest of layout {LAYOUT}")
        return cls(
            write=document["write"],
            format=document["format"],
            schema=pa.ipc.read_schema(pa.py_buffer(base64.b64decode(document["schema"]))),
            partitioning=tuple(document["partitioning"]),
            flavor=document["flavor"],
            files=tuple(DatasetFile(**file) for file in document["files"]),
            replaced={path: datetime.fromisoformat(time) for path, time in document["replaced"].items()},
        )


@dataclass(frozen=True, slots=True)
class Current:
    """A manifest as it was read.

    Attributes:
        manifest: The manifest.
        etag: Entity tag of its file.
    """

    manifest: Manifest
    etag: str | None


def below(base_dir: str, path: str) -> str:
    """The path of something in the folder of a dataset."""
    folder = base_dir.removesuffix("/")
    return RemotePath.exact(f"{folder}/{path}" if folder else path)


def find(store: Store, base_dir: str) -> Current | None:
    """The current version of a dataset: 1 GET. `None` if there is none, for 1 request more.

    Raises:
        RemoteStoreError: The file of the manifest is none, or one of a newer release.
    """
    path = below(base_dir, MANIFEST)
    try:
        with store.read(path) as file:
            content, etag = file.read(), file.info.etag
    except NotFound:
        return None
    try:
        return Current(Manifest.decode(content), etag)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, pa.ArrowException) as error:
        message = (
            "the file is no manifest that this release of remote-store-pyarrow can read; upgrade it, or restore it"
        )
        raise RemoteStoreError(message, path=path, backend=store.backend.name) from error


def require(store: Store, base_dir: str) -> Current:
    """The current version of a dataset.

    Raises:
        NotFound: There is none.
    """
    current = find(store, base_dir)
    if current is None:
        message = "there is no dataset with a manifest; write it with remote_store.pyarrow.write_dataset"
        raise NotFound(message, path=below(base_dir, MANIFEST), backend=store.backend.name)
    return current
