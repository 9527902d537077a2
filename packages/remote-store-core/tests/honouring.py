"""S3 servers in memory that honour some conditions and break others, each in one way."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from remote_store.conformance.fakes.s3 import FakeS3
from remote_store.core.s3 import Call, Fault

KINDS = ("put", "complete", "copy", "delete", "swap", "complete_swap")
WAYS = (
    "ignores",
    "refuses always",
    "lacks",
    "refuses and writes",
    "accepts and drops",
    "accepts what it forbids and drops what it allows",
    "checks without a lock",
    "creates what is missing",
)
CREATES = {"PutObject": "put", "CompleteMultipartUpload": "complete", "CopyObject": "copy"}
SWAPS = {"PutObject": "swap", "CompleteMultipartUpload": "complete_swap", "DeleteObject": "delete"}


def breaks(kind: str, way: str) -> bool:
    """Whether a server can break a condition of this kind in this way, so that a probe can show it."""
    if way == "creates what is missing":
        return kind in ("swap", "complete_swap")
    return kind != "delete" or way != "checks without a lock"


def kind_of(call: Call) -> str | None:
    if "IfNoneMatch" in call.params:
        return CREATES.get(call.operation)
    return SWAPS.get(call.operation) if "IfMatch" in call.params else None


class Honouring(FakeS3):
    """Honours all conditions but those of `broken`, which maps kinds to ways of `WAYS`."""

    def __init__(self, broken: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self.broken = dict(broken or {})
        self.slow: Any = time.sleep
        self.before = self.look
        self.looked: dict[int, bool] = {}

    def holds(self, call: Call) -> bool:
        found = self.objects.get(call.params["Key"])
        if "IfNoneMatch" in call.params:
            return found is None
        return found is not None and found.etag == call.params["IfMatch"]

    def look(self, call: Call) -> Any:
        if self.broken.get(kind_of(call) or "") != "checks without a lock":
            return None
        self.looked[id(call)] = self.holds(call)
        return self.slow(0.02)

    def respond(self, call: Call) -> dict[str, Any]:
        way = self.broken.get(kind_of(call) or "")
        if way is None:
            return super().respond(call)
        plain = replace(call, params={n: v for n, v in call.params.items() if n not in ("IfNoneMatch", "IfMatch")})
        holds = self.looked.pop(id(call), None)
        holds = self.holds(call) if holds is None else holds
        match way:
            case "refuses always":
                raise Fault("PreconditionFailed", 412)
            case "lacks":
                raise Fault("NotImplemented", 501)
            case "refuses and writes":
                done = super().respond(plain)
                if not holds:
                    raise Fault("PreconditionFailed", 412)
                return done
            case "accepts and drops":
                return super().respond(plain) if holds else self.dropped(plain)
            case "accepts what it forbids and drops what it allows":
                return self.dropped(plain) if holds else super().respond(plain)
            case "checks without a lock":
                if not holds:
                    raise Fault("PreconditionFailed", 412)
            case "creates what is missing":
                if call.params["Key"] in self.objects:
                    return super().respond(call)
        return super().respond(plain)

    def dropped(self, call: Call) -> dict[str, Any]:
        """The response to a call that has no effect on the object."""
        before = dict(self.objects)
        done = super().respond(call)
        self.objects = before
        return done
