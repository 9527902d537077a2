"""Turns the options of the contract into those of a client, and refuses what no client can be made with."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import cache
from typing import Any

from botocore.config import Config
from botocore.exceptions import ParamValidationError

from remote_store.botocore.certificates import check_bundle
from remote_store.botocore.locating import s3_hosts
from remote_store.botocore.names import lookup
from remote_store.botocore.proxies import NO_PROXY, is_proxy
from remote_store.core.s3 import SECRET_PARAMS, S3Options

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


def check_client_options(options: S3Options) -> None:
    """Refuse what a client cannot be made with.

    Args:
        options: The options.

    Raises:
        TypeError: `client_options` has a name that is unknown or an option of the contract, or another `config`.
        ValueError: `tls_ca_bundle` and `verify` are both given, a file of certificates cannot be read as one, or a
            proxy is no URL.
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
            check_bundle(name, bundle)
    proxies = getattr(options.client_options.get("config"), "proxies", None) or {}
    for scheme, proxy in proxies.items():
        if proxy and not is_proxy(proxy):
            raise ValueError(f"the {scheme!r} proxy in config in client_options {NO_PROXY}")


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
    validate = lookup("botocore.validate", "validate_parameters")
    if validate is None:
        return
    shape = client.meta.service_model.operation_model("CreateMultipartUpload").input_shape
    try:
        shown = {name: value for name, value in options.put_options.items() if name not in SECRET_PARAMS}
        validate({"Bucket": "bucket", "Key": "key", **shown}, shape)
    except ParamValidationError as error:
        raise ValueError(f"put_options cannot be sent: {error}") from error
