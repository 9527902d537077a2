"""Prepares the sessions that a lane makes for itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any

from remote_store.botocore.names import lookup
from remote_store.core.s3 import parse_time


def prepare_session(session: Any) -> None:
    """Make a session share the parsed service models, and parse times faster than botocore does."""
    set_component(session, "data_loader", shared_loader(session.get_config_variable("data_path")))
    set_time_parser(session)


@cache
def shared_loader(data_path: str | None) -> Any:
    """The loader of service models, shared by all sessions with the same `data_path`, so that each is parsed once."""
    create = lookup("botocore.loaders", "create_loader")
    return None if create is None else create(data_path)


def set_component(session: Any, name: str, component: Any) -> None:
    """Register a component in a session, if there is one and this release of botocore allows it."""
    register = lookup(session, "register_component")
    if register is not None and component is not None:
        register(name, component)


def set_time_parser(session: Any) -> None:
    """Make a session parse times faster than botocore's parser does."""
    parse_any = lookup("botocore.utils", "parse_timestamp")
    try:
        factory = session.get_component("response_parser_factory")
    except ValueError:
        return
    set_defaults = lookup(factory, "set_parser_defaults")
    if parse_any is not None and set_defaults is not None:
        set_defaults(timestamp_parser=time_parser(parse_any))


def time_parser(parse_any: Callable[[Any], datetime]) -> Callable[[Any], datetime]:
    """Make a parser of times in S3's formats that falls back to `parse_any` for other formats."""

    def parse(text: Any) -> datetime:
        try:
            return parse_time(text)
        except (TypeError, ValueError):
            return parse_any(text)

    return parse
