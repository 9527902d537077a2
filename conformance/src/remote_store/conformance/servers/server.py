"""A running S3 server, and the request that creates a bucket."""

from __future__ import annotations

import http.client
import os
import ssl
import urllib.parse
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from remote_store.conformance.servers.signing import sign_v4

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

VERSIONING = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
INSTALL = 'pip install "remote-store-conformance[servers]"'


@dataclass(frozen=True, slots=True)
class Server:
    """A running S3 server.

    Attributes:
        kind: `"moto"` or `"seaweedfs"`; `"server"` for one that somebody else started.
        url: The endpoint, without a trailing slash.
        key: An access key with all permissions.
        secret: The secret of `key`.
        region: The region to sign for.
        version: The version of the server, for reports.
        fill: Stores empty objects in a bucket faster than with a request each; `None` if there is no such way.
    """

    kind: str
    url: str
    key: str
    secret: str = field(repr=False)
    region: str
    version: str
    volumes: str | None = field(default=None, repr=False)
    fill: Callable[[str, Iterable[str]], None] | None = field(default=None, repr=False)

    def create_bucket(self, name: str, *, versions: bool = False) -> None:
        """Create an empty bucket, ready to be written to; about 5 ms.

        Args:
            name: Its name.
            versions: Keep the versions of its objects.

        Raises:
            RuntimeError: The server refused, for instance because the bucket exists.
        """
        url = f"{self.url}/{urllib.parse.quote(name)}"
        headers = sign_v4("PUT", url, key=self.key, secret=self.secret, region=self.region)
        status, body = request("PUT", url, headers)
        if status != 200:
            raise RuntimeError(f"{self.kind} did not create the bucket {name!r}: {status} {body[:300]!r}")
        if versions:
            url += "?versioning="
            headers = sign_v4("PUT", url, key=self.key, secret=self.secret, region=self.region)
            status, body = request("PUT", url, headers, VERSIONING)
            if status != 200:
                raise RuntimeError(f"{self.kind} keeps no versions in {name!r}: {status} {body[:300]!r}")
        if self.volumes:
            # Otherwise the first write into each bucket of SeaweedFS waits 200 ms to 5 s for a volume.
            grow = f"{self.volumes}/vol/grow?count=1&replication=000&collection={urllib.parse.quote(name)}"
            status, body = request("POST", grow, {})
            if status != 200:
                raise RuntimeError(f"{self.kind} has no room for the bucket {name!r}: {status} {body[:300]!r}")


def request(method: str, url: str, headers: Mapping[str, str], sent: bytes | None = None) -> tuple[int, bytes]:
    """Send one request, and once more if the server resets the connection. Returns status and body of the response."""
    try:
        return request_once(method, url, headers, sent)
    except ConnectionResetError:
        # SeaweedFS sometimes resets one while many tests connect at once.
        return request_once(method, url, headers, sent)


def request_once(method: str, url: str, headers: Mapping[str, str], sent: bytes | None) -> tuple[int, bytes]:
    """Send one request; return the status and the body of the response."""
    parts = urllib.parse.urlsplit(url)
    connection = connection_to(url, timeout=30)
    try:
        connection.request(method, url.removeprefix(f"{parts.scheme}://{parts.netloc}"), sent, dict(headers))
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def connection_to(url: str, timeout: float) -> http.client.HTTPConnection:
    """A connection to the server of a URL, which is opened by the first request.

    Over TLS the certificate is checked against the system's authorities, or those in the file that the environment
    variable `AWS_CA_BUNDLE` names.
    """
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "https":
        trusted = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None)
        return http.client.HTTPSConnection(parts.netloc, timeout=timeout, context=trusted)
    return http.client.HTTPConnection(parts.netloc, timeout=timeout)
