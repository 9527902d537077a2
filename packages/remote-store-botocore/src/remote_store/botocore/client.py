"""Makes S3 clients of botocore from a backend's options."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from botocore import UNSIGNED
from botocore.client import BaseClient
from botocore.config import Config
from botocore.session import Session

from remote_store.botocore.configuration import check_configuration
from remote_store.botocore.credentials import RenewedCredentials, check_session
from remote_store.botocore.handlers import ask_before_large_body, register_handlers, user_agent
from remote_store.botocore.session import prepare_session
from remote_store.botocore.settings import client_arguments, config_arguments
from remote_store.botocore.tls import trusted
from remote_store.core.s3 import S3Options

_lent = threading.Lock()
"""Held while a client is made with the user's session, because botocore sessions are not thread-safe."""


def _renew_lock() -> None:
    """Replace the lock in a forked child, because another thread may have held it at the fork."""
    global _lent  # noqa: PLW0603 - a lock cannot be renewed in place
    _lent = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


class UserSession(Protocol):
    """The part of a `boto3.Session` that is used here."""

    @property
    def profile_name(self) -> str:
        """The profile; `default` if none was named."""

    def get_credentials(self) -> Any:
        """The credentials that the session finds; `None` if there are none."""

    def client(self, service_name: str, **arguments: Any) -> BaseClient:
        """Make a client."""


@dataclass(frozen=True, slots=True)
class ClientMaker:
    """Makes the sessions and clients of one lane.

    Attributes:
        user_agent: The `User-Agent` header of requests. A fixed one saves time.
        is_session: Whether an object is a session that the lane accepts from its user.
        find_methods: Returns a handler of botocore's `creating-client-class` that adds methods to the client, for
            callers of `unwrap`, or `None`. Called when a client is made.
    """

    user_agent: str
    is_session: Callable[[object], bool]
    find_methods: Callable[[], Callable[..., None] | None]

    def session(self, profile: str | None) -> Session:
        """Make a session that is not shared, except for the parsed service models, which the process shares."""
        session = Session(profile=profile)
        prepare_session(session)
        session.register("creating-client-class.s3", self._add_methods)
        return session

    def client(
        self, options: S3Options, session: UserSession | None = None, credentials: RenewedCredentials | None = None
    ) -> BaseClient:
        """Make a client with the user's session, or with a new one.

        Args:
            options: The options of the client.
            session: The user's session, which provides credentials and configuration and is not changed.
            credentials: The credentials, if a function returns them.

        Raises:
            BotoCoreError: The credentials are missing or incomplete.
            MalformedCredentials: The credentials contain white space or control characters.
            Fault: The AWS configuration has a setting of the wrong form, or a certificate file cannot be read.
        """
        theirs = options.client_options.get("config") or Config()
        arguments = client_arguments(options)
        client: BaseClient
        if session is None:
            own = self.session(options.profile)
            check_configuration(options, own)
            agent = user_agent(self.user_agent, theirs, own.get_config_variable)
            arguments["config"] = client_config(options, theirs, agent)
            if credentials is not None:
                own.register_component("credential_provider", credentials)
            elif options.finds_credentials:
                check_session(own)
            client = own.create_client("s3", **arguments)
        else:
            check_configuration(options)
            config = client_config(options, theirs, user_agent(self.user_agent, theirs))
            # A session may set an endpoint that was not considered; `check_client` then refuses the client.
            config.ignore_configured_endpoint_urls = theirs.ignore_configured_endpoint_urls
            arguments["config"] = config
            # Finding credentials may take seconds. The session caches them here, outside the lock.
            if not options.anon:
                check_session(session)
            with _lent:
                client = session.client("s3", **arguments)
        # The client has a copy of its session's handlers, so nothing below changes the session.
        events = client.meta.events
        register_handlers(events, options)
        for operation in ("PutObject", "UploadPart"):
            events.register(f"before-call.s3.{operation}", ask_before_large_body)
        return client

    def certificates(self, options: S3Options, session: UserSession | None = None) -> bool | str:
        """Return which certificates the client trusts: the path of a CA bundle, `True` for the SDK's, `False` for all.

        Args:
            options: The options of the client.
            session: The user's session, if the client was made with it.
        """
        return trusted(options, self.session(profile_of(options, session)).get_config_variable)

    def _add_methods(self, **event: Any) -> None:
        """Handle botocore's `creating-client-class`."""
        if (add := self.find_methods()) is not None:
            add(**event)


def profile_of(options: S3Options, session: UserSession | None) -> str | None:
    """The profile that the user's session names, or else the option; `None` for the one in the environment."""
    is_named = session is not None and session.profile_name != "default"
    return session.profile_name if session and is_named else options.profile


def client_config(options: S3Options, theirs: Config, agent: str) -> Config:
    """The configuration of the client. Values of the user's config override ours."""
    arguments = config_arguments(options)
    styles = Config(s3={**arguments["s3"], **(theirs.s3 or {})})
    if options.anon:
        arguments["signature_version"] = UNSIGNED
    ours = Config(user_agent=agent, **arguments)
    return ours.merge(theirs).merge(styles)
