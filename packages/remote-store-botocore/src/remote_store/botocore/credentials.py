"""Checks the credentials that the SDK found, from any provider, and gives it those that a function returns."""

from __future__ import annotations

import re
from typing import Any

from botocore.credentials import Credentials

from remote_store.botocore.faults import MalformedCredentials
from remote_store.core import S3Credentials
from remote_store.core.s3 import AsyncCredentialSource, CredentialSource, S3Options

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


class RenewedCredentials(Credentials):  # type: ignore[misc]
    """The credentials of a botocore client that a function returns. A session takes them as `credential_provider`.

    Args:
        source: Asks the function.
    """

    method = "remote-store"
    account_id = None

    def __init__(self, source: CredentialSource) -> None:
        self._source = source

    @property
    def access_key(self) -> str:
        """The access key of this moment. To read several values of the same credentials, freeze them."""
        return self._source.get().key

    @property
    def secret_key(self) -> str:
        """The secret key of this moment."""
        return self._source.get().secret.reveal()

    @property
    def token(self) -> str | None:
        """The session token of this moment."""
        token = self._source.get().session_token
        return None if token is None else token.reveal()

    def get_frozen_credentials(self) -> Any:
        """The credentials of this moment. botocore calls it before it signs a request or a URL.

        Raises:
            Fault: The function failed.
        """
        return frozen(self._source.get())

    def load_credentials(self) -> Credentials:
        """These credentials, for the session that looks for some."""
        return self


class AsyncRenewedCredentials(Credentials):  # type: ignore[misc]
    """`RenewedCredentials` for an aiobotocore client, which awaits them.

    Args:
        source: Asks the function.
    """

    def __init__(self, source: AsyncCredentialSource) -> None:
        # aiobotocore reads the values of frozen credentials only.
        super().__init__("", "", method=RenewedCredentials.method)
        self._source = source

    def get_account_id(self) -> None:
        """No account, which no S3 endpoint needs."""

    async def get_frozen_credentials(self) -> Any:
        """The credentials of this moment. aiobotocore calls it before it signs a request or a URL.

        Raises:
            Fault: The function failed.
        """
        return frozen(await self._source.get())

    async def load_credentials(self) -> Credentials:
        """These credentials, for the session that looks for some."""
        return self


def renewed_credentials(options: S3Options) -> RenewedCredentials | None:
    """Credentials for a client, if the options have a function that returns them. The function is not called yet."""
    return None if options.credentials is None else RenewedCredentials(CredentialSource(options.credentials))


def renew_credentials_async(session: Any, options: S3Options) -> None:
    """Make an aiobotocore session find the credentials that a function returns, if the options have one."""
    if options.credentials is not None:
        source = AsyncCredentialSource(options.credentials)
        session.register_component("credential_provider", AsyncRenewedCredentials(source))


def frozen(credentials: S3Credentials) -> Any:
    """The credentials as botocore's frozen credentials."""
    token = None if credentials.session_token is None else credentials.session_token.reveal()
    return Credentials(credentials.key, credentials.secret.reveal(), token).get_frozen_credentials()


def _malformed(what: str, method: str | None) -> MalformedCredentials:
    return MalformedCredentials(
        f"the {what} contains a line break, white space or another invalid character; check where it is set "
        f"(found by: {method or 'the SDK'}), it may end with one"
    )
