"""Prepares the sessions that only a lane itself uses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any

from remote_store.botocore.names import lookup
from remote_store.core.s3 import parse_time


def prepare_session(session: Any) -> None:
    """Have a session of our own share the parsed service models, and read times in a fraction of botocore's time."""
    set_component(session, "data_loader", shared_loader(session.get_config_variable("data_path")))
    set_time_parser(session)


@cache
def shared_loader(data_path: str | None) -> Any:
    """The parsed models of services, shared by all sessions that read them from the same place."""
    create = lookup("botocore.loaders", "create_loader")
    return None if create is None else create(data_path)


def set_component(session: Any, name: str, component: Any) -> None:
    """Give a session a component of ours, if this release of botocore lets it be chosen and `component` exists."""
    register = lookup(session, "register_component")
    if register is not None and component is not None:
        register(name, component)


def set_time_parser(session: Any) -> None:
    """Have a session of our own read times in a fraction of the time that botocore's own parser takes."""
    parse_any = lookup("botocore.utils", "parse_timestamp")
    try:
        factory = session.get_component("response_parser_factory")
    except ValueError:
        return
    set_defaults = lookup(factory, "set_parser_defaults")
    if parse_any is not None and set_defaults is not None:
        set_defaults(timestamp_parser=time_parser(parse_any))


def time_parser(parse_any: Callable[[Any], datetime]) -> Callable[[Any], datetime]:
    """Make a parser of times as S3 writes them, which leaves any other form to `parse_any`."""

    def parse(text: Any) -> datetime:
        try:
            return parse_time(text)
        except (TypeError, ValueError):
            return parse_any(text)

    return parse
