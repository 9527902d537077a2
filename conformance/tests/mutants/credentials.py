"""Backends that handle a function for credentials wrongly."""

from __future__ import annotations

from typing import Any

from mutants.http_port import HttpPort
from mutants.http_s3 import HttpBackend
from mutants.registry import broken
from remote_store.core import BackendUnavailable, S3Credentials
from remote_store.core.s3 import CredentialSource


class ReadsTheFunction(CredentialSource):
    """Calls the function each time."""

    def get(self) -> S3Credentials:
        found = self._function()
        assert isinstance(found, S3Credentials)
        return found


class AsksEachTime(HttpPort):
    """A port that asks for each request."""

    source = ReadsTheFunction


@broken("LIFE-026")
class AsksForEachRequest(HttpBackend):
    """Calls the function for credentials before each request."""

    port = AsksEachTime


@broken("LIFE-026")
class AsksInTheConstructor(HttpBackend):
    """Calls the function for credentials in the constructor."""

    def __init__(self, bucket: str, **options: Any) -> None:
        if function := options.get("credentials"):
            function()
        super().__init__(bucket, **options)


class KeepsTheFirst(CredentialSource):
    """Asks once."""

    def get(self) -> S3Credentials:
        return self._held.credentials if self._held is not None else super().get()


class AsksOnce(HttpPort):
    """A port that asks once."""

    source = KeepsTheFirst


@broken("LIFE-027")
class IgnoresTheExpiry(HttpBackend):
    """Uses the first credentials for ever."""

    port = AsksOnce


@broken("LIFE-028")
class SaysThatTheServiceIsDown(HttpBackend):
    """Reports a function that fails as a service that does not answer."""

    def read_bytes(self, path: str, **options: Any) -> Any:
        try:
            return super().read_bytes(path, **options)
        except PermissionError as error:
            raise BackendUnavailable("try again", path=path, backend=self.name, retryable=True) from error


class RemembersFailures(CredentialSource):
    """Raises the first failure again."""

    failure: Exception | None = None

    def get(self) -> S3Credentials:
        if self.failure is not None:
            raise self.failure
        try:
            return super().get()
        except Exception as error:
            self.failure = error
            raise


class FailsForEver(HttpPort):
    """A port that does not ask again."""

    source = RemembersFailures


@broken("LIFE-028")
class NeverAsksAgain(HttpBackend):
    """Does not call a function for credentials again once it has failed."""

    port = FailsForEver
