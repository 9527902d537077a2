"""Backends that ask the server more often than they need to, or less often than they must."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from mutants.http_port import HttpPort
from mutants.http_s3 import HttpBackend, MotoBackend
from mutants.registry import broken
from remote_store.core import FileInfo, RemoteStoreError, WriteResult
from remote_store.core.s3 import Call
from remote_store.core.s3.operations import fetching, probes
from remote_store.core.s3.protocol.keys import check_key


class Asks(HttpPort):
    """A port that may send a call of its own before or after one that it is given."""

    def look(self, call: Call) -> None:
        """Ask for the facts of the object that a call is about."""
        super().perform(Call("HeadObject", {name: call.params[name] for name in ("Bucket", "Key")}))


@broken("COST-001")
class LooksBeforeItReads(HttpBackend):
    """Asks for the facts of a file before it reads it."""

    def read_bytes(self, path: str) -> bytes:
        self.get_file_info(path)
        return super().read_bytes(path)


@broken("COST-001")
class ReadsInBlocks(HttpBackend):
    """Sends a request for each piece that a stream is read in."""

    def read(self, path: str) -> BinaryIO:
        return self.read_seekable(path)


@broken("COST-002")
class ReadsToTheEnd(HttpBackend):
    """Asks for everything from the position on where a few bytes are read."""

    def read_seekable(self, path: str) -> BinaryIO:
        self._check(check_key, path)
        plan = self._run(fetching.open_random(self._bucket, path), path)
        return self._reader(plan, None, path, exact=False)


@broken("COST-002")
class OpensByReading(HttpBackend):
    """Opens a file for random access by reading from its start."""

    def read_seekable(self, path: str) -> BinaryIO:
        return self.read(path)


@broken("COST-003")
class ListsToFindAFile(HttpBackend):
    """Looks for a folder of the same name whenever it is asked for a file."""

    def is_file(self, path: str) -> bool:
        self.is_folder(path)
        return super().is_file(path)


@broken("COST-003")
class LooksTwice(HttpBackend):
    """Looks whether a file is there before it describes it."""

    def get_file_info(self, path: str) -> FileInfo:
        self.is_file(path)
        return super().get_file_info(path)


@broken("COST-004")
class LooksForTheFolderFirst(HttpBackend):
    """Looks for a folder before it looks for a file."""

    def exists(self, path: str) -> bool:
        return self.is_folder(path) or self.is_file(path)


class ListsPages(HttpPort):
    """A port that always asks for whole pages."""

    def perform(self, call: Call) -> Any:
        return super().perform(Call(call.operation, {k: v for k, v in call.params.items() if k != "MaxKeys"}))


@broken("COST-005", "COST-006")
class ListsAPageToFindAFolder(HttpBackend):
    """Lists a thousand keys to see whether there is one."""

    port = ListsPages


@broken("COST-006")
class LooksForAllParents(HttpBackend):
    """Looks at the folder above where a file is missing."""

    def get_file_info(self, path: str) -> FileInfo:
        try:
            return super().get_file_info(path)
        except RemoteStoreError:
            self.is_folder(path.rpartition("/")[0])
            raise


class LooksFirst(HttpBackend):
    """Looks whether a file is there before each write."""

    def looks(self, _overwrite: bool) -> bool:
        """Whether to look before this write."""
        return True

    def write(self, path: str, content: Any, *, overwrite: bool = False, **options: Any) -> WriteResult:
        if self.looks(overwrite):
            self._run(probes.is_file(self._bucket, path), path)
        return super().write(path, content, overwrite=overwrite, **options)


@broken("COST-007")
class LooksBeforeACreate(LooksFirst):
    """Looks whether a file is there where the condition of the write would tell."""

    def looks(self, overwrite: bool) -> bool:
        return not overwrite and self._bucket.options.trusts_conditional_writes


@broken("COST-009", "COST-011", "COST-020")
class LooksBeforeAnOverwrite(LooksFirst):
    """Looks whether a file is there that it is to replace anyway."""

    def looks(self, overwrite: bool) -> bool:
        return overwrite


@broken("COST-008", "WIRE-016")
class TrustsEveryServer(MotoBackend):
    """Relies on the conditions of a write where nobody said that the server honours them."""

    def __init__(self, bucket: str, **options: Any) -> None:
        super().__init__(bucket, **{**options, "conditional_writes": True})


class LooksAfterwards(Asks):
    """A port that asks for the facts of an object that it has put together."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        answer = super().perform(call)
        if call.operation == "CompleteMultipartUpload":
            self.look(call)
        return answer


@broken("COST-010", "COST-011")
class LooksAfterAnUpload(HttpBackend):
    """Asks for the facts of every file that it has written in parts."""

    port = LooksAfterwards


class PartsAtTheLimit(HttpPort):
    """A port that sends a body of exactly the part size as the one part of an upload."""

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
    """Begins an upload in parts where a content has exactly the size of one."""

    port = PartsAtTheLimit


class DeletesTwice(HttpPort):
    """A port that looks before and after a delete."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        answer = super().perform(call)
        if call.operation == "DeleteObject":
            super().perform(Call("ListObjectsV2", {"Bucket": call.params["Bucket"], "Prefix": call.params["Key"]}))
        return answer


@broken("COST-012", "COST-013")
class LooksWhetherItIsGone(HttpBackend):
    """Lists a file that it has deleted, to see whether it is gone."""

    port = DeletesTwice


@broken("COST-013")
class LooksAtTheSource(HttpBackend):
    """Asks for the facts of the source before each copy."""

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        self.get_file_info(src)
        super().copy(src, dst, overwrite=overwrite)


@broken("COST-014")
class WalksFolders(HttpBackend):
    """Lists everything below a folder by listing each folder."""

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
    """Asks for all pages before it yields the first file."""

    def list_files(self, path: str, **options: Any) -> Iterator[FileInfo]:
        return iter(list(super().list_files(path, **options)))


class DeletesByHundreds(HttpPort):
    """A port that deletes a hundred keys by one request."""

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
    """Deletes a hundred files of a folder by one request, where it could a thousand."""

    port = DeletesByHundreds


@broken("COST-017")
class ConnectsWhenMade(HttpBackend):
    """Looks whether the bucket is there when it is made."""

    def __init__(self, bucket: str, **options: Any) -> None:
        super().__init__(bucket, **options)
        self.check_health()


@broken("COST-018")
class AsksBeforeItChecks(HttpBackend):
    """Leaves it to the server to find that a range is impossible."""

    def read_range(self, path: str, start: int, length: int) -> bytes:
        self.is_file(path)
        return super().read_range(path, start, length)


@broken("COST-019")
class LooksBeforeItLists(HttpBackend):
    """Looks whether something is there before it lists it."""

    def list_files(self, path: str, **options: Any) -> Iterator[FileInfo]:
        return self.after_a_look(path, super().list_files(path, **options))

    def after_a_look(self, path: str, files: Iterator[FileInfo]) -> Iterator[FileInfo]:
        """The files of a listing, if something is there."""
        if self.exists(path):
            yield from files


@broken("COST-020")
class LooksForAFolderToo(HttpBackend):
    """Looks for a folder of the same name before a block is entered."""

    def open_atomic(self, path: str, **options: Any) -> Any:
        self.exists(path)
        return super().open_atomic(path, **options)


@broken("READ-018")
class ReadsAllBeforeItReads(HttpBackend):
    """Transfers a whole file before it hands out the first byte of a stream."""

    def read(self, path: str) -> BinaryIO:
        return io.BytesIO(self.read_bytes(path))


@broken("READ-019")
class TransfersTheFileForARange(HttpBackend):
    """Transfers a whole file and cuts the range out of it."""

    def read_range(self, path: str, start: int, length: int) -> bytes:
        return self.read_bytes(path)[start : start + length]
