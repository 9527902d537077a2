"""zarr's own tests of a store, on filesystems of ours."""

from __future__ import annotations

import fsspec
import pytest
from zarr.core.buffer import Buffer, cpu
from zarr.storage import FsspecStore
from zarr.testing.store import StoreTests


class TestFsspecStore(StoreTests[FsspecStore, cpu.Buffer]):
    store_cls = FsspecStore
    buffer_cls = cpu.Buffer

    @pytest.fixture
    def store_kwargs(self, place):
        self.place = place
        fs, path = fsspec.core.url_to_fs(place.url, asynchronous=True)
        return {"fs": fs, "path": path}

    @pytest.fixture
    async def store(self, store_kwargs):
        return self.store_cls(**store_kwargs)

    async def get(self, store: FsspecStore, key: str) -> Buffer:
        return self.buffer_cls.from_bytes(self.place.store.read_bytes(key))

    async def set(self, store: FsspecStore, key: str, value: Buffer) -> None:
        self.place.store.write(key, value.to_bytes(), overwrite=True)

    def test_store_repr(self, store: FsspecStore) -> None:
        assert str(store) == f"<FsspecStore({type(store.fs).__name__}, {store.path})>"

    def test_store_supports_writes(self, store: FsspecStore) -> None:
        assert store.supports_writes

    def test_store_supports_listing(self, store: FsspecStore) -> None:
        assert store.supports_listing
