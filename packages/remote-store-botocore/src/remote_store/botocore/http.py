"""Sends requests over connections that can read responses which http.client cannot.

botocore has no public setting for such connections. A client that a lane made uses them only after a server has sent
such a response, so tools that record or replay botocore's connections keep working.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from botocore import exceptions as sdk
from botocore.client import BaseClient
from botocore.config import Config
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager, Timeout
from urllib3 import exceptions as http
from urllib3.connection import HTTPConnection, HTTPSConnection

from remote_store.botocore.heads import FINAL, FinalResponse
from remote_store.botocore.names import lookup
from remote_store.botocore.proxies import login_to, proxies_of, proxy_for, without_password
from remote_store.botocore.tls import tls_context
from remote_store.core.s3 import Fault

FindTrusted: TypeAlias = Callable[[], bool | str]
"""Returns whether to verify certificates, or the path of a CA bundle."""

READS = ("Get", "Head", "List")
"""Prefixes of operations that change nothing."""

UNREAD = frozenset({"InformationalAnswer", "TooManyHeaders"})
"""Codes of responses that http.client cannot read."""

ERRORS: tuple[tuple[type[Exception], type[sdk.BotoCoreError]], ...] = (
    (http.SSLError, sdk.SSLError),
    (http.NewConnectionError, sdk.EndpointConnectionError),
    (socket.gaierror, sdk.EndpointConnectionError),
    (http.ProxyError, sdk.ProxyConnectionError),
    (http.ConnectTimeoutError, sdk.ConnectTimeoutError),
    (http.ReadTimeoutError, sdk.ReadTimeoutError),
    (http.ProtocolError, sdk.ConnectionClosedError),
    (Exception, sdk.HTTPClientError),
)
"""Exceptions of urllib3 and those that botocore's own session raises for them; the first match applies."""


class Connection(HTTPConnection):
    """A connection that reads final responses."""

    response_class = FinalResponse


class SecureConnection(HTTPSConnection):
    """A connection over TLS that reads final responses."""

    response_class = FinalResponse


class Pool(HTTPConnectionPool):
    """Connections to one server."""

    ConnectionCls = Connection


class SecurePool(HTTPSConnectionPool):
    """Connections over TLS to one server."""

    ConnectionCls = SecureConnection


class HttpSession:
    """The connections of one client, in place of those of its SDK.

    Each request is sent once, to its server or through the client's proxy. Redirects are not followed. `Expect:
    100-continue` is not sent, so a large body is sent before the server can refuse it. TLS settings, timeouts, pool
    size and proxies are those of the client.

    Args:
        config: The configuration of the client.
        find_trusted: Returns whether to verify certificates, or the path of a CA bundle. Called at the first request.
        proxies: Proxy URLs by scheme.
    """

    def __init__(self, config: Config, *, find_trusted: FindTrusted, proxies: Mapping[str, str]) -> None:
        self._find_trusted = find_trusted
        self._client_cert = config.client_cert
        self._proxies = proxies
        self._of_proxies = config.proxies_config or {}
        self._forwards_https = bool(self._of_proxies.get("proxy_use_forwarding_for_https"))
        self._settings: dict[str, Any] = {
            "timeout": Timeout(connect=config.connect_timeout, read=config.read_timeout),
            "maxsize": config.max_pool_connections,
            "socket_options": [*HTTPConnection.default_socket_options, (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)],
        }
        self._managers: dict[str | None, PoolManager] = {}
        self._making = threading.Lock()

    def send(self, request: Any) -> Any:
        """Send a prepared request and return the response. Its document is read unless it is to be streamed.

        Raises:
            BotoCoreError: The connection failed.
        """
        proxy = proxy_for(request.url, self._proxies)
        try:
            return self._send(request, proxy)
        except (http.HTTPError, HTTPException, OSError) as error:
            kind = next(theirs for ours, theirs in ERRORS if isinstance(error, ours))
            raise kind(endpoint_url=request.url, proxy_url=without_password(proxy or ""), error=error) from error

    def close(self) -> None:
        """Close the idle connections."""
        for manager in list(self._managers.values()):
            manager.clear()

    def _send(self, request: Any, proxy: str | None) -> Any:
        received = (
            self._manager(proxy)
            .connection_from_url(request.url)
            .urlopen(
                request.method,
                self._target(request.url, proxy),
                body=request.body,
                headers={name: value for name, value in request.headers.items() if name.lower() != "expect"},
                retries=False,
                redirect=False,
                assert_same_host=False,
                chunked=request.headers.get("Transfer-Encoding") in ("chunked", b"chunked"),
                preload_content=False,
                decode_content=False,
                enforce_content_length=False,
            )
        )
        make = lookup("botocore.awsrequest", "AWSResponse")
        response = make(request.url, received.status, received.headers, received)
        if not request.stream_output:
            _ = response.content
        return response

    def _manager(self, proxy: str | None) -> PoolManager:
        with self._making:
            if proxy not in self._managers:
                context = tls_context(self._find_trusted(), self._client_cert)
                # urllib3 compares the host itself, because release 1.26 does not name an IP address to OpenSSL.
                context.check_hostname = False
                manager = self._new_manager(proxy, context)
                manager.pool_classes_by_scheme = {"http": Pool, "https": SecurePool}
                self._managers[proxy] = manager
            return self._managers[proxy]

    def _new_manager(self, proxy: str | None, context: ssl.SSLContext) -> PoolManager:
        if proxy is None:
            return PoolManager(ssl_context=context, **self._settings)
        bundle, shown = self._of_proxies.get("proxy_ca_bundle"), self._of_proxies.get("proxy_client_cert")
        return ProxyManager(
            proxy,
            proxy_headers=login_to(proxy),
            proxy_ssl_context=tls_context(bundle or True, shown) if bundle or shown else None,
            use_forwarding_for_https=self._forwards_https,
            ssl_context=context,
            **self._settings,
        )

    def _target(self, url: str, proxy: str | None) -> str:
        """Return the target of the request line: the URL if a proxy forwards the request, else its path."""
        parts = urlsplit(url)
        if proxy and (parts.scheme == "http" or (self._forwards_https and proxy.startswith("https:"))):
            return url
        return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"


class Route:
    """Sends a client's requests over its SDK's connections, or over an `HttpSession` once those could not read one.

    Args:
        client: The client.
        find_trusted: As for `HttpSession`; `None` for the user's client, which always uses its own connections.
    """

    def __init__(self, client: BaseClient, find_trusted: FindTrusted | None) -> None:
        self._client = client
        # Without botocore's response class, the handler could not return a response.
        self._find_trusted = find_trusted if lookup("botocore.awsrequest", "AWSResponse") else None
        self._session: HttpSession | None = None
        self._informational = 0
        self._changing = threading.Lock()
        if self._find_trusted is not None:
            # Registering it later could race with a request, which caches the handlers of its event.
            client.meta.events.register_last("before-send.s3", self._send)

    def begin(self) -> int | None:
        """Return a mark for `doubt` when a call begins, or `None` if the call uses the session."""
        return self._informational if self._session is None else None

    def doubt(self, begun: int | None, status: int | None, attempts: int) -> Fault | None:
        """Return a fault if the response is informational, or if another call got such a response meanwhile.

        http.client takes a 103 for the final response. The final response then comes later on the same connection,
        where it would be taken for the response to the next request.
        """
        if begun is None:
            return None
        if status is not None and status < FINAL:
            with self._changing:
                self._informational += 1
            self._client.close()
        if begun == self._informational:
            return None
        text = "the server sent an informational response (1xx), which http.client takes for the final one"
        return Fault("InformationalAnswer", status, text, attempts=attempts)

    def recover(self, begun: int | None, operation: str, fault: Fault) -> None:
        """Switch to the session if http.client could not read a response, so that a read can be sent again.

        Raises:
            Fault: The session does not help, or the operation may have changed something.
        """
        if begun is None or fault.code not in UNREAD or self._find_trusted is None:
            raise fault
        with self._changing:
            if self._session is None:
                config, proxies = self._client.meta.config, proxies_of(self._client)
                self._session = HttpSession(config, find_trusted=self._find_trusted, proxies=proxies)
        if not operation.startswith(READS):
            raise Fault("LostAnswer", fault.status, fault.message, attempts=fault.attempts) from fault.__cause__

    def close(self) -> None:
        """Close the idle connections of the session."""
        if self._session is not None:
            self._session.close()

    def _send(self, request: Any, **_others: Any) -> Any:
        """Handle botocore's `before-send`. If it returns `None`, botocore sends the request itself."""
        return None if self._session is None else self._session.send(request)
