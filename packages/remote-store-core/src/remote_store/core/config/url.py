"""Stores made from URLs.

| URL | store |
|---|---|
| `s3+boto3://bucket/prefix?region_name=eu-west-1` | the bucket, with the backend `s3-boto3`; the prefix is the root |
| `s3://bucket/prefix` | the same, with the preferred installed lane |
| `file:///folder`, `local:///folder` | a folder of the local disk |
| `memory://bucket/prefix` | a bucket in memory, which all stores of this process with that bucket share |
| `memory://` | an empty store in memory, shared with nobody |
| `name+other://...` | the backend of type `name-other` |

The query contains settings by name, as strings. The path is percent-decoded. If the backend's class has a classmethod
`from_url(url: SplitResult, **options)`, it gets the whole URL, and the root of the backend it makes is the root of the
store. Otherwise a constructor with a `bucket` parameter gets the host (or nothing, if the parameter has a default and
the URL no host), one with a `root` parameter gets the path, and any other gets neither.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from remote_store.core.aio.backend import AsyncBackend
from remote_store.core.backend import Backend
from remote_store.core.config.registry import Adapter
from remote_store.core.config.settings import ConfigError, Settings

B = TypeVar("B", bound=Backend | AsyncBackend)

SCHEMES = {"file": "local"}
CREDENTIALS = re.compile(r"[^/?#]*://[^/?#]*@")
IN_NO_URL = {"key", "secret", "session_token", "password", "token", "access_key", "secret_key"}
NOT_BY_URL = {"copysourcessecustomerkey", "ssecustomerkey", "use_ssl", "verify"}
"""Names inside a JSON setting that are refused: they are secret, or they turn off TLS or certificate checks."""


def from_url(url: str, options: Mapping[str, Any], find: Callable[[str], Adapter[B]]) -> tuple[B, str]:
    """Make the backend that a URL names; returns it with the store's root path.

    Args:
        url: The URL.
        options: Settings as Python values. They override the query.
        find: Finds the backend of a type.

    Raises:
        BackendNotInstalled: The backend's distribution is not installed.
        ConfigError: The URL is malformed or contains credentials, or a setting is unknown or wrong. The message does
            not contain the URL.
    """
    if not isinstance(url, str):
        raise TypeError(f"a URL must be a str, not {type(url).__name__}")
    if not url.isprintable():
        raise ConfigError("the URL contains a control character; percent-encode it")
    # Checked before `urlsplit`, whose error messages contain the URL.
    if CREDENTIALS.match(url):
        raise ConfigError("the URL contains credentials, and URLs end up in logs; pass key and secret as arguments")
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ConfigError("the URL is malformed; percent-encode its special characters") from error
    if not parts.scheme or not url[len(parts.scheme) :].startswith("://"):
        raise ConfigError("the URL has no 'scheme://'; write it like s3://bucket/prefix, file:///folder or memory://")
    if parts.fragment:
        raise ConfigError("the URL contains a '#'; if it is part of a name, write %23")
    adapter = find(SCHEMES.get(parts.scheme, parts.scheme.replace("+", "-")))
    build = getattr(adapter.factory, "from_url", None)
    if build is not None:
        settings = _url_settings(Settings.of(build), adapter.settings)
        given = {**_query(parts.query, settings), **options}
        return adapter.made_by(build, parts, **settings.values(given)), ""
    settings = adapter.settings
    given = {**_query(parts.query, settings), **options}
    place, root_path = _place(parts, settings)
    return adapter.make(**settings.values({**given, **place})), root_path


def _url_settings(declared: Settings, constructor: Settings) -> Settings:
    url, *names = declared.types
    types = {name: declared.types[name] for name in names}
    if not declared.complete:
        types = {**constructor.types, **types}
    return Settings(types, tuple(name for name in declared.required if name != url), declared.complete)


def _query(query: str, settings: Settings) -> dict[str, str]:
    given: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name.lower() in IN_NO_URL or settings.is_secret(name):
            raise ConfigError(f"the URL contains {name!r}, and URLs end up in logs; pass it as an argument")
        if name in given:
            raise ConfigError(f"the URL sets {name!r} twice; remove one")
        for inner in _names_in(value):
            if inner.lower() in NOT_BY_URL:
                raise ConfigError(f"the URL sets {inner!r} in {name!r}; set it in code or in a configuration file")
        given[name] = value
    return given


def _names_in(text: str) -> Iterator[str]:
    """The keys of a JSON document, at every depth."""
    try:
        waiting = [json.loads(text)] if text.lstrip().startswith(("{", "[")) else []
    except (ValueError, RecursionError):
        return
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield from value
        waiting.extend(value.values() if isinstance(value, dict) else value if isinstance(value, list) else ())


def _place(parts: SplitResult, settings: Settings) -> tuple[dict[str, str], str]:
    host, path = unquote(parts.netloc), unquote(parts.path)
    if "bucket" in settings.types and (host or "bucket" in settings.required):
        if not host or ":" in host:
            raise ConfigError("the URL names no bucket; write s3://bucket/prefix and pass the server as endpoint_url")
        return {"bucket": host}, path.strip("/")
    if host not in ("", "localhost"):
        raise ConfigError("the URL has a host, which this backend does not use; write three slashes: file:///folder")
    if "root" in settings.types:
        if not path:
            raise ConfigError("the URL names no folder; write it like file:///folder")
        return {"root": path}, ""
    return {}, path.strip("/")
