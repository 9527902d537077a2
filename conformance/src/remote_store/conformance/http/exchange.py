"""One client's connection through the endpoint: HTTP framing on both sides, and the faults."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
import urllib.parse
from typing import TYPE_CHECKING, NoReturn, TypeVar

import h11

from remote_store.conformance.http.channel import Channel, Closed, readable, undelivered
from remote_store.conformance.http.faults import (
    DamageRequest,
    DropHeaders,
    Early,
    ErrorInOK,
    LoseResponse,
    Request,
    Reset,
    Respond,
    RewriteBody,
    RewriteHeaders,
    RunFunction,
    ShortBody,
    Stall,
    Trickle,
    TruncateRequest,
    WireFault,
    operation_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["Exchange"]

_CONNECT_SECONDS = 10.0
_DELIVERY_SECONDS = 5.0
_SLICE_SECONDS = 0.02
_HOP_BY_HOP = frozenset({b"connection", b"keep-alive", b"proxy-connection"})
_BODY_FRAMING = frozenset({b"content-length", b"transfer-encoding"})

_Headers = list[tuple[bytes, bytes]]
_Argument = TypeVar("_Argument")
_Result = TypeVar("_Result")


class Exchange:
    """One client's connection, with its connection to the server.

    Args:
        client: The accepted connection, owned from here on.
        upstream: Host and port of the server.
        arrived: Called with each request when its head has arrived; returns its faults.
        failed: Called with the exception of `arrived` or of a fault's function.
    """

    def __init__(
        self,
        client: socket.socket,
        upstream: tuple[str, int],
        arrived: Callable[[Request], Sequence[WireFault]],
        failed: Callable[[Exception], None],
    ) -> None:
        self._client = Channel(client, h11.SERVER)
        self._address = upstream
        self._arrived = arrived
        self._failed = failed
        self._upstream: Channel | None = None
        self._aborted = threading.Event()

    def run(self) -> None:
        """Serve requests until either side ends the connection, and close both."""
        try:
            # An error on one side closes the other side too.
            with contextlib.suppress(Closed, h11.RemoteProtocolError, OSError):
                while True:
                    self._serve_one()
                    if not self._client.idle:
                        return
                    self._client.http.start_next_cycle()
        except h11.LocalProtocolError as error:
            self._failed(error)
        finally:
            self._drop_upstream()
            self._client.socket.close()

    def abort(self) -> None:
        """End the connection from another thread."""
        self._aborted.set()
        for side in (self._client, self._upstream):
            if side is not None:
                with contextlib.suppress(OSError):
                    side.socket.shutdown(socket.SHUT_RDWR)

    def _serve_one(self) -> None:
        """Take one request through its faults, to the server and back."""
        head = self._client.event()
        if not isinstance(head, h11.Request):
            raise Closed
        request = _describe(head)
        dropped = set(_HOP_BY_HOP)
        on_response: list[WireFault] = []
        damaged: int | None = None
        for fault in self._guarded(self._arrived, request):
            match fault:
                case RunFunction(function):
                    self._guarded(function, request)
                case DropHeaders(names):
                    dropped.update(name.lower().encode() for name in names)
                case DamageRequest(at):
                    damaged = at
                case Early(status):
                    self._send_early(status)
                case Respond():
                    return self._respond(fault, head)
                case ErrorInOK(code, message):
                    return self._respond(Respond(200, code, message), head)
                case TruncateRequest(size):
                    self._swallow(size)
                    self._reset()
                case Reset(0):
                    self._swallow(None)
                    self._reset()
                case _:
                    on_response.append(fault)
        return self._forward(head, dropped, on_response, damaged)

    def _send_early(self, status: int) -> None:
        """Send an informational response after the request, and after 100 (Continue) if the client waits for it."""
        if self._client.http.they_are_waiting_for_100_continue:
            self._client.send(h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue"))
        self._client.send(h11.InformationalResponse(status_code=status, headers=[], reason=b"Injected"))
        self._client.flush()

    def _guarded(self, function: Callable[[_Argument], _Result], argument: _Argument) -> _Result:
        """Call a function of the test. If it raises, the test gets the exception and the connection is reset."""
        try:
            return function(argument)
        except Exception as error:  # noqa: BLE001 - an injected function may raise anything, and the test gets it
            self._failed(error)
            self._reset()

    def _respond(self, fault: Respond, head: h11.Request) -> None:
        """Respond in the server's place, after the whole request has been read."""
        body = b"" if head.method == b"HEAD" else fault.content()
        headers = {"Content-Length": str(len(body))} | ({} if fault.foreign else {"x-amz-request-id": "INJECTED"})
        if fault.code:
            headers["Content-Type"] = "application/xml"
        if self._client.http.they_are_waiting_for_100_continue:
            # It is unknown whether the body will still be sent.
            headers["Connection"] = "close"
        else:
            self._swallow(None)
        headers |= fault.headers
        self._client.send(h11.Response(status_code=fault.status, headers=list(headers.items()), reason=b"Injected"))
        if body:
            self._client.send(h11.Data(data=body))
        self._client.send(h11.EndOfMessage())
        self._client.flush()

    def _swallow(self, limit: int | None) -> None:
        """Read the request's body, up to the limit, and discard it."""
        if limit == 0 or self._client.http.their_state is not h11.SEND_BODY:
            return
        if self._client.http.they_are_waiting_for_100_continue:
            self._client.send(h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue"))
            self._client.flush()
        size = 0
        while limit is None or size < limit:
            event = self._client.event()
            if isinstance(event, h11.EndOfMessage):
                return
            if isinstance(event, h11.Data):
                size += len(event.data)

    def _forward(
        self, head: h11.Request, dropped: set[bytes], faults: Sequence[WireFault], damaged: int | None
    ) -> None:
        """Forward the request and its response, and prepare both connections for the next one."""
        upstream = self._connected()
        headers = _without(head.headers.raw_items(), dropped)
        upstream.send(h11.Request(method=head.method, target=head.target, headers=headers))
        response = self._upload(upstream, damaged) or self._response_head(upstream)
        self._download(
            upstream, response, faults, has_body=head.method != b"HEAD" and response.status_code not in {204, 304}
        )
        if self._client.http.they_are_waiting_for_100_continue:
            raise Closed
        # A server may respond before it has read the whole request; the client continues to send.
        self._swallow(None)
        if upstream.idle:
            upstream.http.start_next_cycle()
        else:
            self._drop_upstream()

    def _connected(self) -> Channel:
        """Return the connection to the server, a new one if the last one is closed."""
        if self._upstream is not None and readable(0, self._upstream.socket):
            # An idle connection that is readable was closed by the server.
            self._drop_upstream()
        if self._upstream is None:
            connection = socket.create_connection(self._address, timeout=_CONNECT_SECONDS)
            connection.settimeout(None)
            self._upstream = Channel(connection, h11.CLIENT)
            if self._aborted.is_set():
                raise Closed
        return self._upstream

    def _drop_upstream(self) -> None:
        if self._upstream is not None:
            self._upstream.socket.close()
            self._upstream = None

    def _upload(self, upstream: Channel, damaged: int | None) -> h11.Response | None:
        """Forward the request's body; return the head of a response that arrives before its end."""
        client = self._client
        size = 0
        while True:
            event = client.http.next_event()
            if isinstance(event, h11.Data):
                data = bytearray(event.data)
                if damaged is not None and size <= damaged < size + len(data):
                    data[damaged - size] ^= 1
                size += len(data)
                try:
                    upstream.send(h11.Data(data=bytes(data)))
                except ConnectionError:
                    # The server closed the connection before the end; a response may still be readable.
                    return self._response_head(upstream)
            elif isinstance(event, h11.EndOfMessage):
                upstream.send(event)
                upstream.flush()
                return None
            elif event is h11.NEED_DATA:
                upstream.flush()
                if upstream.socket in readable(None, client.socket, upstream.socket):
                    upstream.receive()
                    response = self._early_response(upstream)
                    if response is not None:
                        return response
                else:
                    client.receive()
            else:
                raise Closed

    def _early_response(self, upstream: Channel) -> h11.Response | None:
        """Forward what the server sends during the request; return the head of its response if it has arrived."""
        while (event := upstream.http.next_event()) is not h11.NEED_DATA:
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse):
                raise Closed
            self._pass_on_interim(event)
        return None

    def _response_head(self, upstream: Channel) -> h11.Response:
        """Wait for the head of the response, and forward informational responses before it."""
        while not isinstance(event := upstream.event(), h11.Response):
            if isinstance(event, h11.InformationalResponse):
                self._pass_on_interim(event)
        return event

    def _pass_on_interim(self, event: h11.InformationalResponse) -> None:
        # A 100 is useless once the body is being sent.
        if event.status_code != 100 or self._client.http.they_are_waiting_for_100_continue:
            self._client.send(event)
            self._client.flush()

    def _download(self, upstream: Channel, head: h11.Response, faults: Sequence[WireFault], *, has_body: bool) -> None:
        """Forward the response, changed by the faults."""
        headers = _without(head.headers.raw_items(), _HOP_BY_HOP)
        pieces = self._pieces(upstream)
        marks: list[Reset | ShortBody | Stall] = []
        for fault in faults:
            match fault:
                case LoseResponse():
                    for _ in pieces:
                        pass
                    self._reset()
                case RewriteBody(function) if has_body:
                    body = self._guarded(function, b"".join(pieces))
                    pieces = iter([body])
                    headers = [*_without(headers, _BODY_FRAMING), (b"Content-Length", b"%d" % len(body))]
                case RewriteHeaders(function):
                    headers = self._guarded(function, list(headers))
                case Trickle(seconds):
                    pieces = self._trickling(pieces, seconds)
                case Reset() | ShortBody() | Stall():
                    marks.append(fault)
        marks.sort(key=lambda mark: mark.after_bytes)
        while marks and isinstance(marks[0], Stall) and marks[0].after_bytes == 0:
            self._act(marks.pop(0))
        self._client.send(h11.Response(status_code=head.status_code, headers=headers, reason=head.reason))
        self._pass_on_body(pieces, marks)
        self._client.send(h11.EndOfMessage())
        self._client.flush()

    def _pieces(self, upstream: Channel) -> Iterator[bytes]:
        """Yield the response's body as it arrives; pending output to the client is flushed before each wait."""
        while True:
            event = upstream.http.next_event()
            if isinstance(event, h11.Data):
                yield bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                return
            elif event is h11.NEED_DATA:
                self._client.flush()
                upstream.receive()
            else:
                raise Closed

    def _trickling(self, pieces: Iterator[bytes], seconds: float) -> Iterator[bytes]:
        """Yield single bytes, each a while after the one before it was sent."""
        for piece in pieces:
            for position in range(len(piece)):
                yield piece[position : position + 1]
                self._client.flush()
                self._stall(seconds)

    def _pass_on_body(self, pieces: Iterator[bytes], marks: list[Reset | ShortBody | Stall]) -> None:
        """Forward the body, and perform each mark's action once that many bytes were sent."""
        sent = 0
        for piece in pieces:
            rest = piece
            while marks and sent + len(rest) >= marks[0].after_bytes:
                mark = marks.pop(0)
                part, rest = rest[: mark.after_bytes - sent], rest[mark.after_bytes - sent :]
                self._send_data(part)
                sent += len(part)
                self._act(mark)
            self._send_data(rest)
            sent += len(rest)
        for mark in marks:
            self._act(mark)

    def _send_data(self, data: bytes) -> None:
        if data:
            self._client.send(h11.Data(data=data))

    def _act(self, mark: Reset | ShortBody | Stall) -> None:
        self._client.flush()
        match mark:
            case Stall(seconds):
                self._stall(seconds)
            case Reset():
                self._reset()
            case ShortBody():
                raise Closed

    def _stall(self, seconds: float) -> None:
        """Send nothing, but notice when the client disconnects or the endpoint closes."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            hung_up = readable(0, self._client.socket) and not self._client.socket.recv(1, socket.MSG_PEEK)
            if hung_up or self._aborted.wait(min(left, _SLICE_SECONDS)):
                raise Closed

    def _reset(self) -> NoReturn:
        """Close the connection with a reset, which the client sees after everything sent before."""
        deadline = time.monotonic() + _DELIVERY_SECONDS
        while undelivered(self._client.socket) and time.monotonic() < deadline:
            time.sleep(0.001)
        self._client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Closed


def _describe(head: h11.Request) -> Request:
    method = head.method.decode()
    path, _, query_text = head.target.decode().partition("?")
    query = dict(urllib.parse.parse_qsl(query_text, keep_blank_values=True))
    headers = {name.decode(): value.decode("latin-1") for name, value in head.headers}
    return Request(method, path, query, headers, operation_of(method, path, query, headers))


def _without(headers: Sequence[tuple[bytes, bytes]], names: set[bytes] | frozenset[bytes]) -> _Headers:
    return [(name, value) for name, value in headers if name.lower() not in names]
