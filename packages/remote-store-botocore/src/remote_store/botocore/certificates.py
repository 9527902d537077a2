"""Looks into files of certificates before a client is made with them."""

from __future__ import annotations

import os
import ssl
from functools import cache
from pathlib import Path

PEM = "give a file in PEM format, with lines such as -----BEGIN CERTIFICATE-----"
DER = b"\x30"
"""How a certificate in binary form begins: with the tag of a sequence (X.690)."""


def check_bundle(name: str, path: str) -> None:
    """Refuse a file of certificates to trust that no client can use.

    Args:
        name: What named the file, for the error.
        path: The file.

    Raises:
        FileNotFoundError: There is no such file, or it is a folder.
        ValueError: It cannot be read, is empty, or has no certificate in PEM format.
    """
    problem = bundle_problem(path)
    if problem is None:
        return
    error = ValueError if Path(path).is_file() else FileNotFoundError
    raise error(f"{name} {problem}: {path!r}; {PEM}")


def bundle_problem(path: str) -> str | None:
    """What is wrong with a file of certificates to trust; `None` where nothing is."""
    if Path(path).is_dir():
        return "names a folder, and takes one file with all certificates in it"
    if not Path(path).is_file():
        return "names a file that does not exist"
    state = Path(path).stat()
    if not os.access(path, os.R_OK):
        return "names a file that this user may not read"
    if not state.st_size:
        return "names an empty file"
    return None if _could_be_loaded(path, state.st_mtime_ns) else _unloadable(path)


def _unloadable(path: str) -> str:
    with Path(path).open("rb") as file:
        binary = file.read(1) == DER
    return "names a certificate in DER format" if binary else "names a file without a certificate that can be read"


@cache
def _could_be_loaded(path: str, _changed: int) -> bool:
    # A bundle of a whole system takes OpenSSL 15 ms, as long as the rest of a client.
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except OSError:
        return False
    return True


def is_client_certificate(given: str | tuple[str, str]) -> bool:
    """Whether a certificate of the client can be read with its key.

    Args:
        given: A file that has the certificate and its key, or a file of each.
    """
    certificate, key = (given, None) if isinstance(given, str) else given
    encrypted: list[bool] = []

    def ask() -> str:
        encrypted.append(True)
        return ""

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(certificate, key, password=ask)
    except OSError:
        # The password of an encrypted key is asked for when the connection is made.
        return bool(encrypted)
    return True
