"""The address of a server and a bucket, and the credentials, as the command line and the environment state them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from remote_store.conformance.contract.rulebook import ConfigurationError

BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
EXAMPLE = "write http://127.0.0.1:9000/bucket, or s3://bucket?endpoint_url=http://127.0.0.1:9000"
KEY, SECRET = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"
DEFAULT_REGION = "us-east-1"
SETTINGS = ("endpoint_url", "region_name")


@dataclass(frozen=True, slots=True)
class Address:
    """A bucket on a server.

    Attributes:
        url: The endpoint, without a path.
        bucket: Name of the bucket.
        region: The region to sign for.
    """

    url: str
    bucket: str
    region: str

    @property
    def host(self) -> str:
        """The host of the endpoint."""
        return urlsplit(self.url).hostname or ""

    def __str__(self) -> str:
        return f"{self.url}/{self.bucket}"


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key and its secret."""

    key: str
    secret: str = field(repr=False)


def address_of(url: str, environment: Mapping[str, str] = os.environ) -> Address:
    """The address that a URL states.

    Args:
        url: `http://host:port/bucket`, `https://host/bucket`, or `s3://bucket` with `endpoint_url` and `region_name` in
            the query.
        environment: Where the endpoint of an `s3://` URL and the region are looked up if the URL has none.

    Raises:
        ConfigurationError: The URL is malformed or has no bucket. The message does not contain the URL.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigurationError(f"the URL is malformed ({error}); {EXAMPLE}") from error
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(
            f"the URL contains credentials, and command lines end up in logs; set {KEY} and {SECRET} instead"
        )
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := query.keys() - set(SETTINGS):
        raise ConfigurationError(
            f"the URL has a setting {min(unknown)!r} that is not known; the settings are {', '.join(SETTINGS)}"
        )
    region = query.get("region_name") or environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    region = region or DEFAULT_REGION
    if parts.scheme == "s3":
        configured = environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL")
        endpoint = query.get("endpoint_url") or configured or f"https://s3.{region}.amazonaws.com"
        return Address(_endpoint(endpoint), _bucket(parts.netloc, parts.path.strip("/")), region)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(f"the URL must begin with http://, https:// or s3:// and name a host; {EXAMPLE}")
    if "endpoint_url" in query:
        raise ConfigurationError("an http URL is the endpoint itself; remove endpoint_url from its query")
    bucket, _, rest = parts.path.strip("/").partition("/")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Address(f"{parts.scheme}://{host}{f':{port}' if port else ''}", _bucket(bucket, rest), region)


def credentials_of(key: str, secret: str, environment: Mapping[str, str] = os.environ) -> Credentials:
    """The credentials that two environment variables hold.

    Args:
        key: Name of the variable with the access key.
        secret: Name of the variable with the secret.
        environment: The variables.

    Raises:
        ConfigurationError: One of them is not set. The message does not contain what was given as a name, which may
            be a secret.
    """
    found = {}
    for option, name, usual in (("--key", key, KEY), ("--secret", secret, SECRET)):
        if not environment.get(name):
            told = f"{usual} is not set" if name == usual else f"{option} names no environment variable that is set"
            raise ConfigurationError(
                f"{told}; set {KEY} and {SECRET}, or name two other environment variables with --key and --secret "
                "(any text will do for a server that checks no credentials)"
            )
        found[option] = environment[name]
    if secret == SECRET and environment.get("AWS_SESSION_TOKEN"):
        raise ConfigurationError(
            "AWS_SESSION_TOKEN is set, and temporary credentials are not supported; use those of a user of the server"
        )
    return Credentials(found["--key"], found["--secret"])


def _endpoint(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ConfigurationError("endpoint_url must be http://host:port or https://host:port, without a path")
    if parts.username is not None:
        raise ConfigurationError(f"endpoint_url contains credentials; set {KEY} and {SECRET} instead")
    return f"{parts.scheme}://{parts.netloc}"


def _bucket(name: str, rest: str) -> str:
    if not name:
        raise ConfigurationError(
            f"the URL names no bucket; {EXAMPLE}. A bucket that does not exist is made and removed"
        )
    if rest:
        raise ConfigurationError("the URL has a path below the bucket, but a whole bucket is needed; remove the path")
    if BUCKET.fullmatch(name) is None:
        raise ConfigurationError(
            f"{name!r} is not a bucket's name: 3 to 63 lower-case letters, digits, hyphens and dots are allowed"
        )
    return name
