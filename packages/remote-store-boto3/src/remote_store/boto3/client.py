"""From the options of the contract to an S3 client of our own."""

from __future__ import annotations

import os
import threading
from functools import cache
from typing import Any

import boto3
from boto3.utils import lazy_call
from botocore import UNSIGNED, handlers
from botocore.auth import SIGNED_HEADERS_BLACKLIST, S3SigV4Auth
from botocore.client import BaseClient
from botocore.config import Config
from botocore.hooks import EventAliaser, HierarchicalEmitter
from botocore.loaders import create_loader
from botocore.session import Session

from remote_store.boto3.answers import AnswerParsers
from remote_store.core.s3.answer_head import read_plain_heads
from remote_store.core.s3.listing_xml import answer_listing
from remote_store.core.s3.options import S3Options
from remote_store.core.s3.sdk_endpoints import KnownEndpoints
from remote_store.core.s3.sdk_options import (
    ask_before_large_body,
    client_arguments,
    config_arguments,
    do_not_redirect,
    retry_too_many_requests,
    session_hooks,
)
from remote_store.core.s3.sdk_pools import keep_pool
from remote_store.core.s3.sdk_signing import sign_in_one_pass

USER_AGENT = f"remote-store-boto3 Boto3/{boto3.__version__}"

_creating = threading.Lock()
if hasattr(os, "register_at_fork"):
    # A child forked while another thread makes a client must not find the lock taken.
    os.register_at_fork(before=_creating.acquire, after_in_parent=_creating.release, after_in_child=_creating.release)

shared_loader = cache(create_loader)


def create_client(options: S3Options, session: boto3.Session | None = None) -> BaseClient:
    """Make a client, one at a time, because botocore cannot make several at once.

    Args:
        options: What the client is to do.
        session: The user's session, which only lends its credentials and configuration.

    Raises:
        BotoCoreError: There are no whole credentials where they are looked for.
    """
    with _creating:
        create = own_session(options).create_client if session is None else session.client
        config = client_config(options, options.client_options.get("config") or Config())
        client: BaseClient = create("s3", **{**client_arguments(options), "config": config})
    read_plain_heads(client)
    keep_pool(client)
    sign_in_one_pass(client, S3SigV4Auth, SIGNED_HEADERS_BLACKLIST)
    # The client has a copy of its session's handlers, so nothing below changes the session.
    events = client.meta.events
    # Under this name it comes before botocore's look for an error, which would parse the page as well.
    events.register("before-parse.*.ListObjectsV2", answer_listing)
    # Looking for a bucket's region, botocore asks for it for ever where no answer says it.
    events.register("before-call.s3" if options.custom_endpoint else "before-call.s3.HeadBucket", do_not_redirect)
    # Nothing on S3's side needs the headers that say how often a request was tried; they are signed at each request.
    events.unregister("request-created", handlers.add_retry_headers)
    # No operation of S3 finds its endpoint by asking the service for one, which is what the version would be for.
    events.unregister("before-call", handlers.inject_api_version_header_if_needed)
    if options.custom_endpoint:
        # The header tells AWS which chain of Lambda functions a request belongs to.
        events.unregister("before-call", handlers.add_recursion_detection_header)
    events.register("needs-retry.s3", retry_too_many_requests(options.retry))
    for operation in ("PutObject", "UploadPart"):
        # Bytes made a file are sent in small pieces, and only after asking the server whether it wants them.
        events.unregister(f"before-parameter-build.s3.{operation}", handlers.convert_body_to_file_like_object)
        events.register(f"before-call.s3.{operation}", ask_before_large_body)
    return client


def own_session(options: S3Options) -> Session:
    """A private session for clients of these options."""
    session = private_session(options.profile)
    if options.custom_endpoint:
        session.register("creating-client-class.s3", keep_endpoints)
    return session


def private_session(profile: str | None) -> Session:
    """A session that nobody else has; it shares the parsed service models with the others of this process."""
    hooks = session_hooks(HierarchicalEmitter, EventAliaser, handlers)
    session = Session(profile=profile, event_hooks=hooks, include_builtin_handlers=False)
    session.register_component("data_loader", shared_loader(session.get_config_variable("data_path")))
    session.register_component("response_parser_factory", AnswerParsers())
    # Our parser reads a malformed `Expires` itself.
    session.unregister("before-parse.s3.*", handlers.handle_expires_header)
    # What boto3's own session adds to a client, for who unwraps it: `upload_file` and its like.
    session.register("creating-client-class.s3", lazy_call("boto3.s3.inject.inject_s3_transfer_methods"))
    return session


def client_config(options: S3Options, theirs: Config) -> Config:
    """The configuration of the client; what the user's own says wins."""
    arguments = config_arguments(options)
    styles = Config(s3={**arguments["s3"], **(theirs.s3 or {})})
    ours = Config(signature_version=UNSIGNED if options.anon else "s3v4", user_agent=USER_AGENT, **arguments)
    return ours.merge(theirs).merge(styles)


class NeverRedirected(BaseClient):  # type: ignore[misc]
    """A client of an endpoint that redirects nothing."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        options["endpoint_ruleset_resolver"] = KnownEndpoints(options["endpoint_ruleset_resolver"])
        super().__init__(*arguments, **options)
        # Made anew, a user agent tells AWS which features of the SDK a call uses; not one that is set, as ours is.
        rebuild = getattr(options.get("user_agent_creator"), "rebuild_and_replace_user_agent_handler", None)
        self.meta.events.unregister("request-created.s3", rebuild)


def keep_endpoints(base_classes: list[type], **_others: Any) -> None:
    """Handle `creating-client-class`."""
    base_classes.insert(0, NeverRedirected)
