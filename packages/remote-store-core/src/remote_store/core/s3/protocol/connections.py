"""What a connection that failed says by its exception: whether another try can help."""

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
"""Reasons of OpenSSL that are the same at every try."""


def no_retry_helps(error: BaseException) -> str | None:
    """The code of a failed connection that would fail in the same way each time; `None` for any other."""
    for inner in _chain(error):
        if isinstance(inner, ssl.SSLCertVerificationError):
            return "CertificateNotTrusted"
        # aiohttp has subclasses without the attribute.
        if isinstance(inner, ssl.SSLError) and (reason := getattr(inner, "reason", None)) in TLS_REASONS:
            return TLS_REASONS[reason]
        # http.client raises the class itself for too many header lines only.
        if type(inner) is HTTPException:
            return "TooManyHeaders"
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and all that are known to be behind it."""
    waiting, seen = [error], list[BaseException]()
    while waiting:
        inner = waiting.pop()
        # An exception class may define equality, so they are compared by identity.
        if any(inner is known for known in seen):
            continue
        seen.append(inner)
        yield inner
        told = (*inner.args, *getattr(inner, "kwargs", {}).values(), getattr(inner, "reason", None))
        behind = (inner.__cause__, inner.__context__, *told)
        waiting.extend(item for item in behind if isinstance(item, BaseException))
