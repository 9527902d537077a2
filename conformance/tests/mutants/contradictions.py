"""Backends that accept a response that contradicts the request or another response."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from mutants.http_port import HttpPort
from mutants.http_s3 import HttpBackend
from mutants.registry import broken
from mutants.wires import Calls
from remote_store.core import FileInfo
from remote_store.core.s3 import Call, Fault

MADE_UP = '"00000000000000000000000000000000"'


class ReadsNoContentRange(HttpPort):
    """A port that changes every Content-Range to the range that was requested."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        told = super().perform(call)
        if call.operation != "GetObject" or "ContentRange" not in told or "Range" not in call.params:
            return told
        first = int(call.params["Range"].removeprefix("bytes=").partition("-")[0])
        return {**told, "ContentRange": f"bytes {first}-{first + told['ContentLength'] - 1}/*"}


@broken("READ-020")
class TakesAnyRange(HttpBackend):
    """Returns the bytes of a 206 response without checking its Content-Range."""

    port = ReadsNoContentRange


@broken("READ-021")
class EndsWhereTheRestEnds(HttpBackend):
    """Resumes a read that was cut, and takes the file's size from the new response."""

    def read_bytes(self, path: str) -> bytes:
        port = self._runner.port()
        told = port.perform(self._bucket.call("GetObject", Key=path))
        size, content = told["ContentLength"], b""
        while block := told["Body"].read(16):
            content += block
        told["Body"].close()
        if len(content) < size:
            rest = port.perform(self._bucket.call("GetObject", Key=path, Range=f"bytes={len(content)}-"))
            content += rest["Body"].read()
            rest["Body"].close()
        return content


class Listings(HttpPort):
    """A port that changes a page of a listing."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        told = super().perform(call)
        return self.page(call, dict(told)) if call.operation == "ListObjectsV2" else told

    def page(self, call: Call, told: dict[str, Any]) -> Mapping[str, Any]:
        """The page after the change."""
        raise NotImplementedError


class ListsOnce(Listings):
    """A port that removes duplicate entries from a page."""

    def page(self, _call: Call, told: dict[str, Any]) -> Mapping[str, Any]:
        return {**told, "Contents": list({row["Key"]: row for row in told.get("Contents", [])}.values())}


@broken("LIST-031")
class OverlooksRepetitions(HttpBackend):
    """Removes duplicates from a page that lists a key twice, instead of raising an error."""

    port = ListsOnce


class EndsWithoutAToken(Listings):
    """A port that treats a page without a continuation token as the last one."""

    def page(self, _call: Call, told: dict[str, Any]) -> Mapping[str, Any]:
        return {**told, "IsTruncated": bool(told.get("NextContinuationToken"))}


@broken("LIST-032")
class EndsWhereTheTokenIsMissing(HttpBackend):
    """Ends a listing without an error if a truncated page has no continuation token."""

    port = EndsWithoutAToken


class Regroups(Listings):
    """A port that drops entries of other levels than the one requested."""

    def page(self, call: Call, told: dict[str, Any]) -> Mapping[str, Any]:
        start, level = call.params.get("Prefix", ""), "Delimiter" in call.params
        rows = [row for row in told.get("Contents", []) if not level or "/" not in row["Key"][len(start) : -1]]
        folders = [row["Prefix"] for row in told.get("CommonPrefixes", [])]
        kept = [name for name in folders if name.startswith(start) and name.find("/", len(start)) == len(name) - 1]
        return {**told, "Contents": rows, "CommonPrefixes": [{"Prefix": name} for name in kept]}


@broken("LIST-033")
class OverlooksTheWrongGroup(HttpBackend):
    """Drops entries of another level from a page, instead of raising an error."""

    port = Regroups


class NoKeyIsNoFolder(Calls):
    """A port that returns an empty listing for NoSuchKey."""

    def failed(self, call: Call, fault: Fault) -> Mapping[str, Any]:
        if call.operation == "ListObjectsV2" and fault.code == "NoSuchKey":
            return {"IsTruncated": False}
        raise fault


@broken("LIST-034")
class EmptyWhereNoKeyIs(HttpBackend):
    """Treats NoSuchKey in response to a listing as an empty listing."""

    port = NoKeyIsNoFolder


@broken("LIST-035")
class ListsMilliseconds(HttpBackend):
    """Listings return times with milliseconds; `get_file_info` returns whole seconds."""

    def list_files(self, path: str, **options: Any) -> Iterator[FileInfo]:
        for info in super().list_files(path, **options):
            time = info.modified_at
            yield replace(info, modified_at=time and time.replace(microsecond=987_000))


class Gone(Calls):
    """A port that treats a 404 in response to a delete as success."""

    def failed(self, call: Call, fault: Fault) -> Mapping[str, Any]:
        if call.operation == "DeleteObject" and fault.status == 404:
            return {}
        raise fault


@broken("COPY-025")
class MovesWithoutABucket(HttpBackend):
    """A move treats any 404 in response to its delete as a source that is already deleted."""

    port = Gone


class KnowsAsciiOnly(HttpPort):
    """A port that replaces characters outside ASCII by question marks."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        told = super().perform(call)
        metadata = {name: value.encode("ascii", "replace").decode() for name, value in told.get("Metadata", {}).items()}
        return {**told, "Metadata": metadata} if metadata else told


@broken("META-026")
class ReadsAsciiMetadata(HttpBackend):
    """Replaces characters outside ASCII in metadata that another tool wrote."""

    port = KnowsAsciiOnly


class DoneIsDone(HttpPort):
    """A port that accepts every 2xx status as success."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        told = super().perform(call)
        return {"ETag": MADE_UP} if call.operation in ("PutObject", "DeleteObject") else told


@broken("WIRE-042")
class BelievesAnySuccess(HttpBackend):
    """Treats a proxy's page with a 2xx status as a successful write or delete."""

    port = DoneIsDone


class PinsAnyTag(HttpPort):
    """A port that sends every range request with If-Match and the latest entity tag."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        seen = self.__dict__.setdefault("seen", {})
        if call.operation == "GetObject" and "Range" in call.params and call.params["Key"] in seen:
            call = Call(call.operation, {**call.params, "IfMatch": seen[call.params["Key"]]})
        told = super().perform(call)
        if "ETag" in told and "Key" in call.params:
            seen[call.params["Key"]] = told["ETag"]
        return told


@broken("WIRE-043")
class PinsWeakTags(HttpBackend):
    """Sends If-Match with a weak entity tag, which never matches."""

    port = PinsAnyTag
