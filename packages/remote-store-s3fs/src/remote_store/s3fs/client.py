"""Makes the S3FileSystem and its client from a backend's options, or uses the filesystem passed as `fs`."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import SimpleNamespace
from typing import Any, TypeVar

import aiobotocore
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore.config import Config
from botocore.session import Session
from s3fs import S3FileSystem

from remote_store.botocore import (
    WITH_HANDLE,
    as_faults,
    check_client,
    check_client_options,
    check_configuration,
    check_handle,
    check_session_async,
    client_arguments,
    config_arguments,
    locate,
    prepare_session,
    register_handlers,
    renew_credentials_async,
    user_agent,
    warn_of_redirects,
)
from remote_store.core.s3 import S3OptionFields, S3Options, contract_errors
from remote_store.s3fs.http import HttpSession
from remote_store.s3fs.port import FAILED, TRANSPORT, AsyncS3FsPort

T = TypeVar("T")
NAME = "s3-s3fs"
USER_AGENT = f"remote-store-s3fs aiobotocore/{aiobotocore.__version__}"


class Handle:
    """The filesystem of a backend: the one passed as `fs`, or one made here. Each process has its own.

    Args:
        bucket: Name of the bucket.
        fs: The user's filesystem; `None` to make one when it is first needed.
        options: The keyword arguments of the backend.
        asynchronous: Whether the filesystem runs in the caller's event loop instead of fsspec's.

    Raises:
        TypeError: An option is unknown or of the wrong type, or `fs` is not an S3FileSystem.
        ValueError: An option has an impossible value or cannot be combined with `fs`, or `fs` was made with the wrong
            `asynchronous`.
        FileNotFoundError: The file of `tls_ca_bundle` does not exist.
    """

    def __init__(self, bucket: str, fs: S3FileSystem | None, options: S3OptionFields, *, asynchronous: bool) -> None:
        self.options = S3Options.build(**options)
        check_client_options(self.options)
        config: Any = self.options.client_options.get("config")
        profile = self.options.profile
        if getattr(config, "proxies_config", None):
            raise ValueError("proxies_config in config cannot be honoured here; make a filesystem with it and pass fs=")
        if fs is not None:
            given = {name for name, value in options.items() if value is not None}
            check_handle("fs", fs, right=isinstance(fs, S3FileSystem), refused=given - WITH_HANDLE)
            if fs.asynchronous is not asynchronous:
                raise ValueError(f"fs must be made with asynchronous={asynchronous} for this backend")
            warn_of_redirects("a filesystem given as fs=")
            theirs = {"endpoint_url": fs.endpoint_url or fs.client_kwargs.get("endpoint_url")}
            put_options = {**fs.s3_additional_kwargs, **fs.req_kw, **self.options.put_options}
            self.options = S3Options.build(**{**options, **theirs, "put_options": put_options})
            # botocore's default is to send checksums.
            config = SimpleNamespace(**{"request_checksum_calculation": "when_supported", **fs.config_kwargs})
            profile = fs.kwargs.get("profile")
        new = partial(Session, profile=profile, include_builtin_handlers=False)
        self.options = locate(self.options, bucket, new, config=config)
        self._fs = fs
        self._asynchronous = asynchronous
        self._made: dict[int, S3FileSystem] = {}
        self._with_port: set[int] = set()

    def filesystem(self) -> S3FileSystem:
        """The filesystem of this process. Concurrent calls from several threads return the same one.

        Raises:
            Fault: The profile does not exist.
        """
        with as_faults(FAILED, TRANSPORT):
            return self._made.get(os.getpid()) or self._made.setdefault(os.getpid(), self._make())

    def get(self, kind: type[T], prepare: Callable[[], object] = lambda: None) -> T | None:
        """The filesystem if it is of the given type, else `None`.

        Args:
            kind: The type.
            prepare: Called before the filesystem is returned.

        Raises:
            PermissionDenied: The profile does not exist.
        """
        with contract_errors(NAME):
            filesystem = self.filesystem()
            if isinstance(filesystem, kind):
                prepare()
                return filesystem
            return None

    async def close(self) -> None:
        """Close the client of the filesystem made here, if it has one without a port. A port closes its client."""
        if self._fs is None and os.getpid() not in self._with_port:
            # There is no filesystem (KeyError), or it has no client (RuntimeError).
            with suppress(KeyError, RuntimeError):
                await self._made[os.getpid()].s3.close()

    async def connect(self, bucket: str) -> AsyncS3FsPort:
        """Make a port that uses the filesystem's client.

        Raises:
            Fault: The credentials are missing or incomplete.
            ValueError: The AWS configuration contradicts the options, or `put_options` cannot be sent.
        """
        filesystem = self.filesystem()
        with as_faults(FAILED, TRANSPORT):
            await filesystem.set_session()
            if self.options.finds_credentials and not filesystem.anon:
                await check_session_async(filesystem.session, filesystem.key, filesystem.secret, filesystem.token)
            client = await filesystem.get_s3(bucket)
        check_client(client, self.options)
        room = max(self.options.max_connections, self.options.max_concurrency) if self._fs is None else None
        self._with_port.add(os.getpid())
        return AsyncS3FsPort(client, room=room, theirs=None if self._fs is None else filesystem)

    def _make(self) -> S3FileSystem:
        if self._fs is None:
            return create_filesystem(self.options, asynchronous=self._asynchronous)
        with suppress(RuntimeError):
            self._fs.loop  # noqa: B018 - fsspec raises here if the process was forked
            return self._fs
        return type(self._fs)(*self._fs.storage_args, **self._fs.storage_options)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_made": {}, "_with_port": set()}


def create_filesystem(options: S3Options, *, asynchronous: bool) -> S3FileSystem:
    """Make a filesystem that is not shared and caches nothing. No I/O."""
    arguments = {name: value for name, value in client_arguments(options).items() if value is not None}
    session, theirs = private_session(options), arguments.pop("config", None)
    check_configuration(options, session)
    filesystem = S3FileSystem(
        anon=options.anon,
        client_kwargs=arguments,
        config_kwargs=merged_config(options, theirs, user_agent(USER_AGENT, theirs, session.get_config_variable)),
        asynchronous=asynchronous,
        use_listings_cache=False,
        skip_instance_cache=True,
        **({} if options.profile is None else {"profile": options.profile}),
    )
    # As a constructor argument, the session would make the filesystem unpicklable.
    filesystem.session = session
    return filesystem


def merged_config(options: S3Options, theirs: Config | None, agent: str) -> dict[str, Any]:
    """The arguments of the client's configuration. Values of the user's config override ours."""
    # The port limits concurrent calls; with a limit on connections, open readers could block each other.
    ours = config_arguments(options) | {"user_agent": agent, "http_session_cls": HttpSession, "max_pool_connections": 0}
    if theirs is None:
        return ours
    merged = AioConfig(**ours).merge(theirs)
    names = {*AioConfig.OPTION_DEFAULTS, *inspect.signature(AioConfig).parameters} - {"kwargs"}
    return {**{name: getattr(merged, name) for name in names}, "s3": {**ours["s3"], **(theirs.s3 or {})}}


def private_session(options: S3Options) -> AioSession:
    """A session that is not shared, except for the parsed service models, which are shared in the process."""
    session = AioSession(profile=options.profile)
    prepare_session(session)
    renew_credentials_async(session, options)
    register_handlers(session.get_component("event_emitter"), options, asynchronous=True)
    return session
