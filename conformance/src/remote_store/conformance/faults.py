"""The faults that the proxy injects, under the names that authors import."""

from __future__ import annotations

from remote_store.conformance.http.faults import (
    DamageRequest,
    DropHeaders,
    Early,
    ErrorInOK,
    Headers,
    Request,
    Reset,
    RewriteBody,
    RewriteHeaders,
    ShortBody,
    Stall,
    Trickle,
    TruncateRequest,
    gather,
    operation_of,
)
from remote_store.conformance.http.faults import LoseResponse as LostAnswer
from remote_store.conformance.http.faults import Respond as Answer
from remote_store.conformance.http.faults import RunFunction as Call
from remote_store.conformance.http.faults import WireFault as Fault

__all__ = [
    "Answer",
    "Call",
    "DamageRequest",
    "DropHeaders",
    "Early",
    "ErrorInOK",
    "Fault",
    "Headers",
    "LostAnswer",
    "Request",
    "Reset",
    "RewriteBody",
    "RewriteHeaders",
    "ShortBody",
    "Stall",
    "Trickle",
    "TruncateRequest",
    "gather",
    "operation_of",
]
