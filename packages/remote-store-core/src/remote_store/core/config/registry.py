"""The registry of installed backends. It reads entry points and imports only the backend that is requested.

A distribution registers a backend in the entry-point group `remote_store.backends`, and an async backend in
`remote_store.async_backends`. The name of the entry point is the `type` in a configuration and the scheme of a URL
(with `+` in place of `-`). The entry point refers to the backend's class, or to a function that makes a backend.

A name that ends in `-*` registers a family of types, for a backend that knows many services by the scheme of their URL:
`acme-*` is used for `acme+one://` and `acme+two://`, unless a distribution registers that very type.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeAlias, TypeVar

from remote_store.core.aio.backend import AsyncBackend
from remote_store.core.aio.bridge import ThreadedBackend
from remote_store.core.backend import Backend
from remote_store.core.config.settings import ConfigError, Settings, refuse_unknown
from remote_store.core.errors import RemoteStoreError
from remote_store.core.home import public

B = TypeVar("B", bound=Backend | AsyncBackend)
Kind: TypeAlias = type[Backend] | type[AsyncBackend]

GROUP = "remote_store.backends"
ASYNC_GROUP = "remote_store.async_backends"
DISTRIBUTIONS = {
    "s3-boto3": "remote-store-boto3",
    "s3-s3fs": "remote-store-s3fs",
    "s3-pyarrow": "remote-store-pyarrow",
}
LANES = ("s3-boto3", "s3-s3fs", "s3-pyarrow")
ASYNC_LANES = ("s3-s3fs", "s3-boto3", "s3-pyarrow")


@public("remote_store.core")
class BackendNotInstalled(ModuleNotFoundError):
    """The distribution that provides the backend is not installed. The message gives the `pip install` command.

    Args:
        message: What is missing and how to install it.
        type: The requested type.
        distribution: Name of the distribution to install.
    """

    def __init__(self, message: str = "", *, type: str = "", distribution: str = "") -> None:  # noqa: A002 - the word of the configuration
        super().__init__(message)
        self.type = type
        self.distribution = distribution


@public("remote_store.core")
@dataclass(frozen=True, slots=True)
class LaneChoice:
    """The lane that `type = "s3"` selects in this environment.

    Attributes:
        type: Type of the lane, such as `s3-boto3`.
        distribution: Name of the distribution that provides it.
        reason: Why it was selected, in one sentence.
    """

    type: str
    distribution: str
    reason: str


@dataclass(frozen=True, slots=True)
class Adapter(Generic[B]):
    """Makes backends of one type.

    Attributes:
        type: The type.
        distribution: Name of the distribution that registers it.
        factory: The class or function that the entry point refers to.
        made: The class that the factory's results must be instances of.
        finish: Converts the factory's result to the requested kind of backend.
    """

    type: str
    distribution: str
    factory: Callable[..., Any]
    made: Kind
    finish: Callable[[Any], B]

    @property
    def settings(self) -> Settings:
        """The settings that the factory accepts."""
        return Settings.of(self.factory)

    def make(self, *arguments: Any, **options: Any) -> B:
        """Make a backend with the factory.

        Raises:
            ConfigError: The factory refused a setting, or returned an object of the wrong class.
        """
        return self.made_by(self.factory, *arguments, **options)

    def made_by(self, factory: Callable[..., Any], *arguments: Any, **options: Any) -> B:
        """Make a backend with another factory, such as the class's `from_url`.

        Raises:
            ConfigError: The factory refused a setting, or returned an object of the wrong class.
        """
        try:
            backend = factory(*arguments, **options)
        except RemoteStoreError:
            raise
        except (TypeError, ValueError) as error:
            raise ConfigError(str(error)) from error
        if not isinstance(backend, self.made):
            raise ConfigError(
                f"type {self.type!r} of {self.distribution} returned a {type(backend).__name__}, "
                f"not a {self.made.__name__}"
            )
        return self.finish(backend)


def find_backend(name: str) -> Adapter[Backend]:
    """Import the backend of a type. `s3` selects the preferred installed lane.

    Raises:
        BackendNotInstalled: The type is known, but its distribution is not installed.
        ConfigError: The type is unknown, two distributions register it, or its entry point refers to a missing name.
    """
    return _sync_adapter(choose_lane().type if name == "s3" else name, lambda backend: backend)


def find_async_backend(name: str) -> Adapter[AsyncBackend]:
    """Import the async backend of a type. If there is none, the sync backend is run in threads.

    Raises:
        BackendNotInstalled: The type is known, but its distribution is not installed.
        ConfigError: The type is unknown, two distributions register it, or its entry point refers to a missing name.
    """
    name = choose_async_lane().type if name == "s3" else name
    if not registered(name, ASYNC_GROUP):
        return _sync_adapter(name, ThreadedBackend)
    distribution, factory = _load(name, ASYNC_GROUP)
    return Adapter(name, distribution, factory, AsyncBackend, lambda backend: backend)


@public("remote_store.core")
def choose_lane() -> LaneChoice:
    """The S3 lane that a sync store uses for `type = "s3"`: the first installed of boto3, s3fs, pyarrow.

    Raises:
        BackendNotInstalled: No lane is installed.
    """
    return _first_lane(LANES, offered(GROUP), "it depends on boto3 only")


@public("remote_store.core")
def choose_async_lane() -> LaneChoice:
    """The S3 lane that an async store uses for `type = "s3"`: the first installed of s3fs, boto3, pyarrow.

    Raises:
        BackendNotInstalled: No lane is installed.
    """
    installed = offered(GROUP) | offered(ASYNC_GROUP)
    return _first_lane(ASYNC_LANES, installed, "it is natively async; the others run in threads")


def offered(group: str) -> dict[str, list[EntryPoint]]:
    """The entry points of a group by name. A name has several if several distributions register it."""
    found: dict[str, list[EntryPoint]] = {}
    for entry in entry_points(group=group):
        found.setdefault(entry.name, []).append(entry)
    return found


def registered(name: str, group: str) -> list[EntryPoint]:
    """The entry points of a type: those of its name, or else those of the family that it belongs to."""
    found = offered(group)
    families = (f"{name[:end]}-*" for end in range(len(name), 0, -1) if name[end : end + 1] == "-")
    return next((found[known] for known in (name, *families) if known in found), [])


def _sync_adapter(name: str, finish: Callable[[Any], B]) -> Adapter[B]:
    distribution, factory = _load(name, GROUP)
    return Adapter(name, distribution, factory, Backend, finish)


def _load(name: str, group: str) -> tuple[str, Callable[..., Any]]:
    entries = registered(name, group)
    if not entries:
        if name in DISTRIBUTIONS:
            raise _not_installed(name, name)
        refuse_unknown("type of backend", name, sorted({"s3", *offered(group), *DISTRIBUTIONS}))
    entry, *others = entries
    distribution = _distribution(entry)
    if others:
        claims = " and ".join(sorted({distribution, *map(_distribution, others)}))
        raise ConfigError(f"type {name!r} is registered by {claims}; uninstall all but one of them")
    try:
        factory = entry.load()
    except ImportError as error:
        error.add_note(f"type {name!r} imports {entry.value} of {distribution}; pip install --upgrade {distribution}")
        raise
    except AttributeError as error:
        raise ConfigError(
            f"type {name!r} refers to {entry.value} of {distribution}, which does not exist; upgrade {distribution}"
        ) from error
    return distribution, factory


def _first_lane(order: tuple[str, ...], installed: dict[str, list[EntryPoint]], why: str) -> LaneChoice:
    for index, name in enumerate(order):
        if name in installed:
            missing = ", ".join(DISTRIBUTIONS[before] for before in order[:index])
            reason = f"{missing} not installed" if missing else why
            return LaneChoice(
                name, _distribution(installed[name][0]), f"{name} is the preferred installed lane: {reason}"
            )
    raise _not_installed("s3", order[0])


def _not_installed(name: str, lane: str) -> BackendNotInstalled:
    distribution = DISTRIBUTIONS[lane]
    return BackendNotInstalled(
        f"type {name!r} needs a distribution that is not installed: pip install {distribution}",
        type=name,
        distribution=distribution,
    )


def _distribution(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else "an unknown distribution"
