"""Checks proxy URLs before an SDK parses them, because the SDK's errors would show their passwords."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from remote_store.botocore.names import lookup

HOST = re.compile(r"[\w.-]+|[0-9a-fA-F:.]+(%[\w.-]+)?")
NO_PROXY = (
    "is not a URL such as http://proxy.example.org:3128; in a user name or password, write / as %2F, @ as %40, # as %23"
)

PROXY_SCHEMES = ("http:", "https:")


def proxy_for(url: str, proxies: Mapping[str, str] | None) -> str | None:
    """The URL of the proxy for a URL; `None` for a direct connection.

    Args:
        url: Where a request goes.
        proxies: Proxy URLs by scheme of the request; a proxy without a scheme is an HTTP proxy.
    """
    proxy = (proxies or {}).get(urlsplit(url).scheme)
    if not proxy or proxy.startswith(PROXY_SCHEMES):
        return proxy or None
    return f"http:{proxy}" if proxy.startswith("//") else f"http://{proxy}"


def proxies_of(client: Any) -> Mapping[str, str]:
    """Return the URLs of a client's proxies by scheme, from its `Config` or else from the environment."""
    proxies: Mapping[str, str] | None = client.meta.config.proxies
    return _of_environment(client.meta.endpoint_url) if proxies is None else proxies


def without_password(proxy: str) -> str:
    """The URL of a proxy without user name and password, for errors."""
    parts = urlsplit(proxy)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def is_proxy(url: object) -> bool:
    """Whether botocore accepts a URL as that of an HTTP or HTTPS proxy. The scheme may be missing."""
    if not isinstance(url, str) or not url.isprintable() or set(url) & set(" \\"):
        return False
    try:
        parts = urlsplit(url if "://" in url else f"http://{url.removeprefix('//')}")
        port = parts.port
    except ValueError:
        return False
    # botocore encodes user name and password as ASCII.
    is_ascii = unquote(f"{parts.username or ''}{parts.password or ''}").isascii()
    is_whole = parts.scheme in ("http", "https") and port != 0 and HOST.fullmatch(parts.hostname or "") is not None
    return is_ascii and is_whole and not parts.path.strip("/") and not parts.query and not parts.fragment


def configured_proxy(url: str, configured: Mapping[str, Any] | None) -> str | None:
    """The URL of the proxy that requests to a URL go through; `None` for a direct connection.

    Args:
        url: Where the requests go.
        configured: The proxies in the user's `Config` by scheme; `None` to use those in the environment.
    """
    return proxy_for(url, _of_environment(url) if configured is None else configured)


def login_to(proxy: str) -> dict[str, str]:
    """The header with the user name and password in the URL of a proxy; empty if there is no user name."""
    user, _, password = urlsplit(proxy).netloc.rpartition("@")[0].partition(":")
    login = f"{unquote(user)}:{unquote(password)}".encode()
    return {"Proxy-Authorization": f"Basic {b64encode(login).decode('ascii')}"} if user else {}


def wrong_environment_proxy(url: str, schemes: tuple[str, ...]) -> str | None:
    """The environment variable whose proxy is not a valid URL; `None` if all are valid.

    Args:
        url: Where the requests go. Hosts in `no_proxy` use no proxy.
        schemes: The schemes of the requests that are sent.
    """
    proxies = _of_environment(url)
    wrong = (scheme for scheme in schemes if proxies.get(scheme) and not is_proxy(proxies[scheme]))
    return next((f"{scheme}_proxy or {scheme.upper()}_PROXY" for scheme in wrong), None)


def _of_environment(url: str) -> Mapping[str, Any]:
    find = lookup("botocore.utils", "get_environ_proxies")
    return {} if find is None else find(url)
