"""Backends that ignore conditions on the version of a file, or misread what they mean."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from mutants.http_port import HttpPort
from mutants.http_s3 import HttpBackend
from mutants.objects import without
from mutants.registry import broken
from remote_store.core import FileInfo, MemoryBackend, NotFound, NotModified, PreconditionFailed, WriteResult
from remote_store.core.s3 import Call, Fault


def dropping(options: dict[str, Any], *names: str) -> dict[str, Any]:
    """The options without some."""
    return {name: value for name, value in options.items() if name not in names}


@broken("SWAP-001")
class ComparesWithQuotes(MemoryBackend):
    """Compares the ETag of a condition with the one in quotes, so that a write with it never succeeds."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if options.get("if_match"):
            raise PreconditionFailed("the file changed", path=path)
        return super().write(path, content, **options)


@broken("SWAP-002", "SWAP-004")
class WritesAnyway(MemoryBackend):
    """Ignores the condition of a write."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        return super().write(path, content, **dropping(options, "if_match"))


@broken("SWAP-002")
class CreatesWhatIsGone(MemoryBackend):
    """Ignores the condition of a write if the file does not exist."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        gone = path not in self._files
        return super().write(path, content, **(dropping(options, "if_match") if gone else options))


@broken("SWAP-002")
class RaisesNotFound(MemoryBackend):
    """Raises NotFound for a write with a condition if the file does not exist."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if options.get("if_match") and path not in self._files:
            raise NotFound("there is no such file", path=path)
        return super().write(path, content, **options)


@broken("SWAP-004")
class ComparesBeforehand(MemoryBackend):
    """Compares first and writes later, so that another writer can come between."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        tag = options.get("if_match")
        if tag and path in self._files:
            if self._files[path].etag != tag:
                raise PreconditionFailed("the file changed", path=path)
            time.sleep(0.01)
            options = dropping(options, "if_match")
        return super().write(path, content, **options)


@broken("SWAP-005")
class ReadsAnyVersion(MemoryBackend):
    """Ignores `if_match` of a read."""

    def read_bytes(self, path: str, **options: Any) -> Any:
        return super().read_bytes(path, **dropping(options, "if_match"))


@broken("SWAP-006")
class AlwaysSends(MemoryBackend):
    """Ignores `if_none_match`."""

    def get_file_info(self, path: str, **options: Any) -> Any:
        return super().get_file_info(path, **dropping(options, "if_none_match"))


@broken("SWAP-006")
class NeverSends(MemoryBackend):
    """Takes every version for the one that the caller has."""

    def read_bytes(self, path: str, **options: Any) -> Any:
        content = super().read_bytes(path, **options)
        known = options.get("if_none_match")
        return content if known is None else NotModified(path, known)


@broken("SWAP-007")
class DeletesAnyway(MemoryBackend):
    """Ignores the condition of a delete."""

    def delete(self, path: str, **options: Any) -> None:
        super().delete(path, **dropping(options, "if_match"))


@broken("SWAP-007")
class ForgivesTheCondition(MemoryBackend):
    """Takes a failed condition of a delete for a missing file, with `missing_ok`."""

    def delete(self, path: str, **options: Any) -> None:
        try:
            super().delete(path, **options)
        except PreconditionFailed:
            if not options.get("missing_ok"):
                raise


@broken("SWAP-008")
class MissesTheCondition(MemoryBackend):
    """Raises PreconditionFailed for a conditional delete of a missing file."""

    def delete(self, path: str, **options: Any) -> None:
        try:
            super().delete(path, **options)
        except NotFound as error:
            if options.get("if_match"):
                raise PreconditionFailed("the file changed", path=path) from error
            raise


@broken("SWAP-009")
class CopiesAnyVersion(MemoryBackend):
    """Ignores the condition of a copy."""

    def copy(self, src: str, dst: str, **options: Any) -> None:
        super().copy(src, dst, **dropping(options, "if_match"))


@broken("SWAP-009")
class NamesTheTarget(MemoryBackend):
    """Names the destination in the error of a copy whose source is another version."""

    def copy(self, src: str, dst: str, **options: Any) -> None:
        try:
            super().copy(src, dst, **options)
        except PreconditionFailed as error:
            error.path = dst
            raise


@broken("SWAP-010")
class CopiesAndThenCompares(MemoryBackend):
    """Copies first, and compares only before it deletes the source."""

    def move(self, src: str, dst: str, **options: Any) -> None:
        if options.get("if_match") and src != dst:
            self.copy(src, dst, **dropping(options, "if_match"))
            self.delete(src, if_match=options["if_match"])
        else:
            super().move(src, dst, **options)


@broken("SWAP-011")
class TakesAnyTag(MemoryBackend):
    """Compares whatever it is given, instead of refusing what no ETag can be."""

    def get_file_info(self, path: str, **options: Any) -> Any:
        tag = options.get("if_match")
        info: Any = super().get_file_info(path, **dropping(options, "if_match"))
        if tag is not None and isinstance(info, FileInfo) and info.etag != tag:
            raise PreconditionFailed("the file changed", path=path)
        return info


@broken("SWAP-012")
class CreatesOrReplaces(MemoryBackend):
    """Takes `if_match` without `overwrite=True` for a write that may replace."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if options.get("if_match"):
            options["overwrite"] = True
        return super().write(path, content, **options)


class ConditionAtTheStart(HttpPort):
    """A port that sends no condition when it completes an upload."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        return super().perform(without(call, "IfMatch") if call.operation == "CompleteMultipartUpload" else call)


@broken("SWAP-003")
class SwapsPartsWithoutACondition(HttpBackend):
    """Sends no condition with the completion of an upload."""

    port = ConditionAtTheStart


class CountsOnce(HttpPort):
    """A port that does not say that it repeated a request."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        try:
            return super().perform(call)
        except Fault as fault:
            fault.attempts = 1
            raise


@broken("SWAP-013")
class TakesItsOwnWriteForAnothers(HttpBackend):
    """Raises PreconditionFailed if its own first attempt, whose response was lost, has replaced the file."""

    port = CountsOnce


@broken("SWAP-014")
class LooksBeforeItSwaps(HttpBackend):
    """Sends a HEAD before a write with a condition."""

    def write(self, path: str, content: Any, **options: Any) -> WriteResult:
        if options.get("if_match"):
            self.is_file(path)
        return super().write(path, content, **options)


@broken("SWAP-015")
class LooksBeforeItReadsAVersion(HttpBackend):
    """Sends a HEAD to compare, and then reads."""

    def read_bytes(self, path: str, **options: Any) -> Any:
        if options.get("if_match"):
            self.get_file_info(path, if_match=options["if_match"])
        return super().read_bytes(path, **options)


@broken("SWAP-016")
class LooksBeforeItDeletesAVersion(HttpBackend):
    """Sends a HEAD before a delete with a condition."""

    def delete(self, path: str, **options: Any) -> None:
        if options.get("if_match"):
            self.is_file(path)
        super().delete(path, **options)
