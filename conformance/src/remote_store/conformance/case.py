"""What a check is given: a live backend, a namespace of its own, and what the harness offers beside."""

from __future__ import annotations

import asyncio
import random
import secrets
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Literal, NoReturn, Self, TypeVar

import pytest

from remote_store.conformance.expect import Expectations
from remote_store.conformance.harness import AnyHarness, B, Oracle, Profile
from remote_store.conformance.rules import rule
from remote_store.core import AsyncBackend, Backend, Capability

if TYPE_CHECKING:
    from remote_store.conformance.endpoint import Endpoint

T = TypeVar("T")
Tier = Literal["quick", "full", "soak"]


def not_applicable(reason: str) -> NoReturn:
    """End the check without a verdict, because the backend makes no such promise."""
    pytest.skip(f"not applicable: {reason}")


def untested(reason: str) -> NoReturn:
    """End the check without a verdict, because the harness offers no way to find out."""
    pytest.skip(f"untested: {reason}")


class AnyCase(Expectations, Generic[B]):
    """What a check is given, whether it is synchronous or not.

    Attributes:
        harness: What the author wrote.
        name: Name of the check.
        variant: Parameters of the check.
        root: The folder that only this test uses; `""` on a storage of its own.
        rng: Randomness that is the same in every run of this test.
        tier: How much is explored: `quick`, `full` or `soak`.
    """

    tier: Tier = "full"

    def __init__(self, harness: AnyHarness[B], name: str = "", variant: str = "", root: str | None = None) -> None:
        self.harness: AnyHarness[B] = harness
        self.name = name
        self.variant = variant
        self.root = f"conformance-{secrets.token_hex(8)}" if root is None else root
        self.rng = random.Random(f"{name}[{variant}]")
        self._made: list[B] = []
        self._backend: B | None = None

    @property
    def backend(self) -> B:
        """The backend under test."""
        if self._backend is None:
            self._backend = self._keep(self.harness.make())
        return self._backend

    @property
    def folder(self) -> str:
        """The folder that only this test uses."""
        return self.root

    @property
    def profile(self) -> Profile:
        """Facts about the storage."""
        profile: Profile = self.harness.profile
        return profile

    @property
    def oracle(self) -> Oracle:
        """Another way to the storage; the check ends untested where there is none."""
        oracle: Oracle | None = self.harness.oracle
        return oracle if oracle is not None else untested("the harness has no oracle")

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint in front of the server; the check ends where there is none."""
        endpoint: Endpoint | None = self.harness.endpoint
        return endpoint if endpoint is not None else not_applicable("the harness has no endpoint before a server")

    def path(self, name: str) -> str:
        """A key in this test's own namespace."""
        return f"{self.root}/{name}" if self.root else name

    def content(self, size: int) -> bytes:
        """Random bytes, the same in every run."""
        return self.rng.randbytes(size)

    def make(self, **changes: Any) -> B:
        """Another instance on the same storage, with other options; the check ends where none can be made."""
        if not self.profile.shared:
            not_applicable("two instances do not share a storage")
        return self._keep(self.harness.make(**self._known(changes)))

    def absent(self, **changes: Any) -> B:
        """An instance whose container does not exist; the check ends where there is no such thing."""
        made: B | None = self.harness.make_absent(**self._known(changes))
        return self._keep(made) if made is not None else not_applicable("no container can be absent")

    def require(self, *capabilities: Capability) -> None:
        """End the check unless the live backend declares these capabilities."""
        for capability in capabilities:
            if capability not in self.backend.capabilities:
                not_applicable(f"the backend does not declare {capability.name}")

    def require_profile(self, reason: str, condition: object) -> None:
        """End the check with the reason unless the condition, a fact of the profile, holds."""
        if not condition:
            not_applicable(reason)

    def _known(self, changes: dict[str, Any]) -> dict[str, Any]:
        unknown = changes.keys() - self.harness.options
        if unknown:
            not_applicable(f"the harness makes no backend with {', '.join(sorted(unknown))}")
        return changes

    @contextmanager
    def expect_no_request(self, what: str) -> Iterator[None]:
        """Fail where a request reaches the endpoint within the block; without an endpoint nothing can be said."""
        endpoint: Endpoint | None = self.harness.endpoint
        if endpoint is None:
            yield
            return
        with endpoint.recording() as requests:
            yield
        self.expect_equal([request.operation for request in requests], [], f"requests of {what}")

    def _isolated(self) -> AnyHarness[B]:
        harness: AnyHarness[B] | None = self.harness.isolated()
        return harness if harness is not None else untested("the harness makes no storage of its own for a test")

    def _keep(self, backend: B) -> B:
        self._made.append(backend)
        return backend

    def _prepare(self, identifiers: tuple[str, ...], needs: tuple[Capability, ...]) -> None:
        self.rules = tuple(map(rule, identifiers))
        self._clear_faults()
        declared = [entry.capability for entry in self.rules if entry.capability is not None]
        self.require(*declared, *needs)

    def _clear_faults(self) -> None:
        endpoint: Endpoint | None = self.harness.endpoint
        if endpoint is not None:
            endpoint.reset()

    def _sweep_by_oracle(self) -> bool:
        self._clear_faults()
        oracle = self.harness.oracle
        if oracle is None:
            return False
        # A test that fails already must not fail once more at the cleanup.
        with suppress(Exception):
            oracle.raw_clear(f"{self.root}/" if self.root else "")
        return True


class Case(AnyCase[Backend]):
    """What a synchronous check is given."""

    @contextmanager
    def isolated(self) -> Iterator[Case]:
        """A case on an empty storage of its own, whose namespace is the root."""
        harness = self._isolated()
        with Case(harness, self.name, self.variant, root="") as case:
            case.rules = self.rules
            yield case

    def together(self, tasks: Sequence[Callable[[], T]]) -> list[T | Exception]:
        """Run all tasks at once, one thread each; what they returned or raised, in their order."""
        ready = threading.Barrier(len(tasks))

        def run(task: Callable[[], T]) -> T | Exception:
            ready.wait()
            try:
                return task()
            except Exception as error:  # noqa: BLE001
                return error

        with ThreadPoolExecutor(len(tasks)) as pool:
            return list(pool.map(run, tasks))

    def drive(self, check: Callable[[], None], identifiers: tuple[str, ...], needs: tuple[Capability, ...]) -> None:
        """Run a check, and clean up after it."""
        with self:
            self._prepare(identifiers, needs)
            check()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not self._sweep_by_oracle() and self.root:
            with suppress(Exception):
                self.backend.delete_folder(self.root, recursive=True, missing_ok=True)
        for backend in self._made:
            with suppress(Exception):
                backend.close()


class AsyncCase(AnyCase[AsyncBackend]):
    """What an asynchronous check is given."""

    @asynccontextmanager
    async def isolated(self) -> AsyncIterator[AsyncCase]:
        """A case on an empty storage of its own, whose namespace is the root."""
        harness = self._isolated()
        async with AsyncCase(harness, self.name, self.variant, root="") as case:
            case.rules = self.rules
            yield case

    async def together(self, tasks: Sequence[Callable[[], Awaitable[T]]]) -> list[T | Exception]:
        """Run all tasks at once; what they returned or raised, in their order."""

        async def run(task: Callable[[], Awaitable[T]]) -> T | Exception:
            try:
                return await task()
            except Exception as error:  # noqa: BLE001
                return error

        return list(await asyncio.gather(*map(run, tasks)))

    async def drive(
        self, check: Callable[[], Awaitable[None]], identifiers: tuple[str, ...], needs: tuple[Capability, ...]
    ) -> None:
        """Run a check, and clean up after it."""
        async with self:
            self._prepare(identifiers, needs)
            await check()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not self._sweep_by_oracle() and self.root:
            with suppress(Exception):
                await self.backend.delete_folder(self.root, recursive=True, missing_ok=True)
        for backend in self._made:
            with suppress(Exception):
                await backend.close()
