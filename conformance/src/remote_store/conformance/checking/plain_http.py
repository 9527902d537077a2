"""Sends requests and forms as somebody without credentials does, byte for byte."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import closing
from http.client import HTTPConnection, HTTPSConnection
from types import MappingProxyType
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from remote_store.core import PresignedPost

TIMEOUT = 30.0
NONE: Final[Mapping[str, str]] = MappingProxyType({})


class Response(NamedTuple):
    """The response to a request.

    Attributes:
        status: The HTTP status.
        headers: The headers, names in lower case.
        body: The body.
    """

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def succeeded(self) -> bool:
        """Whether the status is a success."""
        return 200 <= self.status < 300


def send(method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] = NONE) -> Response:
    """Send a request with only these headers, `Host` and `Content-Length`.

    Args:
        method: The HTTP method.
        url: The URL, which is not normalised.
        body: The body, if any.
        headers: The headers.
    """
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    with closing(kind(parts.netloc, timeout=TIMEOUT)) as connection:
        connection.putrequest(method, f"{parts.path}?{parts.query}".rstrip("?"), skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        return Response(
            response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
        )


def fill_in(form: PresignedPost, name: str, content: bytes, fields: Mapping[str, str] = NONE) -> Response:
    """Send a form with a file, as a browser does (RFC 7578).

    Args:
        form: The form.
        name: Name of the file.
        content: Content of the file.
        fields: More fields; one that the form has too is replaced.
    """
    boundary = secrets.token_hex(16)
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="'
    parts = [f'{head}{field}"\r\n\r\n{value}\r\n'.encode() for field, value in {**form.fields, **fields}.items()]
    # S3 ignores all fields after the file (S3 API Reference, POST Object).
    parts += [f'{head}file"; filename="{name}"\r\nContent-Type: text/plain\r\n\r\n'.encode(), content]
    body = b"".join([*parts, f"\r\n--{boundary}--\r\n".encode()])
    return send("POST", form.url, body, {"Content-Type": f"multipart/form-data; boundary={boundary}"})
