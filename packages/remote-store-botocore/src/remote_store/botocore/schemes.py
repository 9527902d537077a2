"""Detects that a port speaks TLS although the URL of the server or the proxy begins with `http:`.

Over plain HTTP, some TLS servers close the connection, and others send a 400. Both look like a server that is failing,
so a TLS handshake is tried. It is tried at most once per client, and never after a response of S3.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from socket import create_connection
from typing import Any
from urllib.parse import urlsplit

from remote_store.botocore.faults import SpeaksTLS
from remote_store.botocore.proxies import configured_proxy
from remote_store.core.s3 import S3Options, is_foreign

BAD_REQUEST = 400
HTTP = 80

LONGEST_WAIT = 2.0
"""Most seconds for the handshake, which explains an error and must not hold it back for long."""


class SchemeDoubt:
    """Decides after a client's first response whether to try a TLS handshake.

    Args:
        options: The options of the client.

    Attributes:
        seconds: How long the handshake may take.
        is_settled: Whether no handshake is needed, because the first connection begins with one, or there was a
            response.
    """

    def __init__(self, options: S3Options) -> None:
        url = options.endpoint.url or "https://s3.amazonaws.com"
        proxy = configured_proxy(url, getattr(options.client_options.get("config"), "proxies", None))
        self._parts = urlsplit(proxy or url)
        self._code = "SpeaksTLS" if proxy is None else "ProxySpeaksTLS"
        self.seconds = min(options.connect_timeout, LONGEST_WAIT)
        self.is_settled = self._parts.scheme != "http"

    def arises(self, operation: str, response: tuple[Any, Any] | None, error: BaseException | None) -> bool:
        """Whether this is the client's first outcome and a TLS server may have caused it.

        Args:
            operation: Name of the operation.
            response: The HTTP response and its parsed fields.
            error: The exception, if there was no response.
        """
        if self.is_settled:
            return False
        self.is_settled = True
        if response is None:
            return type(error).__name__ in ("ConnectionClosedError", "ProxyConnectionError")
        http, parsed = response
        code = parsed.get("Error", {}).get("Code") or str(http.status_code)
        return http.status_code == BAD_REQUEST and is_foreign(operation, code, BAD_REQUEST, http.headers)

    @property
    def place(self) -> tuple[str, int]:
        """Host and port of the server, or of the proxy."""
        return self._parts.hostname or "", self._parts.port or HTTP

    def found(self) -> SpeaksTLS:
        """The exception to raise if the port speaks TLS."""
        return SpeaksTLS(self._code)


def ask_for_tls(doubt: SchemeDoubt) -> Callable[..., None]:
    """Make a handler of botocore's `needs-retry` that raises `SpeaksTLS` if the port speaks TLS."""

    def ask(operation: Any, response: Any = None, caught_exception: Any = None, **_others: Any) -> None:
        if doubt.arises(operation.name, response, caught_exception) and speaks_tls(doubt.place, doubt.seconds):
            raise doubt.found() from caught_exception

    return ask


def ask_for_tls_async(doubt: SchemeDoubt) -> Callable[..., Any]:
    """Make a handler of aiobotocore's `needs-retry` that raises `SpeaksTLS` if the port speaks TLS."""

    async def ask(operation: Any, response: Any = None, caught_exception: Any = None, **_others: Any) -> None:
        if doubt.arises(operation.name, response, caught_exception) and await speaks_tls_async(
            doubt.place, doubt.seconds
        ):
            raise doubt.found() from caught_exception

    return ask


def speaks_tls(place: tuple[str, int], seconds: float) -> bool:
    """Whether a TLS handshake succeeds with any certificate.

    Args:
        place: Host and port.
        seconds: How long to wait for the connection, and for each part of the handshake.
    """
    wrap = partial(_any_certificate().wrap_socket, server_hostname=place[0])
    with suppress(OSError), create_connection(place, seconds) as connection, wrap(connection):
        return True
    return False


async def speaks_tls_async(place: tuple[str, int], seconds: float) -> bool:
    """Whether a TLS handshake succeeds with any certificate.

    Args:
        place: Host and port.
        seconds: How long to wait for the connection and the handshake together.
    """
    connect = partial(asyncio.open_connection, *place, ssl=_any_certificate(), server_hostname=place[0])
    with suppress(OSError):
        async with asyncio.timeout(seconds):
            _, writer = await connect()
        writer.close()
        return True
    return False


def _any_certificate() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
