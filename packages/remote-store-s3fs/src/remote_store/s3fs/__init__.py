"""The storage contract over S3 with s3fs: for threads, and awaited on aiobotocore."""

from __future__ import annotations

from remote_store.s3fs.backend import AsyncS3FsBackend, S3FsBackend

__all__ = ["AsyncS3FsBackend", "S3FsBackend"]
