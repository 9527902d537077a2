"""Harnesses that run the whole suite again through a child of a store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from remote_store.conformance.contract.deviations import join_deviations
from remote_store.conformance.harness import AnyHarness, AsyncHarness, B, Harness, Oracle, RawHead
from remote_store.conformance.stores.async_child import AsyncChildBackend
from remote_store.conformance.stores.child import ChildBackend
from remote_store.conformance.values.deviation import Deviation
from remote_store.conformance.values.storage_fault import StorageFault
from remote_store.core import AsyncBackend, Backend, S3Credentials
from remote_store.core.home import public

if TYPE_CHECKING:
    from remote_store.conformance.http.proxy import Endpoint

FOLDER = "derived/child"

PATH_FIRST = "a store validates a path before it calls its backend, and only the backend knows that it is closed"
OF_STORES: Mapping[str, Deviation | tuple[Deviation, ...]] = {
    "ERR-002": Deviation(reason=PATH_FIRST, checks=("*each_operation_says_who_and_where",), sometimes=True),
    "ERR-009": (
        Deviation(
            reason=PATH_FIRST,
            variants=(
                "read*",
                "write*",
                "overwrite",
                "open_atomic",
                "copy_*",
                "move_*",
                "delete*",
                "get_file_info",
                "glob",
            ),
        ),
        Deviation(reason=PATH_FIRST, checks=("*refuses_whatever_is_wrong",)),
    ),
    "LIFE-006": Deviation(reason=PATH_FIRST, checks=("*closed_backend_refuses", "*refuses_whatever_is_wrong")),
}
"""The differences between a store and a backend."""


class ChildOracle(Oracle):
    """The oracle of the storage, with the folder of the child as its root.

    Args:
        oracle: The oracle of the whole storage.
    """

    def __init__(self, oracle: Oracle) -> None:
        self._oracle = oracle

    def raw_put(
        self, key: str, data: bytes = b"", *, metadata: Mapping[str, str] | None = None, content_type: str | None = None
    ) -> None:
        self._oracle.raw_put(below(key), data, metadata=metadata, content_type=content_type)

    def raw_put_many(self, keys: Iterable[str]) -> None:
        self._oracle.raw_put_many(map(below, keys))

    def raw_get(self, key: str) -> bytes | None:
        return self._oracle.raw_get(below(key))

    def raw_list(self, prefix: str = "") -> list[str]:
        return [key[len(FOLDER) + 1 :] for key in self._oracle.raw_list(below(prefix))]

    def raw_delete(self, key: str) -> None:
        self._oracle.raw_delete(below(key))

    def raw_head(self, key: str) -> RawHead | None:
        return self._oracle.raw_head(below(key))

    def raw_uploads(self, prefix: str = "") -> list[str] | None:
        found = self._oracle.raw_uploads(below(prefix))
        return None if found is None else [key[len(FOLDER) + 1 :] for key in found]


class AnyChildHarness(AnyHarness[B]):
    """The common part of the two harnesses.

    Args:
        harness: The harness of the backend itself.
    """

    def __init__(self, harness: AnyHarness[B]) -> None:
        most = harness.profile.max_key_bytes
        self._harness: AnyHarness[B] = harness
        self.profile = replace(harness.profile, max_key_bytes=None if most is None else most - len(FOLDER) - 1)
        self.deviations = join_deviations(OF_STORES, harness.deviations)
        self.options = harness.options

    def trouble(self) -> str:
        return self._harness.trouble()

    def isolated(self) -> Self | None:
        isolated = self._harness.isolated()
        return None if isolated is None else type(self)(isolated)

    def versioned(self) -> Self | None:
        versioned = self._harness.versioned()
        return None if versioned is None else type(self)(versioned)

    @property
    def oracle(self) -> Oracle | None:
        oracle: Oracle | None = self._harness.oracle
        return None if oracle is None else ChildOracle(oracle)

    @property
    def credentials(self) -> S3Credentials | None:
        credentials: S3Credentials | None = self._harness.credentials
        return credentials

    @property
    def endpoint(self) -> Endpoint | None:
        endpoint: Endpoint | None = self._harness.endpoint
        return endpoint


@public("remote_store.conformance")
class ChildHarness(AnyChildHarness[Backend], Harness):
    """The harness of a synchronous backend, accessed through `Store.child`.

    A test class with it runs the whole suite again in a folder of the backend, so it finds keys, listings or errors
    of the backend with which a store cannot work.

    Args:
        harness: The harness of the backend itself.

    Example:
        ```python
        class TestMineThroughAChild(BackendConformance):
            harness = ChildHarness(MyHarness())
        ```
    """

    def make(self, **options: Any) -> Backend:
        return ChildBackend(self._harness.make(**options), FOLDER)

    def make_absent(self, **options: Any) -> Backend | None:
        absent = self._harness.make_absent(**options)
        return None if absent is None else ChildBackend(absent, FOLDER)

    def faulty(self, fault: StorageFault) -> Backend | None:
        faulty = self._harness.faulty(fault)
        return None if faulty is None else ChildBackend(faulty, FOLDER)

    @property
    def peers(self) -> Mapping[str, Callable[[], Backend]]:
        return {name: partial(child, make) for name, make in self._harness.peers.items()}


@public("remote_store.conformance")
class AsyncChildHarness(AnyChildHarness[AsyncBackend], AsyncHarness):
    """The harness of an asynchronous backend, accessed through `AsyncStore.child`; used like `ChildHarness`.

    Args:
        harness: The harness of the backend itself.
    """

    def make(self, **options: Any) -> AsyncBackend:
        return AsyncChildBackend(self._harness.make(**options), FOLDER)

    def make_absent(self, **options: Any) -> AsyncBackend | None:
        absent = self._harness.make_absent(**options)
        return None if absent is None else AsyncChildBackend(absent, FOLDER)

    def faulty(self, fault: StorageFault) -> AsyncBackend | None:
        faulty = self._harness.faulty(fault)
        return None if faulty is None else AsyncChildBackend(faulty, FOLDER)

    @property
    def peers(self) -> Mapping[str, Callable[[], AsyncBackend]]:
        return {name: partial(async_child, make) for name, make in self._harness.peers.items()}


def below(key: str) -> str:
    """The key in the whole storage for a key of the child."""
    return f"{FOLDER}/{key}"


def child(make: Callable[[], Backend]) -> Backend:
    """The backend that a factory makes, accessed through `Store.child`."""
    return ChildBackend(make(), FOLDER)


def async_child(make: Callable[[], AsyncBackend]) -> AsyncBackend:
    """The backend that a factory makes, accessed through `AsyncStore.child`."""
    return AsyncChildBackend(make(), FOLDER)
