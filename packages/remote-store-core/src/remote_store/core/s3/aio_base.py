"""What each part of the S3 backend needs: the bucket, the runner, and the calls that pass an operation to it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

from remote_store.core.aio.backend import AsyncBackend
from remote_store.core.aio.reader import AsyncReader
from remote_store.core.aio.streams import AsyncSource
from remote_store.core.capabilities import CONTRACT_0_1, Capability
from remote_store.core.errors import CapabilityNotSupported, InvalidPath
from remote_store.core.events import Events
from remote_store.core.metadata import MOST_ENTRIES, MOST_OF_A_HANDLE
from remote_store.core.models import ResolutionPlan
from remote_store.core.options import supported
from remote_store.core.path import require_text
from remote_store.core.s3.engine.aio_asking import check_function
from remote_store.core.s3.engine.aio_reader import AsyncObjectReader
from remote_store.core.s3.engine.aio_runner import AsyncRunner
from remote_store.core.s3.engine.allowance import Allowance, allowance_of, health_allowance
from remote_store.core.s3.operations import paging, probes, trust
from remote_store.core.s3.operations.bucket import Bucket
from remote_store.core.s3.operations.errors import contract_errors
from remote_store.core.s3.operations.fetching import Opened
from remote_store.core.s3.operations.paging import Cursor
from remote_store.core.s3.operations.presigning import can_sign
from remote_store.core.s3.operations.steps import Operation
from remote_store.core.s3.protocol.calls import AsyncS3Port
from remote_store.core.s3.protocol.options import S3Options, check_bucket
from remote_store.core.s3.protocol.pages import Page

T = TypeVar("T")

OF_S3 = frozenset(
    {
        Capability.CHECKSUMS,
        Capability.COMPARE_AND_SWAP,
        Capability.CONDITIONAL_DELETE,
        Capability.CONDITIONAL_READ,
        Capability.CONTENT_HEADERS,
        Capability.MULTIPART_UPLOADS,
        Capability.STORAGE_OPTIONS,
        Capability.TAGS,
        Capability.VERSIONS,
    }
)
"""The capabilities of contract 0.2 that every S3 server may have."""

NOT_OF_DIRECTORIES = frozenset({Capability.TAGS, Capability.VERSIONS})
"""What directory buckets lack (S3 User Guide, "Differences for directory buckets")."""

LEARNED = {capability.value: capability for capability in (Capability.TAGS, Capability.VERSIONS)}
"""Capabilities that a backend no longer declares once the service has said that it does not have them."""


class AsyncS3Base(AsyncBackend):
    """The base class of the parts of the S3 backend.

    Args:
        bucket: Name of the bucket.
        options: The checked options.
        own_client: Whether the lane makes the client, so that the client reads as many header lines as the lane allows.

    Raises:
        TypeError: `credentials` cannot be called here.
        ValueError: The name of the bucket is blank or malformed.
    """

    name = "s3"
    capabilities = CONTRACT_0_1 - {Capability.ATOMIC_MOVE} | OF_S3

    def __init__(self, bucket: str, options: S3Options, *, own_client: bool = True) -> None:
        check_function(options.credentials)
        self._bucket = Bucket(check_bucket(bucket), options)
        self._most_metadata = MOST_ENTRIES if own_client else MOST_OF_A_HANDLE
        if not can_sign(options):
            self.capabilities = self.capabilities - {Capability.PRESIGN}
        if options.endpoint.bucket_kind == "directory":
            self.capabilities = self.capabilities - NOT_OF_DIRECTORIES
        self._narrow()
        self._runner = self._new_runner()

    def _new_runner(self) -> AsyncRunner:
        options = self._bucket.options
        return AsyncRunner(
            self._connect, options.max_concurrency, Events(self.name, options.on_event, self._bucket.name)
        )

    @abstractmethod
    async def _connect(self) -> AsyncS3Port:
        """Make the port. Called once per process, at the first request."""

    def native_path(self, key: str) -> str:
        """`bucket/key`."""
        require_text(key)
        return f"{self._bucket.name}/{key}" if key else self._bucket.name

    def to_key(self, path: str) -> str:
        """The key of a `bucket/key`."""
        require_text(path)
        bucket = self._bucket.name
        # The ARN of an access point may contain a slash.
        if path != bucket and not path.startswith(f"{bucket}/"):
            message = f"the native path does not begin with {bucket}/; pass a path of this bucket"
            raise InvalidPath(message, path=path, backend=self.name)
        return path[len(bucket) + 1 :]

    def resolve(self, key: str) -> ResolutionPlan:
        """The bucket, the endpoint and the region of a key. Sends no request."""
        options = self._bucket.options
        place = {"bucket": self._bucket.name, "endpoint_url": options.endpoint_url, "region_name": options.region_name}
        details = {name: value for name, value in place.items() if value is not None}
        return ResolutionPlan("s3", self.name, key, self.native_path(key), details)

    async def check_health(self) -> None:
        """List one key of the bucket: 1 request. Unlike a HEAD, an error response to a LIST has a code.

        It answers within 10 s, with all retries.
        """
        allowance = health_allowance(self._bucket.options.retry.total_timeout)
        await self._run(probes.check_health(self._bucket), None, None, allowance)

    def unwrap(self, kind: type[T]) -> T:
        """Raise, because this backend has no native handle. Lanes that have one override this.

        Raises:
            CapabilityNotSupported: Always.
        """
        self._runner.check_open()
        message = f"this backend has no handle of type {kind.__name__}"
        raise CapabilityNotSupported(message, capability="unwrap", backend=self.name)

    async def close(self) -> None:
        """Close the client, unless the user passed it in."""
        await self._runner.close()

    async def __aenter__(self) -> Self:
        self._runner.check_open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        endpoint = self._bucket.options.endpoint_url
        return f"{type(self).__name__}({self._bucket.name!r}{f', endpoint_url={endpoint!r}' if endpoint else ''})"

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_runner"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._runner = self._new_runner()

    def _narrow(self) -> None:
        """Drop the capabilities whose conditions the endpoint is not trusted with. A probe may have shown that."""
        unfounded = trust.unfounded(self._bucket)
        if not self.capabilities.isdisjoint(unfounded):
            self.capabilities = self.capabilities - unfounded

    def _check(self, check: Callable[[str], None], path: str) -> None:
        with contract_errors(self.name, path):
            self._runner.check_open()
            check(path)
        if self._bucket.options.endpoint.probes:
            self._narrow()

    def _asked(self, kind: type, path: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options that were given, if this backend has the capabilities that they need."""
        return supported(kind, options, self.capabilities, path, self.name) if options else {}

    def _allowance(self) -> Allowance | None:
        """The time that a new operation may take."""
        return allowance_of(self._bucket.options.retry.total_timeout)

    async def _run(
        self,
        operation: Operation[T],
        path: str | None,
        source: AsyncSource | None = None,
        allowance: Allowance | None = None,
    ) -> T:
        try:
            with contract_errors(self.name, path, source):
                return await self._runner.run(operation, source, allowance or self._allowance())
        except CapabilityNotSupported as error:
            if (learned := LEARNED.get(error.capability)) is not None:
                self.capabilities = self.capabilities - {learned}
            raise
        finally:
            if self._bucket.options.endpoint.probes:
                self._narrow()

    def _reader(self, opened: Opened, path: str, *, exact: bool, allowance: Allowance | None = None) -> AsyncReader:
        options = self._bucket.options
        return AsyncObjectReader(
            self._runner, options, opened, exact=exact, backend=self.name, path=path, allowance=allowance
        )

    async def _pages(self, path: str, cursor: Cursor, take: Callable[[Page], Iterator[T]]) -> AsyncIterator[T]:
        allowance = self._allowance()
        while not cursor.done:
            page = await self._run(paging.next_page(self._bucket, cursor), path, None, allowance)
            for item in take(page):
                yield item
