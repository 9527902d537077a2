"""Backends that send more requests than needed, or fewer than required."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from mutants.http_port import HttpPort
from mutants.http_s3 import HttpBackend, MotoBackend
from mutants.registry import broken
from remote_store.core import Capability, FileInfo, RemoteStoreError, WriteResult
from remote_store.core.s3 import Call
from remote_store.core.s3.operations import fetching, probes
from remote_store.core.s3.protocol.keys import check_key


class Asks(HttpPort):
    """A port that can send an extra call before or after each call."""

    def look(self, call: Call) -> None:
        """Send a HEAD for the object of a call."""
        super().perform(Call("HeadObject", {name: call.params[name] for name in ("Bucket", "Key")}))


@broken("COST-001")
class LooksBeforeItReads(HttpBackend):
    """Sends a HEAD for a file before it reads it."""

    def read_bytes(self, path: str) -> bytes:
        self.get_file_info(path)
        return super().read_bytes(path)


@broken("COST-001")
class ReadsInBlocks(HttpBackend):
    """Sends a request for each `read` of a stream."""

    def read(self, path: str) -> BinaryIO:
        return self.read_seekable(path)


@broken("COST-002")
class ReadsToTheEnd(HttpBackend):
    """Requests the whole rest of the file when a few bytes are read at a position."""

    def read_seekable(self, path: str) -> BinaryIO:
        self._check(check_key, path)
        opened = self._run(fetching.open_random(self._bucket, path), path)
        return self._reader(opened, path, exact=False)


@broken("COST-002")
class OpensByReading(HttpBackend):
    """Opens a file for random access by reading from its start."""

    def read_seekable(self, path: str) -> BinaryIO:
        return self.read(path)


@broken("COST-003")
class ListsToFindAFile(HttpBackend):
    """`is_file` also looks for a folder of the same name."""

    def is_file(self, path: str) -> bool:
        self.is_folder(path)
        return super().is_file(path)


@broken("COST-003")
class LooksTwice(HttpBackend):
    """Checks whether a file exists before it fetches its facts."""

    def get_file_info(self, path: str) -> FileInfo:
        self.is_file(path)
        return super().get_file_info(path)


@broken("COST-004")
class LooksForTheFolderFirst(HttpBackend):
    """Looks for a folder before it looks for a file."""

    def exists(self, path: str) -> bool:
        return self.is_folder(path) or self.is_file(path)


class ListsPages(HttpPort):
    """A port that always requests full pages."""

    def perform(self, call: Call) -> Any:
        return super().perform(Call(call.operation, {k: v for k, v in call.params.items() if k != "MaxKeys"}))


@broken("COST-005", "COST-006")
class ListsAPageToFindAFolder(HttpBackend):
    """Lists a thousand keys to find out whether there is one."""

    port = ListsPages


@broken("COST-006")
class LooksForAllParents(HttpBackend):
    """Looks up the parent folder when a file is missing."""

    def get_file_info(self, path: str) -> FileInfo:
        try:
            return super().get_file_info(path)
        except RemoteStoreError:
            self.is_folder(path.rpartition("/")[0])
            raise


class LooksFirst(HttpBackend):
    """Checks whether the file exists before each write."""

    def looks(self, _overwrite: bool) -> bool:
        """Whether to check before this write."""
        return True

    def write(self, path: str, content: Any, *, overwrite: bool = False, **options: Any) -> WriteResult:
        if self.looks(overwrite):
            self._run(probes.is_file(self._bucket, path), path)
        return super().write(path, content, overwrite=overwrite, **options)


@broken("COST-007")
class LooksBeforeACreate(LooksFirst):
    """Checks whether the file exists before a write whose If-None-Match would tell."""

    def looks(self, overwrite: bool) -> bool:
        return not overwrite and Capability.ATOMIC_CREATE in self.capabilities


@broken("COST-009", "COST-011", "COST-020")
class LooksBeforeAnOverwrite(LooksFirst):
    """Checks whether the file exists before a write with `overwrite=True`."""

    def looks(self, overwrite: bool) -> bool:
        return overwrite


@broken("COST-008", "WIRE-016")
class TrustsEveryServer(MotoBackend):
    """Relies on conditional writes without the option that says the server honours them."""

    def __init__(self, bucket: str, **options: Any) -> None:
        super().__init__(bucket, **{**options, "conditional_writes": True})


class LooksAfterwards(Asks):
    """A port that sends a HEAD after CompleteMultipartUpload."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        answer = super().perform(call)
        if call.operation == "CompleteMultipartUpload":
            self.look(call)
        return answer


@broken("COST-010", "COST-011")
class LooksAfterAnUpload(HttpBackend):
    """Sends a HEAD after each upload in parts."""

    port = LooksAfterwards


class PartsAtTheLimit(HttpPort):
    """A port that uploads a body of exactly the part size as a multipart upload of one part."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        if call.operation != "PutObject" or len(call.params["Body"]) < self.options.part_size:
            return super().perform(call)
        named = {name: call.params[name] for name in ("Bucket", "Key")}
        named["UploadId"] = super().perform(Call("CreateMultipartUpload", named))["UploadId"]
        part = super().perform(Call("UploadPart", {**named, "PartNumber": 1, "Body": call.params["Body"]}))
        parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        return super().perform(Call("CompleteMultipartUpload", {**named, "MultipartUpload": parts}))


@broken("COST-011")
class PartsBeginAtTheLimit(HttpBackend):
    """Uses a multipart upload for a content of exactly the part size."""

    port = PartsAtTheLimit


class DeletesTwice(HttpPort):
    """A port that lists before and after a delete."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        answer = super().perform(call)
        if call.operation == "DeleteObject":
            super().perform(Call("ListObjectsV2", {"Bucket": call.params["Bucket"], "Prefix": call.params["Key"]}))
        return answer


@broken("COST-012", "COST-013")
class LooksWhetherItIsGone(HttpBackend):
    """Sends a listing after each delete to check that the file is gone."""

    port = DeletesTwice


@broken("COST-013")
class LooksAtTheSource(HttpBackend):
    """Sends a HEAD for the source before each copy."""

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        self.get_file_info(src)
        super().copy(src, dst, overwrite=overwrite)


@broken("COST-014")
class WalksFolders(HttpBackend):
    """Lists a folder recursively with a listing of each subfolder."""

    def list_files(self, path: str, *, recursive: bool = False, max_depth: int | None = None) -> Iterator[FileInfo]:
        files = super().list_files(path, recursive=False, max_depth=max_depth)
        return self.walk(path, files) if recursive else files

    def walk(self, path: str, files: Iterator[FileInfo]) -> Iterator[FileInfo]:
        """The files of a folder, and then those of each of its folders."""
        yield from files
        for folder in self.list_folders(path):
            yield from self.list_files(folder.path, recursive=True)


@broken("COST-015")
class ListsEagerly(HttpBackend):
    """Requests all pages before it yields the first file."""

    def list_files(self, path: str, **options: Any) -> Iterator[FileInfo]:
        return iter(list(super().list_files(path, **options)))


class DeletesByHundreds(HttpPort):
    """A port that deletes at most a hundred keys per request."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        keys = call.params["Delete"]["Objects"] if call.operation == "DeleteObjects" else []
        if not keys:
            return super().perform(call)
        errors: list[Any] = []
        for start in range(0, len(keys), 100):
            some = {"Delete": {"Objects": keys[start : start + 100]}}
            errors += super().perform(Call(call.operation, {**call.params, **some})).get("Errors", ())
        return {"Errors": errors}


@broken("COST-016")
class DeletesAHundredAtATime(HttpBackend):
    """Deletes a folder in batches of a hundred keys instead of a thousand."""

    port = DeletesByHundreds


@broken("COST-017")
class ConnectsWhenMade(HttpBackend):
    """Checks whether the bucket exists when the backend is constructed."""

    def __init__(self, bucket: str, **options: Any) -> None:
        super().__init__(bucket, **options)
        self.check_health()


@broken("COST-018")
class AsksBeforeItChecks(HttpBackend):
    """Sends a request for an invalid range instead of rejecting it first."""

    def read_range(self, path: str, start: int, length: int) -> bytes:
        self.is_file(path)
        return super().read_range(path, start, length)


@broken("COST-019")
class LooksBeforeItLists(HttpBackend):
    """Checks whether a folder exists before it lists it."""

    def list_files(self, path: str, **options: Any) -> Iterator[FileInfo]:
        return self.after_a_look(path, super().list_files(path, **options))

    def after_a_look(self, path: str, files: Iterator[FileInfo]) -> Iterator[FileInfo]:
        """The files of a listing, if something is there."""
        if self.exists(path):
            yield from files


@broken("COST-020")
class LooksForAFolderToo(HttpBackend):
    """Looks for a folder of the same name before an `open_atomic` block is entered."""

    def open_atomic(self, path: str, **options: Any) -> Any:
        self.exists(path)
        return super().open_atomic(path, **options)


@broken("READ-018")
class ReadsAllBeforeItReads(HttpBackend):
    """Downloads the whole file before the stream returns its first byte."""

    def read(self, path: str) -> BinaryIO:
        return io.BytesIO(self.read_bytes(path))


@broken("READ-019")
class TransfersTheFileForARange(HttpBackend):
    """Downloads the whole file to return a range of it."""

    def read_range(self, path: str, start: int, length: int) -> bytes:
        return self.read_bytes(path)[start : start + length]
