"""Functions for credentials that mypy and pyright accept in their strict modes, and mistakes that both find."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

from remote_store.boto3 import S3Boto3Backend
from remote_store.core import S3Credentials, Secret
from remote_store.s3fs import AsyncS3FsBackend


def plain() -> S3Credentials:
    return S3Credentials("key", "secret", session_token="token", expires_at=datetime.now(UTC) + timedelta(hours=1))


async def awaited() -> S3Credentials:
    return plain()


class Vault:
    """An object that is called."""

    def __init__(self, role: str) -> None:
        self.role = role

    def __call__(self) -> S3Credentials:
        return S3Credentials(self.role, Secret("secret"))


def nothing() -> None: ...


def works() -> None:
    for function in (plain, Vault("role"), partial(S3Credentials, "key", "secret")):
        S3Boto3Backend("bucket", credentials=function)
    AsyncS3FsBackend("bucket", credentials=awaited)
    secret: Secret = plain().secret
    assert secret.reveal() == "secret"


def mistakes() -> None:
    S3Boto3Backend("bucket", credentials=nothing)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    S3Boto3Backend("bucket", credentials=plain())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    S3Credentials("key")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


if __name__ == "__main__":
    works()
