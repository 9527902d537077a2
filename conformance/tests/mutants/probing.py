"""Backends that find out wrongly which conditions a server honours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from mutants.http_port import HttpPort
from mutants.http_s3 import HttpBackend
from mutants.registry import broken
from remote_store.core import ConditionalWrites, RemoteStoreError
from remote_store.core.s3 import Call
from remote_store.core.s3.operations.trust import FINDINGS


@broken("S3-025")
class PromisesEveryCondition(HttpBackend):
    """Says that the server honours all conditions, without asking it."""

    def probe_conditions(self, prefix: str) -> ConditionalWrites:
        return ConditionalWrites.every(True)


@broken("S3-025")
class TakesErrorsForAnswers(HttpBackend):
    """Takes any error for a condition that is not honoured."""

    def probe_conditions(self, prefix: str) -> ConditionalWrites:
        try:
            return super().probe_conditions(prefix)
        except RemoteStoreError:
            return ConditionalWrites.every(False)


@broken("S3-025")
class KnowsHalf(HttpBackend):
    """Leaves the conditions that the server does not honour unknown."""

    def probe_conditions(self, prefix: str) -> ConditionalWrites:
        found = super().probe_conditions(prefix)
        return ConditionalWrites(**{field.name: getattr(found, field.name) or None for field in fields(found)})


class RemovesNothing(HttpPort):
    """A port that does not delete objects of probes unless the delete has a condition."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        is_removal = call.operation == "DeleteObject" and "IfMatch" not in call.params
        if is_removal and ".remote-store-probe-" in call.params["Key"]:
            return {"ResponseMetadata": {"HTTPStatusCode": 204, "HTTPHeaders": {"x-amz-request-id": "R"}}}
        return super().perform(call)


@broken("S3-026")
class LeavesItsObjects(HttpBackend):
    """Leaves the objects of a probe."""

    port = RemovesNothing


class AbortsNothing(HttpPort):
    """A port that does not abort uploads."""

    def perform(self, call: Call) -> Mapping[str, Any]:
        if call.operation == "AbortMultipartUpload":
            return {"ResponseMetadata": {"HTTPStatusCode": 204, "HTTPHeaders": {"x-amz-request-id": "R"}}}
        return super().perform(call)


@broken("S3-026")
class LeavesUploadsOfProbes(HttpBackend):
    """Leaves the multipart uploads of a probe."""

    port = AbortsNothing


@broken("S3-027")
class ForgetsWhatItFound(HttpBackend):
    """Probes before each write."""

    def write(self, path: str, content: Any, **options: Any) -> Any:
        FINDINGS.forget()
        return super().write(path, content, **options)


@broken("S3-027")
class ProbesAtFirstUse(HttpBackend):
    """Probes at the first write, even if it overwrites."""

    def write(self, path: str, content: Any, **options: Any) -> Any:
        if options.get("overwrite") and self._bucket.options.endpoint.probes:
            self.probe_conditions("")
        return super().write(path, content, **options)


@broken("S3-028")
class TrustsWithoutAnAnswer(HttpBackend):
    """Relies on conditions although the probe failed."""

    def __init__(self, bucket: str, **options: Any) -> None:
        if options.get("conditional_writes") == "probe":
            options["conditional_writes"] = True
        super().__init__(bucket, **options)
