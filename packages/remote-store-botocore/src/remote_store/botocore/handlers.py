"""The handlers of botocore's events that the lanes register, and those of botocore that they remove."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import Any

from remote_store.botocore.documents import register_checks
from remote_store.botocore.faults import MalformedCredentials
from remote_store.botocore.names import lookup
from remote_store.botocore.schemes import SchemeDoubt, ask_for_tls, ask_for_tls_async
from remote_store.core import RetryPolicy
from remote_store.core.s3 import MIB, S3Options, no_retry_helps, parse_time

LARGE_BODY = 1 * MIB
"""Bodies of at least this many bytes are sent with `Expect: 100-continue`."""

TOO_MANY_REQUESTS = 429

NOT_IN_A_TOKEN = re.compile(r"[^A-Za-z0-9!#$%&'*+.^_`|~,-]")
"""The characters that botocore replaces in an application id."""

BREAKS_A_HEADER = re.compile(r"[\0\r\n]")
PRESIGNS = {"v4-query": "s3v4-query", "v4-presign-post": "s3v4-presign-post"}
"""S3's Signature Version 4 of URLs and forms, in place of the generic one, which S3 does not accept."""

CREDENTIALS = {"authorization": "access key", "x-amz-security-token": "session token"}
"""Headers that contain a part of the credentials."""

UNREADABLE_IS_ABSENT: dict[str, Callable[[str], object]] = {"integer": int, "long": int, "timestamp": parse_time}
"""Parsers for the types of headers in botocore's model. A header that cannot be parsed is dropped."""


def register_handlers(events: Any, options: S3Options, *, asynchronous: bool = False) -> None:
    """Register the handlers that every client of a lane needs, and remove handlers of botocore that it does not need.

    Args:
        events: The events of a client or session that the lane made.
        options: The options that the client is made with.
        asynchronous: Whether the events await the results of handlers, as aiobotocore's do.
    """
    register_checks(events)
    # If no response names the bucket's region, botocore would look for it in an endless loop.
    events.register("before-call.s3.HeadBucket" if options.endpoint.redirects else "before-call.s3", do_not_redirect)
    events.register("before-parse.s3", drop_unreadable_headers)
    events.register("before-send.s3", refuse_malformed_credentials)
    events.register("needs-retry.s3", fail_at_once)
    if not (doubt := SchemeDoubt(options)).is_settled:
        events.register("needs-retry.s3", (ask_for_tls_async if asynchronous else ask_for_tls)(doubt))
    events.register("needs-retry.s3", retry_too_many_requests(options.retry))
    events.register_first("choose-signer.s3", presign_by_version_4)
    events.register_first("before-endpoint-resolution.s3", presign_for_the_region)
    # S3 does not need the retry count in a header, and signing it takes time.
    remove_handler(events, "request-created", "add_retry_headers")
    # The header is for endpoint discovery, which no S3 operation uses.
    remove_handler(events, "before-call", "inject_api_version_header_if_needed")
    if options.custom_endpoint:
        # The header is for AWS only: it identifies the chain of Lambda functions that a request belongs to.
        remove_handler(events, "before-call", "add_recursion_detection_header")
    for operation in ("PutObject", "UploadPart"):
        # Without this handler, bytes are sent without a copy into a `BytesIO`.
        remove_handler(events, f"before-parameter-build.s3.{operation}", "convert_body_to_file_like_object")


def remove_handler(events: Any, event: str, name: str) -> None:
    """Remove one of botocore's own handlers, if this release of botocore has it.

    Args:
        events: The events of a client or session.
        event: The event that the handler is registered for.
        name: Name of the handler in `botocore.handlers`.
    """
    handler = lookup("botocore.handlers", name)
    if handler is not None:
        events.unregister(event, handler)


def user_agent(ours: str, config: Any, find: Callable[[str], Any] | None = None) -> str:
    """The `User-Agent` header with the user's application id, which botocore does not add to a fixed user agent.

    Args:
        ours: The part that is always sent.
        config: The user's `Config`, or `None`.
        find: Reads a setting of the session; `None` to read only the environment.
    """
    setting = os.environ.get("AWS_SDK_UA_APP_ID") if find is None else find("user_agent_appid")
    appid = getattr(config, "user_agent_appid", None) or setting
    return f"{ours} app/{NOT_IN_A_TOKEN.sub('-', appid)}" if appid else ours


def drop_unreadable_headers(response_dict: dict[str, Any], operation_model: Any = None, **_others: Any) -> None:
    """Handle botocore's `before-parse`: drop headers for which botocore would raise a bare `ValueError`."""
    shape, headers = getattr(operation_model, "output_shape", None), response_dict["headers"]
    for member in shape.members.values() if shape is not None else ():
        read = UNREADABLE_IS_ABSENT.get(member.type_name)
        name = member.serialization.get("name")
        # botocore itself handles an invalid `Expires`.
        if read is None or member.serialization.get("location") != "header" or name == "Expires" or name not in headers:
            continue
        try:
            read(headers[name])
        except ValueError:
            del headers[name]


def refuse_malformed_credentials(request: Any, **_others: Any) -> None:
    """Handle botocore's `before-send`: refuse malformed credentials, because http.client's error would show them.

    Raises:
        MalformedCredentials: The access key, the session token or another header contains a line break.
    """
    for name, value in request.headers.items():
        text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
        if BREAKS_A_HEADER.search(text):
            what = CREDENTIALS.get(name.lower(), f"header {name!r}")
            raise MalformedCredentials(f"the {what} contains a line break; check where it is set, it may end with one")


def fail_at_once(caught_exception: Exception | None = None, **_others: Any) -> None:
    """Handle botocore's `needs-retry`: raise an error that a retry does not change."""
    if caught_exception is not None and no_retry_helps(caught_exception) is not None:
        raise caught_exception


def presign_by_version_4(signature_version: Any = None, **_others: Any) -> str | None:
    """Handle botocore's `choose-signer`: presign with Signature Version 4, where botocore would use version 2."""
    return PRESIGNS.get(signature_version)


def presign_for_the_region(context: dict[str, Any], **_others: Any) -> None:
    """Handle botocore's `before-endpoint-resolution`: presign for the host that requests are sent to.

    botocore would presign for the global host of S3. That host may redirect, and a signature is valid for one host.
    """
    if "use_global_endpoint" in context:
        context["use_global_endpoint"] = False


def do_not_redirect(context: Mapping[str, Any], **_others: Any) -> None:
    """Handle botocore's `before-call`: keep botocore from looking for the bucket's region and redirecting there."""
    context.get("s3_redirect", {})["redirected"] = True


def retry_too_many_requests(retry: RetryPolicy) -> Callable[..., float | None]:
    """Make a handler of botocore's `needs-retry` that retries a 429 without a code, as botocore 1.44 does."""

    def delay(response: tuple[Any, Any] | None = None, attempts: int = 1, **_others: Any) -> float | None:
        too_many = response is not None and response[0].status_code == TOO_MANY_REQUESTS
        return retry.delay(attempts) if too_many and attempts < retry.max_attempts else None

    return delay


def ask_before_large_body(params: dict[str, Any], **_others: Any) -> None:
    """Handle botocore's `before-call`: send a large body with `Expect: 100-continue`. Costs one round trip.

    The server can then refuse the request before the body is sent.
    """
    body = params["body"]
    if isinstance(body, bytes | bytearray | memoryview) and len(body) >= LARGE_BODY:
        params["headers"]["Expect"] = "100-continue"
