"""Stores made from configuration: a dict, a TOML file, or environment variables.

```toml
[backends.lake]
type = "s3-boto3"                   # or "s3": the best lane that is installed
bucket = "lake"
endpoint_url = "${S3_ENDPOINT:-http://127.0.0.1:9000}"
key = "${S3_KEY}"
secret = "${S3_SECRET}"
retry = 3

[stores.raw]
backend = "lake"
root_path = "raw"
```

`${NAME}` is replaced by the environment variable `NAME`. `${NAME:-text}` is replaced by `text` if `NAME` is unset or
empty. Write `$${` for a literal `${`. Variables are read when a store is opened, so a store that you do not open
needs none of its variables.

A backend of type `memory` without a `bucket` keeps its files for the configuration: every store that is made from an
equal configuration and the same table has the same files, until the process ends.
"""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from pprint import pformat
from typing import Any, Self, TypeVar

from remote_store.core.aio.backend import AsyncBackend
from remote_store.core.backend import Backend
from remote_store.core.config.registry import Adapter
from remote_store.core.config.settings import ConfigError, Settings, refuse_unknown
from remote_store.core.home import public
from remote_store.core.memory import MemoryBackend

B = TypeVar("B", bound=Backend | AsyncBackend)
Find = Callable[[str], Adapter[B]]

PROCESS = os.urandom(16)
"""Known to this process and its forks only."""

VARIABLE = re.compile(r"\$\$\{|\$\{(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<default>:-[^{}]*)?\})?")


@public("remote_store.core")
@dataclass(frozen=True, slots=True)
class BackendConfig:
    """One backend of a configuration.

    Attributes:
        type: Type of the backend: the name of its entry point, or `s3`.
        options: Settings of the backend, before variables are replaced. Left out of `repr`, since some are secret.
    """

    type: str
    options: Mapping[str, Any] = field(default_factory=dict, repr=False, hash=False)


@public("remote_store.core")
@dataclass(frozen=True, slots=True)
class StoreConfig:
    """One store of a configuration.

    Attributes:
        backend: Name of the backend it uses.
        root_path: The folder of the backend that is the root of the store.
    """

    backend: str
    root_path: str = ""


@public("remote_store.core")
@dataclass(frozen=True, slots=True)
class Config:
    """A configuration: backends, and stores that use them.

    Attributes:
        backends: The backends by name.
        stores: The stores by name.
    """

    backends: Mapping[str, BackendConfig] = field(default_factory=dict, hash=False)
    stores: Mapping[str, StoreConfig] = field(default_factory=dict, hash=False)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Make a configuration from a dict with the tables `backends` and `stores`, as in the TOML file.

        Raises:
            ConfigError: A table or a setting is unknown, missing or of the wrong type, or a store names no known
                backend.
        """
        for name in data:
            refuse_unknown("table", name, ("backends", "stores"))
        backends = {}
        for name, table in _tables(data, "backends").items():
            options = dict(table)
            backends[name] = BackendConfig(_text(options.pop("type", None), f"backends.{name}.type"), options)
        stores = {}
        for name, table in _tables(data, "stores").items():
            for setting in table:
                refuse_unknown("setting", setting, ("backend", "root_path"), of=f"stores.{name}")
            backend = _text(table.get("backend"), f"stores.{name}.backend")
            refuse_unknown("backend", backend, backends, of=f"stores.{name}")
            stores[name] = StoreConfig(backend, _text(table.get("root_path", ""), f"stores.{name}.root_path"))
        return cls(backends, stores)

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """Parse a TOML document.

        Raises:
            ConfigError: The text is not valid TOML, or not a valid configuration.
        """
        try:
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"the configuration is not valid TOML: {error}") from error
        return cls.from_dict(data)

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Self:
        """Read a TOML file.

        Raises:
            ConfigError: The file is not valid TOML, or not a valid configuration.
            OSError: The file cannot be read.
        """
        with _named(os.fspath(path)):
            return cls.from_toml(Path(path).read_text("utf-8"))


def config_of(config: Config | Mapping[str, Any] | str | os.PathLike[str]) -> Config:
    """Return a `Config` unchanged, or make one from a dict or from the path of a TOML file.

    Raises:
        ConfigError: The configuration is not valid.
        OSError: The file cannot be read.
    """
    if isinstance(config, str | os.PathLike):
        return Config.from_file(config)
    return config if isinstance(config, Config) else Config.from_dict(config)


def configured(config: Config, name: str, find: Find[B]) -> tuple[B, str]:
    """Make the backend of a configured store; returns it with the store's root path.

    Raises:
        BackendNotInstalled: The backend's distribution is not installed.
        ConfigError: There is no such store, a variable is not set, or a setting is wrong.
    """
    refuse_unknown("store", name, config.stores)
    store = config.stores[name]
    table = f"backends.{store.backend}"
    backend = config.backends[store.backend]
    options = {setting: filled(value, f"{table}.{setting}") for setting, value in backend.options.items()}
    root_path = filled(store.root_path, f"stores.{name}.root_path")
    kind = filled(backend.type, f"{table}.type")
    return _made(kind, options, table, find, f"{table}@{_digest(config)}"), root_path


def from_environment(prefix: str, find: Find[B]) -> tuple[B, str]:
    """Make a backend from the environment variables with a prefix; returns it with the store's root path.

    Raises:
        BackendNotInstalled: The backend's distribution is not installed.
        ConfigError: The type is not set, or a variable with the prefix is not a setting of the backend.
    """
    if not isinstance(prefix, str):
        raise TypeError(f"prefix must be a str, not {type(prefix).__name__}")
    given = {
        name.removeprefix(prefix).lower(): value
        for name, value in os.environ.items()
        if name.startswith(prefix) and name != prefix and value
    }
    place = f"environment variables {prefix}*"
    if "type" not in given:
        raise ConfigError(
            f"the environment variable {prefix}TYPE is not set; set it to the type of the backend, such as s3 or local"
        )
    kind, root_path = given.pop("type"), given.pop("root_path", "")
    with _named(place):
        settings = find(kind).settings
    if settings.complete:
        for name in given:
            _refuse_unknown_variable(prefix, name, kind, settings)
    return _made(kind, given, place, find, place), root_path


def filled(value: Any, setting: str) -> Any:
    """Replace the variables in a configured value, at any depth.

    Raises:
        ConfigError: A variable is not set or is malformed. The message names the variable and the setting.
    """
    if isinstance(value, Mapping):
        return {key: filled(item, f"{setting}.{key}") for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, setting) for item in value]
    if not isinstance(value, str):
        return value
    return VARIABLE.sub(lambda match: _variable(match, setting), value)


def _variable(match: re.Match[str], setting: str) -> str:
    if match[0] == "$${":
        return "${"
    name, default = match["name"], match["default"]
    if name is None:
        raise ConfigError(
            f"{setting} has a '${{' that begins neither ${{NAME}} nor ${{NAME:-text}}; write '$${{' for a literal '${{'"
        )
    if default is not None:
        return os.environ.get(name) or default.removeprefix(":-")
    if name not in os.environ:
        raise ConfigError(f"{setting} refers to the environment variable {name}, which is not set")
    return os.environ[name]


def _digest(config: Config) -> str:
    """A text that equal configurations of this process share. The configuration cannot be guessed from it."""
    backends = {name: (backend.type, backend.options) for name, backend in config.backends.items()}
    stores = {name: (store.backend, store.root_path) for name, store in config.stores.items()}
    # pformat sorts dicts, also those whose keys are of several types.
    text = pformat((backends, stores)).encode(errors="backslashreplace")
    return hashlib.blake2b(text, digest_size=8, key=PROCESS).hexdigest()


def _made(kind: str, options: Mapping[str, Any], place: str, find: Find[B], bucket: str) -> B:
    with _named(place):
        adapter = find(kind)
        if adapter.factory is MemoryBackend:
            # A second store of this place must find the files of the first, as on a disk or a server.
            options = {"bucket": bucket, **options}
        return adapter.make(**adapter.settings.values(options))


@contextmanager
def _named(place: str) -> Iterator[None]:
    """Put the place of the settings before the message of a `ConfigError`."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{place}: {error}") from error


def _refuse_unknown_variable(prefix: str, name: str, kind: str, settings: Settings) -> None:
    known = ["type", "root_path", *settings.written()]
    if name in known:
        return
    nearest = get_close_matches(name, known, n=1)
    hint = f"did you mean {prefix}{nearest[0].upper()}? The" if nearest else "the"
    raise ConfigError(
        f"the environment variable {prefix}{name.upper()} is not a setting of type {kind!r}; {hint} "
        f"settings, each with the prefix {prefix}, are {', '.join(setting.upper() for setting in known)}"
    )


def _tables(data: Mapping[str, Any], name: str) -> Mapping[str, Mapping[str, Any]]:
    tables = data.get(name, {})
    if not isinstance(tables, Mapping) or not all(isinstance(table, Mapping) for table in tables.values()):
        raise ConfigError(f"{name} must contain tables; write each as [{name}.NAME]")
    return tables


def _text(value: object, setting: str) -> str:
    if value is None:
        raise ConfigError(f"{setting} is missing")
    if not isinstance(value, str):
        raise ConfigError(f"{setting} must be a string, not {type(value).__name__}")
    return value
