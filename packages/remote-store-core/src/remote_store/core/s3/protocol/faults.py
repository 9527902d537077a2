"""Maps each fault to an error of the contract: its class, and what to do next.

The mapping reads codes, statuses and connection facts, never message texts. The codes are those of the S3 API
Reference, "Error responses".
"""

from __future__ import annotations

from collections.abc import Mapping

from remote_store.core.conditions import NO_VERSION
from remote_store.core.errors import (
    AlreadyExists,
    BackendUnavailable,
    ChecksumMismatch,
    InvalidConfiguration,
    InvalidPath,
    NotFound,
    ObjectArchived,
    PermissionDenied,
    PreconditionFailed,
    RemoteStoreError,
)
from remote_store.core.s3.protocol.calls import Fault
from remote_store.core.s3.protocol.fields import is_signed

CREDENTIALS = "check key, secret and session_token, or the profile"
RENEW = "the temporary credentials have expired; get new ones"
REGION = "the bucket is in another region; set region_name to it"
BUSY = "the service is busy or broken; try again later"
NOT_S3 = (
    "the endpoint is not an S3 service, or a proxy responded in its place; "
    "check endpoint_url (host, port, http or https) and proxies"
)
PROXY = "its URL (http_proxy or https_proxy in the environment, or proxies in client_options)"
BROKEN = "the response breaks the S3 protocol, so the outcome is unknown; check the file before you continue"
INFORMATIONAL = "the outcome is unknown; check the file before you continue"
LOST = (
    "the response was lost, so the outcome is unknown; check the file, then call again: "
    "the next call can read such a response"
)

MALFORMED_VERSION = ("InvalidArgument", "NoSuchVersion", "InvalidVersionId")
ARCHIVED = "the object is archived; restore it (RestoreObject), wait until that is done, and read again"
DAMAGED = (
    "the content does not match its checksum, so it was damaged on its way or is damaged where it is stored; read the "
    "file again, and restore it if that fails too"
)
DAMAGED_UPLOAD = "the content arrived damaged and was not stored; write it again"

LONGEST_TEXT = 1000
"""Most characters of a server's text that an error shows."""

CODES: dict[str, tuple[type[RemoteStoreError], str]] = {
    "NoSuchBucket": (NotFound, "the bucket does not exist; check its name, the endpoint_url and the region_name"),
    "NoSuchKey": (NotFound, "there is no such file"),
    "NoSuchVersion": (NotFound, "there is no such version of the file"),
    "NoSuchUpload": (NotFound, "another client ended the multipart upload; write again"),
    "AccessDenied": (
        PermissionDenied,
        "these credentials are not allowed to do this; check the policies of user and bucket",
    ),
    "InvalidAccessKeyId": (PermissionDenied, f"the server does not know the access key; {CREDENTIALS}"),
    "SignatureDoesNotMatch": (
        PermissionDenied,
        f"the secret does not match the access key, or ends with white space; {CREDENTIALS}",
    ),
    "CredentialsFunctionFailed": (
        PermissionDenied,
        "the function passed as credentials returned no usable credentials, so the request was not sent; correct it",
    ),
    "ExpiredToken": (PermissionDenied, RENEW),
    "ExpiredTokenException": (PermissionDenied, RENEW),
    "InvalidToken": (PermissionDenied, f"the session token is not valid; {CREDENTIALS}"),
    "TokenRefreshRequired": (PermissionDenied, RENEW),
    "AccountProblem": (PermissionDenied, "the account has a problem; ask the provider"),
    "AllAccessDisabled": (PermissionDenied, "all access to this bucket is disabled; ask the provider"),
    "RequestTimeTooSkewed": (PermissionDenied, "the clock of this machine is wrong; set it by NTP"),
    "InvalidObjectState": (ObjectArchived, ARCHIVED),
    "ObjectNotInActiveTierError": (ObjectArchived, ARCHIVED),
    "AuthorizationHeaderMalformed": (RemoteStoreError, REGION),
    "PermanentRedirect": (RemoteStoreError, REGION),
    "IllegalLocationConstraintException": (RemoteStoreError, REGION),
    "PreconditionFailed": (PreconditionFailed, "the file is not the version that was expected; read it again"),
    "NotS3": (RemoteStoreError, NOT_S3),
    "BrokenAnswer": (RemoteStoreError, BROKEN),
    "UnreadableAnswer": (RemoteStoreError, "the SDK could not build the request or read the response; see the cause"),
    "InformationalAnswer": (RemoteStoreError, INFORMATIONAL),
    "LostAnswer": (BackendUnavailable, LOST),
    "IncompleteDocument": (BackendUnavailable, "the connection broke before the response was complete; try again"),
    "MissingContentLength": (RemoteStoreError, "the server does not send the size of the object"),
    "ConditionalRequestConflict": (BackendUnavailable, "another write to the same key is under way; try again"),
    "OperationAborted": (BackendUnavailable, "another operation on the bucket is under way; try again"),
    "KeyTooLongError": (InvalidPath, "the key is longer than this server accepts; shorten it"),
    "InvalidBucketName": (InvalidPath, "this is not a valid bucket name; correct it"),
    "InvalidRange": (RemoteStoreError, "the server did not send the requested range; read the file from its start"),
    "EntityTooLarge": (RemoteStoreError, "the upload is larger than the server accepts; use smaller parts"),
    "EntityTooSmall": (RemoteStoreError, "a part is smaller than the server accepts; raise part_size"),
    "ParamValidation": (RemoteStoreError, "the SDK refused the request; check put_options"),
    "SlowDown": (BackendUnavailable, BUSY),
    "RequestTimeout": (BackendUnavailable, BUSY),
    "InternalError": (BackendUnavailable, BUSY),
    "ServiceUnavailable": (BackendUnavailable, BUSY),
    "CertificateNotTrusted": (
        BackendUnavailable,
        "the server's certificate is not trusted; pass its authority's file as tls_ca_bundle, or check endpoint_url",
    ),
    "ClientCertificateRequired": (
        BackendUnavailable,
        "the server requires a client certificate; pass one in client_options: Config(client_cert=...)",
    ),
    "NotTLS": (
        BackendUnavailable,
        "the server does not speak TLS on this port; in endpoint_url, use http instead of https, or another port",
    ),
    "SpeaksTLS": (
        BackendUnavailable,
        "the server speaks TLS on this port; in endpoint_url, use https instead of http, or another port",
    ),
    "ProxyUnreachable": (
        BackendUnavailable,
        f"the proxy did not answer or connect; check host, port, user and password in {PROXY}, then try again",
    ),
    "ProxyNotTLS": (
        BackendUnavailable,
        f"the proxy does not speak TLS on this port; in {PROXY}, use http instead of https, or another port",
    ),
    "ProxySpeaksTLS": (
        BackendUnavailable,
        f"the proxy speaks TLS on this port; in {PROXY}, use https instead of http, or another port",
    ),
    "ProxyCertificateNotTrusted": (
        BackendUnavailable,
        f"the proxy's certificate is not trusted; check the host in {PROXY}, or use http instead of https",
    ),
    "TLSVersion": (
        BackendUnavailable,
        "the server and this machine share no TLS version; update the older of the two",
    ),
    "TooManyHeaders": (
        RemoteStoreError,
        "the response has more header lines than this client can read; store less metadata with the file",
    ),
    "TooSlow": (
        BackendUnavailable,
        "the server sent or took bytes too slowly; check it and the network, or raise read_timeout, then try again",
    ),
    "ChecksumMismatch": (ChecksumMismatch, DAMAGED),
    # The name of the error that botocore raises for a body.
    "FlexibleChecksumError": (ChecksumMismatch, DAMAGED),
    "BadDigest": (ChecksumMismatch, DAMAGED_UPLOAD),
    "XAmzContentSHA256Mismatch": (ChecksumMismatch, DAMAGED_UPLOAD),
    "IncompleteBody": (BackendUnavailable, "the connection broke before the content was complete; try again"),
}

STATUSES: dict[int, tuple[type[RemoteStoreError], str]] = {
    301: (RemoteStoreError, REGION),
    307: (RemoteStoreError, REGION),
    400: (
        RemoteStoreError,
        "the service calls the request malformed; check region_name, credentials and put_options",
    ),
    401: (PermissionDenied, CREDENTIALS),
    403: (PermissionDenied, f"access is denied; {CREDENTIALS}, and the policies of user and bucket"),
    404: (NotFound, "there is no such file"),
    407: (PermissionDenied, f"the proxy wants a user name and password; check those in {PROXY}"),
    408: (BackendUnavailable, BUSY),
    409: (RemoteStoreError, "the service reports a conflict with another operation; check the file, then try again"),
    412: (PreconditionFailed, "the file is not the version that was expected; read it again"),
    429: (BackendUnavailable, BUSY),
}

NO_RETRY_HELPS = frozenset(
    {
        "CertificateNotTrusted",
        "ClientCertificateRequired",
        "NotTLS",
        "ProxyCertificateNotTrusted",
        "ProxyNotTLS",
        "ProxySpeaksTLS",
        "SpeaksTLS",
        "TLSVersion",
        "TooManyHeaders",
    }
)
"""Codes of faults that a retry does not change."""

OVERRIDES: dict[type[RemoteStoreError], str] = {
    AlreadyExists: "the file exists already; pass overwrite=True to replace it",
    NotFound: "there is no such file",
    PreconditionFailed: NO_VERSION,
}

UNREACHABLE = "the service did not answer; check endpoint_url, network and timeouts, then try again"
NO_CREDENTIALS = "no usable credentials were found; pass key and secret, name a profile, or set anon=True"
CONFIGURATION = "a setting of this machine cannot be used, so no request was sent; correct it"
UNKNOWN = "the service refused the request"


def classify(fault: Fault) -> tuple[type[RemoteStoreError], str]:
    """The error class of a fault, and the message with what to do next."""
    if fault.credentials:
        return CODES.get(fault.code, (PermissionDenied, NO_CREDENTIALS))
    if fault.configuration:
        return InvalidConfiguration, CONFIGURATION
    if fault.code in CODES:
        return CODES[fault.code]
    if fault.transport:
        return BackendUnavailable, UNREACHABLE
    # S3 may send a 400 without a document; it then has a request id.
    if fault.foreign and (fault.status in (304, 404) or (fault.code == "400" and fault.request_id is None)):
        return RemoteStoreError, NOT_S3
    if fault.status is not None and fault.status in STATUSES:
        return STATUSES[fault.status]
    if fault.status is not None and fault.status >= 500:
        return BackendUnavailable, BUSY
    return RemoteStoreError, UNKNOWN


def typed(
    fault: Fault,
    *,
    path: str | None = None,
    error: type[RemoteStoreError] | None = None,
    advice: str | None = None,
) -> RemoteStoreError:
    """Make the error of a fault; the SDK's exception becomes its cause.

    Args:
        fault: The fault that the port raised.
        path: The path that the call was about.
        error: The error class, if the operation knows more than the code says.
        advice: The message, if the operation knows more than the code says.
    """
    kind, known = classify(fault)
    if error is not None and error is not kind:
        kind, known = error, OVERRIDES.get(error, known)
    advice = advice or known
    made = kind(
        f"{advice} ({shown(fault.message)})" if fault.message and (fault.status or fault.configuration) else advice,
        path=path,
        code=shown(fault.code),
        status=fault.status,
        request_id=None if fault.request_id is None else shown(fault.request_id),
        retryable=issubclass(kind, BackendUnavailable | ChecksumMismatch) and fault.code not in NO_RETRY_HELPS,
    )
    made.__cause__ = fault.__cause__ or fault
    if made.__cause__ is not fault:
        for note in getattr(fault, "__notes__", ()):
            made.add_note(note)
    return made


def shown(text: str) -> str:
    """A server's text as an error shows it: control characters escaped, and cut after `LONGEST_TEXT` characters."""
    cut = text[:LONGEST_TEXT]
    plain = cut if cut.isprintable() else "".join(map(_escaped, cut))
    return plain if len(text) <= LONGEST_TEXT else f"{plain}..."


def _escaped(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")


def is_foreign(operation: str, code: str, status: int | None, headers: Mapping[str, str]) -> bool:
    """Whether an error response has neither a code nor a header of S3.

    Args:
        operation: Name of the operation.
        code: The code in the document, or the status if there is none.
        status: The HTTP status.
        headers: The headers.
    """
    # A HEAD and a 304 have no document, so only the headers count. A code unknown to S3 may come from any service.
    has_code = code != str(status) or operation.startswith("Head") or status == 304
    return code not in CODES and not (has_code and is_signed(headers))


def may_pass(fault: Fault) -> bool:
    """Whether a lane whose SDK does not retry should send the same request again.

    A conflict with another write (409) is not retried here, because the operation that made the call decides.
    """
    helps = issubclass(classify(fault)[0], BackendUnavailable) and fault.code not in NO_RETRY_HELPS
    return helps and fault.status != 409


def is_not_modified(fault: Fault) -> bool:
    """Whether S3 says that the object still is the version that `If-None-Match` names (RFC 9110, 15.4.5)."""
    return fault.status == 304 and not fault.foreign


def is_missing(fault: Fault) -> bool:
    """Whether the service says that the key or the bucket does not exist."""
    return classify(fault)[0] is NotFound


def is_missing_bucket(fault: Fault) -> bool:
    """Whether the service says that the bucket does not exist."""
    return fault.code == "NoSuchBucket"


def is_gone(fault: Fault) -> bool:
    """Whether the service says that the key does not exist; the bucket may."""
    return is_missing(fault) and not is_missing_bucket(fault)


def is_lost_swap(fault: Fault) -> bool:
    """Whether a write with `If-Match` found another version, or none.

    AWS answers 404 if the object does not exist (S3 User Guide, conditional writes), and other servers 412.
    """
    return is_precondition(fault) or (is_gone(fault) and fault.code != "NoSuchUpload")


def is_precondition(fault: Fault) -> bool:
    """Whether a condition of the request was not met."""
    return fault.code == "PreconditionFailed" or fault.status == 412


def is_conflict(fault: Fault) -> bool:
    """Whether another write was under way, so that the request can be retried (S3 API Reference, error codes)."""
    return fault.code in ("ConditionalRequestConflict", "OperationAborted")


def is_unproven(fault: Fault) -> bool:
    """Whether the response had the status of a success but not its result."""
    return fault.code in ("BrokenAnswer", "IncompleteDocument", "InformationalAnswer", "LostAnswer", "NotS3")


def lacks_feature(fault: Fault) -> bool:
    """Whether the server does not implement the operation or the header."""
    return is_unimplemented(fault) or fault.code == "MethodNotAllowed"


def is_unimplemented(fault: Fault) -> bool:
    """Whether the server says that it does not implement something."""
    return fault.status == 501 or fault.code == "NotImplemented"


def is_archived(fault: Fault) -> bool:
    """Whether the object is in an archive and was not restored."""
    return classify(fault)[0] is ObjectArchived


def is_missing_version(fault: Fault) -> bool:
    """Whether a call that named a version says that there is none, or that it is the marker of a deletion.

    S3 answers a malformed version id with a 400 (S3 API Reference, "Error responses"), and a read of a marker with a
    405 (S3 User Guide, "Working with delete markers").
    """
    return is_gone(fault) or is_of_marker(fault) or (fault.status == 400 and fault.code in MALFORMED_VERSION)


def is_of_marker(fault: Fault) -> bool:
    """Whether the version that a call named is the marker of a deletion."""
    return fault.status == 405 or fault.code == "MethodNotAllowed"
