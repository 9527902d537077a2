"""The storage contract over S3, plus pyarrow's native filesystem on the same bucket, and Arrow on any store."""

from __future__ import annotations

from remote_store.core.s3 import require_lane_api

__version__ = require_lane_api(1, "remote-store-pyarrow")

# Another version may lack names that are imported below.
from remote_store.pyarrow.backend import AsyncS3PyArrowBackend, S3PyArrowBackend
from remote_store.pyarrow.datasets import dataset, delete_old_files, write_dataset
from remote_store.pyarrow.fs import filesystem

__all__ = [
    "AsyncS3PyArrowBackend",
    "S3PyArrowBackend",
    "dataset",
    "delete_old_files",
    "filesystem",
    "write_dataset",
]
