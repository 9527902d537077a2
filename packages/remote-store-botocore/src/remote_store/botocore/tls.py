"""The certificates that a botocore client trusts, and the one that it presents."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from typing import Any

from remote_store.botocore.names import lookup
from remote_store.core.s3 import S3Options


def tls_context(verify: bool | str, client_cert: str | tuple[str, str] | None) -> ssl.SSLContext:
    """Make an SSL context like botocore's. Reads files.

    Args:
        verify: Whether to verify certificates, or the path of a CA bundle.
        client_cert: Path of a client certificate, or a pair of the paths of the certificate and its key.
    """
    make = lookup("botocore.httpsession", "create_urllib3_context")
    find = lookup("botocore.httpsession", "get_cert_path")
    context: ssl.SSLContext = ssl.create_default_context() if make is None else make()
    context.check_hostname = bool(verify)
    bundle = verify if isinstance(verify, str) or find is None else find(verify)
    if isinstance(bundle, str):
        context.load_verify_locations(bundle)
    elif verify:
        context.load_default_certs()
    else:
        context.verify_mode = ssl.CERT_NONE
    if client_cert is not None:
        certificate, key = (client_cert, None) if isinstance(client_cert, str) else client_cert
        context.load_cert_chain(certificate, key)
    return context


def trusted(options: S3Options, find: Callable[[str], Any]) -> bool | str:
    """Return which certificates a client trusts: the path of a CA bundle, `True` for the SDK's, `False` for all.

    Args:
        options: The options.
        find: Reads a setting of a session with the client's profile.
    """
    given: bool | str | None = options.client_options.get("verify", options.tls_ca_bundle)
    if given is None:
        given = find("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE")
    return True if given is None else given
