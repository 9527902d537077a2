"""The resource: which store it opens, and when it closes it."""

from __future__ import annotations

import pytest
from dagster import DagsterInstance, EnvVar, Failure, ResourceParam, asset, job, materialize, op

from remote_store.core import BackendNotInstalled, BackendUnavailable, ConfigError, Store
from remote_store.dagster import StoreIOManager, StoreResource

SECRET = "wJalrXUtnFEMI-K7MDENG"


def used(resource, function):
    """What a function returns that an asset calls with the store of a resource."""
    seen = []

    @asset
    def using(lake: ResourceParam[Store]) -> None:
        seen.append(function(lake))

    with DagsterInstance.ephemeral() as instance:
        materialize([using], resources={"lake": resource}, instance=instance)
    return seen[0]


def cause(resource):
    """The exception with which a store fails to open."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - Dagster wraps it
        used(resource, lambda store: None)
    error = caught.value
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def test_a_store_by_url_has_its_root() -> None:
    assert used(StoreResource(url="memory://lake/raw"), lambda store: store.root_path) == "raw"


def test_a_store_by_name_is_that_of_the_file(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("LAKE_ROOT", str(tmp_path))
    file = tmp_path / "stores.toml"
    file.write_text(
        '[backends.disk]\ntype = "local"\nroot = "${LAKE_ROOT}"\n[stores.raw]\nbackend = "disk"\nroot_path = "raw"\n'
    )
    resource = StoreResource(config_file=str(file), store_name="raw")
    assert used(resource, lambda store: store.native_path("a")) == f"{tmp_path}/raw/a"


def test_secrets_come_from_the_environment_when_the_store_is_opened(monkeypatch) -> None:
    resource = StoreResource(
        url="s3+boto3://bucket", options={"key": EnvVar("LAKE_KEY"), "secret": EnvVar("LAKE_SECRET"), "retry": "3"}
    )
    monkeypatch.setenv("LAKE_KEY", "suite")
    monkeypatch.setenv("LAKE_SECRET", SECRET)
    assert SECRET not in repr(used(resource, lambda store: store))
    assert SECRET not in repr(resource) + str(resource) + repr(StoreIOManager(store=resource))


def test_no_message_shows_a_secret(monkeypatch, capfd) -> None:
    monkeypatch.setenv("LAKE_SECRET", SECRET)
    for options in (
        {"secret": EnvVar("LAKE_SECRET"), "wrong": "1"},
        {"secret": EnvVar("LAKE_SECRET"), "part_size": "x"},
    ):
        error = cause(StoreResource(url="s3+boto3://bucket", options=options))
        assert isinstance(error, ConfigError)
    shown = capfd.readouterr()
    assert SECRET not in shown.out + shown.err


def test_a_store_is_closed_when_the_run_ends_and_when_it_fails() -> None:
    stores = []

    @asset
    def using(lake: ResourceParam[Store]) -> None:
        lake.write("a", b"1", overwrite=True)
        stores.append(lake)

    @asset
    def failing(lake: ResourceParam[Store]) -> None:
        stores.append(lake)
        raise Failure("on purpose")

    lake = StoreResource(url="memory://closed")
    with DagsterInstance.ephemeral() as instance:
        materialize([using], resources={"lake": lake}, instance=instance)
        materialize([failing], resources={"lake": lake}, instance=instance, raise_on_error=False)
    assert len(stores) == 2
    for store in stores:
        with pytest.raises(BackendUnavailable):
            store.read_bytes("a")


def test_the_store_of_an_io_manager_is_closed_when_the_run_ends() -> None:
    stores = []

    class Remembering(StoreIOManager):
        def handle_output(self, context, obj):
            stores.append(self.store)
            super().handle_output(context, obj)

    @asset
    def value():
        return 1

    with DagsterInstance.ephemeral() as instance:
        materialize(
            [value], resources={"io_manager": Remembering(store=StoreResource(url="memory://m"))}, instance=instance
        )
    with pytest.raises(BackendUnavailable):
        stores[0].read_bytes("value.pkl")


def test_an_op_gets_the_store_too() -> None:
    @op
    def writing(lake: ResourceParam[Store]) -> str:
        return lake.write("by-op", b"1").path

    @job(resource_defs={"lake": StoreResource(url="memory://")})
    def run():
        writing()

    with DagsterInstance.ephemeral() as instance:
        assert run.execute_in_process(instance=instance).output_for_node("writing") == "by-op"


def test_a_store_may_be_made_in_code() -> None:
    class Lake(StoreResource):
        def create_resource(self, context):
            return Store.from_url("memory://in-code/here")

    assert used(Lake(), lambda store: store.root_path) == "here"


@pytest.mark.parametrize(
    "settings, kind, advice",
    [
        ({}, ConfigError, "either a url"),
        ({"url": "memory://", "config_file": "stores.toml"}, ConfigError, "either a url"),
        ({"url": "memory://", "store_name": "raw"}, ConfigError, "config_file"),
        ({"config_file": "stores.toml", "options": {"key": "x"}}, ConfigError, "into the file"),
        ({"config_file": "no-such.toml", "store_name": "raw"}, FileNotFoundError, "no-such.toml"),
        ({"url": "s3+nothing://bucket"}, ConfigError, "unknown type"),
        ({"url": "s3+s3fs://bucket"}, BackendNotInstalled, "pip install"),
        ({"url": "s3://key:secret@bucket"}, ConfigError, "credentials"),
        ({"url": "memory://", "options": {"colour": "red"}}, ConfigError, "colour"),
    ],
)
def test_wrong_settings_are_refused_with_the_way_out(settings, kind, advice) -> None:
    error = cause(StoreResource(**settings))
    assert isinstance(error, kind)
    assert advice in str(error)
