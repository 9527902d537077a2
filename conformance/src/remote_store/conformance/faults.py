"""The faults of an endpoint, under the name that their users import; they live in `http`."""

from __future__ import annotations

from remote_store.conformance.http.faults import (
    Answer,
    Call,
    DropHeaders,
    Early,
    ErrorInOK,
    Fault,
    Headers,
    LostAnswer,
    Request,
    Reset,
    RewriteBody,
    RewriteHeaders,
    ShortBody,
    Stall,
    TruncateRequest,
    gather,
    operation_of,
)

__all__ = [
    "Answer",
    "Call",
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
    "TruncateRequest",
    "gather",
    "operation_of",
]
