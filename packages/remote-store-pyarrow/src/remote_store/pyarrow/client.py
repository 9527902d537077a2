"""Makes the client of the backend, and configures a pyarrow filesystem like it."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from botocore import UNSIGNED
from botocore.client import BaseClient
from botocore.config import Config
from botocore.credentials import Credentials

from remote_store.botocore import ClientMaker, UserSession, lookup, proxies_of, proxy_for
from remote_store.core.s3 import S3Options

CLIENTS = ClientMaker(
    user_agent=f"remote-store-pyarrow pyarrow/{pa.__version__}",
    is_session=lambda given: isinstance(given, lookup("boto3", "Session") or ()),
    find_methods=lambda: lookup("boto3.s3.inject", "inject_s3_transfer_methods"),
)
"""boto3 need not be installed: a session is one of its sessions, and it adds methods such as `upload_file`."""

KNOWS_TLS_BUNDLES = int(pa.__version__.partition(".")[0]) >= 21


def check_options(options: S3Options, client: BaseClient | None) -> None:
    """Refuse options that pyarrow's Python API does not support.

    Raises:
        ValueError: pyarrow does not support an option.
    """
    verify = options.client_options.get("verify")
    config = options.client_options.get("config") or Config()
    refused = {
        "client": (client, "its credentials cannot be read; pass a session, or key and secret"),
        "verify=False": (verify is not None and not verify, "pyarrow always verifies; pass the CA as tls_ca_bundle"),
        "tls_ca_bundle": (
            (options.tls_ca_bundle or verify) and not KNOWS_TLS_BUNDLES,
            "install pyarrow 21 or newer",
        ),
        "client_cert": (config.client_cert, "pyarrow has no client certificates; use remote-store-boto3"),
        "proxies_config": (config.proxies_config, "pyarrow takes only the proxy's address; set proxies"),
        "use_accelerate_endpoint": ((config.s3 or {}).get("use_accelerate_endpoint"), "pass that endpoint_url instead"),
        "use_fips_endpoint": (config.use_fips_endpoint, "pass that endpoint_url instead"),
    }
    for name, (given, reason) in refused.items():
        if given:
            raise ValueError(f"{name} is not supported by pyarrow: {reason}")


def find_credentials(options: S3Options, session: UserSession | None) -> Credentials | None:
    """Look for credentials in the same order as the client; `None` if there are none."""
    if options.key is not None and options.secret is not None:
        token = options.session_token and options.session_token.reveal()
        return Credentials(options.key, options.secret.reveal(), token)
    return (session or CLIENTS.session(options.profile)).get_credentials()


def filesystem_arguments(client: BaseClient, *, aws: bool) -> dict[str, Any]:
    """The filesystem's arguments from a client, except credentials, certificates and the number of attempts."""
    config, url = client.meta.config, client.meta.endpoint_url
    scheme, _, place = url.partition("://")
    style = (config.s3 or {}).get("addressing_style")
    arguments: dict[str, Any] = {
        "scheme": scheme,
        "endpoint_override": place.rstrip("/"),
        "force_virtual_addressing": style != "path" if aws else style == "virtual",
        "region": client.meta.region_name,
        "connect_timeout": config.connect_timeout,
        "request_timeout": config.read_timeout,
        "anonymous": config.signature_version is UNSIGNED,
        "allow_bucket_creation": False,
        "allow_bucket_deletion": False,
    }
    if proxy := proxy_for(url, proxies_of(client)):
        arguments["proxy_options"] = proxy
    return arguments
