"""Backends that trust conditions which the server may ignore, or mistake another writer's file for their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mutants.http_port import HttpPort
from mutants.http_s3 import HttpBackend
from mutants.objects import without
from mutants.registry import broken
from remote_store.core import ConditionalWrites
from remote_store.core.s3 import Call, Fault, S3Options
from remote_store.core.s3.operations import probes


class CopiesAgain(HttpPort):
    """A port that repeats the last copy, without its conditions, before it deletes."""

    def __init__(self, options: S3Options) -> None:
        super().__init__(options)
        self._last: Call | None = None

    def perform(self, call: Call) -> Mapping[str, Any]:
        if call.operation == "DeleteObject" and self._last is not None:
            super().perform(without(self._last, "IfNoneMatch"))
        answer = super().perform(call)
        self._last = (
            call if call.operation == "CopyObject" else None if call.operation == "DeleteObject" else self._last
        )
        return answer


@broken("S3-022")
class MovesByTwoCopies(HttpBackend):
    """Repeats the copy of a move without conditions, which overwrites another writer's file at the destination."""

    port = CopiesAgain


@broken("S3-023")
class TrustsEveryDelete(HttpBackend):
    """Relies on a conditional delete without the option that says the server honours it."""

    def __init__(self, bucket: str, **options: Any) -> None:
        super().__init__(bucket, **{**options, "conditional_writes": ConditionalWrites(delete=True)})


@broken("S3-024")
class TrustsAllKindsAlike(HttpBackend):
    """Assumes that a server that honours some conditions honours all of them."""

    def __init__(self, bucket: str, **options: Any) -> None:
        stated = options.get("conditional_writes")
        if isinstance(stated, ConditionalWrites):
            options["conditional_writes"] = True
        super().__init__(bucket, **options)


class HasNoClock(HttpPort):
    """A port that removes the time from the error of a refused request."""

    def send(self, call: Call) -> Mapping[str, Any]:
        try:
            return super().send(call)
        except Fault as fault:
            fault.date = None
            raise


@broken("WRITE-020")
class TakesEqualContentForItsOwn(HttpBackend):
    """Takes any object with the same content for the one that it wrote, even an older one."""

    port = HasNoClock


@broken("ERR-011")
class BlamesTheAncestor(HttpBackend):
    """Looks for a file above the destination before it looks for the source."""

    def copy(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        self._run(probes.refuse_file_ancestor(self._bucket, dst), dst)
        super().copy(src, dst, overwrite=overwrite)

    def move(self, src: str, dst: str, *, overwrite: bool = False) -> None:
        self._run(probes.refuse_file_ancestor(self._bucket, dst), dst)
        super().move(src, dst, overwrite=overwrite)
