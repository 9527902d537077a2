"""The contract's S3 semantics, written once for every SDK: the port, the operations, the backends."""

from __future__ import annotations

from remote_store.core.s3.aio import AsyncS3Backend
from remote_store.core.s3.backend import S3Backend
from remote_store.core.s3.calls import AsyncBody, AsyncS3Port, Body, Call, Fault, S3Port
from remote_store.core.s3.options import S3OptionFields, S3Options

__all__ = [
    "AsyncBody",
    "AsyncS3Backend",
    "AsyncS3Port",
    "Body",
    "Call",
    "Fault",
    "S3Backend",
    "S3OptionFields",
    "S3Options",
    "S3Port",
]

for _class in (AsyncBody, AsyncS3Port, Body, Call, Fault, S3OptionFields, S3Options, S3Port):
    _class.__module__ = "remote_store.core.s3"
