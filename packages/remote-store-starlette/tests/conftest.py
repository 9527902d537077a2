"""A store over an S3 server in memory, sync and async, and a client of an application that serves it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from asgi_client import Client, app_of, store_over
from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.core import AsyncStore, Store
from remote_store.starlette import StoreResponse


@pytest.fixture
def s3() -> FakeS3:
    return FakeS3()


@pytest.fixture(params=["async", "sync"])
async def store(request: pytest.FixtureRequest, s3: FakeS3) -> AsyncIterator[Store | AsyncStore]:
    made = store_over(s3, request.param)
    yield made
    if isinstance(made, AsyncStore):
        await made.close()
    else:
        made.close()


@pytest.fixture
def client(store: Store | AsyncStore) -> Client:
    """A client of an application that serves the store."""
    return Client(app_of(lambda path: StoreResponse(store, path)))
