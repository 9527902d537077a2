"""An S3 server on a loopback socket that damages its responses."""

from __future__ import annotations

import copy
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.conformance.http.faults import operation_of
from remote_store.core.s3 import Call, Fault

ROOTS = {
    "ListObjectsV2": "ListBucketResult",
    "CopyObject": "CopyObjectResult",
    "UploadPartCopy": "CopyPartResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "DeleteObjects": "DeleteResult",
    "GetObjectTagging": "Tagging",
    "ListObjectVersions": "ListVersionsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "ListParts": "ListPartsResult",
}
ROWS = {"Errors": "Error", "Parts": "Part", "TagSet": "Tag", "Uploads": "Upload"}
HEADERS = {"if-match": "IfMatch", "if-none-match": "IfNoneMatch", "range": "Range", "content-type": "ContentType"}
METADATA = "x-amz-meta-"
QUERY = {
    "prefix": "Prefix",
    "delimiter": "Delimiter",
    "encoding-type": "EncodingType",
    "continuation-token": "ContinuationToken",
    "uploadId": "UploadId",
    "key-marker": "KeyMarker",
    "upload-id-marker": "UploadIdMarker",
}


@dataclass
class Reply:
    """An HTTP response: status, headers and body, and raw bytes to send before it or in its place."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    before: bytes = b""
    alone: bool = False
    closes: bool = False

    def sent(self, method: str) -> bytes:
        names = {name.lower() for name, _ in self.headers}
        bodiless = method == "HEAD" or self.status in (204, 304) or self.status < 200
        length = [] if "content-length" in names or bodiless else [("Content-Length", str(len(self.body)))]
        closing = [("Connection", "close")] if self.closes else []
        lines = [f"HTTP/1.1 {self.status} Said", *(f"{k}: {v}" for k, v in [*self.headers, *length, *closing])]
        head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        if self.alone:
            return self.before
        return self.before + head + (b"" if bodiless else self.body)


class DamagedS3:
    """The server.

    Attributes:
        state: The server's content.
        operation: The operation whose responses are damaged; `None` for none.
        damage: Turns the correct response into the damaged one.
        does: Whether it carries out the request before it sends a damaged response.
    """

    def __init__(self) -> None:
        self.state = FakeS3()
        self.operation: str | None = None
        self.damage: Callable[[Reply], Reply] = lambda reply: reply
        self.does = True
        self.lock = threading.Lock()

    def reply(self, call: Call, method: str) -> Reply:
        with self.lock:
            if call.operation != self.operation:
                return self.true_reply(self.state, call, method)
            state = self.state if self.does else copy.copy(self.state)
            if not self.does:
                state.objects, state.uploads = dict(self.state.objects), copy.deepcopy(self.state.uploads)
            return self.damage(self.true_reply(state, call, method))

    def true_reply(self, state: FakeS3, call: Call, method: str) -> Reply:
        signed = [("x-amz-request-id", "REQUEST")]
        try:
            response = state.respond(call)
            about = response.pop("ResponseMetadata", {}).get("HTTPHeaders", {})
            signed += [("Date", about["date"])] if "date" in about else []
        except Fault as fault:
            error = f"<Error><Code>{fault.code}</Code><Message>{escape(fault.message)}</Message></Error>"
            return Reply(fault.status or 400, [*signed, ("Content-Type", "application/xml")], error.encode())
        if call.operation in ROOTS:
            root, inner = ROOTS[call.operation], response.get(ROOTS[call.operation], response)
            if call.operation == "CopyObject":
                inner = {**inner, "LastModified": "2026-01-01T00:00:00.000Z"}
            body = f"<?xml version='1.0' encoding='UTF-8'?><{root}>{elements(inner)}</{root}>".encode()
            return Reply(200, [*signed, ("Content-Type", "application/xml")], body)
        headers = list(signed)
        for name, header in (("ETag", "ETag"), ("ContentRange", "Content-Range"), ("ContentType", "Content-Type")):
            headers += [(header, response[name])] if name in response else []
        if "LastModified" in response:
            headers.append(("Last-Modified", format_datetime(response["LastModified"], usegmt=True)))
        headers += [(f"x-amz-meta-{name}", value) for name, value in response.get("Metadata", {}).items()]
        if "ContentLength" in response:
            headers.append(("Content-Length", str(response["ContentLength"])))
        body = response["Body"].read() if "Body" in response else b""
        if "Body" in response:
            response["Body"].close()
        return Reply(206 if "ContentRange" in response else 204 if method == "DELETE" else 200, headers, body)


def elements(response: Mapping[str, Any]) -> str:
    """A mapping as XML."""
    parts = []
    for name, value in response.items():
        if isinstance(value, list) and name == "TagSet":
            parts.append(f"<TagSet>{''.join(f'<Tag>{elements(row)}</Tag>' for row in value)}</TagSet>")
        elif isinstance(value, list):
            tag = ROWS.get(name, name)
            parts += [f"<{tag}>{elements(row)}</{tag}>" for row in value]
        elif isinstance(value, bool):
            parts.append(f"<{name}>{str(value).lower()}</{name}>")
        else:
            text = value.isoformat().replace("+00:00", ".000Z") if hasattr(value, "isoformat") else str(value)
            parts.append(f"<{name}>{escape(text)}</{name}>")
    return "".join(parts)


def call_of(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Call:
    """The call that a request stands for."""
    parts = urlsplit(target)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    operation = operation_of(method, parts.path, query, headers)
    bucket, _, key = parts.path[1:].partition("/")
    params: dict[str, Any] = {"Bucket": unquote(bucket)} | ({"Key": unquote(key)} if key else {})
    params |= {name: headers[header] for header, name in HEADERS.items() if header in headers}
    params |= {name: query[key] for key, name in QUERY.items() if key in query}
    params |= {
        name: int(query[key]) for key, name in (("max-keys", "MaxKeys"), ("partNumber", "PartNumber")) if key in query
    }
    if "x-amz-copy-source" in headers:
        source = unquote(headers["x-amz-copy-source"]).lstrip("/").partition("/")
        params["CopySource"] = {"Bucket": source[0], "Key": source[2]}
        if pin := headers.get("x-amz-copy-source-if-match"):
            params["CopySourceIfMatch"] = pin
    if operation in ("PutObject", "CreateMultipartUpload"):
        stored = {name: value for name, value in headers.items() if name.startswith(METADATA)}
        params["Metadata"] = {name.removeprefix(METADATA): value for name, value in stored.items()}
    if operation in ("PutObject", "UploadPart"):
        params["Body"] = body
    if operation in ("DeleteObjects", "CompleteMultipartUpload"):
        # It comes from the lane under test.
        document = ET.fromstring(body)  # noqa: S314
        rows = [{node.tag.rpartition("}")[2]: node.text or "" for node in row} for row in document]
        if operation == "DeleteObjects":
            params["Delete"] = {"Objects": [row for row in rows if "Key" in row]}
        else:
            parts_listed = [{**row, "PartNumber": int(row["PartNumber"])} for row in rows]
            params["MultipartUpload"] = {"Parts": parts_listed}
    return Call(operation, params)


@contextmanager
def serving(server: DamagedS3, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Run the server while the block runs, with TLS if settings are given; yield its address."""

    class Handler(socketserver.StreamRequestHandler):
        disable_nagle_algorithm = True

        def handle(self) -> None:
            while line := self.rfile.readline():
                method, target, _ = line.decode("latin-1").split(" ", 2)
                headers = {}
                while (field_line := self.rfile.readline().strip()) != b"":
                    name, _, value = field_line.decode("latin-1").partition(":")
                    headers[name.lower()] = value.strip()
                if headers.get("expect"):
                    self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                body = self.rfile.read(int(headers.get("content-length", "0")))
                reply = server.reply(call_of(method, target, headers, body), method)
                self.wfile.write(reply.sent(method))
                if reply.closes:
                    return

    class Listener(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

        def handle_error(self, *_arguments: object) -> None:
            """Ignore a client that disconnects."""

    with Listener(("127.0.0.1", 0), Handler) as listener:
        if tls is not None:
            listener.socket = tls.wrap_socket(listener.socket, server_side=True)
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"{'https' if tls else 'http'}://127.0.0.1:{listener.server_address[1]}"
        finally:
            listener.shutdown()
            thread.join()
