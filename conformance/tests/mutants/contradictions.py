"""Backends that believe an answer that contradicts the request, or one another."""

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
    """A port to which a range is always the one that was asked for."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        told = super().perform(call)
        if call.operation != "GetObject" or "ContentRange" not in told or "Range" not in call.params:
            return told
        first = int(call.params["Range"].removeprefix("bytes=").partition("-")[0])
        return {**told, "ContentRange": f"bytes {first}-{first + told['ContentLength'] - 1}/*"}


@broken("READ-020")
class TakesAnyRange(HttpBackend):
    """Returns the bytes of a 206 without a look at which they are."""

    port = ReadsNoContentRange


@broken("READ-021")
class EndsWhereTheRestEnds(HttpBackend):
    """Goes on after a cut to whatever end the next answer names."""

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
        """The page as it is believed."""
        raise NotImplementedError


class ListsOnce(Listings):
    """A port that leaves out what a page names again."""

    def page(self, _call: Call, told: dict[str, Any]) -> Mapping[str, Any]:
        return {**told, "Contents": list({row["Key"]: row for row in told.get("Contents", [])}.values())}


@broken("LIST-031")
class OverlooksRepetitions(HttpBackend):
    """Makes sense of a page that names a key twice."""

    port = ListsOnce


class EndsWithoutAToken(Listings):
    """A port to which a page without a token is the last one."""

    def page(self, _call: Call, told: dict[str, Any]) -> Mapping[str, Any]:
        return {**told, "IsTruncated": bool(told.get("NextContinuationToken"))}


@broken("LIST-032")
class EndsWhereTheTokenIsMissing(HttpBackend):
    """Ends a listing in silence where a page names no token."""

    port = EndsWithoutAToken


class Regroups(Listings):
    """A port that leaves out what does not belong to the level that was asked for."""

    def page(self, call: Call, told: dict[str, Any]) -> Mapping[str, Any]:
        start, level = call.params.get("Prefix", ""), "Delimiter" in call.params
        rows = [row for row in told.get("Contents", []) if not level or "/" not in row["Key"][len(start) : -1]]
        folders = [row["Prefix"] for row in told.get("CommonPrefixes", [])]
        kept = [name for name in folders if name.startswith(start) and name.find("/", len(start)) == len(name) - 1]
        return {**told, "Contents": rows, "CommonPrefixes": [{"Prefix": name} for name in kept]}


@broken("LIST-033")
class OverlooksTheWrongGroup(HttpBackend):
    """Makes sense of a page whose entries are of another level."""

    port = Regroups


class NoKeyIsNoFolder(Calls):
    """A port to which a listing that finds no key is empty."""

    def failed(self, call: Call, fault: Fault) -> Mapping[str, Any]:
        if call.operation == "ListObjectsV2" and fault.code == "NoSuchKey":
            return {"IsTruncated": False}
        raise fault


@broken("LIST-034")
class EmptyWhereNoKeyIs(HttpBackend):
    """Takes NoSuchKey for a listing of nothing."""

    port = NoKeyIsNoFolder


@broken("LIST-035")
class ListsMilliseconds(HttpBackend):
    """Tells in listings the milliseconds that get_file_info does not have."""

    def list_files(self, path: str, **options: Any) -> Iterator[FileInfo]:
        for info in super().list_files(path, **options):
            time = info.modified_at
            yield replace(info, modified_at=time and time.replace(microsecond=987_000))


class Gone(Calls):
    """A port to which a delete that answers 404 is done."""

    def failed(self, call: Call, fault: Fault) -> Mapping[str, Any]:
        if call.operation == "DeleteObject" and fault.status == 404:
            return {}
        raise fault


@broken("COPY-025")
class MovesWithoutABucket(HttpBackend):
    """Takes any 404 of the delete for a source that is gone."""

    port = Gone


class KnowsAsciiOnly(HttpPort):
    """A port that shows a question mark for what is no ASCII."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        told = super().perform(call)
        metadata = {name: value.encode("ascii", "replace").decode() for name, value in told.get("Metadata", {}).items()}
        return {**told, "Metadata": metadata} if metadata else told


@broken("META-026")
class ReadsAsciiMetadata(HttpBackend):
    """Loses the letters of metadata that another tool wrote."""

    port = KnowsAsciiOnly


class DoneIsDone(HttpPort):
    """A port to which every status of success is a success."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        told = super().perform(call)
        return {"ETag": MADE_UP} if call.operation in ("PutObject", "DeleteObject") else told


@broken("WIRE-042")
class BelievesAnySuccess(HttpBackend):
    """Takes the page of a proxy for a write or a delete that was done."""

    port = DoneIsDone


class PinsAnyTag(HttpPort):
    """A port that makes every range conditional on the entity tag that came last."""

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
