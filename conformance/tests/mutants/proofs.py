"""Backends that take an answer for more than it says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mutants.http_port import HttpPort
from mutants.http_s3 import HttpBackend
from mutants.registry import broken
from mutants.wires import Calls
from remote_store.core.s3 import Call, Fault
from remote_store.core.s3.protocol.keys import prefix_of

MADE_UP = '"00000000000000000000000000000000"'


class NeedsNoResult(HttpPort):
    """A port that makes up the result of a copy that did not come."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        told = super().perform(call)
        if call.operation == "CopyObject" and not told["CopyObjectResult"]:
            return {"CopyObjectResult": {"ETag": MADE_UP}}
        return told


@broken("WIRE-038")
class BelievesAnyCopy(HttpBackend):
    """Takes any answer to CopyObject for a copy that was made."""

    port = NeedsNoResult


class ListsAnything(Calls):
    """A port to which a page for people is a listing of nothing."""

    def failed(self, call: Call, fault: Fault) -> Mapping[str, Any]:
        if fault.code == "NotS3" and call.operation == "ListObjectsV2":
            return {"IsTruncated": False}
        raise fault


@broken("WIRE-039")
class EmptyWhereNoS3Is(HttpBackend):
    """Lists nothing where the endpoint is no S3 service."""

    port = ListsAnything


class TakesAny404(Calls):
    """A port to which every 404 is S3's."""

    def failed(self, _call: Call, fault: Fault) -> Mapping[str, Any]:
        fault.foreign = False
        raise fault


@broken("WIRE-040")
class AbsentWhereNoS3Is(HttpBackend):
    """Takes the 404 of a web server for a bucket without the file."""

    port = TakesAny404


class TakesTheFirstStatus(HttpPort):
    """A port to which the first status is the last one."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        told = super().perform(call)
        if told.get("ResponseMetadata", {}).get("HTTPStatusCode", 200) >= 200:
            return told
        asked = call.params.get("Delete", {}).get("Objects", [])
        return {"ETag": MADE_UP, "CopyObjectResult": {"ETag": MADE_UP}, "Deleted": asked}


@broken("WIRE-041")
class TakesAHintForTheAnswer(HttpBackend):
    """Takes a 103 for the answer, and so a refusal for a success."""

    port = TakesTheFirstStatus


@broken("LIST-028")
class LooksAtOnePage(HttpBackend):
    """Looks for the content of a folder on the first page alone."""

    def is_folder(self, path: str) -> bool:
        call = self._bucket.call("ListObjectsV2", Prefix=prefix_of(path), MaxKeys=1, EncodingType="url")
        return bool(self._runner.port().perform(call).get("Contents"))


class HidesStrangers(HttpPort):
    """A port that leaves out of a listing what was not asked for."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        told = super().perform(call)
        if call.operation != "ListObjectsV2":
            return told
        prefix = call.params.get("Prefix", "")
        return {**told, "Contents": [row for row in told.get("Contents", []) if row["Key"].startswith(prefix)]}


@broken("LIST-029")
class GoesOnWithABrokenListing(HttpBackend):
    """Deletes by a listing that names a key of another folder."""

    port = HidesStrangers


class EndsWhereATokenComesAgain(HttpPort):
    """A port to which a listing ends where a token comes a second time."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        told = super().perform(call)
        seen = self.__dict__.setdefault("seen", set())
        token = told.get("NextContinuationToken")
        if token in seen:
            return {"IsTruncated": False}
        seen.update({token} - {None})
        return told


@broken("LIST-030")
class EndsWherePagesComeAgain(HttpBackend):
    """Ends a listing in silence where its pages come round again."""

    port = EndsWhereATokenComesAgain


class KnowsNoOtherWay(Calls):
    """A port that does not say that an operation is not there."""

    def failed(self, call: Call, fault: Fault) -> Mapping[str, Any]:
        if call.operation == "DeleteObjects":
            raise Fault("Refused", 400, fault.message, fault.request_id) from fault.__cause__
        raise fault


@broken("DEL-021")
class DeletesInBulkOnly(HttpBackend):
    """Gives a folder up where the server has no bulk delete."""

    port = KnowsNoOtherWay
