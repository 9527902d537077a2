"""An S3 server that runs, and how it is asked for a bucket."""

from __future__ import annotations

import http.client
import urllib.parse
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from remote_store.conformance.servers.signing import sign_v4

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

INSTALL = 'pip install "remote-store-conformance[servers]"'


@dataclass(frozen=True, slots=True)
class Server:
    """An S3 server that runs now.

    Attributes:
        kind: `"moto"` or `"seaweedfs"`.
        url: The endpoint, without a trailing slash.
        key: The access key that may do everything.
        secret: The secret of `key`.
        region: The region to sign for.
        version: The release that runs, for reports.
        fill: Stores empty objects in a bucket by a shorter way than a request for each; `None` where there is none.
    """

    kind: str
    url: str
    key: str
    secret: str = field(repr=False)
    region: str
    version: str
    volumes: str | None = field(default=None, repr=False)
    fill: Callable[[str, Iterable[str]], None] | None = field(default=None, repr=False)

    def create_bucket(self, name: str) -> None:
        """Create an empty bucket, ready to be written to; about 5 ms.

        Raises:
            RuntimeError: The server refused, for instance because the bucket exists.
        """
        url = f"{self.url}/{urllib.parse.quote(name)}"
        headers = sign_v4("PUT", url, key=self.key, secret=self.secret, region=self.region)
        status, body = request("PUT", url, headers)
        if status != 200:
            raise RuntimeError(f"{self.kind} did not create the bucket {name!r}: {status} {body[:300]!r}")
        if self.volumes:
            # SeaweedFS otherwise makes the first write into each bucket wait for a volume, for 200 ms up to 5 s.
            grow = f"{self.volumes}/vol/grow?count=1&replication=000&collection={urllib.parse.quote(name)}"
            status, body = request("POST", grow, {})
            if status != 200:
                raise RuntimeError(f"{self.kind} has no room for the bucket {name!r}: {status} {body[:300]!r}")


def request(method: str, url: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
    """Send one request without a body; the status and the body of the response."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    try:
        connection.request(method, url.removeprefix(f"{parts.scheme}://{parts.netloc}"), headers=dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
