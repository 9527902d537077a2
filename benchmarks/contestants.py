"""Who is measured. A contestant is a class with a method for each operation that it can do; its docstring says how.

A method is named after its operation, takes what the operation's `prepare` gives, and returns the number that the
operation expects, if any. A further lane is one more class in `lanes`, and one in `bare` for what it stands against.
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
