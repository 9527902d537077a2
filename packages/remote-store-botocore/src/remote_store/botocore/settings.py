"""Turns the options of the contract into those of a client, and refuses what no client can be made with."""

from __future__ import annotations

import logging
import os
import ssl
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.config import Config
from botocore.exceptions import ParamValidationError

from remote_store.botocore.locating import s3_hosts
from remote_store.botocore.names import public
from remote_store.core.s3 import SECRET_PARAMS, Fault, S3Options

WITH_HANDLE = frozenset(
    (
        "conditional_writes",
        "grow_parts",
        "max_concurrency",
        "part_size",
        "put_options",
        "reject_write_under_file_ancestor",
    )
)
"""What can be chosen beside a client or a filesystem of the user's, which brings all the rest."""

CLIENT_OPTIONS = frozenset(("api_version", "aws_account_id", "config", "use_ssl", "verify"))
"""The arguments of a client that no option of the contract stands for."""

TEXTS = frozenset(
    (
        "aws_access_key_id",
        "aws_secret_access_key",
        "aws_session_token",
        "ca_bundle",
        "credential_process",
        "credential_source",
        "endpoint_url",
        "region",
        "role_arn",
        "services",
        "source_profile",
        "web_identity_token_file",
    )
)
GROUPS = frozenset(("s3",))
"""The settings of an AWS profile that a client reads: those that are one text, and those with settings below them."""

PROXY_SCHEMES = ("http:", "https:")
DOCUMENT_WAITS = 5
"""The document of an answer must be whole within so many times `read_timeout`; S3 sends spaces while it copies."""


def client_arguments(options: S3Options) -> dict[str, Any]:
    """The keyword arguments of a client but its `config`; those of `client_options` win."""
    return {
        "endpoint_url": options.endpoint.url,
        "region_name": options.region_name,
        "verify": options.tls_ca_bundle,
        "aws_access_key_id": options.key,
        "aws_secret_access_key": options.secret and options.secret.reveal(),
        "aws_session_token": options.session_token and options.session_token.reveal(),
        **options.client_options,
    }


def config_arguments(options: S3Options) -> dict[str, Any]:
    """The keyword arguments of a client's `Config`, all that differs between releases of the SDK said outright."""
    # Many servers that are not AWS refuse, or store, the checksums that botocore adds since 1.36.
    checksums = "when_supported" if options.endpoint.checksums else "when_required"
    return {
        "connect_timeout": options.connect_timeout,
        "read_timeout": options.read_timeout,
        "parameter_validation": False,
        "max_pool_connections": max(options.max_connections, options.max_concurrency),
        "retries": {"total_max_attempts": options.retry.max_attempts, "mode": "standard"},
        "s3": {"addressing_style": options.addressing_style},
        "tcp_keepalive": True,
        "request_checksum_calculation": checksums,
        "response_checksum_validation": checksums,
        # What the environment names now was not there, or ignored, when the endpoint was resolved.
        "ignore_configured_endpoint_urls": (options.endpoint.aws and options.endpoint.url is None) or None,
    }


def proxy_for(url: str, proxies: Mapping[str, str] | None) -> str | None:
    """The URL of the proxy for a URL; `None` for a direct connection.

    Args:
        url: Where a request goes.
        proxies: URLs of proxies by scheme; an address without a scheme is one of HTTP.
    """
    proxy = (proxies or {}).get(urlsplit(url).scheme)
    if not proxy or proxy.startswith(PROXY_SCHEMES):
        return proxy or None
    return f"http:{proxy}" if proxy.startswith("//") else f"http://{proxy}"


def check_client_options(options: S3Options) -> None:
    """Refuse what a client cannot be made with.

    Args:
        options: The options.

    Raises:
        TypeError: `client_options` has a name that is unknown or an option of the contract, or another `config`.
        ValueError: `tls_ca_bundle` and `verify` are both given, or a file of certificates cannot be read as one.
        FileNotFoundError: `tls_ca_bundle` or `verify` names no file.
    """
    if unknown := sorted(options.client_options.keys() - CLIENT_OPTIONS):
        known = ", ".join(sorted(CLIENT_OPTIONS))
        raise TypeError(f"unknown in client_options: {', '.join(unknown)}; known are {known}")
    if not isinstance(options.client_options.get("config"), Config | None):
        raise TypeError("config in client_options is a botocore.config.Config")
    verify = options.client_options.get("verify")
    if not isinstance(verify, bool | str | None) or verify == "":
        raise TypeError("verify in client_options is True, False or the name of a file")
    if verify is not None and options.tls_ca_bundle is not None:
        raise ValueError("verify in client_options and tls_ca_bundle contradict each other; give one of them")
    for name, bundle in (("tls_ca_bundle", options.tls_ca_bundle), ("verify in client_options", verify)):
        if isinstance(bundle, str):
            _check_is_file(name, bundle)
            if not _has_certificates(bundle):
                raise ValueError(f"{name} has no certificate that can be read: {bundle!r}; it is a file in PEM format")


def _check_is_file(name: str, path: str) -> None:
    if not Path(path).is_file():
        raise FileNotFoundError(f"{name} is no file: {path!r}")


def _has_certificates(path: str) -> bool:
    return _could_be_loaded(path, Path(path).stat().st_mtime_ns)


@cache
def _could_be_loaded(path: str, _changed: int) -> bool:
    # A bundle of a whole system takes OpenSSL 15 ms, as long as the rest of a client.
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except OSError:
        return False
    return True


def check_configuration(options: S3Options, session: Any = None) -> None:
    """Refuse certificates and settings that no client can use, before one is made.

    Args:
        options: The options.
        session: The session of our own that the client is made with; a user's session is not asked for its settings.

    Raises:
        Fault: A setting has the wrong form, or a file of certificates is missing or cannot be read.
    """
    check_client_certificate(getattr(options.client_options.get("config"), "client_cert", None))
    if session is not None:
        check_profile(session.get_scoped_config())
    check_configured_bundle(options, None if session is None else session.get_config_variable)


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
    if bundle and not (Path(bundle).is_file() and _has_certificates(bundle)):
        text = (
            f"AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE or ca_bundle of the profile names no file of certificates: {bundle!r}"
        )
        raise Fault("InvalidConfigError", message=text, configuration=True)


def check_client_certificate(given: str | tuple[str, str] | None) -> None:
    """Refuse a certificate of the client that is not there or cannot be read.

    Args:
        given: The `client_cert` of the user's `Config`: a file that has the certificate and its key, or a file of each.

    Raises:
        Fault: A file is missing, or is not what it should be.
    """
    certificate, key = (given, None) if isinstance(given, str) else given or (None, None)
    encrypted: list[bool] = []

    def ask() -> str:
        encrypted.append(True)
        return ""

    try:
        if certificate is not None:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(certificate, key, password=ask)
    except OSError as error:
        # The password of an encrypted key is asked for when the connection is made.
        if not encrypted:
            text = f"client_cert in config names no certificate with its private key in PEM format: {given!r}"
            raise Fault("InvalidConfigError", message=text, configuration=True) from error


def check_profile(profile: Mapping[str, Any]) -> None:
    """Refuse a profile of the AWS configuration in which botocore would take a text for a group, or a group for a text.

    Args:
        profile: The settings of the profile; a group has indented lines below its name.

    Raises:
        Fault: A setting is of the wrong form; the text names it and shows no value.
    """
    for name, value in profile.items():
        is_group = isinstance(value, Mapping)
        if is_group and name in TEXTS:
            text = f"the setting {name!r} of the AWS profile has indented lines below it, and is one text"
        elif name in GROUPS and not is_group:
            text = f"the setting {name!r} of the AWS profile is a text, and takes indented lines below it"
        else:
            continue
        raise Fault("InvalidConfigError", message=text, configuration=True)


def check_handle(name: str, handle: object, *, right: bool, refused: Iterable[str]) -> None:
    """Refuse a client, session or filesystem of the user's that cannot be used, or options that it brings itself.

    Args:
        name: What it is, as the argument is called.
        handle: The handle.
        right: Whether it is of the right kind.
        refused: Options that were given beside it and that do not go with it.

    Raises:
        TypeError: It is not of the right kind.
        ValueError: There are refused options.
    """
    if not right:
        raise TypeError(f"{name} cannot be a {type(handle).__module__}.{type(handle).__qualname__} here")
    if names := ", ".join(sorted(refused)):
        raise ValueError(f"the {name} has these of its own, so leave them out: {names}")


@cache
def warn_of_redirects(handle: str) -> None:
    """Log once that a handle follows redirects, which a client of our own does not."""
    logging.getLogger("remote_store").warning(
        "%s follows a redirect to another host with the session token, customer keys and body; "
        "use it with servers that you trust",
        handle,
    )


def check_client(client: Any, options: S3Options) -> None:
    """Refuse a client that the options do not describe, or that could not send the `put_options`.

    Args:
        client: A client.
        options: The options that it was made with.

    Raises:
        ValueError: The client sends elsewhere than the options were resolved to, or a value among the `put_options` has
            a wrong type.
    """
    if options.endpoint.aws and not s3_hosts().is_aws(client.meta.endpoint_url):
        raise ValueError(f"the session names an endpoint; pass it: endpoint_url={client.meta.endpoint_url!r}")
    validate = public("botocore.validate", "validate_parameters")
    if validate is None:
        return
    shape = client.meta.service_model.operation_model("CreateMultipartUpload").input_shape
    try:
        shown = {name: value for name, value in options.put_options.items() if name not in SECRET_PARAMS}
        validate({"Bucket": "bucket", "Key": "key", **shown}, shape)
    except ParamValidationError as error:
        raise ValueError(f"put_options cannot be sent: {error}") from error
