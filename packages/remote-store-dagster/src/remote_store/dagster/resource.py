"""The resource that opens a store for a run and closes it at the end."""

# Dagster reads the annotations of a resource when its class is made, so they must not be postponed.
from collections.abc import Iterator
from contextlib import contextmanager

from dagster import ConfigurableResource, InitResourceContext
from pydantic import Field

from remote_store.core import ConfigError, Store, open_store


class StoreResource(ConfigurableResource[Store]):
    """A `Store`, by URL or by name in a configuration file.

    It is opened for a run, or for each step that has a process of its own, and closed at the end.

    Annotate the parameter of an asset or an op with `ResourceParam[Store]` to get the store. Opening one sends no
    request.

    To make the store in code, for instance with a function that returns credentials, override `create_resource`.

    Raises:
        BackendNotInstalled: The distribution of the backend is not installed.
        ConfigError: The settings are wrong.
    """

    __module__ = "remote_store.dagster"

    url: str = Field(default="", description="Where the store is, such as s3+boto3://bucket/prefix. Without secrets.")
    options: dict[str, str] = Field(
        default={},
        repr=False,
        description="Settings of the backend as text, in addition to those in the URL. Use EnvVar for secrets.",
    )
    config_file: str = Field(default="", description="Path of a TOML file that describes stores; instead of a URL.")
    store_name: str = Field(default="", description="Name of the store in the file.")

    def create_resource(self, context: InitResourceContext) -> Store:  # noqa: ARG002 - the signature is Dagster's
        """Open the store. Sends no request."""
        if bool(self.url) == bool(self.config_file):
            raise ConfigError("a StoreResource needs either a url, or a config_file and a store_name")
        if self.url:
            if self.store_name:
                raise ConfigError(
                    "a StoreResource with a url has no store_name; use config_file to open a store by name"
                )
            return Store.from_url(self.url, **self.options)
        if self.options:
            raise ConfigError("a StoreResource with a config_file has no options; write them into the file")
        return open_store(self.config_file, self.store_name)

    @contextmanager
    def yield_for_execution(self, context: InitResourceContext) -> Iterator[Store]:
        """Open the store, and close it at the end."""
        with self.create_resource(context) as store:
            yield store
