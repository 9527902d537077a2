"""Bad input: a typed error that says what to do, and never a wait."""

from __future__ import annotations

import pytest
from dagster import build_input_context, build_output_context

from remote_store.conformance.servers import dead_endpoint
from remote_store.core import (
    AsyncStore,
    BackendUnavailable,
    Capability,
    DelegatingBackend,
    InvalidPath,
    MemoryBackend,
    NotFound,
    PermissionDenied,
    PreconditionFailed,
    Store,
)
from remote_store.dagster import PickleSerializer, Serializer, StoreIOManager, StoreResource


def write(manager, value=1, key=("value",)):
    manager.handle_output(build_output_context(asset_key=list(key)), value)


def read(manager, key=("value",)):
    return manager.load_input(build_input_context(asset_key=list(key)))


def test_a_missing_asset_names_itself_and_the_way_out() -> None:
    with pytest.raises(FileNotFoundError) as caught:
        read(StoreIOManager(store=Store(MemoryBackend())), ("raw", "orders"))
    assert isinstance(caught.value, NotFound)
    assert caught.value.path == "raw/orders.pkl"
    assert "raw/orders has no value here" in str(caught.value)
    assert isinstance(caught.value.__cause__, NotFound)


def test_a_missing_asset_in_a_bucket_is_to_be_materialized(place) -> None:
    with place.open() as store, pytest.raises(NotFound, match="materialize it") as caught:
        read(StoreIOManager(store=store))
    assert caught.value.code == "NoSuchKey"


def test_a_closed_store_is_unavailable() -> None:
    store = Store(MemoryBackend())
    manager = StoreIOManager(store=store)
    write(manager)
    store.close()
    for call in (write, read):
        with pytest.raises(BackendUnavailable, match="closed"):
            call(manager)


def test_a_store_of_the_other_kind_is_refused() -> None:
    for store in (AsyncStore.from_url("memory://"), "memory://", StoreResource(url="memory://")):
        for call in (write, read):
            with pytest.raises(TypeError, match="StoreResource"):
                call(StoreIOManager(store=store))


def test_a_serializer_of_another_type_is_refused() -> None:
    class Duck:
        extension = ".duck"

    for serializer in (PickleSerializer, Duck(), "pickle"):
        with pytest.raises(TypeError, match="subclass of remote_store.dagster.Serializer"):
            write(StoreIOManager(store=Store(MemoryBackend()), serializer=serializer))


def test_a_server_that_does_not_answer_is_unavailable() -> None:
    options = {"endpoint_url": dead_endpoint(), "key": "a", "secret": "b", "region_name": "us-east-1", "retry": "1"}
    with Store.from_url("s3+boto3://bucket", **options) as store:
        for call in (write, read):
            with pytest.raises(BackendUnavailable):
                call(StoreIOManager(store=store))


def test_wrong_credentials_are_denied(seaweedfs) -> None:
    options = {"endpoint_url": seaweedfs.url, "key": seaweedfs.key, "secret": "wrong", "region_name": seaweedfs.region}
    seaweedfs.create_bucket("denied-bucket")
    with Store.from_url("s3+boto3://denied-bucket", **options) as store:
        for call in (write, read):
            with pytest.raises(PermissionDenied) as caught:
                call(StoreIOManager(store=store))
            assert "wrong" not in str(caught.value)


class Changed(Serializer):
    """Replaces its file after the first block of it was read."""

    def __init__(self, store):
        self.store = store

    def dump(self, value, file):
        file.write(value)

    def load(self, file, kind):
        first = file.read(10)
        self.store.write("value.bin", b"2" * 40_000_000, overwrite=True)
        file.seek(20_000_000)
        return first + file.read(10)


def test_a_value_that_changes_while_it_is_read_is_an_error(place) -> None:
    with place.open() as store:
        manager = StoreIOManager(store=store, serializer=Changed(store))
        write(manager, b"1" * 40_000_000)
        with pytest.raises(PreconditionFailed):
            read(manager)


def test_a_store_without_content_types_keeps_values() -> None:
    from remote_store.dagster import JsonSerializer

    class Bare(DelegatingBackend):
        @property
        def capabilities(self):
            return self.inner.capabilities - {Capability.USER_METADATA}

    manager = StoreIOManager(store=Store(Bare(MemoryBackend())), serializer=JsonSerializer())
    write(manager, [1])
    assert read(manager) == [1]


@pytest.mark.parametrize("key", [["a", "", "b"], [""], ["x" * 1021], ["ü" * 200]])
def test_a_key_that_cannot_be_a_path_is_refused_without_a_request(moto_place, key) -> None:
    with moto_place.open() as store, moto_place.endpoint.recording() as requests:
        for call in (write, read):
            with pytest.raises(InvalidPath):
                call(StoreIOManager(store=store), key=key)
    assert requests == []
