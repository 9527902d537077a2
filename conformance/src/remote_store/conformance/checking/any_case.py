"""What synchronous and asynchronous cases have in common: instances, a folder, facts, guards and messages."""

from __future__ import annotations

import posixpath
import random
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from remote_store.conformance.checking.ends import not_applicable, untested
from remote_store.conformance.checking.expect import Expectations
from remote_store.conformance.checking.recorder import KEPT, CallLog, Recorder
from remote_store.conformance.checking.remedies import remedy_of
from remote_store.conformance.checking.stops import Stops
from remote_store.conformance.checking.traces import Traces
from remote_store.conformance.checking.usages import USAGES
from remote_store.conformance.contract.rulebook import rule
from remote_store.conformance.harness import AnyHarness, B, Oracle, Profile
from remote_store.conformance.http.requests import shown, size_of
from remote_store.conformance.processes.origin import origin
from remote_store.conformance.values.deviation import Deviation
from remote_store.conformance.values.options import DEFAULT_SEED, SHOWN_CALLS, TIMEOUTS, Tier
from remote_store.conformance.values.outcome import HarnessFailed, Untested, Withheld
from remote_store.conformance.values.redaction import redacted
from remote_store.conformance.values.storage_fault import StorageFault
from remote_store.core import AsyncBackend, Backend, Capability, CapabilityNotSupported

if TYPE_CHECKING:
    from remote_store.conformance.http.faults import Request
    from remote_store.conformance.http.proxy import Endpoint

T = TypeVar("T")
SERVED = frozenset({"s3", "http"})
HARMFUL = frozenset({"delete", "delete_folder", "delete_many", "move"})


class AnyCase(Expectations, Generic[B]):
    """The base of synchronous and asynchronous cases.

    Attributes:
        harness: The author's harness.
        name: Name of the check.
        variant: Parameters of the check.
        root: The folder that only this check uses; `""` on an isolated storage.
        kind: The kind of storage: that of the profile or, if the profile is assumed, what `resolve` reports.
        seed: The seed of the run, with the name and the parameters of the check.
        rng: Random generator with this seed.
        tier: How much to run: `smoke`, `quick`, `full` or `soak`.
        requests: Requests that reached the endpoint during the check.
        retries: How often the check was repeated, as `Profile.attempts` allows.
        raced: The check has made concurrent calls.
        making: The method of the harness that is making a backend; empty while none does.
        timeout: Time limit of the check in seconds.
        stops: The methods that stopped earlier checks of the class, which are not called again.
        traces: What earlier checks of the class have changed in the process.
        shown_calls: How many of its last calls a failure shows; `None` for all.
        left: The folder that could not be removed; empty otherwise.
        under_claimed: A capability that works although it is not declared.
    """

    def __init__(
        self,
        harness: AnyHarness[B],
        name: str = "",
        variant: str = "",
        root: str | None = None,
        *,
        tier: Tier = "full",
        seed: int = DEFAULT_SEED,
        repeat: str = "",
        timeout: float | None = None,
        stops: Stops | None = None,
        traces: Traces | None = None,
        shown_calls: int | None = SHOWN_CALLS,
    ) -> None:
        self.harness: AnyHarness[B] = harness
        self.deviations: Mapping[str, Deviation | tuple[Deviation, ...]] = harness.deviations
        self.kind = harness.profile.kind
        self.name = name
        self.variant = variant
        self.tier: Tier = tier
        self._seed = seed
        self.repeat = repeat
        self.timeout = timeout or harness.profile.timeout or TIMEOUTS[tier]
        self.stops = stops or Stops()
        self.traces = traces or Traces()
        self.shown_calls = shown_calls
        self.retries = 0
        self.raced = False
        self.making = ""
        self.left = ""
        self.under_claimed: Capability | None = None
        self.requests: list[Request] = []
        self._alone = root == ""
        self._given = root
        self.begin()

    def begin(self, *, again: int = 0) -> None:
        """Reset the case for another round of the same check.

        Args:
            again: Number of the round. Each round has other random bytes.
        """
        self.seed = f"{self._seed}, {self.name}[{self.variant}]" + (f"#{again}" if again else "")
        self.rng = random.Random(self.seed)
        own = f"conformance-{secrets.token_hex(8)}"
        self.root = posixpath.join(self.harness.place, own) if self._given is None else self._given
        kept = None if self.shown_calls is None else KEPT
        self.log = CallLog(self.harness.profile.settles_within, kept)
        self.tidying = CallLog(kept=KEPT)
        self._recorder = Recorder()
        self._made: list[B] = []
        self._backend: B | None = None

    def settle(self, harness: AnyHarness[B]) -> None:
        """Switch to the harness of an isolated storage."""
        self.harness = harness
        self._alone = True
        self.begin()

    def inherit(self, case: AnyCase[B]) -> None:
        """Take over what a case on another storage shares with the running check."""
        self.rules, self.kind, self.log, self.tidying = case.rules, case.kind, case.log, case.tidying
        self.stops, self.shown_calls, self.deviations = case.stops, case.shown_calls, case.deviations

    @property
    def backend(self) -> B:
        """The backend under test."""
        if self._backend is None:
            self._backend = self._keep(self._make(self.harness.make))
        return self._backend

    @property
    def folder(self) -> str:
        """The folder that only this check uses."""
        return self.root

    @property
    def profile(self) -> Profile:
        """Facts about the storage."""
        profile: Profile = self.harness.profile
        return profile

    @property
    def oracle(self) -> Oracle:
        """Direct access to the storage. Without an oracle the check ends as untested."""
        oracle: Oracle | None = self.harness.oracle
        return oracle if oracle is not None else untested("the harness has no oracle")

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint in front of the server. Without an endpoint the check ends."""
        endpoint: Endpoint | None = self.harness.endpoint
        if endpoint is not None:
            return endpoint
        if self.kind in SERVED:
            untested("the harness has no endpoint in front of its server")
        return not_applicable("the harness has no endpoint, and the storage is not reached over HTTP")

    def path(self, name: str) -> str:
        """A key in this check's folder."""
        return f"{self.root}/{name}" if self.root else name

    def content(self, size: int) -> bytes:
        """Random bytes, the same in every run with this seed."""
        return self.rng.randbytes(size)

    def make(self, **changes: Any) -> B:
        """Make another instance on the same storage, with other options. The check ends if that is not possible."""
        self.require_profile("two instances do not share a storage", self.profile.shared)
        return self._keep(self._make(self.harness.make, **self._known(changes)))

    def absent(self, **changes: Any) -> B:
        """Make an instance whose container does not exist. The check ends if containers cannot be absent."""
        made: B | None = self.harness.make_absent(**self._known(changes))
        self.require_profile("the storage has no container that can be absent", made is not None)
        assert made is not None
        self._made.append(made)
        self._recorder.watch(made, self.log, self._refuse_stopped)
        return made

    def faulty(self, fault: StorageFault) -> B:
        """An instance each of whose operations meets the fault. The check ends if the harness makes none."""
        if self.harness.endpoint is not None:
            not_applicable("the endpoint injects the faults of the storage")
        self.require_profile("two instances do not share a storage", self.profile.shared)
        # The cleanup uses the first instance, which must be one that works.
        assert self.backend is not None
        made: B | None = self.harness.faulty(fault)
        return self._keep(made) if made is not None else untested("the harness makes no storage that fails")

    def peers(self, *capabilities: Capability) -> dict[str, B]:
        """Instances of the storage's other adapters that declare these capabilities, by name.

        The check ends if there are none.
        """
        makers = self.harness.peers
        if not makers:
            untested("the harness names no other adapter of the storage")
        made = {name: self._keep(self._make(make, f"peers[{name!r}]()"), f"{name}: ") for name, make in makers.items()}
        able = {name: peer for name, peer in made.items() if peer.capabilities >= set(capabilities)}
        return able or not_applicable("no other adapter of the storage declares the capabilities")

    def require(self, *capabilities: Capability) -> None:
        """End the check unless the live backend declares these capabilities."""
        for capability in capabilities:
            if capability not in self.backend.capabilities:
                not_applicable(f"the backend does not declare {capability.name}", capability)

    def require_profile(self, reason: str, condition: object) -> None:
        """End the check with this reason unless the condition, a fact of the profile, is true."""
        if not condition and not self.harness.stated:
            raise Untested(f"{reason}, as assumed without a profile", remedy_of(reason))
        if not condition:
            not_applicable(reason)

    def lesson(self, hint: str = "") -> str:
        """The end of a message: the rules of the check with their hints, its calls and requests, how to repeat it."""
        text = ""
        if calls := self.log.lines(self.shown_calls):
            text += "\n  calls:" + "".join(f"\n    {line}" for line in calls)
        if requests := self.requests[-self.shown_calls if self.shown_calls else 0 :]:
            earlier = len(self.requests) - len(requests)
            text += "\n  requests:" + (f"\n    ... {earlier:,} earlier requests" if earlier else "")
            text += "".join(f"\n    {line}" for line in map(shown, requests))
        text = super().lesson(hint) + self.without_secrets(text)
        text += f"\n  seed: {self.seed}" if self.name else ""
        return text + (f"\n  to repeat it: {self.repeat}" if self.repeat else "")

    def witnessed(self) -> str:
        return f"it does not hold after {last[-1]}" if (last := self.log.lines(1)) else super().witnessed()

    def refused(self) -> str:
        return f"`{method}` is refused" if (method := self.log.latest()) else super().refused()

    def without_secrets(self, text: str) -> str:
        return redacted(text, self.profile.secrets)

    def facts(self) -> Mapping[str, Any]:
        """Facts for the record of the check."""
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
        """A note if the call needs a capability that works although it is not declared."""
        row = USAGES.get(self.variant)
        if kind is not CapabilityNotSupported or row is None or row.capability is None:
            return ""
        if row.capability in self.backend.capabilities:
            return ""
        self.under_claimed = row.capability
        return f"; {row.capability.name} works although it is not declared: declare it, or refuse the call"

    def _make(self, make: Callable[..., B], called: str = "make()", /, **changes: Any) -> B:
        self.stops.refuse(called)
        self.making = called
        try:
            made = make(**changes)
        except (Exception, SystemExit, KeyboardInterrupt) as error:
            if changes:
                raise
            raise HarnessFailed(f"{called} raised {type(error).__name__}: {error}{origin(error)}") from error
        finally:
            self.making = ""
        if not isinstance(made, Backend | AsyncBackend):
            raise HarnessFailed(f"{called} returned {made!r}, which is not a backend")
        return made

    def _known(self, changes: dict[str, Any]) -> dict[str, Any]:
        unknown = changes.keys() - self.harness.options
        if unknown:
            not_applicable(f"the harness has no option {', '.join(sorted(unknown))}")
        return changes

    @contextmanager
    def expect_no_request(self, what: str) -> Iterator[None]:
        """Fail if the block sends a request to the endpoint. Without an endpoint this checks nothing."""
        endpoint: Endpoint | None = self.harness.endpoint
        if endpoint is None:
            yield
            return
        with endpoint.recording() as requests:
            yield
        self.expect_equal([request.operation for request in requests], [], f"requests of {what}")

    def _isolated(self, *, versions: bool) -> AnyHarness[B]:
        if versions:
            versioned: AnyHarness[B] | None = self.harness.versioned()
            return versioned if versioned is not None else untested("the harness has no storage with versions")
        harness: AnyHarness[B] | None = self.harness.isolated()
        if harness is None and not self.profile.shared and self.profile.expendable:
            return self.harness
        return harness if harness is not None else untested("the harness has no isolated storage")

    def _keep(self, backend: B, prefix: str = "") -> B:
        self._made.append(backend)
        self._recorder.watch(backend, self.log, self._guard, prefix)
        return backend

    def _refuse_stopped(self, method: str, given: object = None) -> None:  # noqa: ARG002 - a guard takes it
        """Refuse a call of a method that hung or ended the process in an earlier check."""
        self.stops.refuse(method)

    def hanging(self) -> str:
        """The method that did not return, in the check or in its cleanup; empty if it is unknown."""
        return self.tidying.hanging() or self.log.hanging()

    def _guard(self, method: str, given: object) -> None:
        """Refuse a call that would hang, or with which a faulty backend could do harm outside this check's folder."""
        self._refuse_stopped(method)
        if method not in HARMFUL or self._alone or self.profile.expendable:
            return
        for path in given if isinstance(given, list) else [given]:
            plain = posixpath.normpath(path) if isinstance(path, str) else ""
            if plain != self.root and not plain.startswith(f"{self.root}/"):
                raise Withheld(
                    "a call outside this check's folder could remove other files",
                    "implement `Harness.isolated`, or state `Profile(expendable=True)`",
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
        """Clean up after a check that hangs, without using its backend."""
        self._recorder.close()
        if not self._sweep_by_oracle() and self.profile.shared:
            self.left = self.root

    def _watch_cleanup(self, *backends: B) -> None:
        """Record the calls of the cleanup apart from those of the check, and refuse those that would hang."""
        for backend in backends:
            self._recorder.watch(backend, self.tidying, self._refuse_stopped)

    def _sweep_by_oracle(self) -> bool:
        self._clear_faults()
        oracle = self.harness.oracle
        if oracle is None:
            return False
        # An error of the cleanup must not hide the failure of the check.
        with suppress(Exception):
            oracle.raw_clear(f"{self.root}/" if self.root else "")
            return True
        return False
