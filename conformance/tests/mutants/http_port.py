"""A small and correct S3 port over `http.client`, without an SDK; each mutant breaks it in one place."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import socket
import threading
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit
from xml.etree import ElementTree as ET

from remote_store.conformance.servers import sign_v4
from remote_store.core.s3 import Call, CredentialSource, Fault, S3Options, http_request, http_response
from remote_store.core.s3.protocol.fields import is_signed
from remote_store.core.s3.protocol.listing_xml import parse_page

ANSWERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "content-length": ("ContentLength", int),
    "content-range": ("ContentRange", str),
    "content-type": ("ContentType", str),
    "etag": ("ETag", str),
    "last-modified": ("LastModified", parsedate_to_datetime),
    "x-amz-storage-class": ("StorageClass", str),
}
METADATA = "x-amz-meta-"
CHECKSUM = "x-amz-checksum-"
PASSING = frozenset({408, 429, 500, 502, 503, 504})
BROKEN = (OSError, http.client.HTTPException)


class HttpPort:
    """Performs S3 calls over a pool of connections, from any number of threads.

    Args:
        options: The endpoint, the credentials and the number of attempts.

    Attributes:
        waits: How many times `read_timeout` a response may take, without the body of an object.
        source: Asks the function for credentials.
    """

    waits = 5.0
    source: type[CredentialSource] = CredentialSource

    def __init__(self, options: S3Options) -> None:
        self.options = options
        self._source = None if options.credentials is None else self.source(options.credentials)
        self.host = urlsplit(options.endpoint_url or "").netloc
        self._idle: list[http.client.HTTPConnection] = []
        self._lock = threading.Lock()
        self._closed = False

    def perform(self, call: Call) -> Mapping[str, Any]:
        """Send the call, with as many attempts as the policy allows, and return its response.

        Raises:
            Fault: The service refused, or the connection broke.
        """
        for attempt in range(1, self.options.retry.max_attempts + 1):
            try:
                return self.send(call)
            except Fault as fault:
                fault.attempts = attempt
                if attempt == self.options.retry.max_attempts or not self.passes(fault):
                    raise
        raise AssertionError("a policy has at least one attempt")

    def passes(self, fault: Fault) -> bool:
        """Whether the same request may succeed when it is sent again."""
        return fault.transport or fault.status in PASSING or fault.code == "InternalError"

    def send(self, call: Call) -> Mapping[str, Any]:
        """Send the call once.

        Raises:
            Fault: The service refused, or the connection broke.
        """
        request = self.request(call)
        connection = self.connect()
        limit = threading.Timer(self.waits * self.options.read_timeout, shut_down, [connection.sock])
        limit.daemon = True
        limit.start()
        try:
            connection.request(*request)
            response = connection.getresponse()
            if call.operation == "GetObject" and response.status < 300:
                return {**facts(response), "Body": HttpBody(self, connection, response)}
            document = response.read()
        except BROKEN as error:
            connection.close()
            raise broken(error) from error
        finally:
            limit.cancel()
        self.give_back(connection, response)
        return answer(call, response, document)

    def request(self, call: Call) -> tuple[str, str, bytes, dict[str, str]]:
        """Method, URL, body and signed headers of a call."""
        asked = http_request(call)
        target = f"{asked.path}?{asked.query}".rstrip("?")
        headers = self.sign(asked.method, f"http://{self.host}{target}", dict(asked.headers))
        return asked.method, target, bytes(asked.body), headers

    def sign(self, method: str, url: str, headers: dict[str, str]) -> dict[str, str]:
        """The headers with a signature."""
        options = self.options if self._source is None else self._source.get()
        secret = str(options.secret.reveal()) if options.secret is not None else ""
        region = self.options.region_name or "us-east-1"
        return sign_v4(method, url, key=options.key or "", secret=secret, region=region, headers=headers)

    def presign(self, call: Call, seconds: int) -> str:
        """A URL that allows the call."""
        asked = http_request(call)
        moment, scope, signature = self.begin_signature()
        headers = {**asked.headers, "host": self.host}
        names = ";".join(sorted(headers))
        query = dict(parse_qsl(asked.query, keep_blank_values=True)) | {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": f"{self.options.key}/{scope}",
            "X-Amz-Date": moment,
            "X-Amz-Expires": str(seconds),
            "X-Amz-SignedHeaders": names,
        }
        text = urlencode(sorted(query.items()), quote_via=quote, safe="")
        lines = [f"{name}:{headers[name]}" for name in sorted(headers)]
        canonical = "\n".join([asked.method, asked.path, text, *lines, "", names, "UNSIGNED-PAYLOAD"])
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        signed = signature(f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}")
        return f"http://{self.host}{asked.path}?{text}&X-Amz-Signature={signed}"

    def presign_post(self, call: Call, seconds: int) -> Mapping[str, Any]:
        """A form that allows the call."""
        moment, scope, signature = self.begin_signature()
        bucket, key = call.params["Bucket"], call.params["Key"]
        fields = {
            "x-amz-algorithm": "AWS4-HMAC-SHA256",
            "x-amz-credential": f"{self.options.key}/{scope}",
            "x-amz-date": moment,
        }
        conditions = [{"bucket": bucket}, *self.conditions(call), *({name: text} for name, text in fields.items())]
        expires = (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
        document = json.dumps({"expiration": expires, "conditions": conditions})
        policy = b64encode(document.encode()).decode()
        signed = {"policy": policy, "x-amz-signature": signature(policy)}
        return {
            "url": f"http://{self.host}/{bucket}",
            "fields": {"key": key, **call.params["Fields"], **fields, **signed},
        }

    def conditions(self, call: Call) -> list[Any]:
        """The conditions of a form about its key, and those of the caller."""
        return [["starts-with", "$key", call.params["Key"].removesuffix("${filename}")], *call.params["Conditions"]]

    def begin_signature(self) -> tuple[str, str, Callable[[str], str]]:
        """The time, the scope, and what signs a text."""
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        scope = f"{moment[:8]}/{self.options.region_name}/s3/aws4_request"
        secret = str(self.options.secret.reveal()) if self.options.secret is not None else ""
        key = f"AWS4{secret}".encode()
        for piece in scope.split("/"):
            key = hmac.digest(key, piece.encode(), "sha256")
        return moment, scope, lambda text: hmac.digest(key, text.encode(), "sha256").hex()

    def connect(self) -> http.client.HTTPConnection:
        """A connection that no other call uses.

        Raises:
            Fault: The connection cannot be opened.
        """
        with self._lock:
            if self._idle:
                return self._idle.pop()
        connection = http.client.HTTPConnection(self.host, timeout=self.options.connect_timeout)
        try:
            connection.connect()
        except BROKEN as error:
            raise broken(error) from error
        connection.sock.settimeout(self.options.read_timeout)
        return connection

    def give_back(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> None:
        """Keep a connection whose response was read to its end, and close any other."""
        whole = response.isclosed() and not response.length and not response.will_close and response.status >= 200
        with self._lock:
            if whole and not self._closed and len(self._idle) < self.options.max_connections:
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


class HttpBody:
    """The body of a `GetObject` response.

    Args:
        port: The port whose pool the connection returns to.
        connection: The connection of the response.
        response: The response.
    """

    def __init__(
        self, port: HttpPort, connection: http.client.HTTPConnection, response: http.client.HTTPResponse
    ) -> None:
        self._port, self._connection, self._response = port, connection, response
        self._closed = False

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes; all that is left for -1; empty at the end.

        Raises:
            Fault: The connection broke.
        """
        try:
            return self._response.read() if size < 0 else self._response.read(size)
        except BROKEN as error:
            raise broken(error) from error

    def readinto(self, buffer: memoryview, /) -> int:
        """Up to as many bytes as the buffer holds, into it; 0 at the end.

        Raises:
            Fault: The connection broke.
        """
        try:
            return self._response.readinto(buffer)
        except BROKEN as error:
            raise broken(error) from error

    def close(self) -> None:
        """Give the connection back, or close it if the body was not read to its end."""
        if not self._closed:
            self._closed = True
            self._port.give_back(self._connection, self._response)
            self._response.close()


def shut_down(connection: socket.socket) -> None:
    """End a connection on which another thread waits."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def broken(error: Exception) -> Fault:
    """The fault of a connection that failed."""
    return Fault(type(error).__name__, message=str(error), transport=True)


def facts(response: http.client.HTTPResponse) -> dict[str, Any]:
    """The fields of a response that come from its headers."""
    told = {name.lower(): value for name, value in response.getheaders()}
    found = {name: convert(told[header]) for header, (name, convert) in ANSWERS.items() if header in told}
    # S3 names a field like its header, but for the case of the algorithm's name.
    sums = {f"Checksum{name.rpartition('-')[2].upper()}": told[name] for name in told if name.startswith(CHECKSUM)}
    if kind := sums.pop("ChecksumTYPE", None):
        sums["ChecksumType"] = kind
    metadata = {name.removeprefix(METADATA): value for name, value in told.items() if name.startswith(METADATA)}
    about = {"HTTPStatusCode": response.status, "HTTPHeaders": told, "RequestId": told.get("x-amz-request-id")}
    return {**found, **sums, "Metadata": metadata, "ResponseMetadata": about}


def answer(call: Call, response: http.client.HTTPResponse, document: bytes) -> Mapping[str, Any]:
    """The response to a call in the shape of the API Reference.

    Raises:
        Fault: The response is an error, including an error inside a 200.
    """
    root = tree(document)
    if response.status >= 300 or root.tag == "Error":
        code = root.findtext("Code") or str(response.status)
        text, request_id = root.findtext("Message") or "", response.headers.get("x-amz-request-id")
        cause = http.client.HTTPException(f"{response.status} {response.reason}")
        has_no_document = call.operation.startswith("Head") or response.status == 304
        is_signed_head = has_no_document and is_signed(dict(response.getheaders()))
        foreign = code == str(response.status) and not is_signed_head
        said = response.headers.get("date")
        date = parsedate_to_datetime(said) if said else None
        raise Fault(code, response.status, text, request_id, date=date, foreign=foreign) from cause
    if call.operation == "ListObjectsV2":
        page = parse_page(document)
        if page is None:
            raise Fault("NotS3", 200, "this is no listing")
        return page
    if call.operation in ("ListMultipartUploads", "ListParts"):
        return http_response(call, response.status, dict(response.getheaders()), document)
    named = {child.tag: child.text or "" for child in root}
    about = {"ResponseMetadata": facts(response)["ResponseMetadata"]}
    if call.operation == "DeleteObjects":
        found = {name: root.findall(tag) for name, tag in (("Deleted", "Deleted"), ("Errors", "Error"))}
        rows = {name: [{child.tag: child.text or "" for child in row} for row in rows] for name, rows in found.items()}
        return {**rows, **about}
    if call.operation == "CopyObject":
        return {"CopyObjectResult": named, **about}
    return {**facts(response), **named}


def tree(document: bytes) -> ET.Element:
    """The document without its namespaces; an empty element if it is not XML."""
    try:
        root = ET.fromstring(document)
    except ET.ParseError:
        return ET.Element("")
    for node in root.iter():
        node.tag = node.tag.rpartition("}")[2]
    return root
