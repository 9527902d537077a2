"""Checks certificate files before a client is made with them."""

from __future__ import annotations

import os
import ssl
from functools import cache
from pathlib import Path

PEM = "use a file in PEM format, with lines such as -----BEGIN CERTIFICATE-----"
DER = b"\x30"
"""First byte of a certificate in binary form: the tag of a sequence (X.690)."""


def check_bundle(name: str, path: str) -> None:
    """Check that a CA bundle can be loaded.

    Args:
        name: The option or setting that names the file, for the error.
        path: The file.

    Raises:
        FileNotFoundError: The file does not exist, or it is a folder.
        ValueError: It cannot be read, is empty, is a device or a pipe, or has no certificate in PEM format.
    """
    problem = bundle_problem(path)
    if problem is None:
        return
    is_other = Path(path).exists() and not Path(path).is_dir()
    error = ValueError if is_other else FileNotFoundError
    raise error(f"{name} {problem}: {path!r}; {PEM}")


def bundle_problem(path: str) -> str | None:
    """What is wrong with a CA bundle; `None` if it can be loaded."""
    if Path(path).is_dir():
        return "names a folder instead of one file with all certificates"
    if not Path(path).exists():
        return "names a file that does not exist"
    if not Path(path).is_file():
        # Reading a pipe could wait forever.
        return "names a device or a pipe, which holds no certificates"
    state = Path(path).stat()
    if not os.access(path, os.R_OK):
        return "names a file that this user may not read"
    if not state.st_size:
        return "names an empty file"
    return None if _could_be_loaded(path, state.st_mtime_ns) else _unloadable(path)


def _unloadable(path: str) -> str:
    with Path(path).open("rb") as file:
        binary = file.read(1) == DER
    return "names a certificate in DER format" if binary else "names a file without a readable certificate"


@cache
def _could_be_loaded(path: str, _changed: int) -> bool:
    # Cached, because OpenSSL takes 15 ms to load a system's bundle, as long as making a client.
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except OSError:
        return False
    return True


def is_client_certificate(given: str | tuple[str, str]) -> bool:
    """Whether a client certificate and its key can be loaded.

    Args:
        given: A file with the certificate and its key, or a pair of files.
    """
    certificate, key = (given, None) if isinstance(given, str) else given
    encrypted: list[bool] = []

    def ask() -> str:
        encrypted.append(True)
        return ""

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(certificate, key, password=ask)
    except OSError:
        # OpenSSL asks for the password of an encrypted key again when it connects.
        return bool(encrypted)
    return True
