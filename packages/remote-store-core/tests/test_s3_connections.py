from __future__ import annotations

import ssl
from http.client import HTTPException, IncompleteRead

import pytest

from remote_store.core.s3 import no_retry_helps


def of_tls(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, "text")
    error.reason = reason
    return error


def behind(inner: Exception) -> Exception:
    error = OSError("of the SDK")
    error.__cause__ = inner
    return error


ERRORS = [
    (ssl.SSLCertVerificationError(1, "text"), "CertificateNotTrusted"),
    (of_tls("WRONG_VERSION_NUMBER"), "NotTLS"),
    (of_tls("TLSV13_ALERT_CERTIFICATE_REQUIRED"), "ClientCertificateRequired"),
    (of_tls("UNEXPECTED_EOF_WHILE_READING"), None),
    (HTTPException("got more than 100 headers"), "TooManyHeaders"),
    (IncompleteRead(b""), None),
    (ConnectionResetError(), None),
    (TimeoutError(), None),
]


@pytest.mark.parametrize("error, code", ERRORS)
def test_what_would_come_again_has_a_code_wherever_it_stands(error: Exception, code: str | None) -> None:
    assert no_retry_helps(error) == code
    assert no_retry_helps(behind(error)) == code
    assert no_retry_helps(OSError("of the SDK", error)) == code


def test_exceptions_that_are_behind_each_other_end() -> None:
    first, second = OSError("a"), OSError("b")
    first.__cause__, second.__cause__ = second, first
    assert no_retry_helps(first) is None
