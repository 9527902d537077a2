"""Which conditions the endpoint is trusted with.

With `conditional_writes="probe"`, the first operation that depends on an unknown condition probes the endpoint.
All backends of the process share what was found, by endpoint and bucket. A forked child starts without it.
"""

from __future__ import annotations

import os
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import TypeAlias

from remote_store.core.capabilities import Capability
from remote_store.core.conditional_writes import ConditionalWrites
from remote_store.core.errors import CapabilityNotSupported
from remote_store.core.events import LOGGER
from remote_store.core.s3.operations import probing
from remote_store.core.s3.operations.bucket import Bucket
from remote_store.core.s3.operations.steps import Join, Operation
from remote_store.core.s3.protocol.calls import Fault
from remote_store.core.s3.protocol.endpoint import CREATES, Condition
from remote_store.core.s3.protocol.faults import shown

Place: TypeAlias = tuple[str | None, str]

LONGEST_WAIT = 30.0
"""Seconds that an operation waits for the probe of another one."""

ROOT = ""
"""The folder of a probe that nobody named a folder for."""

NEEDED: dict[Capability, tuple[Condition, ...]] = {
    Capability.ATOMIC_CREATE: CREATES,
    Capability.COMPARE_AND_SWAP: ("swap", "complete_swap"),
    Capability.CONDITIONAL_DELETE: ("delete",),
}
"""The conditions that a capability stands on."""


@dataclass(frozen=True, slots=True)
class Probed:
    """How a probe ended.

    Attributes:
        found: What it found.
        fault: Why it failed. Without `found` and `fault`, it was interrupted.
    """

    found: ConditionalWrites | None = None
    fault: Fault | None = None


class Findings:
    """What probes have found in this process, and the probes that run."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Start anew."""
        self._lock = Lock()
        self._found: dict[Place, ConditionalWrites] = {}
        self._running: dict[Place, Future[Probed]] = {}
        self._warned: set[Place] = set()

    def of(self, place: Place) -> ConditionalWrites | None:
        """What was found at a place; `None` if no probe has succeeded there."""
        return self._found.get(place)

    def begin(self, place: Place) -> tuple[Future[Probed], bool]:
        """The running probe of a place, and whether the caller has to run it and call `end`."""
        with self._lock:
            running = self._running.get(place)
            if running is not None:
                return running, False
            future: Future[Probed] = Future()
            # A running future cannot be cancelled by one of those that wait for it.
            future.set_running_or_notify_cancel()
            if (found := self._found.get(place)) is not None:
                # Another probe has ended since the caller looked.
                future.set_result(Probed(found))
                return future, False
            self._running[place] = future
            return future, True

    def end(self, place: Place, future: Future[Probed], probed: Probed) -> None:
        """Keep what a probe has found, and wake up all that wait for it."""
        with self._lock:
            if probed.found is not None:
                self._found[place] = probed.found
            if self._running.get(place) is future:
                del self._running[place]
        future.set_result(probed)

    def warn(self, place: Place, fault: Fault) -> None:
        """Log that a probe failed, once per place."""
        with self._lock:
            is_new = place not in self._warned
            self._warned.add(place)
        if is_new:
            LOGGER.warning(
                "the probe of the bucket %r failed (%s), so a create sends a HEAD first; the next call probes again",
                place[1],
                shown(fault.code),
            )


FINDINGS = Findings()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=FINDINGS.forget)


def conditions(bucket: Bucket) -> ConditionalWrites:
    """The conditions as far as they are known now: as a probe found them, or else as the endpoint has them."""
    endpoint = bucket.options.endpoint
    return (FINDINGS.of(_place(bucket)) if endpoint.probes else None) or endpoint.conditions


def known(bucket: Bucket, kind: Condition) -> bool:
    """Whether the endpoint is known to honour a condition. Sends no request."""
    return getattr(conditions(bucket), kind) is True


def trusts(bucket: Bucket, *kinds: Condition) -> Operation[bool]:
    """Whether the endpoint honours one of these conditions: no request, or a probe if nothing else says it.

    If the probe fails, the answer is no, and the next operation probes again.
    """
    if not any(known(bucket, kind) for kind in kinds) and _has_to_probe(bucket):
        yield from _find_out(bucket)
    return any(known(bucket, kind) for kind in kinds)


def require(bucket: Bucket, capability: Capability, path: str) -> Operation[None]:
    """Check that the endpoint honours the conditions of a capability that no look at the object can replace.

    Raises:
        CapabilityNotSupported: It does not, or the probe failed.
    """
    kinds = NEEDED[capability]
    fault = None
    if not all(known(bucket, kind) for kind in kinds) and _has_to_probe(bucket):
        fault = yield from _find_out(bucket)
    missing = [kind for kind in kinds if not known(bucket, kind)]
    if not missing:
        return
    message = (
        f"this call needs the capability {capability.name}, but the endpoint is not known to honour the conditions "
        f"{', '.join(missing)} of conditional_writes"
    )
    if fault is not None:
        message = f"{message}: the probe failed ({shown(fault.code)})"
    raise CapabilityNotSupported(message, capability=capability.value, path=path) from fault


def unfounded(bucket: Bucket) -> frozenset[Capability]:
    """The capabilities that stand on a condition which the endpoint is not trusted with; none before a probe."""
    if _has_to_probe(bucket):
        return frozenset()
    return frozenset(
        capability for capability, kinds in NEEDED.items() if not all(known(bucket, kind) for kind in kinds)
    )


def _place(bucket: Bucket) -> Place:
    return bucket.options.endpoint.url, bucket.name


def _has_to_probe(bucket: Bucket) -> bool:
    return bucket.options.endpoint.probes and FINDINGS.of(_place(bucket)) is None


def _find_out(bucket: Bucket) -> Operation[Fault | None]:
    """Probe the endpoint, or wait for a probe that another operation runs. Returns why the probe failed."""
    place, until = _place(bucket), monotonic() + LONGEST_WAIT
    while (left := until - monotonic()) > 0:
        future, is_mine = FINDINGS.begin(place)
        if is_mine:
            return (yield from _probe(bucket, place, future))
        probed: Probed | None = yield Join(future, left)
        if probed is None:
            return None
        if probed.found is not None or probed.fault is not None:
            return probed.fault
    return None


def _probe(bucket: Bucket, place: Place, future: Future[Probed]) -> Operation[Fault | None]:
    probed = Probed()
    try:
        probed = Probed((yield from probing.probe(bucket, ROOT)))
    except Fault as fault:
        probed = Probed(fault=fault)
        FINDINGS.warn(place, fault)
    finally:
        FINDINGS.end(place, future, probed)
    return probed.fault
