"""Converts the options of the contract to those of a client, and checks the client options."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
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
        "on_event",
        "part_size",
        "put_options",
        "reject_write_under_file_ancestor",
    )
)
"""The options that may be combined with the user's client or filesystem, which determines all others."""

CLIENT_OPTIONS = frozenset(("api_version", "aws_account_id", "config", "use_ssl", "verify"))
"""The arguments of a client for which the contract has no option."""

DOCUMENT_WAITS = 5
"""A response's document must be complete within this many times `read_timeout`. S3 sends spaces while it copies."""


def client_arguments(options: S3Options) -> dict[str, Any]:
    """The keyword arguments of a client without its `config`. Those in `client_options` override the others."""
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
    """The keyword arguments of a client's `Config`. Settings are explicit if their defaults differ between releases."""
    # Many servers other than AWS refuse, or store, the checksums that botocore adds since 1.36.
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
        # An endpoint that is in the environment only now was not considered when the endpoint was resolved.
        "ignore_configured_endpoint_urls": (options.endpoint.aws and options.endpoint.url is None) or None,
    }


def check_client_options(options: S3Options) -> None:
    """Check the options that a client is made with.

    Args:
        options: The options.

    Raises:
        TypeError: `client_options` has an unknown name, one for which the contract has an option, or a `config` or
            `verify` of the wrong type.
        ValueError: `tls_ca_bundle` and `verify` are both given, a CA bundle cannot be loaded, or a proxy is not a URL.
        FileNotFoundError: The file of `tls_ca_bundle` or `verify` does not exist.
    """
    if unknown := sorted(options.client_options.keys() - CLIENT_OPTIONS):
        known = ", ".join(sorted(CLIENT_OPTIONS))
        raise TypeError(f"unknown in client_options: {', '.join(unknown)}; known are {known}")
    if not isinstance(options.client_options.get("config"), Config | None):
        raise TypeError("config in client_options must be a botocore.config.Config")
    verify = options.client_options.get("verify")
    if not isinstance(verify, bool | str | None) or verify == "":
        raise TypeError("verify in client_options must be True, False or the path of a file")
    if verify is not None and options.tls_ca_bundle is not None:
        raise ValueError("verify in client_options and tls_ca_bundle contradict each other; pass only one of them")
    for name, bundle in (("tls_ca_bundle", options.tls_ca_bundle), ("verify in client_options", verify)):
        if isinstance(bundle, str):
            check_bundle(name, bundle)
    proxies = getattr(options.client_options.get("config"), "proxies", None) or {}
    if not isinstance(proxies, Mapping):
        raise TypeError("proxies of config in client_options must be a dict, such as {'https': 'http://proxy:3128'}")
    for scheme, proxy in proxies.items():
        if proxy and not is_proxy(proxy):
            raise ValueError(f"the {scheme!r} proxy in config in client_options {NO_PROXY}")


def check_handle(name: str, handle: object, *, right: bool, refused: Iterable[str]) -> None:
    """Check a client, session or filesystem that the user passed, and the options passed with it.

    Args:
        name: Name of the argument.
        handle: The handle.
        right: Whether it has the right type.
        refused: Options that were given too and that the handle determines itself.

    Raises:
        TypeError: It does not have the right type.
        ValueError: There are refused options.
    """
    if not right:
        raise TypeError(f"{name} cannot be a {type(handle).__module__}.{type(handle).__qualname__} here")
    if names := ", ".join(sorted(refused)):
        raise ValueError(f"the {name} determines these options itself, so omit them: {names}")


@cache
def warn_of_redirects(handle: str) -> None:
    """Log once that a handle follows redirects, unlike a client that the lane makes."""
    logging.getLogger("remote_store").warning(
        "%s follows a redirect to another host with the session token, customer keys and body; "
        "use it with servers that you trust",
        handle,
    )


def check_client(client: Any, options: S3Options) -> None:
    """Check that a client sends to the resolved endpoint, and that it accepts the `put_options`.

    Args:
        client: A client.
        options: The options that it was made with.

    Raises:
        ValueError: The client sends to another endpoint, or a value in `put_options` has the wrong type.
    """
    if options.endpoint.aws and not s3_hosts().is_aws(client.meta.endpoint_url):
        raise ValueError(f"the session sets an endpoint; pass it: endpoint_url={client.meta.endpoint_url!r}")
    validate = lookup("botocore.validate", "validate_parameters")
    if validate is None:
        return
    shape = client.meta.service_model.operation_model("CreateMultipartUpload").input_shape
    try:
        shown = {name: value for name, value in options.put_options.items() if name not in SECRET_PARAMS}
        validate({"Bucket": "bucket", "Key": "key", **shown}, shape)
    except ParamValidationError as error:
        raise ValueError(f"put_options are invalid: {error}") from error
