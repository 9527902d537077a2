"""Registers and removes handlers on a client of botocore; each name of botocore is looked up and may be missing."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from remote_store.core.s3.sdk_faults import MalformedCredentials, no_retry_helps
from remote_store.core.s3.times import parse_time

NOT_IN_A_TOKEN = re.compile(r"[^A-Za-z0-9!#$%&'*+.^_`|~,-]")
"""What botocore replaces in an application id too."""

BREAKS_A_HEADER = re.compile(r"[\0\r\n]")
CREDENTIALS = {"authorization": "access key", "x-amz-security-token": "session token"}
"""What of the credentials stands in which header."""

UNREADABLE_IS_ABSENT: dict[str, Callable[[str], object]] = {"integer": int, "long": int, "timestamp": parse_time}
"""How a header of each type of botocore's model is read, where one that cannot be read is to be left out."""


def remove_handler(events: Any, event: str, module: Any, name: str) -> None:
    """Remove one of botocore's own handlers, if this release of botocore has it.

    Args:
        events: The events of a client or session.
        event: The event that the handler is registered for.
        module: The module `botocore.handlers`.
        name: Name of the handler in it.
    """
    handler = getattr(module, name, None)
    if handler is not None:
        events.unregister(event, handler)


def set_component(session: Any, name: str, component: Any) -> None:
    """Give a session a component of ours, if this release of botocore lets it be chosen and `component` exists."""
    register = getattr(session, "register_component", None)
    if register is not None and component is not None:
        register(name, component)


def set_time_parser(session: Any, utilities: Any) -> None:
    """Have a session read times in a fraction of the time that botocore's own parser takes.

    Args:
        session: A session of our own.
        utilities: The module `botocore.utils`.
    """
    parse_any = getattr(utilities, "parse_timestamp", None)
    try:
        set_defaults = session.get_component("response_parser_factory").set_parser_defaults
    except (AttributeError, ValueError):
        return
    if parse_any is not None:
        set_defaults(timestamp_parser=time_parser(parse_any))


def user_agent(ours: str, config: Any, find: Callable[[str], Any] | None = None) -> str:
    """The header `User-Agent` with the application id that the user chose; botocore leaves it out of a fixed one.

    Args:
        ours: What is sent in any case.
        config: The user's `Config`, or `None`.
        find: Reads a setting of the session; without it the environment is asked.
    """
    setting = os.environ.get("AWS_SDK_UA_APP_ID") if find is None else find("user_agent_appid")
    appid = getattr(config, "user_agent_appid", None) or setting
    return f"{ours} app/{NOT_IN_A_TOKEN.sub('-', appid)}" if appid else ours


def time_parser(parse_any: Callable[[Any], datetime]) -> Callable[[Any], datetime]:
    """Make a parser of times as S3 writes them, which leaves any other form to `parse_any`."""

    def parse(text: Any) -> datetime:
        try:
            return parse_time(text)
        except (TypeError, ValueError):
            return parse_any(text)

    return parse


def drop_unreadable_headers(response_dict: dict[str, Any], operation_model: Any = None, **_others: Any) -> None:
    """Handle botocore's `before-parse`: leave out headers that botocore would fail to read with a bare `ValueError`."""
    shape, headers = getattr(operation_model, "output_shape", None), response_dict["headers"]
    for member in shape.members.values() if shape is not None else ():
        read = UNREADABLE_IS_ABSENT.get(member.type_name)
        name = member.serialization.get("name")
        # botocore has a handler of its own for `Expires`.
        if read is None or member.serialization.get("location") != "header" or name == "Expires" or name not in headers:
            continue
        try:
            read(headers[name])
        except ValueError:
            del headers[name]


def refuse_malformed_credentials(request: Any, **_others: Any) -> None:
    """Handle botocore's `before-send`: do not let http.client refuse the credentials, since its error shows them.

    Raises:
        MalformedCredentials: The access key or the session token has a line break in it.
    """
    for name, value in request.headers.items():
        text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
        if BREAKS_A_HEADER.search(text):
            what = CREDENTIALS.get(name.lower(), f"header {name!r}")
            raise MalformedCredentials(f"the {what} has a line break in it; look where it is set, it may end with one")


def fail_at_once(caught_exception: Exception | None = None, **_others: Any) -> None:
    """Handle botocore's `needs-retry`: raise again what would fail in the same way at each try."""
    if caught_exception is not None and no_retry_helps(caught_exception) is not None:
        raise caught_exception
