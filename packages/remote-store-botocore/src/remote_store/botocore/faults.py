"""From the exceptions of botocore to faults; by the names of their classes, because core imports no SDK."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
"""Those of them whose texts name the profile, the provider or the setting, and no secret."""

UNREADABLE = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What botocore raises where it cannot make sense of an answer, or build a request."""
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
"""Their texts name the profile, the file and the setting, and no secret."""

OF_CREDENTIALS = frozenset({"InfiniteLoopConfigError", "MalformedCredentials"})
"""Those of them that are about credentials, wherever they are raised."""

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
"""Where that is set which the text of an exception does not name as it is written."""

REFUSED = frozenset({"ParamValidationError", "ValidationError"})


class MalformedCredentials(Exception):
    """Credentials that the SDK found cannot be sent; the text does not show them."""


class SpeaksTLS(Exception):
    """A port that was spoken to in plain http speaks TLS."""


def fault_of(error: Exception, transport: tuple[type[Exception], ...], *, attempts: int) -> Fault:
    """What botocore, or the connection below it, said.

    Args:
        error: The exception.
        transport: The exceptions of a connection that failed.
        attempts: How many requests were sent, where the exception itself does not say.
    """
    if isinstance(error, SpeaksTLS):
        return Fault("SpeaksTLS", message=str(error))
    response = getattr(error, "response", None)
    if isinstance(response, Mapping):
        told, meta = response.get("Error", {}), response.get("ResponseMetadata", {})
        status = meta.get("HTTPStatusCode")
        code = told.get("Code") or str(status)
        headers = meta.get("HTTPHeaders") or {}
        return Fault(
            code,
            status,
            told.get("Message") or "",
            meta.get("RequestId") or None,
            attempts=meta.get("RetryAttempts", 0) + 1,
            foreign=is_foreign(getattr(error, "operation_name", ""), code, status, headers),
            date=_date(headers),
        )
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if kinds & CREDENTIALS:
        told = bool(kinds & TELLS_ITS_PLACE)
        return Fault(type(error).__name__, message=str(error), credentials=True, configuration=told)
    name = type(error).__name__
    # A region that is none is a refused parameter by its class too.
    if found := kinds & CONFIGURATION:
        if name in SETTINGS:
            return Fault(name, message=f"{SETTINGS[name]}: {error}", configuration=True)
        credentials = bool(found & OF_CREDENTIALS) or is_of_credentials(error)
        return Fault(name, message=str(error), credentials=credentials, configuration=True)
    if kinds & REFUSED:
        return Fault("ParamValidation", message=str(error))
    if is_of_credentials(error):
        # Only an error of the system is sure to hold no secret.
        named = isinstance(error, OSError)
        return Fault(name, message=str(error) if named else "", credentials=True, configuration=named)
    if isinstance(error, UNREADABLE):
        return Fault("UnreadableAnswer", message=str(error), attempts=attempts)
    if (code := no_retry_helps(error)) is not None:
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
    """The fault of an exception that a call of the SDK ended with; `None` for one that is no matter of the service.

    Args:
        error: The exception.
        failed: What the SDK raises for calls that failed.
        transport: The exceptions of a connection that failed.
        attempts: How many requests were sent, where the exception itself does not say.
    """
    if isinstance(error, (*failed, MalformedCredentials, SpeaksTLS)):
        return fault_of(error, transport, attempts=attempts)
    return fault_of(error, (), attempts=1) if is_of_credentials(error) else None


def is_of_credentials(error: BaseException) -> bool:
    """Whether an exception was raised while credentials were looked for, whatever its type."""
    return any(
        frame.tb_frame.f_globals.get("__name__", "").endswith("botocore.credentials")
        for frame in _frames(error.__traceback__)
    )


def _frames(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next
