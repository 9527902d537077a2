"""S3 backends that break rules which only apply to S3."""

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
    """`is_folder` returns `False` for a folder that shares its name with a file."""

    def is_folder(self, path: str) -> bool:
        return super().is_folder(path) and not self.is_file(path)


@broken("S3-002")
class ListsMarkers(HttpBackend):
    """Lists folder markers as files."""

    def list_files(self, path: str, *, recursive: bool = False, max_depth: int | None = None) -> Iterator[FileInfo]:
        cursor, _ = listing.files_in(path, recursive=recursive, max_depth=max_depth)
        return self._pages(path, cursor, lambda page: iter(page.objects))


class KeepsMarkers(HttpPort):
    """A port that does not delete folder markers."""

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
    """`delete_folder` leaves the folder's marker."""

    port = KeepsMarkers


class MarksFolders(HttpPort):
    """A port that also writes a marker for the folder of each object."""

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
    """A port that sends no If-None-Match with CompleteMultipartUpload."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        return super().perform(without(call, "IfNoneMatch") if call.operation == "CompleteMultipartUpload" else call)


@broken("S3-006", "S3-007")
class UploadsWithoutACondition(HttpBackend):
    """Sends If-None-Match with a single PUT but not with a multipart upload."""

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
    """A port that sends the default storage class with every copy."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        more = {"StorageClass": "STANDARD"} if call.operation == "CopyObject" else {}
        return super().perform(Call(call.operation, {**call.params, **more}))


@broken("S3-008")
class CopiesIntoTheDefaultClass(HttpBackend):
    """Copies a file into the default storage class."""

    port = DemotesCopies


@broken("S3-009")
class AsksForNoAncestor(HttpBackend):
    """Accepts the option that refuses a file as an ancestor, and ignores it."""

    def __init__(self, bucket: str, **options: Any) -> None:
        super().__init__(bucket, **{**options, "reject_write_under_file_ancestor": False})


class MissesEverything(HttpPort):
    """A port that treats every error response to a HEAD as a 404."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        try:
            return super().perform(call)
        except Fault as fault:
            if call.operation != "HeadObject":
                raise
            raise Fault("404", 404, fault.message) from fault


@broken("S3-009", "WIRE-005", "WIRE-006")
class TakesRefusalsForMisses(HttpBackend):
    """Treats every error response to a HEAD as a missing file."""

    port = MissesEverything


@broken("S3-011")
class DeletesControlsInBulk(HttpBackend):
    """Sends every key in a bulk delete, including keys that XML cannot express."""

    def delete_folder(self, path: str, *, recursive: bool = False, missing_ok: bool = False) -> None:
        if not recursive:
            super().delete_folder(path, missing_ok=missing_ok)
        else:
            self._run(self.bulk([file.path for file in self.list_files(path, recursive=True)]), path)

    def bulk(self, keys: list[str]) -> Operation[None]:
        """Delete the keys with one request."""
        yield self._bucket.call("DeleteObjects", Delete={"Objects": [{"Key": key} for key in keys]})


class SeesNoErrors(HttpPort):
    """A port that ignores the errors inside the response to a bulk delete."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        answer = super().perform(call)
        return {} if call.operation == "DeleteObjects" else answer


@broken("S3-012")
class TakesBulkDeletesForDone(HttpBackend):
    """Ignores the keys that a bulk delete reports as not deleted."""

    port = SeesNoErrors


class EndsWhereItRepeats(HttpPort):
    """A port that treats a page with a repeated token as the last one."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        page = super().perform(call)
        token = page.get("NextContinuationToken")
        return {"IsTruncated": False} if token and token == call.params.get("ContinuationToken") else page


@broken("S3-013")
class EndsAtARepeatedToken(HttpBackend):
    """Ends a listing without an error if the server repeats a continuation token."""

    port = EndsWhereItRepeats


@broken("S3-014")
class EndsWhereAListingBreaks(HttpBackend):
    """Ends a listing without an error if a page after the first one fails."""

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
    """A port that sends no If-Match and puts the expected ETag into every response."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        if call.operation != "GetObject" or "IfMatch" not in call.params:
            return super().perform(call)
        return {**super().perform(without(call, "IfMatch")), "ETag": call.params["IfMatch"]}


@broken("S3-015", "WIRE-009", "WIRE-012", "SEEK-008")
class ReadsWhateverIsThere(HttpBackend):
    """Continues with the new version of an object that changes while it is read."""

    port = BelievesWhatItIsTold


class TakesTwoHundredForDone(HttpPort):
    """A port that ignores an error inside a 200 response."""

    def send(self, call: Call) -> Mapping[str, Any]:
        try:
            return super().send(call)
        except Fault as fault:
            if fault.status != 200 or call.operation not in COMMITS:
                raise
            return {"ETag": '"0"', "CopyObjectResult": {"ETag": '"0"'}}


@broken("S3-016")
class SeesNoErrorInSuccess(HttpBackend):
    """Treats every 200 response as success, including one that contains an error."""

    port = TakesTwoHundredForDone


class LowersTags(HttpPort):
    """A port that returns ETags in lower case."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        answer = dict(super().perform(call))
        return {**answer, "ETag": answer["ETag"].lower()} if "ETag" in answer else answer


@broken("S3-017")
class TagsAreSmall(HttpBackend):
    """The result of a write contains the ETag in lower case."""

    port = LowersTags


class DeletesBlindly(HttpPort):
    """A port that deletes without conditions."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        return super().perform(without(call, "IfMatch") if call.operation == "DeleteObject" else call)


@broken("S3-018")
class MovesBlindly(HttpBackend):
    """Deletes the source of a move even if it was replaced meanwhile."""

    port = DeletesBlindly


class ForgetsOptionsOfUploads(HttpPort):
    """A port that starts multipart uploads without the options of the write."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        upload = call.operation == "CreateMultipartUpload"
        return super().perform(without(call, "StorageClass", "Tagging") if upload else call)


@broken("S3-019")
class OptionsOfOnePutOnly(HttpBackend):
    """Sends the options of a write with a single PUT but not with a multipart upload."""

    port = ForgetsOptionsOfUploads


class ListsPlainly(HttpPort):
    """A port that requests listings without `encoding-type=url`."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        return super().perform(without(call, "EncodingType"))


@broken("S3-021")
class ListsKeysAsTheyAre(HttpBackend):
    """Requests listings without `encoding-type=url`, so keys that XML cannot express are lost."""

    port = ListsPlainly
