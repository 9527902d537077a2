"""From the options of the contract, or a filesystem of the user's, to a client."""

from __future__ import annotations

import inspect
import os
from collections.abc import AsyncIterator
from functools import cache, partial
from types import SimpleNamespace
from typing import Any, TypeVar

import aiobotocore.hooks
from aiobotocore.config import AioConfig
from aiobotocore.httpsession import AIOHTTPSession
from aiobotocore.parsers import AioResponseParserFactory, AioRestXMLParser
from aiobotocore.session import AioSession
from botocore import handlers, hooks
from botocore.config import Config
from botocore.exceptions import ParamValidationError
from botocore.loaders import create_loader
from botocore.validate import validate_parameters
from s3fs import S3FileSystem

from remote_store.core.s3 import Fault, S3OptionFields, S3Options, sdk_options
from remote_store.core.s3.answer_headers import HeaderReader
from remote_store.core.s3.faults import typed
from remote_store.core.s3.listing_xml import answer_listing
from remote_store.core.s3.options import KIB
from remote_store.core.s3.sdk_faults import fault_of
from remote_store.s3fs.port import FAILED, TRANSPORT, AsyncS3FsPort

T = TypeVar("T")
USER_AGENT = f"remote-store-s3fs aiobotocore/{aiobotocore.__version__}"
PIECE = 256 * KIB

shared_loader = cache(create_loader)


class Handle:
    """The filesystem of a backend, the user's or one of our own; another one in each process.

    Args:
        fs: The user's filesystem; `None` for one of our own, which is made when it is first needed.
        options: The keyword arguments of the backend.
        asynchronous: Whether the filesystem belongs to the running event loop, and not to fsspec's own.

    Raises:
        TypeError: An option is unknown or of the wrong type, or `fs` is no S3FileSystem.
        ValueError: An option cannot be meant or does not go with `fs`, or `fs` is made for the other backend.
        FileNotFoundError: `tls_ca_bundle` names no file.
    """

    def __init__(self, fs: S3FileSystem | None, options: S3OptionFields, *, asynchronous: bool) -> None:
        self.options = S3Options.build(**options)
        sdk_options.check_client_options(self.options, Config)
        if fs is not None:
            given = {name for name, value in options.items() if value is not None}
            right = isinstance(fs, S3FileSystem)
            sdk_options.check_handle("fs", fs, right=right, refused=given - sdk_options.WITH_HANDLE)
            if fs.asynchronous is not asynchronous:
                raise ValueError(f"fs must be made with asynchronous={asynchronous} for this backend")
            theirs = {"endpoint_url": fs.endpoint_url or fs.client_kwargs.get("endpoint_url")}
            put_options = {**fs.s3_additional_kwargs, **fs.req_kw, **self.options.put_options}
            self.options = S3Options.build(**{**options, **theirs, "put_options": put_options})
        self._fs = fs
        self._asynchronous = asynchronous
        self._made: dict[int, S3FileSystem] = {}

    def filesystem(self) -> S3FileSystem:
        """The filesystem of this process; threads that ask at once get the same one.

        Raises:
            Fault: There is no such profile.
        """
        process = os.getpid()
        try:
            return self._made.get(process) or self._made.setdefault(process, self._make())
        except FAILED as error:
            raise fault_of(error, TRANSPORT, attempts=1) from error

    def get(self, kind: type[T]) -> T | None:
        """The filesystem where it is of the given type.

        Raises:
            PermissionDenied: There is no such profile.
        """
        try:
            filesystem = self.filesystem()
        except Fault as fault:
            raise typed(fault) from fault.__cause__
        return filesystem if isinstance(filesystem, kind) else None

    async def connect(self, bucket: str) -> AsyncS3FsPort:
        """A port over the filesystem's client.

        Raises:
            Fault: There are no whole credentials where they are looked for.
            ValueError: The AWS configuration and the options disagree, or `put_options` cannot be sent.
        """
        filesystem = self.filesystem()
        try:
            await filesystem.set_session()
            client = await filesystem.get_s3(bucket)
        except FAILED as error:
            raise fault_of(error, TRANSPORT, attempts=1) from error
        if self._fs is not None:
            return AsyncS3FsPort(client, room=None, theirs=filesystem)
        sdk_options.check_client(client, self.options, validate_parameters, ParamValidationError)
        return AsyncS3FsPort(client, room=max(self.options.max_connections, self.options.max_concurrency), theirs=None)

    def _make(self) -> S3FileSystem:
        if self._fs is None:
            return create_filesystem(self.options, asynchronous=self._asynchronous)
        try:
            self._fs.loop  # noqa: B018 - asking is how fsspec tells that the process was forked
        except RuntimeError:
            return type(self._fs)(*self._fs.storage_args, **self._fs.storage_options)
        return self._fs

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_made": {}}


def create_filesystem(options: S3Options, *, asynchronous: bool) -> S3FileSystem:
    """Make a filesystem that nobody else has and that caches nothing; no I/O."""
    arguments = {name: value for name, value in sdk_options.client_arguments(options).items() if value is not None}
    config = config_arguments(options, arguments.pop("config", None))
    filesystem = S3FileSystem(
        anon=options.anon,
        client_kwargs=arguments,
        config_kwargs=config,
        asynchronous=asynchronous,
        use_listings_cache=False,
        skip_instance_cache=True,
        **({} if options.profile is None else {"profile": options.profile}),
    )
    # Given above, it would keep the filesystem from being pickled.
    filesystem.session = private_session(options)
    return filesystem


def config_arguments(options: S3Options, theirs: Config | None) -> dict[str, Any]:
    """The arguments of the client's configuration; what the user's own says wins."""
    ours = {**sdk_options.config_arguments(options), "user_agent": USER_AGENT, "http_session_cls": SingleRequests}
    # The port bounds calls; a bound on connections would let open readers wait for each other.
    ours["max_pool_connections"] = 0
    if not options.anon:
        ours["signature_version"] = "s3v4"
    if theirs is None:
        return ours
    merged = AioConfig(**ours).merge(theirs)
    names = {*AioConfig.OPTION_DEFAULTS, *inspect.signature(AioConfig).parameters} - {"kwargs"}
    return {**{name: getattr(merged, name) for name in names}, "s3": {**ours["s3"], **(theirs.s3 or {})}}


def private_session(options: S3Options) -> AioSession:
    """A session that nobody else has; it shares the parsed service models with the others of this process."""
    events = sdk_options.session_hooks(aiobotocore.hooks.AioHierarchicalEmitter, hooks.EventAliaser, handlers)
    session = AioSession(profile=options.profile, event_hooks=events, include_builtin_handlers=False)
    session.register_component("data_loader", shared_loader(session.get_config_variable("data_path")))
    session.register_component("response_parser_factory", AnswerParsers())
    # Our parser reads a malformed `Expires` itself.
    session.unregister("before-parse.s3.*", handlers.handle_expires_header)
    # Under this name it comes before botocore's look for an error, which would parse the page as well.
    session.register("before-parse.*.ListObjectsV2", answer_listing)
    # Looking for a bucket's region, botocore asks for it for ever where no answer says it.
    asked = "before-call.s3" if options.custom_endpoint else "before-call.s3.HeadBucket"
    session.register(asked, sdk_options.do_not_redirect)
    # Nothing on S3's side needs the headers that say how often a request was tried; they are signed at each request.
    session.unregister("request-created", handlers.add_retry_headers)
    session.register("needs-retry.s3", sdk_options.retry_too_many_requests(options.retry))
    for event in ("before-parameter-build.s3.PutObject", "before-parameter-build.s3.UploadPart"):
        session.unregister(event, handlers.convert_body_to_file_like_object)
        session.register(event, send_in_pieces)
    return session


def send_in_pieces(params: dict[str, Any], **_others: Any) -> None:
    """Handle `before-parameter-build`: a small body goes out as it is, a large one as a file is sent."""
    if len(params["Body"]) >= sdk_options.LARGE_BODY:
        params["Body"] = Pieces(params["Body"])


class Pieces:
    """A body that is sent without being copied, and after asking for leave, because botocore takes it for a file.

    Args:
        data: The bytes.
    """

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._at = 0

    def __len__(self) -> int:
        return len(self._data)

    def tell(self) -> int:
        """The position in bytes."""
        return self._at

    def seek(self, offset: int) -> None:
        """Move, to be read, hashed or sent again."""
        self._at = offset

    def read(self, size: int | None = None) -> memoryview:
        """Up to `size` bytes; all that is left without it; empty at the end."""
        start, self._at = self._at, len(self) if size is None else min(len(self), self._at + size)
        return self._data[start : self._at]

    async def __aiter__(self) -> AsyncIterator[memoryview]:
        while piece := self.read(PIECE):
            yield piece


class SingleRequests(AIOHTTPSession):  # type: ignore[misc]
    """Sends a request once: aiohttp alone would send it again on a lost connection, and go where a redirect points."""

    async def _get_session(self, proxy_url: str | None) -> Any:
        session = await super()._get_session(proxy_url)
        session._retry_connection = False  # noqa: SLF001 - aiohttp has no public name for it
        return SimpleNamespace(request=partial(session.request, allow_redirects=False))


class AnswerParser(AioRestXMLParser):  # type: ignore[misc]
    """Parses answers of S3; it keeps nothing of them, so that one serves all."""

    reader = HeaderReader()

    async def parse(self, response: dict[str, Any], shape: Any) -> dict[str, Any]:
        """The answer in botocore's shape, an error included."""
        answer = self.reader.read(response, shape)
        return await super().parse(response, shape) if answer is None else answer


class AnswerParsers(AioResponseParserFactory):  # type: ignore[misc]
    """Hands out one parser, where aiobotocore makes one for each answer."""

    parser = AnswerParser()

    def create_parser(self, protocol_name: str) -> Any:
        """The parser for a protocol; S3 speaks `rest-xml`, the services that hand out credentials others."""
        return self.parser if protocol_name == "rest-xml" else super().create_parser(protocol_name)
