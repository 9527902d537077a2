"""The storage contract over S3 with boto3."""

from __future__ import annotations

from remote_store.boto3.backend import AsyncS3Boto3Backend, S3Boto3Backend

__all__ = ["AsyncS3Boto3Backend", "S3Boto3Backend"]
