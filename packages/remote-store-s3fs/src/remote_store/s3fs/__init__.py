"""The storage contract over S3 with s3fs: for threads, and awaited on aiobotocore."""

from __future__ import annotations

from remote_store.core.s3 import require_lane_api

__version__ = require_lane_api(1, "remote-store-s3fs")

# Another version may lack names that are imported below.
from remote_store.s3fs.backend import AsyncS3FsBackend, S3FsBackend

__all__ = ["AsyncS3FsBackend", "S3FsBackend"]
