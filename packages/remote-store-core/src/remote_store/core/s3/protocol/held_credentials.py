"""Decides from when on a function is asked for new credentials."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Self

from remote_store.core.credentials import S3Credentials

AHEAD = timedelta(minutes=5)
"""How long before they expire credentials are renewed; a quarter of their life, if that is less."""

NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class HeldCredentials:
    """Credentials that a function returned.

    Attributes:
        credentials: The credentials.
        renew_at: From when on new ones are asked for.
    """

    credentials: S3Credentials
    renew_at: datetime

    @classmethod
    def of(cls, found: object, now: datetime) -> Self:
        """Check what the function returned.

        Raises:
            TypeError: It is not an `S3Credentials`.
            ValueError: The credentials have expired.
        """
        if not isinstance(found, S3Credentials):
            raise TypeError(f"it returned an object of type {type(found).__name__}, not S3Credentials")
        if found.expires_at is None:
            return cls(found, NEVER)
        left = found.expires_at - now
        if left <= timedelta():
            raise ValueError("it returned credentials whose expires_at is in the past; check the clock too")
        return cls(found, found.expires_at - min(AHEAD, left / 4))

    def is_fresh(self, now: datetime) -> bool:
        """Whether there is no need yet to ask for new ones."""
        return now < self.renew_at

    def is_valid(self, now: datetime) -> bool:
        """Whether they have not expired."""
        return self.credentials.expires_at is None or now < self.credentials.expires_at

    def later(self, now: datetime) -> Self:
        """The same credentials, to be renewed when half of their remaining life is over."""
        left = (self.credentials.expires_at or NEVER) - now
        return replace(self, renew_at=now + left / 2)
