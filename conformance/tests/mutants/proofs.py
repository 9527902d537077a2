"""Backends that draw conclusions which the response does not support."""

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
    """A port that invents the result of a copy if the response has none."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        told = super().perform(call)
        if call.operation == "CopyObject" and not told["CopyObjectResult"]:
            return {"CopyObjectResult": {"ETag": MADE_UP}}
        return told


@broken("WIRE-038")
class BelievesAnyCopy(HttpBackend):
    """Treats any response to CopyObject as a successful copy."""

    port = NeedsNoResult


class ListsAnything(Calls):
    """A port that treats an HTML page as an empty listing."""

    def failed(self, call: Call, fault: Fault) -> Mapping[str, Any]:
        if fault.code == "NotS3" and call.operation == "ListObjectsV2":
            return {"IsTruncated": False}
        raise fault


@broken("WIRE-039")
class EmptyWhereNoS3Is(HttpBackend):
    """Returns an empty listing if the endpoint is not an S3 service."""

    port = ListsAnything


class TakesAny404(Calls):
    """A port that treats every 404 as a response of S3."""

    def failed(self, _call: Call, fault: Fault) -> Mapping[str, Any]:
        fault.foreign = False
        raise fault


@broken("WIRE-040")
class AbsentWhereNoS3Is(HttpBackend):
    """Treats the 404 of a web server as a missing file."""

    port = TakesAny404


class TakesTheFirstStatus(HttpPort):
    """A port that takes the first status as the final one."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        told = super().perform(call)
        if told.get("ResponseMetadata", {}).get("HTTPStatusCode", 200) >= 200:
            return told
        asked = call.params.get("Delete", {}).get("Objects", [])
        return {"ETag": MADE_UP, "CopyObjectResult": {"ETag": MADE_UP}, "Deleted": asked}


@broken("WIRE-041")
class TakesAHintForTheAnswer(HttpBackend):
    """Takes an informational 103 as the final response, so an error counts as success."""

    port = TakesTheFirstStatus


@broken("LIST-028")
class LooksAtOnePage(HttpBackend):
    """Looks for a folder's content only on the first page of the listing."""

    def is_folder(self, path: str) -> bool:
        call = self._bucket.call("ListObjectsV2", Prefix=prefix_of(path), MaxKeys=1, EncodingType="url")
        return bool(self._runner.port().perform(call).get("Contents"))


class HidesStrangers(HttpPort):
    """A port that drops keys outside of the requested prefix from a listing."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        told = super().perform(call)
        if call.operation != "ListObjectsV2":
            return told
        prefix = call.params.get("Prefix", "")
        return {**told, "Contents": [row for row in told.get("Contents", []) if row["Key"].startswith(prefix)]}


@broken("LIST-029")
class GoesOnWithABrokenListing(HttpBackend):
    """Deletes a folder although its listing contains a key of another folder."""

    port = HidesStrangers


class EndsWhereATokenComesAgain(HttpPort):
    """A port that ends a listing when a continuation token comes a second time."""

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
    """Ends a listing without an error if the continuation tokens form a cycle."""

    port = EndsWhereATokenComesAgain


class KnowsNoOtherWay(Calls):
    """A port that hides the error of an unsupported operation."""

    def failed(self, call: Call, fault: Fault) -> Mapping[str, Any]:
        if call.operation == "DeleteObjects":
            raise Fault("Refused", 400, fault.message, fault.request_id) from fault.__cause__
        raise fault


@broken("DEL-021")
class DeletesInBulkOnly(HttpBackend):
    """Fails to delete a folder if the server does not support bulk deletes."""

    port = KnowsNoOtherWay
