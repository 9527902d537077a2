from __future__ import annotations

from collections.abc import Callable

import pytest

from remote_store.boto3 import AsyncS3Boto3Backend, S3Boto3Backend
from remote_store.core import AsyncBackend, Backend
from remote_store.pyarrow import AsyncS3PyArrowBackend, S3PyArrowBackend
from remote_store.s3fs import AsyncS3FsBackend, S3FsBackend

Lane = tuple[Callable[..., Backend], Callable[..., AsyncBackend]]


@pytest.fixture(scope="session")
def lanes() -> dict[str, Lane]:
    """The S3 lanes by name, each as its blocking and its asynchronous class."""
    return {
        "boto3": (S3Boto3Backend, AsyncS3Boto3Backend),
        "s3fs": (S3FsBackend, AsyncS3FsBackend),
        "pyarrow": (S3PyArrowBackend, AsyncS3PyArrowBackend),
    }


@pytest.fixture(params=["boto3", "s3fs", "pyarrow"])
def lane(request: pytest.FixtureRequest, lanes: dict[str, Lane]) -> Callable[..., Backend]:
    """The blocking class of each lane in turn."""
    return lanes[request.param][0]


@pytest.fixture(params=["boto3", "s3fs", "pyarrow"])
def async_lane(request: pytest.FixtureRequest, lanes: dict[str, Lane]) -> Callable[..., AsyncBackend]:
    """The asynchronous class of each lane in turn."""
    return lanes[request.param][1]
