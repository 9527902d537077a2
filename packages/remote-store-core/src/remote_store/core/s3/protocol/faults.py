"""From a fault to an error of the contract: which code and status is which class, and what to do next.

Only codes, statuses and facts of the connection are read, never the text of a message. Codes are those of the S3 API
Reference, "Error responses".
"""

from __future__ import annotations

from collections.abc import Mapping

from remote_store.core.errors import (
    AlreadyExists,
    BackendUnavailable,
    InvalidConfiguration,
    InvalidPath,
    NotFound,
    PermissionDenied,
    PreconditionFailed,
    RemoteStoreError,
)
from remote_store.core.s3.protocol.calls import Fault
from remote_store.core.s3.protocol.fields import is_signed

CREDENTIALS = "check key, secret and session_token, or the profile"
RENEW = "the temporary credentials have ended; get new ones"
REGION = "the bucket is in another region; set region_name to it"
BUSY = "the service is busy or broken; try again later"
NOT_S3 = (
    "the endpoint is no S3 service, or something in between answered in its place; "
    "check endpoint_url (host, port, http or https) and proxies"
)
BROKEN = "the server's answer breaks the S3 protocol, so the outcome is not known; look at the file before going on"
INFORMATIONAL = "the outcome is not known; look at the file before going on"
LOST = "the response was lost, so the outcome is not known; look at the file, then call again: it is read from now on"

LONGEST_TEXT = 1000
"""Characters of a text of the server's that an error shows."""

CODES: dict[str, tuple[type[RemoteStoreError], str]] = {
    "NoSuchBucket": (NotFound, "the bucket does not exist; check its name, the endpoint_url and the region_name"),
    "NoSuchKey": (NotFound, "there is no such file"),
    "NoSuchVersion": (NotFound, "there is no such version of the file"),
    "NoSuchUpload": (NotFound, "the multipart upload was ended by somebody else; write again"),
    "AccessDenied": (
        PermissionDenied,
        "these credentials are not allowed to do this; check the policies of user and bucket",
    ),
    "InvalidAccessKeyId": (PermissionDenied, f"the access key is not known; {CREDENTIALS}"),
    "SignatureDoesNotMatch": (PermissionDenied, f"the secret does not fit the access key; {CREDENTIALS}"),
    "ExpiredToken": (PermissionDenied, RENEW),
    "ExpiredTokenException": (PermissionDenied, RENEW),
    "InvalidToken": (PermissionDenied, f"the session token is not valid; {CREDENTIALS}"),
    "TokenRefreshRequired": (PermissionDenied, RENEW),
    "AccountProblem": (PermissionDenied, "the account has a problem; ask the provider"),
    "AllAccessDisabled": (PermissionDenied, "all access to this bucket is switched off; ask the provider"),
    "RequestTimeTooSkewed": (PermissionDenied, "the clock of this machine is wrong; set it by NTP"),
    "InvalidObjectState": (PermissionDenied, "the object is archived; restore it before reading"),
    "AuthorizationHeaderMalformed": (RemoteStoreError, REGION),
    "PermanentRedirect": (RemoteStoreError, REGION),
    "IllegalLocationConstraintException": (RemoteStoreError, REGION),
    "PreconditionFailed": (PreconditionFailed, "the file is not the one seen before; open it again"),
    "NotS3": (RemoteStoreError, NOT_S3),
    "BrokenAnswer": (RemoteStoreError, BROKEN),
    "UnreadableAnswer": (RemoteStoreError, "the SDK could not build the request or read its answer; see the cause"),
    "InformationalAnswer": (RemoteStoreError, INFORMATIONAL),
    "LostAnswer": (BackendUnavailable, LOST),
    "IncompleteDocument": (BackendUnavailable, "the connection broke before the whole answer came; try again"),
    "MissingContentLength": (RemoteStoreError, "the server does not say how long the object is"),
    "ConditionalRequestConflict": (BackendUnavailable, "another write to the same key is under way; try again"),
    "OperationAborted": (BackendUnavailable, "another operation on the bucket is under way; try again"),
    "KeyTooLongError": (InvalidPath, "the key is longer than this server takes; shorten it"),
    "InvalidBucketName": (InvalidPath, "this cannot be the name of a bucket"),
    "InvalidRange": (RemoteStoreError, "the server does not serve ranges as asked; read the file from its start"),
    "EntityTooLarge": (RemoteStoreError, "the upload is larger than the server takes; use smaller parts"),
    "EntityTooSmall": (RemoteStoreError, "a part is smaller than the server takes; raise part_size"),
    "ParamValidation": (RemoteStoreError, "the SDK refused the request; check put_options"),
    "SlowDown": (BackendUnavailable, BUSY),
    "RequestTimeout": (BackendUnavailable, BUSY),
    "InternalError": (BackendUnavailable, BUSY),
    "ServiceUnavailable": (BackendUnavailable, BUSY),
    "CertificateNotTrusted": (
        BackendUnavailable,
        "the server's certificate is not trusted; name its authority's file as tls_ca_bundle, or check endpoint_url",
    ),
    "ClientCertificateRequired": (
        BackendUnavailable,
        "the server asks for a certificate of the client; pass one by client_options: Config(client_cert=...)",
    ),
    "NotTLS": (
        BackendUnavailable,
        "the server does not speak TLS on this port; in endpoint_url give http in place of https, or another port",
    ),
    "SpeaksTLS": (
        BackendUnavailable,
        "the server speaks TLS on this port; in endpoint_url give https in place of http, or another port",
    ),
    "TLSVersion": (
        BackendUnavailable,
        "the server and this machine have no version of TLS in common; update the older of the two",
    ),
    "TooManyHeaders": (
        RemoteStoreError,
        "the answer has more header lines than this client can read; store less metadata with the file",
    ),
    "IncompleteBody": (BackendUnavailable, "the connection broke before the whole content came; try again"),
}

STATUSES: dict[int, tuple[type[RemoteStoreError], str]] = {
    301: (RemoteStoreError, REGION),
    307: (RemoteStoreError, REGION),
    400: (RemoteStoreError, "the service calls the request malformed; check region_name, credentials and put_options"),
    401: (PermissionDenied, CREDENTIALS),
    403: (PermissionDenied, f"access is denied; {CREDENTIALS}, and the policies of user and bucket"),
    404: (NotFound, "there is no such file"),
    408: (BackendUnavailable, BUSY),
    409: (RemoteStoreError, "the service reports a conflict with another operation; look and try again"),
    412: (PreconditionFailed, "the file is not the one seen before; open it again"),
    429: (BackendUnavailable, BUSY),
}

NO_RETRY_HELPS = frozenset(
    {"CertificateNotTrusted", "ClientCertificateRequired", "NotTLS", "SpeaksTLS", "TLSVersion", "TooManyHeaders"}
)
"""Codes of what is the same at every try."""

OVERRIDES: dict[type[RemoteStoreError], str] = {
    AlreadyExists: "the file exists already; pass overwrite=True to replace it",
    NotFound: "there is no such file",
}

UNREACHABLE = "the service did not answer; check endpoint_url, network and timeouts, then try again"
NO_CREDENTIALS = "no usable credentials were found; pass key and secret, name a profile, or set anon=True"
CONFIGURATION = "what is configured on this machine cannot be used, so nothing was sent; correct it"
UNKNOWN = "the service refused the request"


def classify(fault: Fault) -> tuple[type[RemoteStoreError], str]:
    """The class of a fault, and what its reader is to do."""
    if fault.credentials:
        return PermissionDenied, NO_CREDENTIALS
    if fault.configuration:
        return InvalidConfiguration, CONFIGURATION
    if fault.code in CODES:
        return CODES[fault.code]
    if fault.transport:
        return BackendUnavailable, UNREACHABLE
    # A 400 without a document may be S3's, and then has its id of the request.
    if fault.foreign and (fault.status == 404 or (fault.code == "400" and fault.request_id is None)):
        return RemoteStoreError, NOT_S3
    if fault.status is not None and fault.status in STATUSES:
        return STATUSES[fault.status]
    if fault.status is not None and fault.status >= 500:
        return BackendUnavailable, BUSY
    return RemoteStoreError, UNKNOWN


def typed(fault: Fault, *, path: str | None = None, error: type[RemoteStoreError] | None = None) -> RemoteStoreError:
    """Make the error of a fault; the SDK's exception becomes its cause.

    Args:
        fault: What the port raised.
        path: The path that the call was about.
        error: The class, where the operation knows better than the code says.
    """
    kind, advice = classify(fault)
    if error is not None and error is not kind:
        kind, advice = error, OVERRIDES.get(error, advice)
    made = kind(
        f"{advice} ({shown(fault.message)})" if fault.message and (fault.status or fault.configuration) else advice,
        path=path,
        code=shown(fault.code),
        status=fault.status,
        request_id=None if fault.request_id is None else shown(fault.request_id),
        retryable=issubclass(kind, BackendUnavailable) and fault.code not in NO_RETRY_HELPS,
    )
    made.__cause__ = fault.__cause__ or fault
    if made.__cause__ is not fault:
        for note in getattr(fault, "__notes__", ()):
            made.add_note(note)
    return made


def shown(text: str) -> str:
    """A text of the server's as an error shows it: control characters escaped, and cut where it is long."""
    cut = text[:LONGEST_TEXT]
    plain = cut if cut.isprintable() else "".join(map(_escaped, cut))
    return plain if len(text) <= LONGEST_TEXT else f"{plain}..."


def _escaped(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")


def is_foreign(operation: str, code: str, status: int | None, headers: Mapping[str, str]) -> bool:
    """Whether nothing in the response of a refusal is S3's, neither its code nor a header.

    Args:
        operation: Name of the operation.
        code: The code of the document, or the status where it has none.
        status: The HTTP status.
        headers: The headers.
    """
    # A HEAD has no document, so only its headers can be S3's. A code that S3 does not know can be that of any service.
    has_code = code != str(status) or operation.startswith("Head")
    return code not in CODES and not (has_code and is_signed(headers))


def may_pass(fault: Fault) -> bool:
    """Whether a lane whose SDK does not retry sends the same request again.

    A conflict with another conditional write is not sent again here: the operation that made the call decides.
    """
    helps = issubclass(classify(fault)[0], BackendUnavailable) and fault.code not in NO_RETRY_HELPS
    return helps and fault.status != 409


def is_missing(fault: Fault) -> bool:
    """Whether the service says that the key or the bucket is not there."""
    return classify(fault)[0] is NotFound


def is_missing_bucket(fault: Fault) -> bool:
    """Whether the service says that the bucket is not there."""
    return fault.code == "NoSuchBucket"


def is_gone(fault: Fault) -> bool:
    """Whether the service says that the key is not there, in a bucket that may be."""
    return is_missing(fault) and not is_missing_bucket(fault)


def is_precondition(fault: Fault) -> bool:
    """Whether a condition of the request did not hold."""
    return fault.code == "PreconditionFailed" or fault.status == 412


def is_conflict(fault: Fault) -> bool:
    """Whether another write was under way, and S3 wants the same request again (S3 API Reference, error codes)."""
    return fault.code in ("ConditionalRequestConflict", "OperationAborted")


def is_unproven(fault: Fault) -> bool:
    """Whether the answer was that of a success and did not carry its result."""
    return fault.code in ("BrokenAnswer", "IncompleteDocument", "InformationalAnswer", "LostAnswer", "NotS3")


def lacks_feature(fault: Fault) -> bool:
    """Whether the server does not know the operation or the header at all."""
    return fault.status == 501 or fault.code in ("NotImplemented", "MethodNotAllowed")
