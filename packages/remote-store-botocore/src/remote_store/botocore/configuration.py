"""Checks the AWS configuration of this machine, and names the setting that no client can use."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from remote_store.botocore.certificates import PEM, bundle_problem, is_client_certificate
from remote_store.botocore.locating import s3_hosts
from remote_store.botocore.proxies import NO_PROXY, wrong_environment_proxy
from remote_store.core.s3 import Fault, S3Options

TEXTS = frozenset(
    (
        "aws_access_key_id",
        "aws_secret_access_key",
        "aws_session_token",
        "ca_bundle",
        "credential_process",
        "credential_source",
        "defaults_mode",
        "endpoint_url",
        "max_attempts",
        "region",
        "retry_mode",
        "role_arn",
        "services",
        "source_profile",
        "sso_session",
        "user_agent_appid",
        "web_identity_token_file",
    )
)
GROUPS = frozenset(("api_versions", "s3"))
"""The settings of an AWS profile that a client reads: `TEXTS` have one value, `GROUPS` have nested settings."""

NUMBERS = ("metadata_service_timeout", "metadata_service_num_attempts")
"""The settings that botocore converts to numbers when it looks for credentials."""


def check_configuration(options: S3Options, session: Any = None) -> None:
    """Check certificates, proxies and settings before a client is made.

    Args:
        options: The options.
        session: The lane's own session for the client; `None` for a session of the user, whose settings are not read.

    Raises:
        Fault: A setting has the wrong form, or a certificate file is missing or cannot be read.
    """
    certificate = getattr(options.client_options.get("config"), "client_cert", None)
    if certificate is not None and not is_client_certificate(certificate):
        raise _wrong(f"client_cert in config is not a PEM certificate with its private key: {certificate!r}")
    if session is not None:
        find = session.get_config_variable
        place = f"profile {find('profile') or 'default'!r} ({find('config_file')} or {find('credentials_file')})"
        check_profile(session.get_scoped_config(), place)
        if options.finds_credentials:
            check_numbers(find, place)
        region = find("region") if options.endpoint.aws and options.region_name is None else None
        if region is not None and not s3_hosts().is_region(region):
            text = f"AWS_DEFAULT_REGION, or region of the {place}, is {region!r}, which is not an AWS region"
            raise _wrong(text)
    check_configured_bundle(options, None if session is None else session.get_config_variable)
    check_environment_proxies(options)


def check_configured_bundle(options: S3Options, find: Callable[[str], Any] | None = None) -> None:
    """Check that the CA bundle named in the AWS configuration can be loaded.

    Args:
        options: The options.
        find: Reads a setting of the session; `None` to read only the environment.

    Raises:
        Fault: The file does not exist, or has no certificate.
    """
    if options.tls_ca_bundle is not None or options.client_options.get("verify") is not None:
        return
    setting = os.environ.get("AWS_CA_BUNDLE") if find is None else find("ca_bundle")
    bundle = setting or os.environ.get("REQUESTS_CA_BUNDLE")
    if bundle and (problem := bundle_problem(bundle)) is not None:
        raise _wrong(f"AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE or ca_bundle of the profile {problem}: {bundle!r}; {PEM}")


def check_environment_proxies(options: S3Options) -> None:
    """Check that the proxies in the environment are URLs. The error does not show them, since they may have a password.

    Raises:
        Fault: An environment variable that the client uses is malformed.
    """
    if getattr(options.client_options.get("config"), "proxies", None) is not None:
        return
    url = options.endpoint.url or "https://s3.amazonaws.com"
    # Credential providers send requests over both.
    schemes = ("http", "https") if options.finds_credentials else (urlsplit(url).scheme,)
    if (names := wrong_environment_proxy(url, schemes)) is not None:
        raise _wrong(f"{names} in the environment {NO_PROXY}")


def check_profile(profile: Mapping[str, Any], place: str) -> None:
    """Check that an AWS profile has one value where botocore expects one, and nested settings where it expects those.

    Args:
        profile: The settings of the profile; nested settings are indented lines below a name.
        place: The profile and its files, for the error.

    Raises:
        Fault: A setting has the wrong form. The message names it and shows no value.
    """
    for name, value in profile.items():
        is_group = isinstance(value, Mapping)
        if is_group and name in TEXTS:
            raise _wrong(f"the setting {name!r} of the {place} has indented lines below it, but takes one value")
        if name in GROUPS and not is_group:
            raise _wrong(f"the setting {name!r} of the {place} has one value, but takes indented lines below it")


def check_numbers(find: Callable[[str], Any], place: str) -> None:
    """Check the settings that have to be numbers when botocore looks for credentials.

    Args:
        find: Reads a setting of the session.
        place: The profile and its files, for the error.

    Raises:
        Fault: A setting is not a number.
    """
    for name in NUMBERS:
        try:
            find(name)
        except ValueError as error:
            text = f"AWS_{name.upper()}, or {name} of the {place}, is not a whole number"
            raise _wrong(text) from error


def _wrong(text: str) -> Fault:
    return Fault("InvalidConfigError", message=text, configuration=True)
