"""An S3 server in memory behind the S3 port, for tests of operations, runners and backends without a network.

It supports the calls that `remote_store.core.s3` makes, with the codes and statuses of the S3 API Reference.
"""

from __future__ import annotations

import hashlib
import inspect
import math
import re
import threading
from asyncio import sleep
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote_plus, unquote_plus

from remote_store.conformance.fakes.bodies import AsyncFakeBody, FakeBody
from remote_store.core.s3 import Call, Fault

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
NOW = "Thu, 01 Jan 2026 01:00:00 GMT"
LARGEST_COPY = 5 * 1024**3
SMALLEST_PART = 5 * 1024 * 1024
MOST_DELETED = 1000
CONTINUES = "from:"
UNSPEAKABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
DESCRIBED = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "StorageClass")
REFUSED = {304: "304", 404: "NoSuchKey", 412: "PreconditionFailed", 416: "InvalidRange", 501: "NotImplemented"}


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object.

    Attributes:
        data: Its bytes from the start; fewer than `size` for an object too large for memory.
        size: Its reported size.
        etag: Its entity tag, quoted.
        modified: When it was written.
        metadata: The user's metadata.
        tags: Its tags.
        described: Further parameters of the write, such as `ContentType` and `StorageClass`.
    """

    data: bytes
    size: int
    etag: str
    modified: datetime = EPOCH
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[tuple[str, str], ...] = ()
    described: Mapping[str, Any] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """The fields of a HEAD response."""
        length = {"ContentLength": self.size, "ETag": self.etag, "LastModified": self.modified}
        if self.tags:
            length["TagCount"] = len(self.tags)
        return {**length, "ContentType": "binary/octet-stream", **self.described, "Metadata": dict(self.metadata)}

    def listed(self) -> dict[str, Any]:
        """The fields of a listing entry."""
        storage = self.described.get("StorageClass", "STANDARD")
        return {"Size": self.size, "ETag": self.etag, "LastModified": self.modified, "StorageClass": storage}


@dataclass(slots=True)
class Upload:
    """An open multipart upload: its object without bytes, and the parts by number."""

    key: str
    target: StoredObject
    parts: dict[int, StoredObject] = field(default_factory=dict)


class FakeS3:
    """Buckets in memory, and the calls made to them.

    Args:
        bucket: The bucket that exists.
        conditions: Whether conditions of writes, copies and deletes are honoured or ignored; or the operations that
        honour theirs.
        page_size: The maximum number of entries in one page of a listing.

    Attributes:
        objects: The objects of the bucket by key; tests may read and change them.
        uploads: The open multipart uploads by id.
        calls: Every call, in the order of arrival.
        bodies: The body of every response that had one.
        cuts: How many bytes each of the next bodies yields before its connection breaks; later bodies are complete.
        silent_cuts: Whether a cut looks like the end of the body.
        before: Called with each call before it is carried out; may raise `Fault`, change the objects, or return an
        awaitable for the async port.
        after: Called with each call and its response, before the response is sent; may raise `Fault`.
    """

    def __init__(
        self, bucket: str = "bucket", *, conditions: bool | Collection[str] = True, page_size: int = 1000
    ) -> None:
        self.bucket = bucket
        self.conditions = conditions
        self.page_size = page_size
        self.objects: dict[str, StoredObject] = {}
        self.uploads: dict[str, Upload] = {}
        self.calls: list[Call] = []
        self.bodies: list[FakeBody] = []
        self.cuts: list[float] = []
        self.silent_cuts = False
        self.before: Callable[[Call], Any] | None = None
        self.after: Callable[[Call, Mapping[str, Any]], None] | None = None
        self._lock = threading.Lock()
        self._writes = 0

    def put(self, key: str, data: bytes = b"", *, size: int | None = None, **facts: Any) -> StoredObject:
        """Put an object out of band.

        Args:
            key: Its key.
            data: Its bytes.
            size: Its reported size.
            facts: Further fields of a `StoredObject`.
        """
        self._writes += 1
        facts = {"etag": _tag(data), "modified": EPOCH + timedelta(seconds=self._writes), **facts}
        self.objects[key] = StoredObject(data, len(data) if size is None else size, **facts)
        return self.objects[key]

    def operations(self) -> list[str]:
        """The names of the calls so far."""
        return [call.operation for call in self.calls]

    def open_bodies(self) -> list[FakeBody]:
        """The bodies that are still open."""
        return [body for body in self.bodies if not body.closed]

    def respond(self, call: Call) -> dict[str, Any]:
        """Carry out a call.

        Raises:
            Fault: As S3 would refuse it.
        """
        with self._lock:
            if call.params["Bucket"] != self.bucket:
                raise _refusal(call, 404, "NoSuchBucket")
            response: dict[str, Any] = getattr(self, f"_{_snake(call.operation)}", self._unknown)(call)
        if self.after is not None:
            self.after(call, response)
        return response

    def _unknown(self, call: Call) -> dict[str, Any]:
        raise _refusal(call, 501)

    def _found(self, call: Call, key: str, wanted: str | None = None) -> StoredObject:
        if key not in self.objects:
            raise _refusal(call, 404)
        self._check(call, wanted is None or self.objects[key].etag == wanted)
        return self.objects[key]

    def _check(self, call: Call, holds: bool) -> None:
        if not holds and (self._honours(call) or call.operation in ("GetObject", "HeadObject")):
            raise _refusal(call, 412)

    def _honours(self, call: Call) -> bool:
        conditions = self.conditions
        return conditions if isinstance(conditions, bool) else call.operation in conditions

    def _check_target(self, call: Call) -> None:
        found = self.objects.get(call.params["Key"])
        self._check(call, "IfNoneMatch" not in call.params or found is None)
        if "IfMatch" in call.params and self._honours(call):
            self._found(call, call.params["Key"], call.params["IfMatch"])

    def _read(self, call: Call) -> StoredObject:
        found = self._found(call, call.params["Key"], call.params.get("IfMatch"))
        if "IfNoneMatch" in call.params and found.etag == call.params["IfNoneMatch"]:
            raise _refusal(call, 304)
        return found

    def _source(self, call: Call) -> StoredObject:
        return self._found(call, call.params["CopySource"]["Key"], call.params.get("CopySourceIfMatch"))

    def _upload(self, call: Call) -> Upload:
        if call.params["UploadId"] not in self.uploads:
            raise _refusal(call, 404, "NoSuchUpload")
        return self.uploads[call.params["UploadId"]]

    def _head_object(self, call: Call) -> dict[str, Any]:
        return self._read(call).facts()

    def _get_object(self, call: Call) -> dict[str, Any]:
        found = self._read(call)
        response, data = found.facts(), found.data
        if "Range" in call.params:
            first, last = _span(call.params["Range"], found.size)
            if first >= found.size:
                raise _refusal(call, 416)
            data = data[first : last + 1]
            response |= {"ContentLength": last + 1 - first, "ContentRange": f"bytes {first}-{last}/{found.size}"}
        limit = self.cuts.pop(0) if self.cuts else math.inf
        response["Body"] = FakeBody(data, limit, silent=self.silent_cuts)
        self.bodies.append(response["Body"])
        return response

    def _get_object_tagging(self, call: Call) -> dict[str, Any]:
        tags = self._found(call, call.params["Key"]).tags
        return {"TagSet": [{"Key": name, "Value": value} for name, value in tags]}

    def _put_object(self, call: Call) -> dict[str, Any]:
        self._check_target(call)
        return {"ETag": self.put(call.params["Key"], bytes(call.params["Body"]), **_described(call)).etag}

    def _delete_object(self, call: Call) -> dict[str, Any]:
        if "IfMatch" in call.params and self._honours(call):
            self._found(call, call.params["Key"], call.params["IfMatch"])
        self.objects.pop(call.params["Key"], None)
        return {}

    def _delete_objects(self, call: Call) -> dict[str, Any]:
        keys = [entry["Key"] for entry in call.params["Delete"]["Objects"]]
        if not 0 < len(keys) <= MOST_DELETED or any(UNSPEAKABLE.search(key) for key in keys):
            raise _refusal(call, 400, "MalformedXML")
        for key in keys:
            self.objects.pop(key, None)
        return {} if call.params["Delete"].get("Quiet") else {"Deleted": [{"Key": key} for key in keys]}

    def _copy_object(self, call: Call) -> dict[str, Any]:
        source = self._source(call)
        self._check_target(call)
        if source.size > LARGEST_COPY:
            raise _refusal(call, 400, "InvalidRequest")
        described = {name: value for name, value in source.described.items() if name != "StorageClass"}
        described |= _described(call)["described"]
        kept: dict[str, Any] = {"metadata": source.metadata, "tags": source.tags, "described": described}
        return {"CopyObjectResult": {"ETag": self.put(call.params["Key"], source.data, size=source.size, **kept).etag}}

    def _create_multipart_upload(self, call: Call) -> dict[str, Any]:
        self._writes += 1
        name = f"upload-{self._writes}"
        self.uploads[name] = Upload(call.params["Key"], StoredObject(b"", 0, "", **_described(call)))
        return {"UploadId": name}

    def _upload_part(self, call: Call) -> dict[str, Any]:
        body = bytes(call.params["Body"])
        part = StoredObject(body, len(body), _tag(body))
        self._upload(call).parts[call.params["PartNumber"]] = part
        return {"ETag": part.etag}

    def _upload_part_copy(self, call: Call) -> dict[str, Any]:
        source = self._source(call)
        first, last = _span(call.params["CopySourceRange"], source.size)
        data = source.data[first : last + 1]
        part = StoredObject(data, last + 1 - first, _tag(data))
        self._upload(call).parts[call.params["PartNumber"]] = part
        return {"CopyPartResult": {"ETag": part.etag}}

    def _complete_multipart_upload(self, call: Call) -> dict[str, Any]:
        upload = self._upload(call)
        self._check_target(call)
        listed = call.params["MultipartUpload"]["Parts"]
        numbers = [part["PartNumber"] for part in listed]
        if numbers != sorted(set(numbers)):
            raise _refusal(call, 400, "InvalidPartOrder")
        if not listed or any(upload.parts[part["PartNumber"]].etag != part["ETag"] for part in listed):
            raise _refusal(call, 400, "InvalidPart")
        parts = [upload.parts[number] for number in numbers]
        if any(part.size < SMALLEST_PART for part in parts[:-1]):
            raise _refusal(call, 400, "EntityTooSmall")
        tags = b"".join(bytes.fromhex(part.etag.strip('"')) for part in parts)
        etag = f'{_tag(tags)[:-1]}-{len(parts)}"'
        data, size = b"".join(part.data for part in parts), sum(part.size for part in parts)
        target = upload.target
        self.put(
            upload.key,
            data,
            size=size,
            etag=etag,
            metadata=target.metadata,
            tags=target.tags,
            described=target.described,
        )
        del self.uploads[call.params["UploadId"]]
        return {"ETag": etag}

    def _abort_multipart_upload(self, call: Call) -> dict[str, Any]:
        self._upload(call)
        del self.uploads[call.params["UploadId"]]
        return {}

    def _list_parts(self, call: Call) -> dict[str, Any]:
        after = call.params.get("PartNumberMarker", 0)
        room = min(call.params.get("MaxParts", self.page_size), self.page_size)
        parts = [(number, part) for number, part in sorted(self._upload(call).parts.items()) if number > after]
        rows = [{"PartNumber": number, "ETag": part.etag, "Size": part.size} for number, part in parts[:room]]
        response: dict[str, Any] = {"IsTruncated": len(parts) > room} | ({"Parts": rows} if rows else {})
        return response | ({"NextPartNumberMarker": rows[-1]["PartNumber"]} if len(parts) > room else {})

    def _list_multipart_uploads(self, call: Call) -> dict[str, Any]:
        prefix, encoded = call.params.get("Prefix", ""), call.params.get("EncodingType") == "url"
        after = call.params.get("KeyMarker", ""), call.params.get("UploadIdMarker", "")
        room = min(call.params.get("MaxUploads", self.page_size), self.page_size)
        found = [(upload.key, name) for name, upload in self.uploads.items() if upload.key.startswith(prefix)]
        found = sorted(entry for entry in found if entry > after)
        shown = [(quote_plus(key, safe="/") if encoded else key, name) for key, name in found[:room]]
        rows = [{"Key": key, "UploadId": name, "Initiated": EPOCH} for key, name in shown]
        response: dict[str, Any] = {"IsTruncated": len(found) > room} | ({"Uploads": rows} if rows else {})
        response |= {"EncodingType": "url"} if encoded else {}
        response |= {"ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {"date": NOW, "x-amz-id-2": "a"}}}
        marker = {"NextKeyMarker": shown[-1][0], "NextUploadIdMarker": shown[-1][1]} if len(found) > room else {}
        return response | marker

    def _list_objects_v2(self, call: Call) -> dict[str, Any]:
        prefix, delimiter = call.params.get("Prefix", ""), call.params.get("Delimiter", "")
        encoded = call.params.get("EncodingType") == "url"
        room = min(call.params.get("MaxKeys", self.page_size), self.page_size)
        last = unquote_plus(call.params.get("ContinuationToken", CONTINUES).removeprefix(CONTINUES))
        contents: list[dict[str, Any]] = []
        prefixes: list[dict[str, Any]] = []
        truncated = False
        for key in sorted(self.objects, key=str.encode):
            cut = key.find(delimiter, len(prefix)) + len(delimiter) if delimiter else 0
            entry = key[:cut] if cut else key
            if not key.startswith(prefix) or entry.encode() <= last.encode():
                continue
            truncated = len(contents) + len(prefixes) == room
            if truncated:
                break
            last = entry
            shown = quote_plus(entry, safe="/") if encoded else entry
            if cut:
                prefixes.append({"Prefix": shown})
            else:
                contents.append({"Key": shown, **self.objects[key].listed()})
        response: dict[str, Any] = {"IsTruncated": truncated, "KeyCount": len(contents) + len(prefixes)}
        response |= {"Contents": contents} if contents else {}
        response |= {"CommonPrefixes": prefixes} if prefixes else {}
        response |= {"EncodingType": "url"} if encoded else {}
        return response | ({"NextContinuationToken": CONTINUES + quote_plus(last)} if truncated else {})


class FakeS3Port:
    """The S3 port to a `FakeS3`.

    Attributes:
        closed: Whether it was closed.
    """

    def __init__(self, s3: FakeS3) -> None:
        self._s3 = s3
        self.closed = False

    def perform(self, call: Call) -> Mapping[str, Any]:
        """Respond to the call, or raise a `Fault`."""
        self._s3.calls.append(call)
        if self._s3.before is not None:
            self._s3.before(call)
        return self._s3.respond(call)

    def close(self) -> None:
        """Close the port."""
        self.closed = True


class AsyncFakeS3Port:
    """The async S3 port to a `FakeS3`; it awaits before each call and before each response.

    Attributes:
        closed: Whether it was closed.
    """

    def __init__(self, s3: FakeS3) -> None:
        self._s3 = s3
        self.closed = False

    async def perform(self, call: Call) -> Mapping[str, Any]:
        """Respond to the call, or raise a `Fault`."""
        await sleep(0)
        self._s3.calls.append(call)
        awaited = self._s3.before(call) if self._s3.before is not None else None
        if inspect.isawaitable(awaited):
            await awaited
        response = self._s3.respond(call)
        body = response.get("Body")
        try:
            await sleep(0)
        except BaseException:
            if body is not None:
                body.close()
            raise
        return {**response, "Body": AsyncFakeBody(body)} if body is not None else response

    async def close(self) -> None:
        """Close the port."""
        self.closed = True


def _refusal(call: Call, status: int, code: str | None = None) -> Fault:
    # The response to a HEAD has no body, so the code is lost and only the status remains.
    shown = str(status) if call.operation.startswith("Head") else code or REFUSED[status]
    return Fault(shown, status, "refused", "request-1")


def _described(call: Call) -> dict[str, Any]:
    described = {name: call.params[name] for name in DESCRIBED if name in call.params}
    tags = tuple(parse_qsl(call.params.get("Tagging", ""), keep_blank_values=True))
    return {"metadata": dict(call.params.get("Metadata") or {}), "tags": tags, "described": described}


def _span(text: str, size: int) -> tuple[int, int]:
    first, _, last = text.removeprefix("bytes=").partition("-")
    return int(first), min(int(last) if last else size - 1, size - 1)


def _tag(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


def _snake(name: str) -> str:
    return re.sub("(?<=[a-z])(?=[A-Z])|(?=V2)", "_", name).lower()
