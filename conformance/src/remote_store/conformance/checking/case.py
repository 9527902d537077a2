"""What a check is given: a live backend, a namespace of its own, and what the harness offers beside."""

from __future__ import annotations

import asyncio
import posixpath
import random
import secrets
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Self, TypeVar

from remote_store.conformance.checking import async_cleanup, cleanup
from remote_store.conformance.checking.expect import Expectations
from remote_store.conformance.checking.operations import OPERATIONS
from remote_store.conformance.checking.recorder import KEPT, CallLog, Recorder
from remote_store.conformance.contract.rulebook import rule
from remote_store.conformance.harness import AnyHarness, B, Deviation, Oracle, Profile
from remote_store.conformance.http.requests import shown, size_of
from remote_store.conformance.values.options import Tier
from remote_store.conformance.values.outcome import RAISED, HarnessFailed, NotApplicable, Untested, Withheld
from remote_store.conformance.values.redaction import redacted
from remote_store.core import AsyncBackend, Backend, Capability, CapabilityNotSupported

if TYPE_CHECKING:
    from remote_store.conformance.http.endpoint import Endpoint
    from remote_store.conformance.http.faults import Request

T = TypeVar("T")
TOLD = 15
SERVED = frozenset({"s3", "http"})
HARMFUL = frozenset({"delete", "delete_folder", "move"})


def not_applicable(reason: str, lacks: Capability | None = None) -> NoReturn:
    """End the check without a verdict, because the backend makes no such promise."""
    raise NotApplicable(reason, lacks)


def untested(reason: str) -> NoReturn:
    """End the check without a verdict, because the harness offers no way to find out."""
    raise Untested(reason)


class AnyCase(Expectations, Generic[B]):
    """What a check is given, whether it is synchronous or not.

    Attributes:
        harness: What the author wrote.
        name: Name of the check.
        variant: Parameters of the check.
        root: The folder that only this test uses; `""` on a storage of its own.
        rng: Randomness that is the same in every run of this test.
        tier: How much is run: `smoke`, `quick`, `full` or `soak`.
        requests: What reached the endpoint while the check ran.
        retries: How often it was tried again, as the profile allows.
        raced: It has let several callers race.
        making: The harness is making a backend now.
        left: The namespace that could not be removed, or an empty text.
        under_claimed: A capability that works though it is not declared.
    """

    def __init__(
        self,
        harness: AnyHarness[B],
        name: str = "",
        variant: str = "",
        root: str | None = None,
        *,
        tier: Tier = "full",
        repeat: str = "",
    ) -> None:
        self.harness: AnyHarness[B] = harness
        self.deviations: Mapping[str, Deviation | tuple[Deviation, ...]] = harness.deviations
        self.name = name
        self.variant = variant
        self.tier: Tier = tier
        self.repeat = repeat
        self.retries = 0
        self.raced = False
        self.making = False
        self.left = ""
        self.under_claimed: Capability | None = None
        self.requests: list[Request] = []
        self._alone = root == ""
        self._given = root
        self.begin()

    def begin(self, *, again: int = 0) -> None:
        """Forget what was, for another round of the same check.

        Args:
            again: Number of the round; its random bytes are others than those of round 0.
        """
        self.seed = f"{self.name}[{self.variant}]" + (f"#{again}" if again else "")
        self.rng = random.Random(self.seed)
        self.root = f"conformance-{secrets.token_hex(8)}" if self._given is None else self._given
        self.log = CallLog(self.harness.profile.settles_within)
        self._recorder = Recorder()
        self._made: list[B] = []
        self._backend: B | None = None

    def settle(self, harness: AnyHarness[B]) -> None:
        """Go on with a storage of its own, which nobody else uses."""
        self.harness = harness
        self._alone = True
        self.begin()

    @property
    def backend(self) -> B:
        """The backend under test."""
        if self._backend is None:
            self._backend = self._keep(self._make(self.harness.make))
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
        if endpoint is not None:
            return endpoint
        if self.profile.kind in SERVED:
            untested("the harness has no endpoint before its server")
        not_applicable("the harness has no endpoint before a server")

    def path(self, name: str) -> str:
        """A key in this test's own namespace."""
        return f"{self.root}/{name}" if self.root else name

    def content(self, size: int) -> bytes:
        """Random bytes, the same in every run."""
        return self.rng.randbytes(size)

    def make(self, **changes: Any) -> B:
        """Another instance on the same storage, with other options; the check ends where none can be made."""
        self.require_profile("two instances do not share a storage", self.profile.shared)
        return self._keep(self._make(self.harness.make, **self._known(changes)))

    def absent(self, **changes: Any) -> B:
        """An instance whose container does not exist; the check ends where there is no such thing."""
        made: B | None = self.harness.make_absent(**self._known(changes))
        self.require_profile("no container can be absent", made is not None)
        assert made is not None
        self._made.append(made)
        self._recorder.watch(made, self.log)
        return made

    def peers(self, *capabilities: Capability) -> dict[str, B]:
        """An instance of each other adapter of the storage that declares these capabilities.

        The check ends where there is none.
        """
        makers = self.harness.peers
        if not makers:
            untested("the harness names no other adapter of the storage")
        made = {name: self._keep(self._make(make, f"peers[{name!r}]()"), f"{name}: ") for name, make in makers.items()}
        able = {name: peer for name, peer in made.items() if peer.capabilities >= set(capabilities)}
        return able or not_applicable("no other adapter of the storage can do that")

    def require(self, *capabilities: Capability) -> None:
        """End the check unless the live backend declares these capabilities."""
        for capability in capabilities:
            if capability not in self.backend.capabilities:
                not_applicable(f"the backend does not declare {capability.name}", capability)

    def require_profile(self, reason: str, condition: object) -> None:
        """End the check with the reason unless the condition, a fact of the profile, holds."""
        if not condition and not self.harness.stated:
            untested(f"{reason}, as is assumed of a factory without a profile")
        if not condition:
            not_applicable(reason)

    def lesson(self) -> str:
        """The rules that the check is about, what it did, and how to do it again, as the end of a message."""
        told = ""
        if calls := self.log.lines(TOLD):
            told += "\n  what it did:" + "".join(f"\n    {line}" for line in calls)
        if self.requests:
            told += "\n  on the wire:" + "".join(f"\n    {line}" for line in map(shown, self.requests[-KEPT:]))
        told = super().lesson() + self.without_secrets(told)
        told += f"\n  seed: {self.seed}" if self.name else ""
        return told + (f"\n  to repeat it: {self.repeat}" if self.repeat else "")

    def without_secrets(self, text: str) -> str:
        return redacted(text, self.profile.secrets)

    def facts(self) -> Mapping[str, Any]:
        """What is to be noted of the check, however it ended."""
        watched = self.harness.endpoint is not None
        return {
            "requests": len(self.requests) if watched else None,
            "sent": sum(map(size_of, self.requests)) if watched else None,
            "retries": self.retries,
            "waited": self.log.waited,
            "seed": self.seed,
            "left": self.left,
            "under_claimed": self.under_claimed.name if self.under_claimed else "",
        }

    def claim(self, kind: object) -> str:
        """A word on a capability that works though it is not declared."""
        row = OPERATIONS.get(self.variant)
        if kind is not CapabilityNotSupported or row is None or row.capability is None:
            return ""
        if row.capability in self.backend.capabilities:
            return ""
        self.under_claimed = row.capability
        return f"; {row.capability.name} works though it is not declared: declare it, or refuse it"

    def _make(self, make: Callable[..., B], called: str = "make()", /, **changes: Any) -> B:
        self.making = True
        try:
            made = make(**changes)
        except Exception as error:
            if changes:
                raise
            raise HarnessFailed(f"{called} raised {type(error).__name__}: {error}") from error
        finally:
            self.making = False
        if not isinstance(made, Backend | AsyncBackend):
            raise HarnessFailed(f"{called} returned {made!r}, which is no backend")
        return made

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
        if harness is None and not self.profile.shared and self.profile.expendable:
            return self.harness
        return harness if harness is not None else untested("the harness makes no storage of its own for a test")

    def _keep(self, backend: B, told: str = "") -> B:
        self._made.append(backend)
        self._recorder.watch(backend, self.log, self._guard, told)
        return backend

    def _guard(self, method: str, path: object) -> None:
        """Withhold a call that would do harm outside the namespace of this check if the backend is wrong."""
        if method not in HARMFUL or self._alone or self.profile.expendable:
            return
        plain = posixpath.normpath(path) if isinstance(path, str) else ""
        if plain != self.root and not plain.startswith(f"{self.root}/"):
            raise Withheld(
                f"{method}({path!r}) could remove what is not this check's; give the harness isolated(), or state "
                "Profile(expendable=True)"
            )

    @contextmanager
    def _prepared(self, identifiers: tuple[str, ...], needs: tuple[Capability, ...]) -> Iterator[None]:
        self.rules = tuple(map(rule, identifiers))
        self._clear_faults()
        endpoint: Endpoint | None = self.harness.endpoint
        with ExitStack() as stack:
            if endpoint is not None:
                self.requests = stack.enter_context(endpoint.recording())
            declared = [entry.capability for entry in self.rules if entry.capability is not None]
            self.require(*declared, *needs)
            yield

    def _clear_faults(self) -> None:
        endpoint: Endpoint | None = self.harness.endpoint
        if endpoint is not None:
            endpoint.reset()

    def abandon(self) -> None:
        """Clean up after a check that hangs, as far as that needs nothing of what hangs."""
        self._recorder.close()
        if not self._sweep_by_oracle() and self.profile.shared:
            self.left = self.root

    def _sweep_by_oracle(self) -> bool:
        self._clear_faults()
        oracle = self.harness.oracle
        if oracle is None:
            return False
        # A test that fails already must not fail once more at the cleanup.
        with suppress(Exception):
            oracle.raw_clear(f"{self.root}/" if self.root else "")
            return True
        return False


class Case(AnyCase[Backend]):
    """What a synchronous check is given."""

    @contextmanager
    def isolated(self) -> Iterator[Case]:
        """A case on an empty storage of its own, whose namespace is the root."""
        harness = self._isolated()
        with Case(harness, self.name, self.variant, root="") as case:
            case.rules, case.log = self.rules, self.log
            yield case

    def together(self, tasks: Sequence[Callable[[], T]]) -> list[T | Exception]:
        """Run all tasks at once, one thread each; what they returned or raised, in their order."""
        self.require_profile("an instance serves one thread at a time", self.profile.threads)
        self.raced = True
        ready = threading.Barrier(len(tasks))
        answers: dict[int, T | BaseException] = {}

        def run(number: int, task: Callable[[], T]) -> None:
            ready.wait()
            try:
                answers[number] = task()
            except BaseException as error:  # noqa: BLE001 - it is what the caller looks at
                answers[number] = error

        # Daemons, so that one that hangs does not keep the process from its end, as a pool's would.
        threads = [threading.Thread(target=run, args=pair, daemon=True) for pair in enumerate(tasks)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for answer in answers.values():
            if isinstance(answer, BaseException) and not isinstance(answer, Exception):
                raise answer
        return [answers[number] for number in range(len(tasks))]  # type: ignore[misc]

    def drive(self, check: Callable[[], None], identifiers: tuple[str, ...], needs: tuple[Capability, ...]) -> None:
        """Run a check, and clean up after it."""
        with self, self._prepared(identifiers, needs):
            check()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._recorder.close()
        if self._made and not self._sweep_by_oracle() and self.root:
            self.left = "" if self._swept() else self.root
        for backend in self._made:
            with suppress(*RAISED):
                backend.close()

    def _swept(self) -> bool:
        if any(cleanup.clear(backend, self.root) for backend in self._made[:1]):
            return True
        if not self.profile.shared:
            return True
        # A check may have closed its backend, or broken it.
        with suppress(*RAISED), self.harness.make() as fresh:
            return cleanup.clear(fresh, self.root)
        return False


class AsyncCase(AnyCase[AsyncBackend]):
    """What an asynchronous check is given."""

    @asynccontextmanager
    async def isolated(self) -> AsyncIterator[AsyncCase]:
        """A case on an empty storage of its own, whose namespace is the root."""
        harness = self._isolated()
        async with AsyncCase(harness, self.name, self.variant, root="") as case:
            case.rules, case.log = self.rules, self.log
            yield case

    async def together(self, tasks: Sequence[Callable[[], Awaitable[T]]]) -> list[T | Exception]:
        """Run all tasks at once; what they returned or raised, in their order."""
        self.raced = True

        async def run(task: Callable[[], Awaitable[T]]) -> T | Exception:
            try:
                return await task()
            except Exception as error:  # noqa: BLE001 - it is what the caller looks at
                return error

        return list(await asyncio.gather(*map(run, tasks)))

    async def drive(
        self, check: Callable[[], Awaitable[None]], identifiers: tuple[str, ...], needs: tuple[Capability, ...]
    ) -> None:
        """Run a check, and clean up after it."""
        async with self:
            with self._prepared(identifiers, needs):
                await check()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._recorder.close()
        if self._made and not self._sweep_by_oracle() and self.root:
            self.left = "" if await self._swept() else self.root
        for backend in self._made:
            with suppress(*RAISED):
                await backend.close()

    async def _swept(self) -> bool:
        if self._made and await async_cleanup.clear(self._made[0], self.root):
            return True
        if not self.profile.shared:
            return True
        # A check may have closed its backend, or broken it.
        with suppress(*RAISED):
            async with self.harness.make() as fresh:
                return await async_cleanup.clear(fresh, self.root)
        return False
