"""From the exceptions of botocore to faults; by the names of their classes, because core imports no SDK."""

from __future__ import annotations

from collections.abc import Mapping

from remote_store.core.s3.calls import Fault
from remote_store.core.s3.fields import is_signed

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
UNREADABLE = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What botocore raises where it cannot make sense of an answer, or build a request."""

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
        is_bare = (told.get("Code") or str(status)) == str(status)
        is_head = getattr(error, "operation_name", "").startswith("Head")
        return Fault(
            told.get("Code") or str(status),
            status,
            told.get("Message") or "",
            meta.get("RequestId") or None,
            attempts=meta.get("RetryAttempts", 0) + 1,
            # An answer to HEAD has no document, so its headers are all that can be S3's.
            foreign=is_bare and not (is_head and is_signed(meta.get("HTTPHeaders") or {})),
        )
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if kinds & CREDENTIALS:
        return Fault(type(error).__name__, message=str(error), credentials=True)
    if kinds & REFUSED:
        return Fault("ParamValidation", message=str(error))
    if isinstance(error, UNREADABLE):
        return Fault("UnreadableAnswer", message=str(error), attempts=attempts)
    return Fault(type(error).__name__, message=str(error), attempts=attempts, transport=isinstance(error, transport))
