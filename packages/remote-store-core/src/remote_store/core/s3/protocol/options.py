"""The options that all S3 lanes share."""

from __future__ import annotations

import math
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from functools import partial
from hashlib import md5
from typing import Any, Literal, Self, TypedDict, Unpack, cast, get_args
from urllib.parse import SplitResult, urlsplit

from remote_store.core.callbacks import check_callback
from remote_store.core.conditional_writes import ConditionalWrites
from remote_store.core.credentials import (
    CONTROL,
    IN_A_HEADER,
    SURROGATE,
    CredentialsFunction,
    S3Credentials,
    check_sendable,
)
from remote_store.core.events import OnEvent, check_on_event
from remote_store.core.home import public
from remote_store.core.retry import RetryPolicy
from remote_store.core.s3.protocol.calls import SECRET_PARAMS
from remote_store.core.s3.protocol.endpoint import ARN, CREATES, Endpoint, endpoint_of
from remote_store.core.secret import Secret

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB
SMALLEST_PART = 5 * MIB
LARGEST_PART = 5 * GIB

LONGEST_HOST = 255
SSE_KEY = 32
"""Bytes of an SSE-C key; its only algorithm is AES-256."""

BUCKET = re.compile(r"(?!\.\.?\Z)[A-Za-z0-9._-]{1,255}")
"""Not `.` or `..`: clients remove them from a URL, so the first folder of the key would become the bucket."""
REGION = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
IN_BRACKETS = re.compile(r"[^\[\]]*|\[[^\[\]]*\](:\d*)?")
HOST = re.compile(r"((?!-)[A-Za-z0-9-]{1,63}(?<!-)\.)*(?!-)[A-Za-z0-9-]{1,63}(?<!-)\.?")

AddressingStyle = Literal["auto", "path", "virtual"]


@public("remote_store.core.s3")
class S3OptionFields(TypedDict, total=False):
    """The keyword arguments of every lane, documented in `S3Options`."""

    endpoint_url: str | None
    region_name: str | None
    key: str | None
    secret: str | Secret | None
    session_token: str | Secret | None
    credentials: CredentialsFunction | None
    profile: str | None
    anon: bool
    addressing_style: AddressingStyle
    tls_ca_bundle: str | None
    retry: RetryPolicy
    connect_timeout: float
    read_timeout: float
    max_connections: int
    part_size: int
    grow_parts: bool
    max_concurrency: int
    conditional_writes: bool | Literal["probe"] | ConditionalWrites | None
    put_options: Mapping[str, Any]
    reject_write_under_file_ancestor: bool
    client_options: Mapping[str, Any]
    on_event: OnEvent | None


@public("remote_store.core.s3")
@dataclass(frozen=True, slots=True, kw_only=True)
class S3Options:
    """The checked options of an S3 backend.

    Attributes:
        endpoint_url: URL of the S3 server; `None` means the one in the environment or configuration, else AWS.
        region_name: AWS region; `None` means the one that the SDK finds.
        key: Access key id; `None` means the SDK's credential chain.
        secret: Secret access key, required with `key`.
        session_token: Token of temporary credentials, used with `key` and `secret`.
        credentials: Function without parameters that returns an `S3Credentials`, instead of the options above. It is
            called at the first request, and again before they expire; if they have no `expires_at`, once per process.
            Python only, not a configuration file.
        profile: Name of a profile in the shared AWS configuration.
        anon: Send unsigned requests.
        addressing_style: Where the URL has the bucket: in the `path`, in the host name (`virtual`), or `auto`.
        tls_ca_bundle: File of CA certificates to trust instead of the SDK's.
        retry: How often a failed request is sent, and how long an operation may take in total.
        connect_timeout: Seconds to wait for a connection; 10 by default.
        read_timeout: Seconds to wait for the next bytes of a response; 30 by default. However slowly bytes arrive, a
            request ends within `connect_timeout` plus six times `read_timeout`, plus one `read_timeout` per 256 KiB
            that are sent. Reading a block of up to 1 MiB from a body ends within five times `read_timeout`. Raise it
            for a server that needs longer to copy 5 GiB or to complete an upload.
        max_connections: Size of the connection pool; raised to `max_concurrency` if that is larger.
        part_size: Bytes per part of a multipart upload, 5 MiB to 5 GiB. Content of up to this size is sent as one PUT.
            It is also the first part size of streams of unknown length, and the length of the ranges of large reads,
            which is never above 32 MiB.
        grow_parts: Let the parts of a stream of unknown length grow, so that it can reach 5 TiB. `False` keeps all
            parts but the last the same size, which some servers require; the stream then ends at 10,000 parts.
        max_concurrency: Requests in flight at once within one operation.
        conditional_writes: Whether the server honours `If-None-Match` and `If-Match` on writes: one value for all
            kinds of write, or a `ConditionalWrites` with one for each. `None` means yes on AWS, what the documentation
            says on a few known services, and unknown on any other endpoint. `"probe"` means the same, and finds out
            what is unknown: once per endpoint, bucket and process, before the first call that depends on it, by about
            100 requests to objects that begin with `.remote-store-probe-`, which it removes.
        put_options: S3 parameters added to every write, such as `ServerSideEncryption`, `StorageClass` or `Tagging`.
            `SSECustomerKey` is the raw key of 32 bytes, or the key in Base64 if `SSECustomerKeyMD5` is given too. It is
            treated as a secret.
        reject_write_under_file_ancestor: Refuse to write `a/b` if `a` is a file. Costs one HEAD per ancestor.
        client_options: Options passed to the SDK's client unchanged.
        on_event: Called with a `RequestEvent` after each request, in the thread or event loop that sent it, perhaps in
            several threads at once. It should return quickly and not call the backend. If it raises, the result stays
            the same, and the first exception is logged as a warning. Python only, not a configuration file.
        endpoint: Facts about the service, set by a lane with `at`. By default, no `endpoint_url` means AWS.
    """

    endpoint_url: str | None = None
    region_name: str | None = None
    key: str | None = None
    secret: Secret | None = None
    session_token: Secret | None = None
    credentials: CredentialsFunction | None = field(default=None, repr=False)
    profile: str | None = None
    anon: bool = False
    addressing_style: AddressingStyle = "auto"
    tls_ca_bundle: str | None = None
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
    max_connections: int = 32
    part_size: int = 8 * MIB
    grow_parts: bool = True
    max_concurrency: int = 4
    conditional_writes: bool | Literal["probe"] | ConditionalWrites | None = None
    put_options: Mapping[str, Any] = field(default_factory=dict)
    reject_write_under_file_ancestor: bool = False
    client_options: Mapping[str, Any] = field(default_factory=dict)
    on_event: OnEvent | None = None
    endpoint: Endpoint = field(default=cast("Endpoint", None), repr=False)

    @classmethod
    def build(cls, **arguments: Unpack[S3OptionFields]) -> Self:
        """Check the keyword arguments of a lane.

        Raises:
            TypeError: An option is unknown, or of the wrong type.
            ValueError: An option has an invalid value.
        """
        known = [option.name for option in fields(cls) if option.name != "endpoint"]
        for name in arguments:
            if name not in known:
                nearest = get_close_matches(name, known, n=1)
                hint = f"did you mean {nearest[0]!r}?" if nearest else f"known options: {', '.join(known)}"
                raise TypeError(f"unknown option {name!r}; {hint} (pass SDK options in client_options)")
        given: dict[str, Any] = dict(arguments)
        for name in ("secret", "session_token"):
            if given.get(name) is not None:
                given[name] = Secret(given[name])
        return cls(**given)

    def __post_init__(self) -> None:
        _check_function(self)
        _check_credentials(self)
        check_endpoint_url(self.endpoint_url)
        if self.addressing_style not in get_args(AddressingStyle):
            raise ValueError(
                f"addressing_style must be one of {get_args(AddressingStyle)}, not {self.addressing_style!r}"
            )
        if not isinstance(self.retry, RetryPolicy):
            raise TypeError(
                f"retry must be a RetryPolicy, such as RetryPolicy(max_attempts=3), not {type(self.retry).__name__}"
            )
        for name in ("anon", "grow_parts", "reject_write_under_file_ancestor"):
            if not isinstance(getattr(self, name), bool):
                raise TypeError(f"{name} must be True or False, not {getattr(self, name)!r}")
        if self.conditional_writes != "probe" and not isinstance(
            self.conditional_writes, bool | ConditionalWrites | None
        ):
            raise TypeError(
                "conditional_writes must be None, True, False, 'probe' or a ConditionalWrites, "
                f"not {self.conditional_writes!r}"
            )
        _check_numbers(self)
        for name in ("put_options", "client_options"):
            if not isinstance(getattr(self, name), Mapping):
                raise TypeError(f"{name} must be a mapping, not {type(getattr(self, name)).__name__}")
        check_on_event(self.on_event)
        object.__setattr__(self, "put_options", _checked_put_options(self.put_options))
        if self.endpoint is None:
            object.__setattr__(self, "endpoint", self._endpoint())

    def _endpoint(self) -> Endpoint:
        return endpoint_of(
            self.endpoint_url,
            aws=self.endpoint_url is None,
            conditional_writes=self.conditional_writes,
            put_options=self.put_options,
        )

    def at(self, endpoint: Endpoint) -> Self:
        """A copy of the options with these facts about the endpoint."""
        return replace(self, endpoint=endpoint)

    @property
    def custom_endpoint(self) -> bool:
        """Whether requests go to a server other than AWS."""
        return not self.endpoint.aws

    @property
    def known_credentials(self) -> CredentialsFunction | None:
        """A function that returns the credentials of the options; `None` if they have none."""
        if self.key is None or self.secret is None:
            return self.credentials
        return partial(S3Credentials, self.key, self.secret, self.session_token)

    @property
    def finds_credentials(self) -> bool:
        """Whether the SDK has to find the credentials, because the options neither have any nor need any."""
        return not self.anon and self.key is None and self.credentials is None

    @property
    def trusts_conditional_writes(self) -> bool:
        """Whether the endpoint is known, without a probe, to honour conditions on all three requests that create."""
        return all(map(self.endpoint.trusts, CREATES))


def check_bucket(bucket: str) -> str:
    """Check the name or ARN of a bucket and return it.

    Raises:
        TypeError: The name is not a string.
        ValueError: The name is blank, has invalid characters, or is an ARN of something other than an access point.
    """
    if not isinstance(bucket, str):
        raise TypeError(f"bucket must be a str, not {type(bucket).__name__}")
    if not bucket.strip():
        raise ValueError("bucket is blank; pass the name of a bucket")
    if bucket.startswith("arn:"):
        if ARN.fullmatch(bucket) is None:
            raise ValueError(f"{bucket!r} is not the ARN of an access point; for a bucket, pass its name")
        return bucket
    if "/" in bucket or bucket.split() != [bucket]:
        raise ValueError(f"{bucket!r} is not a bucket name; pass a prefix as Store(backend, root_path=...)")
    if not bucket.startswith("arn:") and not BUCKET.fullmatch(bucket):
        raise ValueError(
            f"{bucket!r} is not a bucket name; use only ASCII letters, digits, dots, hyphens and underscores"
        )
    return bucket


def _check_numbers(options: S3Options) -> None:
    for name in ("connect_timeout", "read_timeout"):
        value = getattr(options, name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"{name} must be a number of seconds, not {type(value).__name__}")
        if not 0 < value < math.inf:
            raise ValueError(f"{name} must be a number of seconds above 0, not {value!r}")
    for name in ("max_connections", "max_concurrency", "part_size"):
        value = getattr(options, name)
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(f"{name} must be an int, not {type(value).__name__}")
        if value < 1:
            raise ValueError(f"{name} must be a whole number above 0, not {value!r}")
    if not SMALLEST_PART <= options.part_size <= LARGEST_PART:
        sizes = f"5 MiB to 5 GiB ({SMALLEST_PART} to {LARGEST_PART})"
        raise ValueError(f"part_size must be {sizes}, not {options.part_size!r}")


def _check_credentials(options: S3Options) -> None:
    for name in ("region_name", "key", "profile", "tls_ca_bundle"):
        value = getattr(options, name)
        if value is not None and (not isinstance(value, str) or not value.strip()):
            raise ValueError(f"{name} is blank or not a str; omit it or pass a value")
    if (options.key is None) != (options.secret is None):
        raise ValueError("key and secret go together; pass both, or neither to use the SDK's credential chain")
    if options.secret is not None and not options.secret:
        raise ValueError("secret is blank; omit key and secret to use the SDK's credential chain")
    if options.session_token is not None and not options.session_token:
        raise ValueError("session_token is blank; omit it or pass a value")
    if options.session_token is not None and options.key is None:
        raise ValueError("session_token needs key and secret; pass all three")
    if options.anon and options.key is not None:
        raise ValueError("anon sends unsigned requests; pass either anon=True or key and secret")
    if options.profile is not None and options.key is not None:
        raise ValueError("profile names credentials too; pass either profile or key and secret")
    _check_sendable(options)


def _check_function(options: S3Options) -> None:
    """Check the function that returns the credentials. The errors do not show it, since it may hold a secret.

    Raises:
        TypeError: It cannot be called without arguments.
        ValueError: There are other credentials too.
    """
    if options.credentials is None:
        return
    if isinstance(options.credentials, S3Credentials):
        raise TypeError("credentials must be a function; pass credentials that do not change as key and secret")
    check_callback("credentials", options.credentials, awaited=True)
    others = [name for name in ("key", "secret", "session_token", "profile") if getattr(options, name) is not None]
    if others := [*others, *(["anon"] if options.anon else [])]:
        raise ValueError(f"credentials are those that the function returns, so omit {', '.join(others)}")


def _check_sendable(options: S3Options) -> None:
    """Refuse values that no request can carry. The errors do not show secrets."""
    check_sendable(options.key, options.secret, options.session_token)
    for name in ("profile", "tls_ca_bundle"):
        if CONTROL.search(getattr(options, name) or ""):
            raise ValueError(f"{name} contains a control character, such as a line break at its end; remove it")
    if options.region_name is not None and not REGION.fullmatch(options.region_name):
        raise ValueError("region_name must have only letters, digits and hyphens, such as 'eu-central-1'")


def check_endpoint_url(endpoint_url: str | None, name: str = "endpoint_url") -> None:
    """Check that the URL can be that of an S3 server and that an SDK accepts it.

    Args:
        endpoint_url: The URL.
        name: The option or setting that has the URL, for the error.

    Raises:
        TypeError: The URL is not a string.
        ValueError: It is malformed, or contains credentials.
    """
    if endpoint_url is None:
        return
    if not isinstance(endpoint_url, str):
        raise TypeError(f"{name} must be a str, not {type(endpoint_url).__name__}")
    whole = f"{name} must be a complete URL such as http://127.0.0.1:9000 or https://s3.example.org"
    # The error of `urlsplit` shows the URL, which may contain a password.
    parts = _split(endpoint_url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(whole)
    if parts.username is not None or parts.password is not None:
        raise ValueError(f"{name} contains credentials; pass them as key and secret, which are not shown")
    if parts.query or parts.fragment:
        raise ValueError(f"{name} has a query or a fragment; remove everything from '?' or '#' on")
    if not _is_host(parts.hostname):
        raise ValueError(
            f"{name} has the host {parts.hostname!r}; a host has only letters, digits, hyphens and dots (RFC 1123), so "
            "use another name of the host, or its IP address"
        )


def _is_host(name: str) -> bool:
    return ":" in name or (len(name) <= LONGEST_HOST and HOST.fullmatch(name) is not None)


def _split(url: str) -> SplitResult | None:
    if not url.isprintable() or " " in url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    # `urlsplit` ignores text between the closing bracket and the port.
    return None if port == 0 or not IN_BRACKETS.fullmatch(parts.netloc.rpartition("@")[2]) else parts


def _checked_put_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """The `put_options`, with encryption keys in Base64, wrapped as secrets."""
    checked = dict(given)
    for name, value in checked.items():
        if not isinstance(name, str):
            raise TypeError(f"a name in put_options must be a str, not {type(name).__name__}")
        if isinstance(value, str) and CONTROL.search(value):
            raise ValueError(f"{name} in put_options contains a control character, such as a line break; remove it")
        if isinstance(value, str) and SURROGATE.search(value):
            raise ValueError(f"{name} in put_options contains a lone surrogate, which has no UTF-8 form; remove it")
    for name in SECRET_PARAMS & checked.keys():
        key = checked[name]
        if isinstance(key, Secret):
            continue
        if not isinstance(key, str | bytes | bytearray):
            raise TypeError(f"{name} must be bytes or a str, not {type(key).__name__}")
        if f"{name}MD5" in checked:
            text = key if isinstance(key, str) else key.decode("latin-1")
            if not IN_A_HEADER.fullmatch(text):
                raise ValueError(f"{name} is not Base64, which it must be with {name}MD5; pass the raw key alone")
            checked[name] = Secret(text)
            continue
        # An encoding error would contain the key, so lone surrogates pass.
        raw = key.encode("utf-8", "surrogatepass") if isinstance(key, str) else bytes(key)
        if len(raw) != SSE_KEY:
            raise ValueError(f"{name} must be {SSE_KEY} bytes, not {len(raw)}; pass the raw key, not Base64")
        checked[name] = Secret(b64encode(raw).decode())
        checked[f"{name}MD5"] = b64encode(md5(raw, usedforsecurity=False).digest()).decode()
    return checked
