"""Refuses what the AWS configuration of this machine says and no client can be made with, by the setting's name."""

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
"""The settings of an AWS profile that a client reads: those that are one text, and those with settings below them."""

NUMBERS = ("metadata_service_timeout", "metadata_service_num_attempts")
"""The settings that botocore reads as numbers when it looks for credentials."""


def check_configuration(options: S3Options, session: Any = None) -> None:
    """Refuse certificates, proxies and settings that no client can use, before one is made.

    Args:
        options: The options.
        session: The session of our own that the client is made with; a user's session is not asked for its settings.

    Raises:
        Fault: A setting has the wrong form, or a file of certificates is missing or cannot be read.
    """
    certificate = getattr(options.client_options.get("config"), "client_cert", None)
    if certificate is not None and not is_client_certificate(certificate):
        raise _wrong(f"client_cert in config names no certificate with its private key in PEM format: {certificate!r}")
    if session is not None:
        find = session.get_config_variable
        place = f"profile {find('profile') or 'default'!r} ({find('config_file')} or {find('credentials_file')})"
        check_profile(session.get_scoped_config(), place)
        if options.key is None and not options.anon:
            check_numbers(find, place)
        region = find("region") if options.endpoint.aws and options.region_name is None else None
        if region is not None and not s3_hosts().is_region(region):
            text = f"AWS_DEFAULT_REGION, or region of the {place}, is {region!r}, and no region of AWS is called so"
            raise _wrong(text)
    check_configured_bundle(options, None if session is None else session.get_config_variable)
    check_environment_proxies(options)


def check_configured_bundle(options: S3Options, find: Callable[[str], Any] | None = None) -> None:
    """Refuse a file of certificates that the AWS configuration names and that is not there or cannot be read.

    Args:
        options: The options.
        find: Reads a setting of the session; without it the environment is asked.

    Raises:
        Fault: There is no such file, or it has no certificate.
    """
    if options.tls_ca_bundle is not None or options.client_options.get("verify") is not None:
        return
    setting = os.environ.get("AWS_CA_BUNDLE") if find is None else find("ca_bundle")
    bundle = setting or os.environ.get("REQUESTS_CA_BUNDLE")
    if bundle and (problem := bundle_problem(bundle)) is not None:
        raise _wrong(f"AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE or ca_bundle of the profile {problem}: {bundle!r}; {PEM}")


def check_environment_proxies(options: S3Options) -> None:
    """Refuse a proxy of the environment that is no URL; no text shows it, since a password may be in it.

    Raises:
        Fault: A variable of the environment that is used is malformed.
    """
    if getattr(options.client_options.get("config"), "proxies", None) is not None:
        return
    url = options.endpoint.url or "https://s3.amazonaws.com"
    # What looks for credentials asks services over both.
    schemes = (urlsplit(url).scheme,) if options.anon or options.key is not None else ("http", "https")
    if (names := wrong_environment_proxy(url, schemes)) is not None:
        raise _wrong(f"{names} in the environment {NO_PROXY}")


def check_profile(profile: Mapping[str, Any], place: str) -> None:
    """Refuse a profile of the AWS configuration in which botocore would take a text for a group, or a group for a text.

    Args:
        profile: The settings of the profile; a group has indented lines below its name.
        place: The profile and its files, for the error.

    Raises:
        Fault: A setting is of the wrong form; the text names it and shows no value.
    """
    for name, value in profile.items():
        is_group = isinstance(value, Mapping)
        if is_group and name in TEXTS:
            raise _wrong(f"the setting {name!r} of the {place} has indented lines below it, and is one text")
        if name in GROUPS and not is_group:
            raise _wrong(f"the setting {name!r} of the {place} is a text, and takes indented lines below it")


def check_numbers(find: Callable[[str], Any], place: str) -> None:
    """Refuse what is no number and has to be one where credentials are looked for.

    Args:
        find: Reads a setting of the session.
        place: The profile and its files, for the error.

    Raises:
        Fault: A setting is no number.
    """
    for name in NUMBERS:
        try:
            find(name)
        except ValueError as error:
            text = f"AWS_{name.upper()}, or {name} of the {place}, is no whole number"
            raise _wrong(text) from error


def _wrong(text: str) -> Fault:
    return Fault("InvalidConfigError", message=text, configuration=True)
