"""Makes the S3 client from a backend's options."""

from __future__ import annotations

import os
import threading

import boto3
from botocore import UNSIGNED
from botocore.client import BaseClient
from botocore.config import Config
from botocore.session import Session

from remote_store.botocore import (
    ask_before_large_body,
    check_configuration,
    check_session,
    client_arguments,
    config_arguments,
    lookup,
    prepare_session,
    register_handlers,
    trusted,
    user_agent,
)
from remote_store.core.s3 import S3Options

USER_AGENT = f"remote-store-boto3 Boto3/{boto3.__version__}"

_lent = threading.Lock()
"""Held while a client is made with the user's session, because botocore sessions are not thread-safe."""


def _renew_lock() -> None:
    """Replace the lock in a forked child, because another thread may have held it at the fork."""
    global _lent  # noqa: PLW0603 - a lock cannot be renewed in place
    _lent = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


def create_client(options: S3Options, session: boto3.Session | None = None) -> BaseClient:
    """Make a client with the user's session, or with a new one.

    Args:
        options: The options of the client.
        session: The user's session, which provides credentials and configuration and is not changed.

    Raises:
        BotoCoreError: The credentials are missing or incomplete.
        MalformedCredentials: The credentials contain white space or control characters.
        Fault: The AWS configuration has a setting of the wrong form, or a certificate file cannot be read.
    """
    theirs = options.client_options.get("config") or Config()
    arguments = client_arguments(options)
    client: BaseClient
    if session is None:
        own = private_session(options.profile)
        check_configuration(options, own)
        arguments["config"] = client_config(options, theirs, user_agent(USER_AGENT, theirs, own.get_config_variable))
        if not options.anon and options.key is None:
            check_session(own)
        client = own.create_client("s3", **arguments)
    else:
        check_configuration(options)
        config = client_config(options, theirs, user_agent(USER_AGENT, theirs))
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


def private_session(profile: str | None) -> Session:
    """A session that is not shared, except for the parsed service models, which are shared in the process."""
    session = Session(profile=profile)
    prepare_session(session)
    # As boto3's session does: adds `upload_file` and similar methods, for callers of `unwrap`.
    if (lazy_call := lookup("boto3.utils", "lazy_call")) is not None:
        session.register("creating-client-class.s3", lazy_call("boto3.s3.inject.inject_s3_transfer_methods"))
    return session


def certificates_of(options: S3Options, session: boto3.Session | None = None) -> bool | str:
    """Return which certificates the client trusts: the path of a CA bundle, `True` for the SDK's, `False` for all."""
    named = session is not None and session.profile_name != "default"
    profile = session.profile_name if session and named else options.profile
    return trusted(options, private_session(profile).get_config_variable)


def client_config(options: S3Options, theirs: Config, agent: str) -> Config:
    """The configuration of the client. Values of the user's config override ours. A fixed user agent saves time."""
    arguments = config_arguments(options)
    styles = Config(s3={**arguments["s3"], **(theirs.s3 or {})})
    if options.anon:
        arguments["signature_version"] = UNSIGNED
    ours = Config(user_agent=agent, **arguments)
    return ours.merge(theirs).merge(styles)
