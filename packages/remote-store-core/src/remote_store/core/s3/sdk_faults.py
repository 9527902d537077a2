"""From the exceptions of botocore to faults; by the names of their classes, because core imports no SDK."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from remote_store.core.s3.calls import Fault
from remote_store.core.s3.times import parse_time

CREDENTIALS = frozenset(
    {
        "CredentialRetrievalError",
        "NoAuthTokenError",
        "NoCredentialsError",
        "PartialCredentialsError",
        "ProfileNotFound",
        "RefreshWithMFAUnsupportedError",
        "SSOError",
        "TokenRetrievalError",
        "UnknownCredentialError",
    }
)
REFUSED = frozenset({"ParamValidationError", "ValidationError"})


def fault_of(error: Exception, transport: tuple[type[Exception], ...], *, attempts: int) -> Fault:
    """What botocore, or the connection below it, said.

    Args:
        error: The exception.
        transport: The exceptions of a connection that failed.
        attempts: How many requests were sent, where the exception itself does not say.
    """
    response = getattr(error, "response", None)
    if isinstance(response, Mapping):
        told, meta = response.get("Error", {}), response.get("ResponseMetadata", {})
        status = meta.get("HTTPStatusCode")
        return Fault(
            told.get("Code") or str(status),
            status,
            told.get("Message") or "",
            meta.get("RequestId") or None,
            attempts=meta.get("RetryAttempts", 0) + 1,
            date=_date(meta.get("HTTPHeaders") or {}),
        )
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if kinds & CREDENTIALS:
        return Fault(type(error).__name__, message=str(error), credentials=True)
    if kinds & REFUSED:
        return Fault("ParamValidation", message=str(error))
    return Fault(type(error).__name__, message=str(error), attempts=attempts, transport=isinstance(error, transport))


def _date(headers: Mapping[str, str]) -> datetime | None:
    try:
        return parse_time(headers["date"])
    except (KeyError, TypeError, ValueError):
        return None
