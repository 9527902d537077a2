"""The harness that a backend's author writes: how to make the backend, and the facts that no capability declares."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeAlias, TypeVar

from remote_store.conformance.values.deviation import Deviation
from remote_store.conformance.values.storage_fault import StorageFault
from remote_store.core import AsyncBackend, Backend, S3Credentials, ThreadedBackend
from remote_store.core.home import public

if TYPE_CHECKING:
    from remote_store.conformance.http.proxy import Endpoint

B = TypeVar("B", Backend, AsyncBackend)
EndpointKind: TypeAlias = Literal["memory", "files", "emulator", "server", "real"]


@public("remote_store.conformance")
@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Facts about a storage that capabilities do not declare.

    Attributes:
        kind: The kind of storage: `s3`; `http` for another one that is reached over HTTP; any other word for the rest,
            such as `tree` or `memory`. Some rules bind `s3` only, and some `s3` and `http`.
        flat: A file `a` and files `a/...` can both exist, as on S3; `False` for a tree of folders.
        rejects_file_ancestor: The storage refuses to write `a/b` if `a` is a file.
        foreign_keys: The storage can hold keys that are not canonical, such as `a//b`.
        markers: A zero-byte object `dir/` makes a folder exist.
        case_sensitive: `A` and `a` are different files.
        empty_folders: A folder remains after its last file is deleted.
        shared: All instances that the harness makes see the same files.
        in_process: The storage is in the memory of this process, so a forked child gets a copy.
        picklable: An instance can be pickled, and the copy sees the same files.
        max_key_bytes: The longest key in bytes of UTF-8; `None` if there is no limit.
        max_segment_bytes: The longest segment of a key in bytes; `None` if only the limit of the whole key applies.
        page_size: The largest number of keys in one page of a listing.
        storage_class: A storage class, not the default one, that the server accepts; `None` if it has only one class.
        part_size: Writes up to this many bytes are one request; `None` if writes have no parts.
        contenders: Number of writers that race for one key.
        readers: How many streams for reading may be open at once, such as the size of a pool of connections. `None`
            stands for 50 if the storage is in this process, and for 3 otherwise, since few connections are a limit
            and no bug.
        forks: An instance that was used before a fork works in the parent and in the child.
        threads: Several threads may use an instance at once.
        secrets: Texts that must not appear in any message, repr or report.
        endpoint_kind: What the run tests against. `memory`; `files`, a library in this process that stores on disk,
            such as SQLite; `emulator`, which imitates a service; `server`, a server for production that runs on this
            machine; `real`, the service itself; `None` if unknown. A `real` one on the loopback interface counts as
            `server`.
        endpoint_version: Name and version of the server or emulator, such as `moto 5.2.5`.
        expendable: Only this run uses the storage, so a faulty backend may empty it. If `False`, calls with which a
            faulty backend could do harm are made on `Harness.isolated` storages only.
        timeout: Time limit of one check in seconds; `None` for that of the tier: 30 in smoke and quick, 300 in full
            and soak. The option `--timeout` of the command, `--conformance-timeout` of pytest, overrides both.
        settles_within: Seconds until every client sees a change; 0 is strong consistency. A check waits this long
            between a change and the next call that reads, and the report shows the total.
        attempts: How often a check may run before it counts as failed; 1 means no retry. The report shows the retries.
    """

    kind: str = "other"
    flat: bool = True
    rejects_file_ancestor: bool = False
    foreign_keys: bool = True
    markers: bool = False
    case_sensitive: bool = True
    empty_folders: bool = False
    shared: bool = True
    in_process: bool = False
    picklable: bool = True
    max_key_bytes: int | None = 1024
    max_segment_bytes: int | None = None
    page_size: int = 1000
    storage_class: str | None = None
    part_size: int | None = None
    contenders: int = 16
    readers: int | None = None
    forks: bool = True
    threads: bool = True
    secrets: tuple[str, ...] = ()
    endpoint_kind: EndpointKind | None = None
    endpoint_version: str = ""
    expendable: bool = False
    timeout: float | None = None
    settles_within: float = 0.0
    attempts: int = 1


@public("remote_store.conformance")
@dataclass(frozen=True, slots=True)
class RawHead:
    """A file's facts as an oracle sees them, without its bytes. `None` means that the oracle cannot see the fact."""

    size: int
    metadata: Mapping[str, str] | None = None
    content_type: str | None = None
    storage_class: str | None = None
    tags: Mapping[str, str] | None = None


@public("remote_store.conformance")
class OracleRefused(Exception):
    """The storage refused a call of the oracle. The check ends as untested."""


@public("remote_store.conformance")
class Oracle(ABC):
    """Access to the same storage that does not use the backend under test.

    A method raises `OracleRefused` if the storage itself refuses the call, for example because of the key.
    """

    @abstractmethod
    def raw_put(
        self, key: str, data: bytes = b"", *, metadata: Mapping[str, str] | None = None, content_type: str | None = None
    ) -> None:
        """Store exactly this key, even if the backend would refuse to write it."""

    def raw_put_many(self, keys: Iterable[str]) -> None:
        """Store an empty file under each of these keys. Override it if the storage has a faster way."""
        for key in keys:
            self.raw_put(key)

    @abstractmethod
    def raw_get(self, key: str) -> bytes | None:
        """The bytes under exactly this key; `None` if it does not exist."""

    @abstractmethod
    def raw_list(self, prefix: str = "") -> list[str]:
        """Every key that begins with the prefix, including markers."""

    @abstractmethod
    def raw_delete(self, key: str) -> None:
        """Delete exactly this key. Does nothing if it does not exist."""

    def raw_head(self, key: str) -> RawHead | None:
        """Size and metadata of a key; `None` if it does not exist."""
        data = self.raw_get(key)
        return None if data is None else RawHead(len(data))

    def raw_uploads(self, prefix: str = "") -> list[str] | None:  # noqa: ARG002 - a subclass takes it
        """Keys with an unfinished upload; `None` if the storage has no uploads."""
        return None

    def raw_clear(self, prefix: str) -> None:
        """Delete every key and every unfinished upload that begins with the prefix."""
        for key in self.raw_list(prefix):
            self.raw_delete(key)


class AnyHarness(ABC, Generic[B]):
    """One storage and how to reach it. Only `make` has to be written.

    Attributes:
        profile: Facts about the storage.
        deviations: Known deviations, by the id of the rule.
        options: Names of the options that `make` accepts.
        place: The folder of the storage in which the checks make theirs; empty for the root.
        stated: The author wrote the profile; `False` if only a factory is known and the profile is assumed.
        budget: The most calls that an operation on one file may send to the storage, by the name of the method, such as
            `{"read_bytes": 1, "write": 2}`. It needs `calls`.
    """

    profile: Profile = Profile()
    deviations: Mapping[str, Deviation | tuple[Deviation, ...]] = {}
    options: frozenset[str] = frozenset()
    place: str = ""
    stated: bool = True
    budget: Mapping[str, int] = {}

    @abstractmethod
    def make(self, **options: Any) -> B:
        """Return a new instance on the storage. If the harness has an endpoint, the instance connects through it."""

    def make_absent(self, **options: Any) -> B | None:  # noqa: ARG002 - a subclass takes it
        """Return an instance whose container, such as a bucket, does not exist; `None` if that cannot happen."""
        return None

    def isolated(self) -> Self | None:
        """Return a harness on another storage, which is empty and used by this check alone; `None` if there is none."""
        return None

    def versioned(self) -> Self | None:
        """Return a harness on another storage, which is empty and keeps versions of its files; `None` if there is none.

        Without it the rules about versions are untested.
        """
        return None

    def faulty(self, fault: StorageFault) -> B | None:  # noqa: ARG002 - a subclass takes it
        """Return a new instance on the same storage each of whose operations meets the fault; `None` if there is none.

        For storages without an endpoint, such as SFTP, SQL or Redis. Wrap the client, or let a real client meet a real
        fault, such as a quota. Other instances still work, so that the checks can see what is stored. An instance may
        retry; each attempt meets the fault.

        Args:
            fault: How the storage fails.
        """
        return None

    def calls(self) -> int | None:
        """How many calls the instances of this harness have sent to the storage so far; `None` if they are not counted.

        A call is what takes a round trip: a statement, a command or a request. An endpoint counts requests without it.
        """
        return None

    def trouble(self) -> str:
        """Why the storage can no longer be reached; empty if it can be reached, or if that is unknown.

        Called after a failed check. If the text is not empty, the remaining checks of the class are skipped.
        """
        return ""

    @property
    def peers(self) -> Mapping[str, Callable[[], B]]:
        """Factories of the storage's other adapters, by name. Without them some rules are untested."""
        return {}

    @property
    def oracle(self) -> Oracle | None:
        """Direct access to the storage; `None` if there is none. Without it some rules are untested."""
        return None

    @property
    def credentials(self) -> S3Credentials | None:
        """Credentials that the S3 server accepts, for a function that returns them; `None` if that is not tested."""
        return None

    @property
    def endpoint(self) -> Endpoint | None:
        """The endpoint in front of the storage's server; `None` without an endpoint or a server."""
        return None


@public("remote_store.conformance")
class Harness(AnyHarness[Backend]):
    """The harness of a synchronous backend."""


@public("remote_store.conformance")
class AsyncHarness(AnyHarness[AsyncBackend]):
    """The harness of an asynchronous backend."""


class FactoryHarness(Harness):
    """The harness for a bare factory. Its profile is assumed, and the assumptions require as little as possible.

    A rule that needs an assumed fact is untested, never passed. Whether two instances share a storage is tested
    before the first check.

    Args:
        factory: Returns a new backend on each call.
    """

    stated = False
    profile = Profile(in_process=True, max_key_bytes=None)

    def __init__(self, factory: Callable[[], Backend]) -> None:
        self._factory = factory

    def make(self, **_options: Any) -> Backend:
        return self._factory()


class AsyncFactoryHarness(AsyncHarness):
    """The harness for a factory of asynchronous backends; see `FactoryHarness`."""

    stated = False
    profile = Profile(in_process=True, max_key_bytes=None)

    def __init__(self, factory: Callable[[], AsyncBackend]) -> None:
        self._factory = factory

    def make(self, **_options: Any) -> AsyncBackend:
        return self._factory()


@public("remote_store.conformance")
@dataclass
class ThreadedHarness(AsyncHarness):
    """The harness of a synchronous backend that is called asynchronously through `ThreadedBackend`.

    Attributes:
        harness: The harness of the synchronous backend.
    """

    harness: Harness
    deviations: Mapping[str, Deviation | tuple[Deviation, ...]] = field(init=False)

    def __post_init__(self) -> None:
        self.profile = self.harness.profile
        self.deviations = self.harness.deviations
        self.options = self.harness.options
        self.place = self.harness.place
        self.stated = self.harness.stated
        self.budget = self.harness.budget

    def make(self, **options: Any) -> AsyncBackend:
        return ThreadedBackend(self.harness.make(**options))

    def make_absent(self, **options: Any) -> AsyncBackend | None:
        absent = self.harness.make_absent(**options)
        return None if absent is None else ThreadedBackend(absent)

    def faulty(self, fault: StorageFault) -> AsyncBackend | None:
        faulty = self.harness.faulty(fault)
        return None if faulty is None else ThreadedBackend(faulty)

    def calls(self) -> int | None:
        return self.harness.calls()

    def trouble(self) -> str:
        return self.harness.trouble()

    def isolated(self) -> ThreadedHarness | None:
        isolated = self.harness.isolated()
        return None if isolated is None else type(self)(isolated)

    def versioned(self) -> ThreadedHarness | None:
        versioned = self.harness.versioned()
        return None if versioned is None else type(self)(versioned)

    @property
    def peers(self) -> Mapping[str, Callable[[], AsyncBackend]]:
        return {name: partial(threaded, make) for name, make in self.harness.peers.items()}

    @property
    def oracle(self) -> Oracle | None:
        return self.harness.oracle

    @property
    def credentials(self) -> S3Credentials | None:
        return self.harness.credentials

    @property
    def endpoint(self) -> Endpoint | None:
        return self.harness.endpoint


def threaded(make: Callable[[], Backend]) -> AsyncBackend:
    """The backend of a factory, wrapped in `ThreadedBackend`."""
    return ThreadedBackend(make())
