"""Inspects the live backend before the first check, and finds out whether the harness can be used."""

from __future__ import annotations

import asyncio
import gc
import posixpath
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

from remote_store.conformance.contract.rulebook import ConfigurationError
from remote_store.conformance.contract.versions import distribution_of, required, skew
from remote_store.conformance.harness import AnyHarness, AsyncHarness, Profile
from remote_store.conformance.processes.exits import Ended, contained
from remote_store.conformance.processes.origin import origin
from remote_store.conformance.processes.surroundings import open_files
from remote_store.conformance.processes.watchdog import Hung, main_thread_hint
from remote_store.conformance.values.hosts import hosts_of, is_here
from remote_store.conformance.values.redaction import HIDDEN, SECRET_NAME, redacted
from remote_store.core import AsyncBackend, Backend

SECONDS = 30.0
"""The time limit of a call of the factory, if neither an option nor the profile states another."""
GLANCE_SECONDS = 5.0
CALL_SECONDS = 10.0
LEAKING = 4


@dataclass(frozen=True, slots=True)
class Subject:
    """The backend under test, as found at the start of the run.

    Attributes:
        kind: Its module and class.
        name: Its name.
        capabilities: Names of the capabilities it declares.
        profile: The facts that the checks use.
        stated: The author wrote the profile; `False` if it is assumed.
        place: Where its files are, as its `resolve` reports.
        distribution: Name and version of the distribution that contains it; empty if none does.
        sdk: The versions of that distribution's dependencies.
        notes: Further observations.
    """

    kind: str
    name: str
    capabilities: tuple[str, ...]
    profile: Profile
    stated: bool
    place: Mapping[str, str]
    distribution: str = ""
    sdk: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def storage_kind(self) -> str:
        """The kind of storage: that of the profile or, if it is assumed, what `resolve` reports."""
        return self.profile.kind if self.stated else self.place.get("kind", self.profile.kind)

    def as_dict(self) -> dict[str, Any]:
        """The subject as data that JSON can hold, without secrets."""
        hidden = self.profile.secrets
        profile = {**asdict(self.profile), "secrets": [HIDDEN] * len(hidden)}
        place = {
            name: HIDDEN if SECRET_NAME.search(name) else redacted(text, hidden) for name, text in self.place.items()
        }
        notes = [redacted(note, hidden) for note in self.notes]
        return {
            **asdict(self),
            "capabilities": list(self.capabilities),
            "profile": profile,
            "place": place,
            "notes": notes,
        }


class _Calls:
    """Calls the backend with a time limit, until a call hangs.

    Args:
        seconds: The time limit of one call.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._hung: Hung | None = None

    def __call__(self, call: Callable[[], Any]) -> Any:
        """The result of a call.

        Raises:
            Hung: This call or an earlier one exceeded the time limit.
        """
        if self._hung is not None:
            raise self._hung
        try:
            return contained(call, self._seconds)
        except Hung as hung:
            self._hung = hung
            raise


def glance(
    harness: AnyHarness[Any], ask: Callable[[Mapping[str, str]], None], *, timeout: float | None = None
) -> Subject:
    """Make one backend and call it once, so that its connections can be observed.

    Args:
        harness: How to make it.
        ask: Called with the backend's place before any other call. Its exceptions propagate.
        timeout: The time limit of a check, as an option states it.

    Raises:
        ConfigurationError: The factory raises, hangs or returns something else, or the installed versions are
            incompatible.
    """
    with _made_backends(harness, GLANCE_SECONDS, timeout) as (make, call):
        backend = make()
        ask(_place(backend, call))
        _told(lambda: call(lambda: _run(backend.exists("conformance"))), None)
        return _subject(backend, harness, harness.profile, [], call)


def look(harness: AnyHarness[Any], *, timeout: float | None = None) -> Subject:
    """Make two backends and inspect them.

    Args:
        harness: How to make them.
        timeout: The time limit of a check, as an option states it.

    Raises:
        ConfigurationError: The factory raises, hangs, returns something else or the same instance twice, or the
            installed versions are incompatible.
    """
    with _made_backends(harness, CALL_SECONDS, timeout) as (make, call):
        backends = [make(), make()]
        if backends[0] is backends[1]:
            raise ConfigurationError(
                "make() returned the same instance twice; return a new one on each call, because a check closes its "
                "backend"
            )
        profile: Profile = harness.profile
        notes: list[str] = []
        if not harness.stated:
            profile, notes = _assumed(harness, backends, call)
        return _subject(backends[0], harness, profile, [*notes, *_leaks(harness, call)], call)


@contextmanager
def _made_backends(
    harness: AnyHarness[Any], seconds: float, timeout: float | None
) -> Iterator[tuple[Callable[[], Any], _Calls]]:
    """A factory of backends, which are closed at the end of the block, and a caller with a time limit.

    Raises:
        ConfigurationError: The factory raises, hangs or returns something else, or the installed versions are
            incompatible.
    """
    if not isinstance(harness, AnyHarness):
        raise ConfigurationError(f"the harness is {harness!r}; it must be an instance of Harness or AsyncHarness")
    stated = timeout or harness.profile.timeout
    call = _Calls(min(seconds, stated or seconds))
    backends: list[Any] = []

    def make() -> Any:
        backends.append(_made(harness, stated or SECONDS))
        if len(backends) == 1 and (wrong := skew(distribution_of(type(backends[0]).__module__))):
            raise ConfigurationError(wrong)
        return backends[-1]

    try:
        yield make, call
    finally:
        for backend in backends:
            with suppress(Exception):
                call(partial(_run_close, backend))


def _made(harness: AnyHarness[Any], seconds: float) -> Any:
    wanted = AsyncBackend if isinstance(harness, AsyncHarness) else Backend
    try:
        made = contained(harness.make, seconds)
    except Hung as hung:
        raise ConfigurationError(f"make() hangs: {hung}") from hung
    except ConfigurationError:
        raise
    except Ended as ended:
        raise ConfigurationError(f"make() ended with {ended}") from ended
    except Exception as error:
        raise ConfigurationError(
            f"make() raised {type(error).__name__}: {error}{origin(error)}{main_thread_hint(error)}"
        ) from error
    if isinstance(made, wanted):
        return made
    if asyncio.iscoroutine(made):
        made.close()
        raise ConfigurationError("make() is a coroutine; it must be a plain function that returns a backend")
    other = Backend if wanted is AsyncBackend else AsyncBackend
    hint = f"; it is {_a(other)}, so use the suite of that kind" if isinstance(made, other) else ""
    raise ConfigurationError(f"make() returned {made!r}; it must return an instance of {wanted.__name__}{hint}")


def _assumed(harness: AnyHarness[Any], backends: list[Any], call: _Calls) -> tuple[Profile, list[str]]:
    """The profile assumed for a bare factory, and notes. Tests whether two instances share a storage."""
    profile: Profile = harness.profile
    try:
        shared = call(lambda: asyncio.run(_share(backends[0], backends[1], harness.place)))
    except Exception as error:  # noqa: BLE001 - the checks report what is wrong with it
        note = f"cannot tell whether two instances share a storage: {type(error).__name__}: {error}"
        return replace(profile, shared=False, picklable=False, in_process=True), [note]
    notes = []
    if _told(lambda: call(lambda: asyncio.run(_is_tree(backends[0], harness.place))), False):
        profile = replace(profile, flat=False)
        notes = ["a file and a folder cannot share a name, as a test write showed"]
    if shared:
        return profile, ["two instances share a storage, as a test write showed", *notes]
    note = "two instances have separate storages, as a test write showed; rules about shared storages are untested"
    return replace(profile, shared=False, picklable=False, in_process=True, expendable=True), [note, *notes]


async def _is_tree(backend: Any, place: str) -> bool:
    """Whether the storage refuses a file below a file."""
    folder = posixpath.join(place, f"conformance-{secrets.token_hex(8)}")
    await _awaited(backend.write(f"{folder}/file", b"conformance"))
    try:
        await _awaited(backend.write(f"{folder}/file/below", b"conformance"))
    except Exception:  # noqa: BLE001 - the checks report a wrong one
        return True
    else:
        await _awaited(backend.delete(f"{folder}/file/below"))
        return False
    finally:
        await _awaited(backend.delete(f"{folder}/file"))
        with suppress(Exception):
            await _awaited(backend.delete_folder(folder, recursive=True, missing_ok=True))


async def _share(first: Any, second: Any, place: str) -> bool:
    folder = posixpath.join(place, f"conformance-{secrets.token_hex(8)}")
    key = f"{folder}/shared"
    await _awaited(first.write(key, b"conformance"))
    try:
        return bool(await _awaited(second.exists(key)))
    finally:
        await _awaited(first.delete(key))
        with suppress(Exception):
            await _awaited(first.delete_folder(folder, recursive=True, missing_ok=True))


def _leaks(harness: AnyHarness[Any], call: _Calls) -> list[str]:
    """A note if closed instances leave threads or open files behind, as many as there were instances."""
    counts: list[tuple[int, int]] = []
    for _ in range(1 + LEAKING):
        with suppress(Exception):
            call(lambda: asyncio.run(_used(harness.make())))
        gc.collect()
        counts.append((threading.active_count(), open_files()))
    threads, files_open = (last - first for first, last in zip(counts[0], counts[-1], strict=True))
    if max(threads, files_open) < LEAKING:
        return []
    return [f"{LEAKING} instances left {threads} threads and {files_open} open files behind after they were closed"]


async def _used(backend: Any) -> None:
    try:
        await _awaited(backend.exists("conformance"))
    finally:
        await _awaited(backend.close())


def _subject(backend: Any, harness: AnyHarness[Any], profile: Profile, notes: list[str], call: _Calls) -> Subject:
    kind = type(backend)
    capabilities = _told(lambda: call(lambda: tuple(sorted(each.name for each in backend.capabilities))), ())
    found = distribution_of(kind.__module__)
    hosts = hosts_of(place := _place(backend, call))
    if profile.endpoint_kind == "real" and hosts and all(map(is_here, hosts)):
        profile = replace(profile, endpoint_kind="server")
    return Subject(
        kind=f"{kind.__module__}:{kind.__qualname__}",
        name=_told(lambda: call(lambda: str(backend.name)), ""),
        capabilities=capabilities,
        profile=profile,
        stated=harness.stated,
        place=place,
        distribution=f"{found.metadata['Name']} {found.version}" if found is not None else "",
        sdk=required(found) if found is not None else {},
        notes=tuple(notes),
    )


def _place(backend: Any, call: _Calls) -> Mapping[str, str]:
    def details() -> dict[str, str]:
        plan = backend.resolve("key")
        return {str(name): str(value) for name, value in {"kind": plan.kind, **plan.details}.items()}

    place: dict[str, str] = _told(lambda: call(details), {})
    return place


def _told(call: Callable[[], Any], otherwise: Any) -> Any:
    """The result of a call to the backend, or a default if it raises; the checks report the error."""
    try:
        return call()
    except Exception:  # noqa: BLE001 - an author's code may raise anything
        return otherwise


async def _awaited(value: Any) -> Any:
    return await value if hasattr(value, "__await__") else value


def close(backend: Any) -> None:
    """Close a backend, whatever that raises and even if it hangs."""
    with suppress(Exception):
        contained(partial(_run_close, backend), GLANCE_SECONDS)


def _run_close(backend: Any) -> None:
    _run(backend.close())


def _run(value: Any) -> None:
    if hasattr(value, "__await__"):
        asyncio.run(_awaited(value))


def _a(kind: type) -> str:
    return f"{'an' if kind.__name__[0] in 'AEIOU' else 'a'} {kind.__name__}"
