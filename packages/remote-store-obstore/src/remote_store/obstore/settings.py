"""The settings of stores that talk to a service, and how they become arguments of obstore."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypedDict
from urllib.parse import urlsplit

from remote_store.core import ConfigError, RetryPolicy, Secret
from remote_store.core.home import public
from remote_store.obstore.errors import configuring
from remote_store.obstore.urls import require_no_secret

if TYPE_CHECKING:
    from obstore.store import ObjectStore

BUCKET = re.compile(r"[A-Za-z0-9$][A-Za-z0-9._-]*")
URLS = ("endpoint", "base_url", "proxy_url")


@public("remote_store.obstore")
class ClientSettings(TypedDict, total=False):
    """The settings of every store that talks to a service. Further ones need a store that you make yourself.

    If a timeout, a proxy, `user_agent` or an `http://` endpoint is given, obstore ignores the settings of its client in
    the environment, such as `AWS_ALLOW_HTTP`.

    Attributes:
        retry: How often a request is sent, or a whole number for its `max_attempts`; 5 times by default.
        timeout: Longest time of one request with its body, as obstore writes it: `30s`, `2min`.
        connect_timeout: Longest time of making a connection.
        pool_idle_timeout: How long an unused connection is kept.
        proxy_url: URL of an HTTP proxy, which may contain credentials.
        user_agent: The header `User-Agent`.
        part_size: Overwrites up to this many bytes are one PUT; larger ones are uploaded in parts of this size.
    """

    retry: RetryPolicy | int | None
    timeout: str | None
    connect_timeout: str | None
    pool_idle_timeout: str | None
    proxy_url: Secret | str | None
    user_agent: str | None
    part_size: int


@public("remote_store.obstore")
class S3Settings(ClientSettings, total=False):
    """The settings of `ObstoreS3Backend`. What is not given is taken from the environment, such as `AWS_REGION`.

    Attributes:
        region: Region of the bucket.
        endpoint: URL of the server; with `http://`, connections are not encrypted.
        access_key_id: The access key.
        secret_access_key: Its secret.
        session_token: The token of temporary credentials.
        skip_signature: Send requests without credentials, for a public bucket.
        virtual_hosted_style_request: Put the bucket into the host name.
        request_payer: Pay for the requests to a bucket whose owner does not.
    """

    region: str | None
    endpoint: str | None
    access_key_id: Secret | str | None
    secret_access_key: Secret | str | None
    session_token: Secret | str | None
    skip_signature: bool | None
    virtual_hosted_style_request: bool | None
    request_payer: bool | None


@public("remote_store.obstore")
class GCSSettings(ClientSettings, total=False):
    """The settings of `ObstoreGCSBackend`. What is not given is taken from the environment.

    Attributes:
        service_account: Path of the file with the service account's key.
        service_account_key: The content of that file.
        application_credentials: Path of the file with application default credentials.
        skip_signature: Send requests without credentials, for a public bucket.
    """

    service_account: str | None
    service_account_key: Secret | str | None
    application_credentials: str | None
    skip_signature: bool | None


@public("remote_store.obstore")
class AzureSettings(ClientSettings, total=False):
    """The settings of `ObstoreAzureBackend`. What is not given is taken from the environment.

    Attributes:
        account_name: Name of the storage account.
        account_key: Its key.
        sas_key: A shared access signature, in place of the key.
        tenant_id: Tenant of the application that signs in.
        client_id: Its id.
        client_secret: Its secret.
        endpoint: URL of the server, with the account's name as its path if it is an emulator.
        skip_signature: Send requests without credentials, for a public container.
    """

    account_name: str | None
    account_key: Secret | str | None
    sas_key: Secret | str | None
    tenant_id: str | None
    client_id: str | None
    client_secret: Secret | str | None
    endpoint: str | None
    skip_signature: bool | None


CLIENT = ("timeout", "connect_timeout", "pool_idle_timeout", "proxy_url", "user_agent")


def service(make: Callable[..., ObjectStore], place: str, settings: Mapping[str, Any], **config: Any) -> ObjectStore:
    """Make a store that talks to a service.

    Args:
        make: The class of the store.
        place: Its bucket, container or URL.
        settings: The settings by name.
        **config: Settings of obstore that are always the same.

    Raises:
        ConfigError: A setting is unknown or malformed.
    """
    given = {name: revealed(value) for name, value in settings.items() if value is not None}
    for name in set(URLS) & given.keys():
        require_url(name, given[name])
    client = {name: given.pop(name) for name in CLIENT if name in given}
    if str(given.get("endpoint", place)).startswith("http://"):
        client["allow_http"] = True
    retry = policy(given.pop("retry", None))
    arguments: dict[str, Any] = {"retry_config": {"max_retries": retry.max_attempts - 1}}
    if client:
        arguments["client_options"] = client
    if retry.total_timeout is not None:
        arguments["retry_config"]["retry_timeout"] = timedelta(seconds=retry.total_timeout)
    if config or given:
        arguments["config"] = {**config, **given}
    with configuring():
        return make(place, **arguments)


def revealed(value: Any) -> Any:
    """A setting as obstore takes it."""
    return value.reveal() if isinstance(value, Secret) else value


def policy(retry: RetryPolicy | int | None) -> RetryPolicy:
    """The policy of a setting.

    Raises:
        ConfigError: It is neither a policy nor a number of attempts.
    """
    if retry is None:
        return RetryPolicy()
    try:
        return retry if isinstance(retry, RetryPolicy) else RetryPolicy(retry)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"retry is a RetryPolicy or its max_attempts: {error}") from error


def require_bucket(bucket: str) -> str:
    """Return the name of a bucket or container. obstore puts it into URLs as it is.

    Raises:
        ConfigError: It is no name of a bucket.
    """
    if not isinstance(bucket, str) or not BUCKET.fullmatch(bucket):
        raise ConfigError(f"{bucket!r} is no name of a bucket; write letters, digits, '.', '-' and '_'")
    return bucket


def require_url(name: str, url: str) -> None:
    """Check the URL of a server, without which obstore would fail at the first request.

    Raises:
        ConfigError: It is no URL, or it contains credentials and is not that of a proxy. The message does not contain
            it.
    """
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and url.isprintable() and " " not in url
        # The property raises a ValueError if the port is not a number.
        sound = sound and parts.port != 0
    except (AttributeError, TypeError, ValueError):
        sound = False
    if not sound:
        raise ConfigError(f"{name} must be a URL such as https://storage.example.com:9000")
    if name != "proxy_url":
        require_no_secret(name, url)
