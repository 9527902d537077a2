"""Turns a call into an HTTP request, for a lane whose SDK sends HTTP and does not know S3."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape

from remote_store.core.home import public
from remote_store.core.s3.protocol.calls import Call

METHODS: dict[str, tuple[str, dict[str, str]]] = {
    "AbortMultipartUpload": ("DELETE", {}),
    "CompleteMultipartUpload": ("POST", {}),
    "CopyObject": ("PUT", {}),
    "CreateMultipartUpload": ("POST", {"uploads": ""}),
    "DeleteObject": ("DELETE", {}),
    "DeleteObjectTagging": ("DELETE", {"tagging": ""}),
    "DeleteObjects": ("POST", {"delete": ""}),
    "GetObject": ("GET", {}),
    "GetObjectTagging": ("GET", {"tagging": ""}),
    "HeadObject": ("HEAD", {}),
    "ListMultipartUploads": ("GET", {"uploads": ""}),
    "ListObjectVersions": ("GET", {"versions": ""}),
    "ListObjectsV2": ("GET", {"list-type": "2"}),
    "ListParts": ("GET", {}),
    "PutObject": ("PUT", {}),
    "PutObjectTagging": ("PUT", {"tagging": ""}),
    "UploadPart": ("PUT", {}),
    "UploadPartCopy": ("PUT", {}),
}
"""The method of each operation, and the fixed part of its query (S3 API Reference, "Request syntax")."""

IN_QUERY = {
    "ContinuationToken": "continuation-token",
    "Delimiter": "delimiter",
    "EncodingType": "encoding-type",
    "FetchOwner": "fetch-owner",
    "KeyMarker": "key-marker",
    "MaxKeys": "max-keys",
    "MaxParts": "max-parts",
    "MaxUploads": "max-uploads",
    "PartNumber": "partNumber",
    "PartNumberMarker": "part-number-marker",
    "Prefix": "prefix",
    "ResponseCacheControl": "response-cache-control",
    "ResponseContentDisposition": "response-content-disposition",
    "ResponseContentEncoding": "response-content-encoding",
    "ResponseContentLanguage": "response-content-language",
    "ResponseContentType": "response-content-type",
    "ResponseExpires": "response-expires",
    "StartAfter": "start-after",
    "UploadId": "uploadId",
    "UploadIdMarker": "upload-id-marker",
    "VersionId": "versionId",
    "VersionIdMarker": "version-id-marker",
}
OF_HTTP = {
    "CacheControl": "cache-control",
    "ContentDisposition": "content-disposition",
    "ContentEncoding": "content-encoding",
    "ContentLanguage": "content-language",
    "ContentMD5": "content-md5",
    "ContentType": "content-type",
    "Expires": "expires",
    "IfMatch": "if-match",
    "IfNoneMatch": "if-none-match",
    "Range": "range",
}
"""Parameters sent as standard HTTP headers. The header of any other is `x-amz-` and the words of its name."""

IRREGULAR = {
    "BucketKeyEnabled": "x-amz-server-side-encryption-bucket-key-enabled",
    "MpuObjectSize": "x-amz-mp-object-size",
    "ObjectLockLegalHoldStatus": "x-amz-object-lock-legal-hold",
    "SSEKMSEncryptionContext": "x-amz-server-side-encryption-context",
    "SSEKMSKeyId": "x-amz-server-side-encryption-aws-kms-key-id",
}
IN_BODY = frozenset({"Body", "Bucket", "Delete", "Key", "MultipartUpload"})
WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
LINE_BREAKS = {"\r": "&#13;", "\n": "&#10;"}
"""Escapes for line breaks, which XML parsers would normalize."""


@public("remote_store.core.s3")
@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request to an S3 server, not yet signed.

    Attributes:
        method: The HTTP method.
        path: The percent-encoded path with the bucket as its first segment.
        query: The percent-encoded query, its parameters sorted by name; empty if there are none.
        headers: The headers, names in lower case, values as they are sent.
        body: The body.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes | bytearray | memoryview


def http_request(call: Call) -> HttpRequest:
    """The HTTP request of a call, as on the operation's page in the S3 API Reference.

    Args:
        call: The call.
    """
    method, fixed = METHODS[call.operation]
    params = call.params
    query = fixed | {IN_QUERY[name]: _in_query(name, value) for name, value in params.items() if name in IN_QUERY}
    headers = dict(_headers(params))
    body = params.get("Body", b"")
    if "Delete" in params:
        body = _delete_document(params["Delete"])
        headers["content-type"] = "application/xml"
        # Some servers do not accept newer checksums here.
        headers["content-md5"] = _md5(body)
    elif isinstance(params.get("Tagging"), Mapping):
        body = _tagging_document(params["Tagging"])
        headers["content-type"] = "application/xml"
        headers["content-md5"] = _md5(body)
    elif "MultipartUpload" in params:
        body = _complete_document(params["MultipartUpload"])
        headers["content-type"] = "application/xml"
    path = f"/{params['Bucket']}" + (f"/{quote(params['Key'], safe='/')}" if "Key" in params else "")
    return HttpRequest(method, path, urlencode(sorted(query.items()), safe="", quote_via=quote), headers, body)


def _headers(params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in params.items():
        if name == "Metadata":
            yield from ((f"x-amz-meta-{word}", text) for word, text in value.items())
        elif name == "CopySource":
            version = f"?versionId={value['VersionId']}" if "VersionId" in value else ""
            yield "x-amz-copy-source", quote(f"{value['Bucket']}/{value['Key']}", safe="/") + version
        elif name == "Expires" and isinstance(value, datetime):
            yield "expires", format_datetime(value.astimezone(UTC), usegmt=True)
        elif name == "ChecksumAlgorithm" and "Body" in params:
            yield "x-amz-sdk-checksum-algorithm", value
        elif name not in IN_QUERY and name not in IN_BODY and not isinstance(value, Mapping):
            yield _header(name), _text(value)


def _header(name: str) -> str:
    words = WORDS.sub("-", name.replace("SSECustomer", "ServerSideEncryptionCustomer"))
    return OF_HTTP.get(name) or IRREGULAR.get(name) or f"x-amz-{words.lower()}"


def _in_query(name: str, value: Any) -> str:
    is_date = name == "ResponseExpires" and isinstance(value, datetime)
    return format_datetime(value.astimezone(UTC), usegmt=True) if is_date else _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else str(value)


def _delete_document(delete: Mapping[str, Any]) -> bytes:
    objects = "".join(f"<Object>{_elements(entry)}</Object>" for entry in delete["Objects"])
    quiet = "true" if delete.get("Quiet") else "false"
    return f'<Delete xmlns="{NAMESPACE}">{objects}<Quiet>{quiet}</Quiet></Delete>'.encode()


def _tagging_document(tagging: Mapping[str, Any]) -> bytes:
    tags = "".join(f"<Tag>{_elements(tag)}</Tag>" for tag in tagging["TagSet"])
    return f'<Tagging xmlns="{NAMESPACE}"><TagSet>{tags}</TagSet></Tagging>'.encode()


def _md5(body: bytes) -> str:
    return b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()


def _complete_document(upload: Mapping[str, Any]) -> bytes:
    parts = "".join(f"<Part>{_elements(part)}</Part>" for part in upload["Parts"])
    return f'<CompleteMultipartUpload xmlns="{NAMESPACE}">{parts}</CompleteMultipartUpload>'.encode()


def _elements(entry: Mapping[str, Any]) -> str:
    return "".join(f"<{name}>{escape(str(value), LINE_BREAKS)}</{name}>" for name, value in entry.items())
