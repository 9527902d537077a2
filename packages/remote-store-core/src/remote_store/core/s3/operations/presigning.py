"""Makes URLs and forms that others send. Core checks the arguments and the result; the port signs."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from remote_store.core.errors import (
    CapabilityNotSupported,
    InvalidConfiguration,
    InvalidPath,
    PermissionDenied,
    wrong_kind,
)
from remote_store.core.metadata import check_content_type
from remote_store.core.models import PresignedPost
from remote_store.core.options import PostCondition
from remote_store.core.path import require_canonical
from remote_store.core.s3.operations.bucket import KEY_OPTIONS, REQUEST_OPTIONS, Bucket
from remote_store.core.s3.operations.steps import Operation, Sign
from remote_store.core.s3.protocol.calls import Call
from remote_store.core.s3.protocol.keys import check_length
from remote_store.core.s3.protocol.options import S3Options

OPERATIONS = {"GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject", "DELETE": "DeleteObject"}
"""The methods that a URL can allow, and their operations."""

RESPONSE_HEADERS = {
    "cache-control": "ResponseCacheControl",
    "content-disposition": "ResponseContentDisposition",
    "content-encoding": "ResponseContentEncoding",
    "content-language": "ResponseContentLanguage",
    "content-type": "ResponseContentType",
    "expires": "ResponseExpires",
}
"""The headers of a response that a URL can set (S3 API Reference, GetObject)."""

LONGEST = timedelta(days=7)
"""The longest time for which a signature can be valid (S3 API Reference, Authenticating Requests: Query Parameters)."""

FILENAME = "${filename}"
"""S3 puts the name of the file that a form sends in its place (S3 API Reference, POST Object)."""

MEDIA_RANGE = re.compile(r"(?P<begin>[!#$%&'+.^_`|~A-Za-z0-9-]+/)\*")
FIELD = re.compile(r"[!#$%&'+.^_`|~A-Za-z0-9-]+")
SET_BY_US = frozenset(
    {
        "awsaccesskeyid",
        "bucket",
        "file",
        "key",
        "policy",
        "signature",
        "x-amz-algorithm",
        "x-amz-credential",
        "x-amz-date",
        "x-amz-security-token",
        "x-amz-signature",
    }
)
"""Fields of a form that no condition of the caller may be about."""

NO_SIGNATURE = "there are no credentials to sign with; pass a client or filesystem that has some"
VERSION_2 = (
    "the client signs URLs with Signature Version 2, which does not cover all of a request; make the client with "
    "Config(signature_version='s3v4'), or let the backend make it"
)


def can_sign(options: S3Options) -> bool:
    """Whether requests by URL can do what the backend does: not without credentials, nor with SSE-C.

    With SSE-C, the sender of each request would have to know the key.
    """
    return not options.anon and not KEY_OPTIONS & options.put_options.keys()


def check_prefix(prefix: str) -> None:
    """Check that keys which begin with the prefix may be written.

    Raises:
        InvalidPath: The prefix is the root, malformed, not canonical or too long, or S3 would change it.
        TypeError: The prefix is not a string.
    """
    plain = prefix.removesuffix("/") if isinstance(prefix, str) else prefix
    if plain == "":
        raise wrong_kind("the prefix is the root; name a folder below it", path=prefix)
    if FILENAME in prefix:
        raise InvalidPath(f"the prefix contains {FILENAME}, which S3 replaces; remove it", path=prefix)
    try:
        require_canonical(plain)
        # At least one character of a name follows.
        check_length(f"{prefix}x")
    except InvalidPath as error:
        error.path = prefix
        raise


def seconds_of(expires_in: float | timedelta) -> int:
    """The time in whole seconds, rounded down, so that a URL expires no later than it should.

    Raises:
        TypeError: It is neither a number nor a `timedelta`.
        ValueError: It is not between 1 second and 7 days.
    """
    if isinstance(expires_in, bool) or not isinstance(expires_in, int | float | timedelta):
        kind = type(expires_in).__name__
        raise TypeError(f"expires_in must be a number of seconds or a timedelta, not {kind}")
    seconds = expires_in.total_seconds() if isinstance(expires_in, timedelta) else expires_in
    if not 1 <= seconds <= LONGEST.total_seconds():
        raise ValueError(f"expires_in must be 1 second to 7 days ({LONGEST.total_seconds():.0f}), not {expires_in!r}")
    return int(seconds)


def params_of(
    method: str, content_type: str | None, response_headers: Mapping[str, str] | None, version_id: str | None
) -> dict[str, Any]:
    """The parameters of the operation that a URL allows, without its key.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: The method cannot be presigned, or an argument is malformed or does not fit it.
    """
    if method not in OPERATIONS:
        raise ValueError(f"method must be one of {', '.join(OPERATIONS)}, not {method!r}")
    fits = {
        "content_type": (content_type, {"PUT"}),
        "response_headers": (response_headers, {"GET", "HEAD"}),
        "version_id": (version_id, {"GET", "HEAD", "DELETE"}),
    }
    for name, (value, methods) in fits.items():
        if value is not None and method not in methods:
            raise ValueError(f"{name} does not fit method={method!r}; leave it out")
    check_content_type(content_type)
    params = dict(_response_params(response_headers or {}))
    if content_type is not None:
        params["ContentType"] = content_type
    if version_id is not None:
        if not isinstance(version_id, str) or not version_id:
            raise ValueError("version_id must be that of a FileInfo or FileVersion, a str that is not empty")
        params["VersionId"] = version_id
    return params


def _response_params(headers: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    if not isinstance(headers, Mapping):
        raise TypeError(f"response_headers must be a mapping, not {type(headers).__name__}")
    seen: set[str] = set()
    for name, value in headers.items():
        plain = name.lower() if isinstance(name, str) else ""
        if plain not in RESPONSE_HEADERS:
            known = ", ".join(known.title() for known in RESPONSE_HEADERS)
            raise ValueError(f"response_headers can have {known}, not {name!r}")
        if plain in seen:
            raise ValueError(f"response_headers has {name!r} twice")
        seen.add(plain)
        if not isinstance(value, str):
            raise TypeError(f"{name} in response_headers must be a str, not {type(value).__name__}")
        if not value.isascii() or not value.isprintable() or not value.strip():
            hint = "; write a file name as filename*=UTF-8''%C3%A9" if plain == "content-disposition" else ""
            raise ValueError(f"{name} in response_headers must be printable ASCII and not blank{hint}")
        yield RESPONSE_HEADERS[plain], _date(value) if plain == "expires" else value


def _date(value: str) -> datetime:
    try:
        parsed = parsedate_to_datetime(value)
    except ValueError as error:
        example = "Thu, 01 Dec 1994 16:00:00 GMT"
        raise ValueError(f"Expires in response_headers must be an HTTP date such as {example!r}") from error
    return parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)


def presign(bucket: Bucket, key: str, method: str, params: Mapping[str, Any], seconds: int) -> Operation[str]:
    """Sign a URL. The `put_options` are not in it, because only the sender could add their headers.

    Raises:
        CapabilityNotSupported: One of the `put_options` would have to be sent.
        InvalidConfiguration: It is signed with version 2.
        PermissionDenied: It is not signed.
    """
    _refuse_options(bucket, bucket.options.put_options if method == "PUT" else REQUEST_OPTIONS)
    url: str = yield Sign(bucket.call(OPERATIONS[method], (), Key=key, **params), seconds)
    _check_signature([name for name, _ in parse_qsl(urlsplit(url).query)])
    return url


def presign_post(
    bucket: Bucket, prefix: str, rules: Sequence[PostCondition], fields: Mapping[str, str], seconds: int
) -> Operation[PresignedPost]:
    """Sign a form.

    Args:
        bucket: The bucket.
        prefix: What the key begins with.
        rules: The conditions, without those for bucket and key.
        fields: The fields that have a fixed value.
        seconds: How long the form is valid.

    Raises:
        CapabilityNotSupported: The bucket takes no forms, or one of the `put_options` would have to be sent.
        InvalidConfiguration: The form is signed with version 2.
        PermissionDenied: It is not signed.
    """
    if (kind := bucket.options.endpoint.bucket_kind) != "general purpose":
        message = f"S3 takes forms for general purpose buckets only, not for one of kind {kind!r}; presign a PUT"
        raise CapabilityNotSupported(message, capability="presign", path=prefix)
    _refuse_options(bucket, bucket.options.put_options)
    params = {"Bucket": bucket.name, "Key": prefix + FILENAME, "Fields": dict(fields), "Conditions": list(rules)}
    form: Mapping[str, Any] = yield Sign(Call("PostObject", params), seconds)
    _check_signature(form["fields"])
    return PresignedPost(form["url"], dict(form["fields"]))


def _refuse_options(bucket: Bucket, names: Collection[str]) -> None:
    """Refuse to sign without parameters that the backend sends with each of its own requests."""
    if refused := ", ".join(sorted(bucket.options.put_options.keys() & set(names))):
        message = f"the sender would have to add the put_options {refused}; presign with a backend without them"
        raise CapabilityNotSupported(message, capability="presign")


def _check_signature(names: Collection[str]) -> None:
    """Check the names of the query parameters of a URL, or of the fields of a form."""
    lower = {name.lower() for name in names}
    if "x-amz-algorithm" in lower and "x-amz-signature" in lower:
        return
    if "signature" in lower:
        raise InvalidConfiguration(VERSION_2)
    raise PermissionDenied(NO_SIGNATURE)


def rules_of(
    max_size: int | None, content_type: str | None, conditions: Sequence[PostCondition]
) -> tuple[list[list[Any]], dict[str, str]]:
    """The conditions of a form in their long spelling, and the fields whose values they fix.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: An argument is malformed, or a condition is about a field that is set by another argument.
    """
    rules: list[list[Any]] = []
    if max_size is not None:
        if isinstance(max_size, bool) or not isinstance(max_size, int):
            raise TypeError(f"max_size must be an int, not {type(max_size).__name__}")
        if max_size < 0:
            raise ValueError(f"max_size must be a number of bytes, at least 0, not {max_size}")
        rules.append(["content-length-range", 0, max_size])
    if content_type is not None:
        check_content_type(content_type)
        media = MEDIA_RANGE.fullmatch(content_type)
        if media is None and "*" in content_type:
            raise ValueError("content_type must be a type such as 'image/png', or 'image/*'")
        exact = ["eq", "$Content-Type", content_type]
        rules.append(exact if media is None else ["starts-with", "$Content-Type", media["begin"]])
    if isinstance(conditions, str | bytes | Mapping) or not isinstance(conditions, Sequence):
        raise TypeError(f"conditions must be a list, not {type(conditions).__name__}")
    taken = SET_BY_US if content_type is None else SET_BY_US | {"content-type"}
    rules += [_rule(condition, taken) for condition in conditions]
    fixed = [(name[1:], value) for operator, name, value in rules if operator == "eq"]
    if len({name.lower() for name, _ in fixed}) != len(fixed):
        raise ValueError("two conditions fix the value of one field")
    return rules, dict(fixed)


def _rule(condition: object, taken: Collection[str]) -> list[Any]:
    match condition:
        case Mapping() if len(condition) == 1:
            [(name, value)] = condition.items()
            rule: list[Any] = ["eq", f"${name}", value] if isinstance(name, str) else []
        case ["content-length-range", int() as least, int() as most] if 0 <= least <= most:
            return ["content-length-range", least, most]
        case ["eq" | "starts-with" as operator, str() as name, str() as value] if name[:1] == "$":
            rule = [operator, name, value]
        case _:
            rule = []
    field = rule[1][1:] if rule else ""
    if not FIELD.fullmatch(field) or not isinstance(rule[2], str):
        raise ValueError(
            "a condition is an exact one such as {'acl': 'private'}, or a list such as "
            "['starts-with', '$x-amz-meta-user', ''] or ['content-length-range', 1, 1000]"
        )
    if field.lower() in taken:
        raise ValueError(f"a condition is about the field {field!r}, which other arguments set; leave it out")
    return rule
