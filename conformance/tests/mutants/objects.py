"""Backends that do not do on S3 what only S3 asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from mutants.http_port import HttpPort
from mutants.http_s3 import HttpBackend
from mutants.registry import broken
from remote_store.core import FileInfo, RemoteStoreError
from remote_store.core.s3 import Call, Fault
from remote_store.core.s3.operations import listing
from remote_store.core.s3.operations.paging import Cursor
from remote_store.core.s3.operations.steps import Operation
from remote_store.core.s3.protocol.pages import Page

T = TypeVar("T")
COMMITS = ("CompleteMultipartUpload", "CopyObject")


def without(call: Call, *names: str) -> Call:
    """A call without some of its parameters."""
    return Call(call.operation, {name: value for name, value in call.params.items() if name not in names})


@broken("S3-001")
class FilesAreNoFolders(HttpBackend):
    """Calls nothing a folder that is a file too."""

    def is_folder(self, path: str) -> bool:
        return super().is_folder(path) and not self.is_file(path)


@broken("S3-002")
class ListsMarkers(HttpBackend):
    """Lists the markers of folders as files."""

    def list_files(self, path: str, *, recursive: bool = False, max_depth: int | None = None) -> Iterator[FileInfo]:
        cursor, _ = listing.files_in(path, recursive=recursive, max_depth=max_depth)
        return self._pages(path, cursor, lambda page: iter(page.objects))


class KeepsMarkers(HttpPort):
    """A port that deletes no marker."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        if call.operation == "DeleteObjects":
            asked = call.params["Delete"]["Objects"]
            others = [row for row in asked if not row["Key"].endswith("/")]
            if others:
                super().perform(Call(call.operation, {**call.params, "Delete": {"Objects": others}}))
            return {"Deleted": asked}
        return super().perform(call)


@broken("S3-003")
class LeavesMarkers(HttpBackend):
    """Leaves the marker of a folder that it deletes."""

    port = KeepsMarkers


class MarksFolders(HttpPort):
    """A port that writes a marker for the folder of what it writes."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        answer = super().perform(call)
        folder, slash, _ = call.params.get("Key", "").rpartition("/")
        if call.operation in ("PutObject", "CopyObject") and slash:
            super().perform(Call("PutObject", {"Bucket": call.params["Bucket"], "Key": f"{folder}/", "Body": b""}))
        return answer


@broken("S3-004", "COST-009")
class WritesMarkers(HttpBackend):
    """Writes a marker for the folder of each file, as consoles do."""

    port = MarksFolders


class ForgetsLastConditions(HttpPort):
    """A port that puts no condition on the end of an upload."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        return super().perform(without(call, "IfNoneMatch") if call.operation == "CompleteMultipartUpload" else call)


@broken("S3-006", "S3-007")
class UploadsWithoutACondition(HttpBackend):
    """Puts the condition of a create on one PUT, and not on an upload in parts."""

    port = ForgetsLastConditions


class ReplacesTags(HttpPort):
    """A port that copies without the tags."""

    def sign(self, method: str, url: str, headers: dict[str, str]) -> dict[str, str]:
        more = {"x-amz-tagging-directive": "REPLACE"} if "x-amz-copy-source" in headers else {}
        return super().sign(method, url, {**headers, **more})


@broken("S3-008")
class CopiesWithoutTags(HttpBackend):
    """Copies a file without its tags."""

    port = ReplacesTags


class DemotesCopies(HttpPort):
    """A port that says the default storage class where a copy should keep its own."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        more = {"StorageClass": "STANDARD"} if call.operation == "CopyObject" else {}
        return super().perform(Call(call.operation, {**call.params, **more}))


@broken("S3-008")
class CopiesIntoTheDefaultClass(HttpBackend):
    """Copies a file into the default storage class."""

    port = DemotesCopies


@broken("S3-009")
class AsksForNoAncestor(HttpBackend):
    """Takes the option to refuse a file as an ancestor, and does nothing with it."""

    def __init__(self, bucket: str, **options: Any) -> None:
        super().__init__(bucket, **{**options, "reject_write_under_file_ancestor": False})


class MissesEverything(HttpPort):
    """A port to which every refusal of a HEAD is a 404."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        try:
            return super().perform(call)
        except Fault as fault:
            if call.operation != "HeadObject":
                raise
            raise Fault("404", 404, fault.message) from fault


@broken("S3-009", "WIRE-005", "WIRE-006")
class TakesRefusalsForMisses(HttpBackend):
    """Takes every refusal of a HEAD for a file that is not there."""

    port = MissesEverything


@broken("S3-011")
class DeletesControlsInBulk(HttpBackend):
    """Names every key in a bulk delete, also those that XML has no form for."""

    def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        if not recursive:
            super().delete_folder(path, missing_ok=missing_ok)
        else:
            self._run(self.bulk([file.path for file in self.list_files(path, recursive=True)]), path)

    def bulk(self, keys: list[str]) -> Operation[None]:
        """Delete the keys by one request."""
        yield self._bucket.call("DeleteObjects", Delete={"Objects": [{"Key": key} for key in keys]})


class SeesNoErrors(HttpPort):
    """A port that reads no further than the status of a bulk delete."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        answer = super().perform(call)
        return {} if call.operation == "DeleteObjects" else answer


@broken("S3-012")
class TakesBulkDeletesForDone(HttpBackend):
    """Does not read which keys a bulk delete could not delete."""

    port = SeesNoErrors


class EndsWhereItRepeats(HttpPort):
    """A port to which a page that repeats its token is the last one."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        page = super().perform(call)
        token = page.get("NextContinuationToken")
        return {"IsTruncated": False} if token and token == call.params.get("ContinuationToken") else page


@broken("S3-013")
class EndsAtARepeatedToken(HttpBackend):
    """Ends a listing in silence where the server repeats itself."""

    port = EndsWhereItRepeats


@broken("S3-014")
class EndsWhereAListingBreaks(HttpBackend):
    """Ends a listing in silence where a page after the first one fails."""

    def _pages(self, path: str, cursor: Cursor, take: Callable[[Page], Iterator[T]]) -> Iterator[T]:
        first = True
        try:
            for item in super()._pages(path, cursor, take):
                yield item
                first = False
        except RemoteStoreError:
            if first:
                raise


class BelievesWhatItIsTold(HttpPort):
    """A port that pins nothing, and takes every answer for the version that was asked for."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        if call.operation != "GetObject" or "IfMatch" not in call.params:
            return super().perform(call)
        return {**super().perform(without(call, "IfMatch")), "ETag": call.params["IfMatch"]}


@broken("S3-015", "WIRE-009", "WIRE-012", "SEEK-008")
class ReadsWhateverIsThere(HttpBackend):
    """Goes on in the new version of an object that changes while it is read."""

    port = BelievesWhatItIsTold


class TakesTwoHundredForDone(HttpPort):
    """A port that reads no error out of a 200."""

    def send(self, call: Call) -> Mapping[str, Any]:
        try:
            return super().send(call)
        except Fault as fault:
            if fault.status != 200 or call.operation not in COMMITS:
                raise
            return {"ETag": '"0"', "CopyObjectResult": {"ETag": '"0"'}}


@broken("S3-016")
class SeesNoErrorInSuccess(HttpBackend):
    """Takes every 200 for success, also one with an error inside."""

    port = TakesTwoHundredForDone


class LowersTags(HttpPort):
    """A port that says ETags in small letters."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        answer = dict(super().perform(call))
        return {**answer, "ETag": answer["ETag"].lower()} if "ETag" in answer else answer


@broken("S3-017")
class TagsAreSmall(HttpBackend):
    """Says the ETag that a write was answered with in small letters."""

    port = LowersTags


class DeletesBlindly(HttpPort):
    """A port that deletes whatever is there."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        return super().perform(without(call, "IfMatch") if call.operation == "DeleteObject" else call)


@broken("S3-018")
class MovesBlindly(HttpBackend):
    """Deletes the source of a move, even when it is another file by then."""

    port = DeletesBlindly


class ForgetsOptionsOfUploads(HttpPort):
    """A port that begins uploads without the options of a write."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        upload = call.operation == "CreateMultipartUpload"
        return super().perform(without(call, "StorageClass", "Tagging") if upload else call)


@broken("S3-019")
class OptionsOfOnePutOnly(HttpBackend):
    """Sends the options of a write with one PUT, and not with an upload in parts."""

    port = ForgetsOptionsOfUploads


class ListsPlainly(HttpPort):
    """A port that asks for keys as they are."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        return super().perform(without(call, "EncodingType"))


@broken("S3-021")
class ListsKeysAsTheyAre(HttpBackend):
    """Asks for listings in which a key may be what XML has no form for."""

    port = ListsPlainly
