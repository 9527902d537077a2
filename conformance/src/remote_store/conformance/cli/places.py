"""Harnesses for installed backends, by type or by URL: `run memory`, `run s3+boto3://bucket/prefix`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from remote_store.conformance.checking.subject import SECONDS, close
from remote_store.conformance.contract.deviations import own_deviations
from remote_store.conformance.contract.rulebook import ConfigurationError
from remote_store.conformance.harness import AnyHarness, AsyncFactoryHarness, FactoryHarness
from remote_store.conformance.processes.exits import Ended, contained
from remote_store.conformance.processes.watchdog import Hung
from remote_store.core import BackendNotInstalled, ConfigError
from remote_store.core.config.registry import (
    ASYNC_GROUP,
    DISTRIBUTIONS,
    GROUP,
    find_async_backend,
    find_backend,
    offered,
    registered,
)
from remote_store.core.config.url import SCHEMES, from_url


def is_url(target: str) -> bool:
    """Whether a target is written as a URL."""
    return "://" in target


def types() -> list[str]:
    """The types of the installed backends, sorted; `s3` is the preferred lane."""
    installed = offered(GROUP).keys() | offered(ASYNC_GROUP).keys()
    return sorted(installed | {"s3"} if installed & DISTRIBUTIONS.keys() else installed)


def taken() -> frozenset[str]:
    """The types that a new backend must not have: those of installed backends and of ours, and schemes of URLs."""
    return frozenset({"s3", *types(), *SCHEMES, *SCHEMES.values(), *DISTRIBUTIONS})


def harness_of_url(url: str, seconds: float = SECONDS) -> AnyHarness[Any]:
    """The harness of a URL. Its checks make their folders in the place that the URL names.

    Args:
        url: The URL.
        seconds: The time limit of one call of the factory.

    Raises:
        ConfigurationError: No installed backend knows the URL, or the URL is wrong.
    """
    scheme = url.partition("://")[0]
    name = SCHEMES.get(scheme, scheme.replace("+", "-"))
    is_async = _is_async(name)
    # The distributions are searched once, not for each of a thousand checks.
    find, find_async = cache(find_backend), cache(find_async_backend)

    def make() -> tuple[Any, str]:
        return from_url(url, {}, find_async) if is_async else from_url(url, {}, find)

    with _explained(name, f"{scheme}://"):
        backend, place = contained(make, seconds)
    harness = _harness(lambda: make()[0], is_async=is_async)
    harness.place = place
    harness.deviations = own_deviations(backend)
    close(backend)
    return harness


def harness_of_type(name: str, seconds: float = SECONDS) -> AnyHarness[Any]:
    """The harness of a type whose backend needs no settings.

    Args:
        name: The type.
        seconds: The time limit of one call of the factory.

    Raises:
        ConfigurationError: The type is unknown, or its backend needs settings.
    """
    is_async = _is_async(name)
    with _explained(name, name):
        adapter = find_async_backend(name) if is_async else find_backend(name)
        required = adapter.settings.required
        if required:
            needed = " and ".join(required)
            raise ConfigurationError(f"{name} needs {needed}; write the place as {_example(name, required)}")
        backend = contained(adapter.make, seconds)
    harness = _harness(adapter.make, is_async=is_async)
    harness.deviations = own_deviations(backend)
    close(backend)
    return harness


def occupant(harness: AnyHarness[Any], seconds: float = SECONDS) -> str:
    """The path of something in the place where the checks will work; empty if there is nothing.

    Args:
        harness: The harness of the place.
        seconds: The time limit of the look.

    Raises:
        ConfigurationError: The place does not exist, or it cannot be listed.
    """
    try:
        return contained(lambda: asyncio.run(_first_child(harness)), seconds)
    except Exception as error:
        raise ConfigurationError(f"the place cannot be used: {type(error).__name__}: {error}") from error


def _harness(make: Callable[[], Any], *, is_async: bool) -> AnyHarness[Any]:
    return AsyncFactoryHarness(make) if is_async else FactoryHarness(make)


def _example(name: str, required: Iterable[str]) -> str:
    """The form of a URL with these settings."""
    host = "BUCKET" if "bucket" in required else ""
    path = "/FOLDER" if "root" in required else ""
    query = "&".join(f"{setting}=..." for setting in required if setting not in ("bucket", "root"))
    return f"{name.replace('-', '+')}://{host}{path}{'?' if query else ''}{query}"


def _is_async(name: str) -> bool:
    return bool(registered(name, ASYNC_GROUP)) and not registered(name, GROUP)


@contextmanager
def _explained(name: str, shown: str) -> Iterator[None]:
    """Turn an error of the registry into one that names the known types and what to install."""
    try:
        yield
    except BackendNotInstalled as error:
        raise ConfigurationError(f"{shown}: {error}") from error
    except ConfigError as error:
        if name in types() or registered(name, GROUP) or registered(name, ASYNC_GROUP):
            raise ConfigurationError(f"{shown}: {error}") from error
        missing = {known: DISTRIBUTIONS[known] for known in DISTRIBUTIONS if known not in types()}
        ours = ", ".join(f"{known} (pip install {distribution})" for known, distribution in missing.items())
        raise ConfigurationError(
            f"no installed backend has the type {name!r}; installed: {', '.join(types()) or 'none'}"
            + (f"; not installed: {ours}" if ours else "")
        ) from error
    except ConfigurationError:
        raise
    except Hung as hung:
        raise ConfigurationError(f"{shown}: making the backend hangs: {hung}") from hung
    except Ended as ended:
        raise ConfigurationError(f"{shown}: making the backend ended with {ended}") from ended
    except Exception as error:
        raise ConfigurationError(f"{shown}: {type(error).__name__}: {error}") from error


async def _first_child(harness: AnyHarness[Any]) -> str:
    backend = harness.make()
    try:
        healthy = backend.check_health()
        if hasattr(healthy, "__await__"):
            await healthy
        children = backend.iter_children(harness.place)
        if isinstance(children, AsyncIterator):
            first = await anext(children, None)
            if isinstance(children, AsyncGenerator):
                await children.aclose()
            return "" if first is None else str(first.path)
        return next((child.path for child in children), "")
    finally:
        closing = backend.close()
        if hasattr(closing, "__await__"):
            await closing
