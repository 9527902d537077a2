"""Sends requests with aiohttp: no resending, no redirects, and a time limit on every wait."""

from __future__ import annotations

import asyncio
import inspect
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
from aiobotocore.awsrequest import AioAWSResponse
from aiobotocore.httpsession import AIOHTTPSession
from botocore import exceptions as sdk
from yarl import URL

from remote_store.botocore import DOCUMENT_WAITS, login_to, proxy_for, tls_context, without_password
from remote_store.core.s3 import KIB

PIECE = 256 * KIB
OURS = frozenset(("accept-encoding", "expect", "transfer-encoding"))
"""Headers that botocore sets and that are not passed on unchanged."""

MOST_HEADERS = 1000
"""Maximum number of header lines in a response; objects written by other tools may have much metadata."""

SETTINGS = inspect.signature(aiohttp.ClientSession).parameters
SENDS_ONCE = "middlewares" in SETTINGS
"""Whether aiohttp supports middlewares (3.12 or newer), which stop it from resending after a lost connection."""


class HttpSession(AIOHTTPSession):  # type: ignore[misc]
    """The connections of one client.

    Redirects are not followed, because the request would send its signature and session token to the new host. The
    timeouts limit each wait, even if bytes keep arriving slowly: for a connection, for the server to take each 256 KiB
    of the request body, for the response headers, and for the response document.

    Args:
        verify: Whether to verify certificates, or the path of a CA bundle.
        proxies: Proxy URLs by scheme.
        timeout: Seconds to wait, for a connection and for bytes.
        max_pool_connections: Maximum number of connections; 0 for no limit.
        client_cert: Path of a client certificate, or a pair of the paths of the certificate and its key.
        connector_args: Further arguments of `aiohttp.TCPConnector`.
        **others: Further arguments of aiobotocore, which are not used.
    """

    def __init__(
        self,
        *,
        verify: bool | str = True,
        proxies: dict[str, str] | None = None,
        timeout: float | tuple[float, float] = 60.0,
        max_pool_connections: int = 0,
        client_cert: str | tuple[str, str] | None = None,
        connector_args: dict[str, Any] | None = None,
        **others: Any,
    ) -> None:
        super().__init__(verify=verify, proxies=proxies, timeout=timeout, **others)
        self._connect_wait, self._read_wait = timeout if isinstance(timeout, tuple | list) else (timeout, timeout)
        self._trusts, self._shows = verify, client_cert
        self._proxies_by_scheme = proxies
        self._pool = {"limit": max_pool_connections, **(connector_args or {})}
        self._making = asyncio.Lock()
        self._session: aiohttp.ClientSession | None = None

    async def __aexit__(self, *error: object) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()
        await super().__aexit__(*error)

    async def send(self, request: Any) -> AioAWSResponse:
        """Send a prepared request once and return the response. Its document is read unless it is to be streamed.

        Raises:
            BotoCoreError: No complete response arrived in time.
        """
        proxy = proxy_for(request.url, self._proxies_by_scheme)
        try:
            return await self._send(request, proxy)
        except (aiohttp.ClientProxyConnectionError, aiohttp.ClientHttpProxyError) as error:
            raise sdk.ProxyConnectionError(proxy_url=without_password(proxy or ""), error=error) from error
        except (aiohttp.ClientSSLError, ssl.SSLError) as error:
            if proxy is not None and is_of(error, proxy):
                raise sdk.ProxyConnectionError(proxy_url=without_password(proxy), error=error) from error
            raise sdk.SSLError(endpoint_url=request.url, error=error) from error
        except aiohttp.ConnectionTimeoutError as error:
            raise sdk.ConnectTimeoutError(endpoint_url=request.url, error=error) from error
        except TimeoutError as error:
            raise sdk.ReadTimeoutError(endpoint_url=request.url, error=error) from error
        except aiohttp.ClientOSError as error:
            raise sdk.EndpointConnectionError(endpoint_url=request.url, error=error) from error
        except aiohttp.ClientError as error:
            raise sdk.ConnectionClosedError(endpoint_url=request.url, error=error) from error
        except OSError as error:
            raise sdk.HTTPClientError(error=error) from error

    async def _send(self, request: Any, proxy: str | None) -> AioAWSResponse:
        session = await self._open()
        # With `Expect`, aiohttp waits forever for a 100 response, which a server need not send (RFC 9110, 10.1.1).
        headers = [(name, text_of(value)) for name, value in request.headers.items() if name.lower() not in OURS]
        headers.append(("Accept-Encoding", "identity"))
        chunked = text_of(request.headers.get("Transfer-Encoding", "")).lower() == "chunked"
        login = login_to(proxy) if proxy else {}
        if request.url.startswith("http:"):
            # aiohttp sends `proxy_headers` only when it asks for a tunnel.
            headers += login.items()
        clock = asyncio.get_running_loop().time
        async with asyncio.timeout(self._connect_wait + self._read_wait) as bound:
            received = await session.request(
                request.method,
                URL(request.url, encoded=True),
                headers=headers,
                data=payload(request.body, lambda: bound.reschedule(clock() + self._read_wait)),
                chunked=chunked or None,
                # An exception of aiohttp shows the URL of the proxy.
                proxy=proxy and without_password(proxy),
                proxy_headers=login,
                allow_redirects=False,
            )
            response = AioAWSResponse(str(received.url), received.status, headers_of(received.raw_headers), received)
            if request.stream_output:
                return response
            bound.reschedule(clock() + DOCUMENT_WAITS * self._read_wait)
            try:
                await response.content
            except BaseException:
                received.close()
                raise
            return response

    async def _open(self) -> aiohttp.ClientSession:
        async with self._making:
            if self._session is None:
                context = await asyncio.to_thread(tls_context, self._trusts, self._shows)
                wanted = {"middlewares": (lost_is_lost,), "max_headers": MOST_HEADERS}
                settings: dict[str, Any] = {name: value for name, value in wanted.items() if name in SETTINGS}
                self._session = aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(ssl=context, **self._pool),
                    timeout=aiohttp.ClientTimeout(sock_connect=self._connect_wait, sock_read=self._read_wait),
                    skip_auto_headers={"CONTENT-TYPE"},
                    auto_decompress=False,
                    **settings,
                )
            return self._session


def is_of(error: Exception, proxy: str) -> bool:
    """Whether an exception is that of a connection to the proxy, and not of one through it."""
    place = getattr(error, "host", None), getattr(error, "port", None)
    return place == (URL(proxy).host, URL(proxy).port)


def payload(data: Any, progress: Callable[[], None]) -> Any:
    """Convert a body to the form that aiohttp sends.

    Args:
        data: The body as botocore prepared it.
        progress: Called each time the server has taken everything sent so far.
    """
    is_small = data is None or (isinstance(data, bytes | bytearray | memoryview) and len(data) < PIECE)
    return data if is_small else watched(pieces_of(data), progress)


async def watched(pieces: AsyncIterator[Any], progress: Callable[[], None]) -> AsyncIterator[Any]:
    """Call `progress` each time a piece has been taken."""
    async for piece in pieces:
        progress()
        yield piece
    progress()


async def pieces_of(data: Any) -> AsyncIterator[Any]:
    """Iterate over a body in pieces. The body is bytes, an async iterable, or a file."""
    if isinstance(data, bytes | bytearray | memoryview):
        view = memoryview(data)
        for start in range(0, len(view), PIECE):
            yield view[start : start + PIECE]
    elif hasattr(data, "__aiter__"):
        async for piece in data:
            yield piece
    else:
        while piece := await asyncio.to_thread(data.read, PIECE):
            yield piece


async def lost_is_lost(request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
    """An aiohttp middleware that raises an SDK error for a lost connection, so that aiohttp does not resend."""
    try:
        return await handler(request)
    except (aiohttp.ClientConnectorError, aiohttp.ServerTimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise sdk.ConnectionClosedError(endpoint_url=str(request.url), error=error) from error


def text_of(value: str | bytes) -> str:
    """The value of a request header as `str`."""
    return value.decode() if isinstance(value, bytes) else str(value)


def headers_of(fields: tuple[tuple[bytes, bytes], ...]) -> dict[str, str]:
    """The response headers, decoded and joined as by http.client and urllib3."""
    headers: dict[str, str] = {}
    for name_, value_ in fields:
        name, value = name_.decode("iso-8859-1").lower(), value_.decode("iso-8859-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
