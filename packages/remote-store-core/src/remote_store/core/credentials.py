"""The credentials that a function of the caller returns, and which text can be a credential."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from remote_store.core.home import public
from remote_store.core.secret import Secret

CONTROL = re.compile(r"[\x00-\x1f\x7f]")
SURROGATE = re.compile(r"[\ud800-\udfff]")
IN_A_HEADER = re.compile(r"[!-~]+")


@public("remote_store.core")
@dataclass(frozen=True, slots=True, init=False)
class S3Credentials:
    """Credentials of an S3 user. A function that is passed as `credentials` returns them.

    Args:
        key: Access key id.
        secret: Secret access key; a `str` or a `Secret`.
        session_token: Token of temporary credentials; a `str` or a `Secret`.
        expires_at: When they expire; an aware datetime. `None` if they do not.

    Raises:
        TypeError: A value is of the wrong type.
        ValueError: A value is empty, no header can carry it, or `expires_at` has no time zone.
    """

    key: str
    secret: Secret
    session_token: Secret | None
    expires_at: datetime | None

    def __init__(
        self,
        key: str,
        secret: str | Secret,
        session_token: str | Secret | None = None,
        expires_at: datetime | None = None,
    ) -> None:
        if not isinstance(key, str):
            raise TypeError(f"key must be a str, not {type(key).__name__}")
        hidden = Secret(secret)
        token = None if session_token is None else Secret(session_token)
        for name, value in (("key", key), ("secret", hidden), ("session_token", token)):
            if value is not None and not value:
                raise ValueError(f"{name} is empty; pass a value{' or None' if name == 'session_token' else ''}")
        check_sendable(key, hidden, token)
        if not isinstance(expires_at, datetime | None):
            raise TypeError(f"expires_at must be a datetime, not {type(expires_at).__name__}")
        if expires_at is not None and expires_at.utcoffset() is None:
            raise ValueError("expires_at has no time zone; pass an aware datetime, such as one of datetime.now(UTC)")
        object.__setattr__(self, "key", key)
        object.__setattr__(self, "secret", hidden)
        object.__setattr__(self, "session_token", token)
        object.__setattr__(self, "expires_at", expires_at)


CredentialsFunction: TypeAlias = Callable[[], S3Credentials | Awaitable[S3Credentials]]


def check_sendable(key: str | None, secret: Secret | None, session_token: Secret | None) -> None:
    """Refuse credentials that no request can carry. The errors do not show them.

    Raises:
        ValueError: A value contains white space, a control character, or one that is not allowed there.
    """
    token = None if session_token is None else session_token.reveal()
    for name, value in (("key", key), ("session_token", token)):
        if value is not None and not IN_A_HEADER.fullmatch(value):
            raise ValueError(f"{name} contains white space, a control character or a non-ASCII character; remove it")
    text = secret.reveal() if secret is not None else ""
    if text != text.strip() or CONTROL.search(text) or SURROGATE.search(text):
        raise ValueError("secret has white space around it, or contains a control character or a lone surrogate")
