"""A bucket accessed with plain signed HTTP requests, and the XML documents in S3's responses."""

from __future__ import annotations

import hashlib
import http.client
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from urllib.parse import quote, unquote_plus
from xml.etree.ElementTree import Element, ParseError, fromstring
from xml.sax.saxutils import escape

from remote_store.conformance.harness import (
    Oracle,
    OracleRefused,
    RawHead,
)
from remote_store.conformance.servers import Server, sign_v4
from remote_store.conformance.servers.server import connection_to

PAGE = 1000
TIMEOUT = 60.0
DONE = (200, 204)
MISSING = 404
META = "x-amz-meta-"


class S3OracleError(Exception):
    """The server failed a request of the oracle.

    Attributes:
        status: The status of the response.
        body: The body of the response.
    """

    def __init__(self, request: str, status: int, body: bytes) -> None:
        super().__init__(f"{request}: {status} {body[:300]!r}")
        self.status = status
        self.body = body


class S3OracleRefused(S3OracleError, OracleRefused):
    """The server refused a request of the oracle for another reason than a missing bucket or key."""


class S3Oracle(Oracle):
    """A bucket accessed with plain signed HTTP requests, without the endpoint and without an SDK.

    Args:
        server: The server itself.
        bucket: Name of the bucket.
    """

    def __init__(self, server: Server, bucket: str) -> None:
        self.server = server
        self.bucket = bucket

    def raw_put(
        self, key: str, data: bytes = b"", *, metadata: Mapping[str, str] | None = None, content_type: str | None = None
    ) -> None:
        headers = {META + name: value for name, value in (metadata or {}).items()}
        if content_type is not None:
            headers["content-type"] = content_type
        self._request("PUT", key, body=data, headers=headers)

    def raw_put_many(self, keys: Iterable[str]) -> None:
        if self.server.fill is None:
            super().raw_put_many(keys)
        else:
            self.server.fill(self.bucket, keys)

    def raw_get(self, key: str) -> bytes | None:
        with unless_missing():
            return self._request("GET", key)[1]
        return None

    def raw_list(self, prefix: str = "") -> list[str]:
        query = {"list-type": "2", "encoding-type": "url", "prefix": prefix}
        pages = self._pages(query, {"continuation-token": "NextContinuationToken"})
        return [row["Key"] for page in pages for row in rows(page, "Contents")]

    def raw_delete(self, key: str) -> None:
        with unless_missing():
            self._request("DELETE", key)

    def raw_head(self, key: str) -> RawHead | None:
        with unless_missing():
            head, _ = self._request("HEAD", key)
            names = [name for name in head if name.lower().startswith(META)]
            return RawHead(
                size=int(head.get("Content-Length", 0)),
                metadata={name[len(META) :].lower(): head[name] for name in names},
                content_type=head.get("Content-Type"),
                storage_class=head.get("x-amz-storage-class", "STANDARD"),
                tags=self._tags(key),
            )
        return None

    def _tags(self, key: str) -> dict[str, str] | None:
        """The tags of a key; `None` if the server does not support tags."""
        with suppress(S3OracleRefused):
            tags = parsed(self._request("GET", key, query={"tagging": ""})[1])
            return {row["Key"]: row["Value"] for row in rows(tags, "TagSet/{*}Tag")}
        return None

    def raw_uploads(self, prefix: str = "") -> list[str] | None:
        with suppress(S3OracleRefused):
            return [row["Key"] for row in self._uploads(prefix)]
        return None

    def raw_clear(self, prefix: str) -> None:
        with suppress(S3OracleRefused):
            for row in self._uploads(prefix):
                with unless_missing():
                    self._request("DELETE", row["Key"], query={"uploadId": row["UploadId"]})
        keys = self.raw_list(prefix)
        # XML cannot express every key.
        left = [key for key in keys if not key.isprintable()]
        for start in range(0, len(keys), PAGE):
            left += self._delete_many([key for key in keys[start : start + PAGE] if key.isprintable()])
        for key in left:
            with suppress(S3OracleError):
                self.raw_delete(key)

    def remove(self) -> None:
        """Delete the bucket with all its content."""
        self.raw_clear("")
        marks = {"key-marker": "NextKeyMarker", "version-id-marker": "NextVersionIdMarker"}
        with suppress(S3OracleRefused):
            for page in list(self._pages({"versions": "", "encoding-type": "url"}, marks)):
                for row in (*rows(page, "Version"), *rows(page, "DeleteMarker")):
                    self._request("DELETE", row["Key"], query={"versionId": row["VersionId"]})
        with unless_missing():
            self._request("DELETE")

    def _delete_many(self, keys: list[str]) -> list[str]:
        """Delete up to 1,000 keys with one request; return those that are left."""
        listed = "".join(f"<Object><Key>{escape(key)}</Key></Object>" for key in keys)
        body = f"<Delete><Quiet>true</Quiet>{listed}</Delete>".encode()
        digest = b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        try:
            _, document = self._request("POST", query={"delete": ""}, body=body, headers={"content-md5": digest})
        except S3OracleError:
            return keys
        return [row["Key"] for row in rows(parsed(document), "Error")]

    def _uploads(self, prefix: str) -> list[dict[str, str]]:
        marks = {"key-marker": "NextKeyMarker", "upload-id-marker": "NextUploadIdMarker"}
        pages = self._pages({"uploads": "", "prefix": prefix}, marks)
        found = [row for page in pages for row in rows(page, "Upload")]
        return [row for row in found if row["Key"].startswith(prefix)]

    def _pages(self, query: Mapping[str, str], marks: Mapping[str, str]) -> Iterator[Element]:
        """Every page of a listing; `marks` maps elements of a page to parameters of the next request."""
        where: dict[str, str] = {}
        while True:
            page = parsed(self._request("GET", query={**query, **where})[1])
            yield page
            if page.findtext("{*}IsTruncated") != "true":
                return
            where = {name: page.findtext("{*}" + element) or "" for name, element in marks.items()}

    def _request(
        self,
        method: str,
        key: str = "",
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[http.client.HTTPMessage, bytes]:
        target = f"/{self.bucket}/{quote(key)}" if key else f"/{self.bucket}"
        if query:
            target += "?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
        server = self.server
        signed = sign_v4(
            method, server.url + target, key=server.key, secret=server.secret, region=server.region, headers=headers
        )
        with closing(connection_to(server.url, TIMEOUT)) as connection:
            connection.request(method, target, body, signed)
            response = connection.getresponse()
            content = response.read()
        if response.status not in DONE:
            raise self.error_of(f"{method} {target}", response.status, content)
        return response.headers, content

    def error_of(self, request: str, status: int, body: bytes) -> S3OracleError:
        """The error of a request that failed."""
        kind = S3OracleError if status == MISSING else S3OracleRefused
        return kind(request, status, body)


def parsed(document: bytes) -> Element:
    """The parsed XML of a response.

    Raises:
        S3OracleRefused: It is no XML, such as a listing that does not escape a control character.
    """
    try:
        return fromstring(document)  # noqa: S314 - expat limits the expansion of entities
    except (ParseError, LookupError, ValueError) as error:  # the last two are about its encoding
        raise S3OracleRefused(f"the response is no XML ({error})", 200, document) from error


def rows(page: Element, name: str) -> Iterator[dict[str, str]]:
    """The elements of that name, each as its children's texts. Keys are percent-decoded."""
    encoded = page.findtext("{*}EncodingType") == "url"
    for row in page.iterfind("{*}" + name):
        texts = {child.tag.rpartition("}")[2]: child.text or "" for child in row}
        yield {**texts, "Key": unquote_plus(texts["Key"])} if encoded else texts


@contextmanager
def unless_missing() -> Iterator[None]:
    """End the block if the server responds that the bucket or key does not exist."""
    try:
        yield
    except S3OracleError as error:
        if error.status != MISSING:
            raise
