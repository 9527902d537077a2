"""What the author of a backend writes: how to make one, and the facts about it that no capability tells."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeAlias, TypeVar

from remote_store.core import AsyncBackend, Backend, ThreadedBackend

if TYPE_CHECKING:
    from remote_store.conformance.http.endpoint import Endpoint

B = TypeVar("B", Backend, AsyncBackend)
Raised: TypeAlias = type[BaseException] | str
EndpointKind: TypeAlias = Literal["memory", "files", "emulator", "real"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Facts about a storage that are no capabilities.

    Attributes:
        kind: What it is at bottom, such as `s3`, `tree` or `memory`; rules of one kind apply to that kind only.
        flat: A file `a` may stand beside files `a/...`, as on S3; `False` for a tree of folders.
        rejects_file_ancestor: Writing `a/b` where `a` is a file is refused.
        foreign_keys: The storage can hold keys that are not canonical, such as `a//b`.
        markers: A zero-byte object `dir/` makes a folder exist.
        case_sensitive: `A` and `a` are two files.
        empty_folders: A folder stays when its last file goes.
        shared: Two instances that the harness makes see the same files.
        in_process: The storage is in the memory of this process; a forked child has a copy of it.
        picklable: An instance pickles, and its copy sees the same files.
        max_key_bytes: The longest key in bytes of UTF-8; `None` where nothing is refused for its length.
        max_segment_bytes: The longest segment of a key in bytes; `None` for no limit below that of the key.
        page_keys: The most keys that one page of a listing holds.
        storage_class: A class other than the usual one that the server takes; `None` where it has one class only.
        part_size: Bytes up to which a write is one request; `None` where writes have no parts.
        contenders: How many writers race for one key.
        forks: An instance that was used before a fork works on both sides of it.
        threads: An instance may be used by several threads at once.
        secrets: Texts that no message, no repr and no report may show.
        endpoint_kind: What the run is against: memory, files on this machine, an emulator of a service, or a real
            server; `None` where nobody says.
        endpoint_version: Name and version of what it is against, such as `moto 5.2.5`.
        expendable: Nothing but this run is in the storage, and a wrong backend may empty it. Otherwise calls that would
            then do harm are made on `Harness.isolated` storages only.
        timeout: Seconds that one check may take.
        settles_within: Seconds after which everybody sees a change; 0 is strong consistency. A check waits so long
            between a change and the next look, and the report shows how long it waited in all.
        attempts: How often a check is tried before it has failed; 1 is once. The report shows the tries.
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
    page_keys: int = 1000
    storage_class: str | None = None
    part_size: int | None = None
    contenders: int = 16
    forks: bool = True
    threads: bool = True
    secrets: tuple[str, ...] = ()
    endpoint_kind: EndpointKind | None = None
    endpoint_version: str = ""
    expendable: bool = False
    timeout: float = 300.0
    settles_within: float = 0.0
    attempts: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """A rule that is known not to hold, and how it shows. A check that passes, or fails otherwise, is then red.

    Attributes:
        reason: Why it does not hold.
        raises: What the check fails with: the exception itself or the cause of the failed check. A text is the dotted
            name of a class, which is imported when a check is run.
        link: Where more is written about it.
        expires: From when on it is no excuse any more: a day such as `2027-06-30`, or a version of the contract such as
            `0.3`; empty for never.
        checks: Names of the checks it is about, as shell patterns; all checks of the rule by default.
        variants: Parameters of the check it is about, as shell patterns.
        sometimes: It shows in some runs only, such as in a race; then a check that passes is not red.
        place: Where it is written down, for messages.
    """

    reason: str
    raises: Raised | tuple[Raised, ...] = AssertionError
    link: str = ""
    expires: str = ""
    checks: tuple[str, ...] = ("*",)
    variants: tuple[str, ...] = ("*",)
    sometimes: bool = False
    place: str = ""


@dataclass(frozen=True, slots=True)
class RawHead:
    """What an oracle sees of a file beside its bytes; `None` is what it cannot see."""

    size: int
    metadata: Mapping[str, str] | None = None
    content_type: str | None = None
    storage_class: str | None = None
    tags: Mapping[str, str] | None = None


class OracleRefused(Exception):
    """The storage does not do what an oracle asked of it, so that the check is untested."""


class Oracle(ABC):
    """Another way to the same storage, which does not use the backend under test.

    What the storage itself refuses, such as a key, a method raises as `OracleRefused`.
    """

    @abstractmethod
    def raw_put(
        self, key: str, data: bytes = b"", *, metadata: Mapping[str, str] | None = None, content_type: str | None = None
    ) -> None:
        """Store exactly this key, whether or not the backend would write it."""

    def raw_put_many(self, keys: Iterable[str]) -> None:
        """Store these keys, each without a byte; worth writing where the storage has a short way."""
        for key in keys:
            self.raw_put(key)

    @abstractmethod
    def raw_get(self, key: str) -> bytes | None:
        """The bytes under exactly this key; `None` where it does not exist."""

    @abstractmethod
    def raw_list(self, prefix: str = "") -> list[str]:
        """Every key that begins with the text, markers included."""

    @abstractmethod
    def raw_delete(self, key: str) -> None:
        """Delete exactly this key; nothing happens where it does not exist."""

    def raw_head(self, key: str) -> RawHead | None:
        """What is known of a key; `None` where it does not exist."""
        data = self.raw_get(key)
        return None if data is None else RawHead(len(data))

    def raw_uploads(self, prefix: str = "") -> list[str] | None:  # noqa: ARG002 - a subclass takes it
        """Keys with an unfinished upload; `None` where the storage knows no such thing."""
        return None

    def raw_clear(self, prefix: str) -> None:
        """Delete every key that begins with the text, and unfinished uploads too where there are such."""
        for key in self.raw_list(prefix):
            self.raw_delete(key)


class AnyHarness(ABC, Generic[B]):
    """One storage and how to reach it; `make` is the only thing that must be written.

    Attributes:
        profile: Facts about the storage.
        deviations: Rules that are known not to hold, by id.
        options: Names of the options that `make` takes.
        stated: The profile is what the author says; `False` where only a factory is known and the profile is assumed.
    """

    profile: Profile = Profile()
    deviations: Mapping[str, Deviation | tuple[Deviation, ...]] = {}
    options: frozenset[str] = frozenset()
    stated: bool = True

    @abstractmethod
    def make(self, **options: Any) -> B:
        """A new instance on the storage; with an endpoint in front, one that speaks through it."""

    def make_absent(self, **options: Any) -> B | None:  # noqa: ARG002 - a subclass takes it
        """An instance whose container, such as a bucket, does not exist; `None` where there is no such thing."""
        return None

    def isolated(self) -> Self | None:
        """A harness on another storage that is empty and that nobody else uses; `None` where none can be had."""
        return None

    def trouble(self) -> str:
        """Why the storage can no longer be reached at all; empty where it can, or where nobody can tell.

        It is asked after a check that failed. The rest of the class is then not tried.
        """
        return ""

    @property
    def peers(self) -> Mapping[str, Callable[[], B]]:
        """What makes an instance of each other adapter of the storage, by name; some rules are untested without."""
        return {}

    @property
    def oracle(self) -> Oracle | None:
        """Another way to the storage; `None` where there is none, then some rules stay untested."""
        return None

    @property
    def endpoint(self) -> Endpoint | None:
        """The endpoint in front of the storage's server; `None` where there is none or no server."""
        return None


class Harness(AnyHarness[Backend]):
    """The harness of a synchronous backend."""


class AsyncHarness(AnyHarness[AsyncBackend]):
    """The harness of an asynchronous backend."""


class FactoryHarness(Harness):
    """The harness of a factory and nothing else, whose facts are assumed in the sense that binds least.

    A rule that would need such a fact is then untested, and never passed. Whether two instances share a storage is
    found out by a look before the first check.

    Args:
        factory: Makes a new backend with each call.
    """

    stated = False
    profile = Profile(in_process=True, max_key_bytes=None)

    def __init__(self, factory: Callable[[], Backend]) -> None:
        self._factory = factory

    def make(self, **_options: Any) -> Backend:
        return self._factory()


class AsyncFactoryHarness(AsyncHarness):
    """The harness of a factory of asynchronous backends; see `FactoryHarness`."""

    stated = False
    profile = Profile(in_process=True, max_key_bytes=None)

    def __init__(self, factory: Callable[[], AsyncBackend]) -> None:
        self._factory = factory

    def make(self, **_options: Any) -> AsyncBackend:
        return self._factory()


@dataclass
class ThreadedHarness(AsyncHarness):
    """The harness of a synchronous backend that is driven asynchronously through core's bounded threads.

    Attributes:
        harness: The harness of the synchronous backend.
    """

    harness: Harness
    deviations: Mapping[str, Deviation | tuple[Deviation, ...]] = field(init=False)

    def __post_init__(self) -> None:
        self.profile = self.harness.profile
        self.deviations = self.harness.deviations
        self.options = self.harness.options
        self.stated = self.harness.stated

    def make(self, **options: Any) -> AsyncBackend:
        return ThreadedBackend(self.harness.make(**options))

    def make_absent(self, **options: Any) -> AsyncBackend | None:
        absent = self.harness.make_absent(**options)
        return None if absent is None else ThreadedBackend(absent)

    def trouble(self) -> str:
        return self.harness.trouble()

    def isolated(self) -> ThreadedHarness | None:
        isolated = self.harness.isolated()
        return None if isolated is None else type(self)(isolated)

    @property
    def peers(self) -> Mapping[str, Callable[[], AsyncBackend]]:
        return {name: partial(threaded, make) for name, make in self.harness.peers.items()}

    @property
    def oracle(self) -> Oracle | None:
        return self.harness.oracle

    @property
    def endpoint(self) -> Endpoint | None:
        return self.harness.endpoint


def threaded(make: Callable[[], Backend]) -> AsyncBackend:
    """What a factory makes, driven through core's bounded threads."""
    return ThreadedBackend(make())
