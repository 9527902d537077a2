"""The storage contract over S3, with pyarrow's native filesystem on the same bucket."""

from __future__ import annotations

from remote_store.pyarrow.backend import AsyncS3PyArrowBackend, S3PyArrowBackend

__all__ = ["AsyncS3PyArrowBackend", "S3PyArrowBackend"]
