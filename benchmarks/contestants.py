"""The contestants: classes with a method for each operation. The docstring of a method is the call that it measures.

A method has the name of its operation, takes the arguments that the operation's `prepare` returns, and returns the
number that the operation expects, if any. To add a lane, add a class to `lanes`, and one to `bare` for its SDK.
"""

from __future__ import annotations

from typing import Any

from bare import AwaitedS3fs, Boto3Client, PyArrowFileSystem, S3fsFileSystem
from lanes import AsyncBoto3Lane, AsyncS3fsLane, Boto3Lane, PyArrowLane, S3fsLane

CONTESTANTS: tuple[type[Any], ...] = (
    Boto3Client,
    Boto3Lane,
    AsyncBoto3Lane,
    S3fsFileSystem,
    S3fsLane,
    AwaitedS3fs,
    AsyncS3fsLane,
    PyArrowFileSystem,
    PyArrowLane,
)
