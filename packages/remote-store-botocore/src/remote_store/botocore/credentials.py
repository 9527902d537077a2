"""Looks at the credentials that the SDK found, whichever provider has them, before anything is signed with them."""

from __future__ import annotations

import re
from typing import Any

from botocore.credentials import Credentials

from remote_store.botocore.faults import MalformedCredentials

IN_A_HEADER = re.compile(r"[!-~]*")
NOT_IN_A_SECRET = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def check_credentials(found: Any, method: str | None) -> None:
    """Refuse credentials that no service can know; no text shows them.

    A header cannot carry the key or the token. The secret is in none, and the service calls it a wrong signature.

    Args:
        found: Frozen credentials of botocore, or what has the same attributes.
        method: What found them, as botocore calls it.

    Raises:
        MalformedCredentials: There is white space or a control character where none can be.
    """
    for what, name in (("access key", "access_key"), ("session token", "token")):
        if not IN_A_HEADER.fullmatch(getattr(found, name, None) or ""):
            raise _malformed(what, method)
    secret = getattr(found, "secret_key", None) or ""
    if secret != secret.strip() or NOT_IN_A_SECRET.search(secret):
        raise _malformed("secret key", method)


def check_session(session: Any) -> None:
    """Look for the credentials of a session of botocore or boto3, and refuse what no service can know.

    Raises:
        MalformedCredentials: There is white space or a control character where none can be.
    """
    if (found := session.get_credentials()) is not None:
        check_credentials(found.get_frozen_credentials(), found.method)


async def check_session_async(session: Any, key: str | None, secret: str | None, token: str | None) -> None:
    """Refuse credentials that no service can know: those given, or else those that a session of aiobotocore finds.

    Args:
        session: The session.
        key: The access key, where it is given.
        secret: The secret key, together with `key`.
        token: The session token, together with `key`.

    Raises:
        MalformedCredentials: There is white space or a control character where none can be.
    """
    if key is not None:
        check_credentials(Credentials(key, secret, token), "explicit")
    elif (found := await session.get_credentials()) is not None:
        check_credentials(await found.get_frozen_credentials(), found.method)


def _malformed(what: str, method: str | None) -> MalformedCredentials:
    return MalformedCredentials(
        f"the {what} has a line break, white space or another character in it that no {what} has; look where it is "
        f"set (found by: {method or 'the SDK'}), it may end with one"
    )
