"""Converts botocore's exceptions to faults. Classes are matched by name, because a release may lack some of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType

from remote_store.core.s3 import Fault, is_foreign, no_retry_helps, parse_time

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
TELLS_ITS_PLACE = frozenset({"PartialCredentialsError", "ProfileNotFound", "SSOTokenLoadError"})
"""Those of `CREDENTIALS` whose messages name the profile, the provider or the setting, and contain no secret."""

UNREADABLE = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What botocore raises if it cannot parse a response or build a request."""
CONFIGURATION = frozenset(
    {
        "ConfigNotFound",
        "ConfigParseError",
        "EndpointProviderError",
        "EndpointResolutionError",
        "EndpointVariantError",
        "InfiniteLoopConfigError",
        "InvalidChecksumConfigError",
        "InvalidConfigError",
        "InvalidDefaultsMode",
        "InvalidIMDSEndpointError",
        "InvalidIMDSEndpointModeError",
        "InvalidMaxRetryAttemptsError",
        "InvalidProxiesConfigError",
        "InvalidRegionError",
        "InvalidRetryConfigurationError",
        "InvalidRetryModeError",
        "InvalidS3AddressingStyleError",
        "InvalidS3UsEast1RegionalEndpointConfigError",
        "InvalidSTSRegionalEndpointsConfigError",
        "MalformedCredentials",
        "MissingDependencyException",
        "NoRegionError",
        "UnknownSignatureVersionError",
        "UnsupportedS3ArnError",
        "UnsupportedS3ConfigurationError",
        "UnsupportedSignatureVersionError",
    }
)
"""Their messages name the profile, the file and the setting, and contain no secret."""

OF_CREDENTIALS = frozenset({"InfiniteLoopConfigError", "MalformedCredentials"})
"""Those of `CONFIGURATION` that are always about credentials."""

SETTINGS = {
    "InvalidDefaultsMode": "AWS_DEFAULTS_MODE, or defaults_mode of the profile",
    "InvalidIMDSEndpointError": "AWS_EC2_METADATA_SERVICE_ENDPOINT, or ec2_metadata_service_endpoint of the profile",
    "InvalidIMDSEndpointModeError": (
        "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE, or ec2_metadata_service_endpoint_mode of the profile"
    ),
    "InvalidRegionError": "region_name, AWS_DEFAULT_REGION, or region of the profile",
    "InvalidS3UsEast1RegionalEndpointConfigError": (
        "AWS_S3_US_EAST_1_REGIONAL_ENDPOINT, or us_east_1_regional_endpoint below s3 of the profile"
    ),
    "InvalidSTSRegionalEndpointsConfigError": ("AWS_STS_REGIONAL_ENDPOINTS, or sts_regional_endpoints of the profile"),
}
"""The settings behind exceptions whose messages do not name them."""

OF_A_PROXY: dict[str | None, str] = {
    "CertificateNotTrusted": "ProxyCertificateNotTrusted",
    "NotTLS": "ProxyNotTLS",
}
"""The codes of connection errors, and those for a connection to a proxy."""

REFUSED = frozenset({"ParamValidationError", "ValidationError"})


class MalformedCredentials(Exception):
    """Credentials that the SDK found cannot be sent. The message does not show them."""


class SpeaksTLS(Exception):
    """The URL begins with `http:`, but the port speaks TLS.

    Args:
        code: `SpeaksTLS` for the URL of the server, `ProxySpeaksTLS` for that of a proxy.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def without_secrets(error: Exception) -> Exception:
    """The exception, or `MalformedCredentials` in its place if it shows a header that http.client could not send."""
    inner = getattr(error, "kwargs", {}).get("error")
    # http.client raises the base class only for a malformed header.
    if type(inner) is not ValueError:
        return error
    return MalformedCredentials(
        "the access key, the session token or another header contains a line break; check the credentials of the client"
    )


def fault_of(error: Exception, transport: tuple[type[Exception], ...], *, attempts: int) -> Fault:
    """The fault of an exception of botocore or of the HTTP client below it.

    Args:
        error: The exception.
        transport: The exception classes of failed connections.
        attempts: How many requests were sent, if the exception does not have the number.
    """
    if isinstance(error, SpeaksTLS):
        return Fault(error.code)
    response = getattr(error, "response", None)
    if isinstance(response, Mapping):
        refusal, meta = response.get("Error", {}), response.get("ResponseMetadata", {})
        status = meta.get("HTTPStatusCode")
        code = refusal.get("Code") or str(status)
        headers = meta.get("HTTPHeaders") or {}
        return Fault(
            code,
            status,
            refusal.get("Message") or "",
            meta.get("RequestId") or None,
            attempts=meta.get("RetryAttempts", 0) + 1,
            foreign=is_foreign(getattr(error, "operation_name", ""), code, status, headers),
            date=_date(headers),
        )
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if kinds & CREDENTIALS:
        names_place = bool(kinds & TELLS_ITS_PLACE)
        return Fault(type(error).__name__, message=str(error), credentials=True, configuration=names_place)
    name = type(error).__name__
    # Before `REFUSED`, because InvalidRegionError is a ValidationError too.
    if found := kinds & CONFIGURATION:
        if name in SETTINGS:
            return Fault(name, message=f"{SETTINGS[name]}: {error}", configuration=True)
        credentials = bool(found & OF_CREDENTIALS) or is_of_credentials(error)
        return Fault(name, message=str(error), credentials=credentials, configuration=True)
    if kinds & REFUSED:
        return Fault("ParamValidation", message=str(error))
    if is_of_credentials(error):
        # Only the message of an OSError is sure to contain no secret.
        named = isinstance(error, OSError)
        return Fault(name, message=str(error) if named else "", credentials=True, configuration=named)
    if isinstance(error, UNREADABLE):
        return Fault("UnreadableAnswer", message=str(error), attempts=attempts)
    code = no_retry_helps(error)
    if "ProxyConnectionError" in kinds:
        return Fault(OF_A_PROXY.get(code, code or "ProxyUnreachable"), attempts=attempts, transport=code is None)
    if code is not None:
        return Fault(code, message=str(error))
    return Fault(type(error).__name__, message=str(error), attempts=attempts, transport=isinstance(error, transport))


def _date(headers: Mapping[str, str]) -> datetime | None:
    try:
        return parse_time(headers["date"])
    except (KeyError, TypeError, ValueError):
        return None


def known_fault(
    error: Exception, failed: tuple[type[Exception], ...], transport: tuple[type[Exception], ...], *, attempts: int = 1
) -> Fault | None:
    """The fault of an exception that an SDK call raised; `None` if it is a fault, or not about the service.

    Args:
        error: The exception.
        failed: The exception classes of failed calls.
        transport: The exception classes of failed connections.
        attempts: How many requests were sent, if the exception does not have the number.
    """
    if isinstance(error, (*failed, MalformedCredentials, SpeaksTLS)):
        return fault_of(error, transport, attempts=attempts)
    if isinstance(error, Fault):
        return None
    return fault_of(error, (), attempts=1) if is_of_credentials(error) else None


@contextmanager
def as_faults(failed: tuple[type[Exception], ...], transport: tuple[type[Exception], ...]) -> Iterator[None]:
    """Raise what an SDK call in the block raises as a fault, if it has to do with the service.

    Args:
        failed: The exception classes of failed calls.
        transport: The exception classes of failed connections.

    Raises:
        Fault: The call failed.
    """
    try:
        yield
    except Exception as raised:
        error = without_secrets(raised)
        if (fault := known_fault(error, failed, transport)) is None:
            raise
        raise fault from error


def is_of_credentials(error: BaseException) -> bool:
    """Whether an exception of any type was raised while botocore looked for credentials."""
    return any(
        frame.tb_frame.f_globals.get("__name__", "").endswith("botocore.credentials")
        for frame in _frames(error.__traceback__)
    )


def _frames(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next
