"""The storage contract over S3 with boto3."""

from __future__ import annotations

from remote_store.core.s3 import require_lane_api

__version__ = require_lane_api(1, "remote-store-boto3")

# Another version may lack names imported below.
from remote_store.boto3.backend import AsyncS3Boto3Backend, S3Boto3Backend

__all__ = ["AsyncS3Boto3Backend", "S3Boto3Backend"]
