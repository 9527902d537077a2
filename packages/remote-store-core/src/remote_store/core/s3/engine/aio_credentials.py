"""Holds the credentials that a function returns, and asks for new ones before they expire."""

from __future__ import annotations

from contextvars import ContextVar
from datetime import UTC, datetime

from remote_store.core.credentials import CredentialsFunction, S3Credentials
from remote_store.core.events import LOGGER, callers_code
from remote_store.core.home import public
from remote_store.core.s3.engine.aio_asking import ask, new_lock
from remote_store.core.s3.protocol.calls import Fault
from remote_store.core.s3.protocol.held_credentials import HeldCredentials

asked: ContextVar[tuple[object, ...]] = ContextVar("asked", default=())
"""The sources whose functions this code is called by."""


@public("remote_store.core.s3")
class AsyncCredentialSource:
    """Returns the credentials of a function. A lane makes one for each client, and calls `get` before it signs.

    The function is called at the first `get`, and again 5 minutes before the credentials expire, or when a quarter of
    their life is left, if that is less. Concurrent calls of `get` call it once. If it fails while the former
    credentials are valid, these are used until they expire, and a warning is logged.

    Args:
        function: The function that was passed as `credentials`.
    """

    def __init__(self, function: CredentialsFunction) -> None:
        self._function = function
        self._lock = new_lock()
        self._held: HeldCredentials | None = None

    async def get(self) -> S3Credentials:
        """Credentials that have not expired.

        Raises:
            Fault: The function raised an exception, which is the cause, or returned something unusable.
        """
        held, now = self._held, datetime.now(UTC)
        if held is not None and held.is_fresh(now):
            return held.credentials
        if held is not None and held.is_valid(now) and self._lock.locked():
            # Another call renews them.
            return held.credentials
        if self in asked.get():
            raise failed("it used the backend that waits for its result")
        async with self._lock:
            if self._held is None or not self._held.is_fresh(datetime.now(UTC)):
                self._held = await self._renewed(self._held)
            return self._held.credentials

    async def _renewed(self, held: HeldCredentials | None) -> HeldCredentials:
        token = asked.set((*asked.get(), self))
        try:
            with callers_code():
                found = await ask(self._function)
        except Exception as error:  # noqa: BLE001 - becomes a fault, or a warning
            return self._kept(held, f"it raised {type(error).__name__}", error)
        finally:
            asked.reset(token)
        try:
            return HeldCredentials.of(found, datetime.now(UTC))
        except (TypeError, ValueError) as error:
            return self._kept(held, str(error), error)

    def _kept(self, held: HeldCredentials | None, problem: str, error: Exception) -> HeldCredentials:
        """The former credentials while they are valid, although the function failed."""
        now = datetime.now(UTC)
        if held is None or not held.is_valid(now):
            raise failed(problem) from error
        expiry = held.credentials.expires_at
        LOGGER.warning("credentials could not be renewed: %s; the former ones are used until %s", problem, expiry)
        return held.later(now)


def failed(problem: str) -> Fault:
    """The fault of a request that could not be signed. The text shows nothing of what the function said."""
    return Fault("CredentialsFunctionFailed", message=problem, credentials=True, configuration=True)
