"""Checks the credentials that the SDK found, from any provider, before a request is signed with them."""

from __future__ import annotations

import re
from typing import Any

from botocore.credentials import Credentials

from remote_store.botocore.faults import MalformedCredentials

IN_A_HEADER = re.compile(r"[!-~]*")
NOT_IN_A_SECRET = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def check_credentials(found: Any, method: str | None) -> None:
    """Refuse credentials with characters that credentials cannot have. The error does not show them.

    A malformed key or token cannot be sent in a header. With a malformed secret, the service would report a wrong
    signature.

    Args:
        found: Frozen credentials of botocore, or an object with the same attributes.
        method: botocore's name of the provider.

    Raises:
        MalformedCredentials: They contain white space or a control character.
    """
    for what, name in (("access key", "access_key"), ("session token", "token")):
        if not IN_A_HEADER.fullmatch(getattr(found, name, None) or ""):
            raise _malformed(what, method)
    secret = getattr(found, "secret_key", None) or ""
    if secret != secret.strip() or NOT_IN_A_SECRET.search(secret):
        raise _malformed("secret key", method)


def check_session(session: Any) -> None:
    """Check the credentials that a botocore or boto3 session finds, if any.

    Raises:
        MalformedCredentials: They contain white space or a control character.
    """
    if (found := session.get_credentials()) is not None:
        check_credentials(found.get_frozen_credentials(), found.method)


async def check_session_async(session: Any, key: str | None, secret: str | None, token: str | None) -> None:
    """Check the given credentials, or else those that an aiobotocore session finds, if any.

    Args:
        session: The session.
        key: The access key; `None` to use the session's credentials.
        secret: The secret key, together with `key`.
        token: The session token, together with `key`.

    Raises:
        MalformedCredentials: They contain white space or a control character.
    """
    if key is not None:
        check_credentials(Credentials(key, secret, token), "explicit")
    elif (found := await session.get_credentials()) is not None:
        check_credentials(await found.get_frozen_credentials(), found.method)


def _malformed(what: str, method: str | None) -> MalformedCredentials:
    return MalformedCredentials(
        f"the {what} contains a line break, white space or another invalid character; check where it is set "
        f"(found by: {method or 'the SDK'}), it may end with one"
    )
