"""Tells from the exception of a failed connection whether a retry can help."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from http.client import HTTPException

TLS_REASONS = {
    "CERTIFICATE_VERIFY_FAILED": "CertificateNotTrusted",
    "HTTP_REQUEST": "NotTLS",
    "NO_PROTOCOLS_AVAILABLE": "TLSVersion",
    "RECORD_LAYER_FAILURE": "NotTLS",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "ClientCertificateRequired",
    "TLSV1_ALERT_PROTOCOL_VERSION": "TLSVersion",
    "UNKNOWN_PROTOCOL": "NotTLS",
    "UNSUPPORTED_PROTOCOL": "TLSVersion",
    "WRONG_VERSION_NUMBER": "NotTLS",
}
"""OpenSSL's `reason` of errors that a retry does not change, and the code of the fault."""


def no_retry_helps(error: BaseException) -> str | None:
    """The fault code of a connection error that a retry does not change; `None` for other errors."""
    for inner in _chain(error):
        if isinstance(inner, ssl.SSLCertVerificationError):
            return "CertificateNotTrusted"
        # Some subclasses in aiohttp lack the attribute.
        if isinstance(inner, ssl.SSLError) and (reason := getattr(inner, "reason", None)) in TLS_REASONS:
            return TLS_REASONS[reason]
        # http.client raises the base class only for too many header lines.
        if type(inner) is HTTPException:
            return "TooManyHeaders"
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception, and every exception that it refers to by its cause, context or arguments."""
    waiting, seen = [error], list[BaseException]()
    while waiting:
        inner = waiting.pop()
        # Compared by identity, because an exception class may define `__eq__`.
        if any(inner is known for known in seen):
            continue
        seen.append(inner)
        yield inner
        arguments = (*inner.args, *getattr(inner, "kwargs", {}).values(), getattr(inner, "reason", None))
        linked = (inner.__cause__, inner.__context__, *arguments)
        waiting.extend(item for item in linked if isinstance(item, BaseException))
