"""The options of the contract as botocore and what is built on it take them; no SDK is imported here."""

from __future__ import annotations

from typing import Any

from remote_store.core.s3.options import S3Options

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


def client_arguments(options: S3Options) -> dict[str, Any]:
    """The keyword arguments of a client but its `config`; those of `client_options` win."""
    return {
        "endpoint_url": options.endpoint_url,
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
    checksums = "when_required" if options.custom_endpoint else "when_supported"
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
    }
