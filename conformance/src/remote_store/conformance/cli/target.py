"""Turns the target of the command into a harness."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from typing import Any

from remote_store.conformance.checking.subject import SECONDS, close
from remote_store.conformance.cli.places import harness_of_type, harness_of_url, is_url, types
from remote_store.conformance.contract.deviations import own_deviations
from remote_store.conformance.contract.rulebook import ConfigurationError
from remote_store.conformance.harness import AnyHarness, AsyncFactoryHarness, FactoryHarness
from remote_store.conformance.processes.exits import Ended, contained, described_exit
from remote_store.conformance.processes.origin import origin
from remote_store.conformance.processes.watchdog import Hung, ended_if_hung, main_thread_hint
from remote_store.conformance.values.exit_codes import CONFIGURATION_ERROR
from remote_store.core import AsyncBackend, Backend

EXAMPLE = "write it as package.module:name, such as my_package.storage:make_backend"

IMPORT_SECONDS = 10.0
"""The shortest time limit of an import: a large SDK may take longer than any call of a backend."""


def harness_of(target: str, seconds: float = SECONDS) -> AnyHarness[Any]:
    """The harness for a target: a backend's class or factory, a harness, its class or its factory, a URL or a type.

    Args:
        target: The target as `package.module:name`, the URL of a place, or the type of an installed backend.
        seconds: The time limit of one call of a factory. If the import of its module takes longer than this and than 10
            seconds, the process ends.

    Raises:
        ConfigurationError: The target does not exist or is something else. The message says what to do.
    """
    if is_url(target):
        return harness_of_url(target, seconds)
    if target in types():
        return harness_of_type(target, seconds)
    found = _imported(target, seconds)
    if isinstance(found, AnyHarness):
        return found
    if not callable(found):
        raise ConfigurationError(f"{target} is {found!r}; it must be a backend class, a backend factory, or a harness")
    if inspect.isclass(found) and inspect.isabstract(found):
        missing = ", ".join(sorted(getattr(found, "__abstractmethods__", ())))
        raise ConfigurationError(f"{target} is abstract; implement {missing} first")
    made = _called(target, found, seconds)
    if isinstance(made, AnyHarness):
        return made
    if isinstance(made, Backend | AsyncBackend):
        harness = FactoryHarness(found) if isinstance(made, Backend) else AsyncFactoryHarness(found)
        harness.deviations = own_deviations(made)
        close(made)
        return harness
    if inspect.iscoroutine(made):
        made.close()
        raise ConfigurationError(f"{target} is a coroutine; it must be a plain function that returns a backend")
    raise ConfigurationError(f"{target} returned {made!r}; it must return a Backend, an AsyncBackend or a Harness")


def _imported(target: str, seconds: float) -> Any:
    module, colon, path = target.partition(":")
    if not (module and colon and path):
        known = ", ".join(types())
        raise ConfigurationError(f"{target!r} does not name a backend: {EXAMPLE}, as a URL, or as one of {known}")
    try:
        limit = max(seconds, IMPORT_SECONDS)
        with ended_if_hung(f"configuration error: {module} cannot be imported", limit, CONFIGURATION_ERROR):
            found: Any = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and (module == error.name or module.startswith(f"{error.name}.")):
            raise ConfigurationError(
                f"there is no module {error.name!r}: install it, or run the command in the folder that contains it"
            ) from error
        raise ConfigurationError(f"{module} cannot be imported: {error}") from error
    except SystemExit as error:
        raise ConfigurationError(f"{module} cannot be imported: it ended with {described_exit(error)}") from error
    except Exception as error:
        raise ConfigurationError(f"{module} cannot be imported: {_where(error)}") from error
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError as error:
            raise ConfigurationError(f"{error}: {EXAMPLE}") from error
    return found


def _called(target: str, factory: Any, seconds: float) -> Any:
    try:
        return contained(factory, seconds)
    except Hung as hung:
        raise ConfigurationError(f"{target}() hangs: {hung}") from hung
    except ConfigurationError:
        raise
    except Ended as ended:
        raise ConfigurationError(f"{target}() ended with {ended}") from ended
    except Exception as error:
        hint = main_thread_hint(error)
        if isinstance(error, TypeError) and "argument" in str(error):
            hint = "; if it needs arguments, write a function without arguments that returns the backend, and name that"
        raise ConfigurationError(f"{target}() raised {_where(error)}{hint}") from error


def _where(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}{origin(error)}"
