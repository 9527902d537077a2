"""Sends the requests of our own client over aiohttp: each once, only to its own server, and never without a bound."""

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

from remote_store.botocore import DOCUMENT_WAITS, proxy_for, tls_context, without_password
from remote_store.core.s3 import KIB

PIECE = 256 * KIB
OURS = frozenset(("accept-encoding", "expect", "transfer-encoding"))
"""Headers of botocore's that are not sent as they are."""

MOST_HEADERS = 1000
"""Header lines of an answer that are read; objects of other tools may have a lot of metadata."""

SETTINGS = inspect.signature(aiohttp.ClientSession).parameters
SENDS_ONCE = "middlewares" in SETTINGS
"""Whether aiohttp (3.12 or newer) can be kept from sending a request again on a connection that was lost."""


class HttpSession(AIOHTTPSession):  # type: ignore[misc]
    """The connections of one client.

    No redirect is followed, because the request carries its signature and its session token to wherever that points.
    The wait for a connection, for each 256 KiB of a body to be taken, for the head of the answer, and for its document
    is bounded by the timeouts, however slowly bytes keep coming.

    Args:
        verify: Whether to verify certificates, or a file of those to trust.
        proxies: URLs of proxies by scheme.
        timeout: Seconds to connect, and to wait for bytes.
        max_pool_connections: The most connections at once; 0 for any number.
        client_cert: File of a certificate to show the server, or a pair of it and the file of its key.
        connector_args: More arguments of `aiohttp.TCPConnector`.
        **others: What aiobotocore passes too and aiohttp has no use for.
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
        """Send a prepared request once and return the answer, its document read unless it is to be streamed.

        Raises:
            BotoCoreError: There was no whole answer in time.
        """
        proxy = proxy_for(request.url, self._proxies_by_scheme)
        try:
            return await self._send(request, proxy)
        except (aiohttp.ClientProxyConnectionError, aiohttp.ClientHttpProxyError) as error:
            raise sdk.ProxyConnectionError(proxy_url=without_password(proxy or ""), error=error) from error
        except (aiohttp.ClientSSLError, ssl.SSLError) as error:
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
        # With `Expect` aiohttp waits without end for an answer that a server need not send (RFC 9110, 10.1.1).
        headers = [(name, text_of(value)) for name, value in request.headers.items() if name.lower() not in OURS]
        headers.append(("Accept-Encoding", "identity"))
        chunked = text_of(request.headers.get("Transfer-Encoding", "")).lower() == "chunked"
        clock = asyncio.get_running_loop().time
        async with asyncio.timeout(self._connect_wait + self._read_wait) as bound:
            answer = await session.request(
                request.method,
                URL(request.url, encoded=True),
                headers=headers,
                data=payload(request.body, lambda: bound.reschedule(clock() + self._read_wait)),
                chunked=chunked or None,
                proxy=proxy,
                allow_redirects=False,
            )
            response = AioAWSResponse(str(answer.url), answer.status, headers_of(answer.raw_headers), answer)
            if request.stream_output:
                return response
            bound.reschedule(clock() + DOCUMENT_WAITS * self._read_wait)
            try:
                await response.content
            except BaseException:
                answer.close()
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


def payload(data: Any, progress: Callable[[], None]) -> Any:
    """A body as aiohttp is to send it.

    Args:
        data: The body as botocore prepared it.
        progress: Called whenever the server has taken all that was sent.
    """
    is_small = data is None or (isinstance(data, bytes | bytearray | memoryview) and len(data) < PIECE)
    return data if is_small else watched(pieces_of(data), progress)


async def watched(pieces: AsyncIterator[Any], progress: Callable[[], None]) -> AsyncIterator[Any]:
    """Tell of each piece that was taken."""
    async for piece in pieces:
        progress()
        yield piece
    progress()


async def pieces_of(data: Any) -> AsyncIterator[Any]:
    """A body in pieces: bytes, what is iterated asynchronously, or a file."""
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
    """A middleware of aiohttp: fail on a lost connection in a way that aiohttp does not answer by sending again."""
    try:
        return await handler(request)
    except (aiohttp.ClientConnectorError, aiohttp.ServerTimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise sdk.ConnectionClosedError(endpoint_url=str(request.url), error=error) from error


def text_of(value: str | bytes) -> str:
    """The value of a header of a request as text."""
    return value.decode() if isinstance(value, bytes) else str(value)


def headers_of(fields: tuple[tuple[bytes, bytes], ...]) -> dict[str, str]:
    """The headers of an answer, decoded and joined as http.client and urllib3 do it."""
    headers: dict[str, str] = {}
    for name_, value_ in fields:
        name, value = name_.decode("iso-8859-1").lower(), value_.decode("iso-8859-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
