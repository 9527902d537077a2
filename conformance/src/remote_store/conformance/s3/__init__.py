"""Harnesses for backends over S3 with any SDK: the servers of a test run, and direct access to their content.

It needs the extras `endpoint` and `servers`.

Name the class of the backend to run every check on a real server:

```python
class TestSeaweedFS(BackendConformance):
    harness = S3Harness(MyBackend, SEAWEEDFS)
```
"""

from __future__ import annotations

from remote_store.conformance.s3.harness import OPTIONS, AsyncS3Harness, S3Harness
from remote_store.conformance.s3.lanes import installed_async_lanes, installed_lanes
from remote_store.conformance.s3.oracle import S3Oracle, S3OracleError, S3OracleRefused
from remote_store.conformance.s3.target import MOTO, MOTO_STRICT, SEAWEEDFS, S3Target, started

__all__ = [
    "MOTO",
    "MOTO_STRICT",
    "OPTIONS",
    "SEAWEEDFS",
    "AsyncS3Harness",
    "S3Harness",
    "S3Oracle",
    "S3OracleError",
    "S3OracleRefused",
    "S3Target",
    "installed_async_lanes",
    "installed_lanes",
    "started",
]
