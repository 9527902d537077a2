"""Signing requests to S3 without an SDK."""

from __future__ import annotations

import hashlib
import hmac
import urllib.parse
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def sign_v4(
    method: str, url: str, *, key: str, secret: str, region: str, headers: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the headers that sign a request to S3 without an SDK; the body stays unsigned.

    Args:
        method: The HTTP method.
        url: The whole URL, percent-encoded, with its query.
        key: The access key.
        secret: The secret of `key`.
        region: The region to sign for.
        headers: More headers to sign; they are part of the result.
    """
    parts = urllib.parse.urlsplit(url)
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{moment[:8]}/{region}/s3/aws4_request"
    signed = {name.lower(): value for name, value in (headers or {}).items()}
    signed |= {"host": parts.netloc, "x-amz-content-sha256": "UNSIGNED-PAYLOAD", "x-amz-date": moment}
    names = ";".join(sorted(signed))
    query = sorted(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
    canonical = "\n".join(
        [
            method,
            parts.path or "/",
            "&".join(
                f"{urllib.parse.quote(name, safe='')}={urllib.parse.quote(value, safe='')}" for name, value in query
            ),
            *(f"{name}:{signed[name].strip()}" for name in sorted(signed)),
            "",
            names,
            "UNSIGNED-PAYLOAD",
        ]
    )
    text = "\n".join(["AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    digest = f"AWS4{secret}".encode()
    for piece in (*scope.split("/"), text):
        digest = hmac.digest(digest, piece.encode(), "sha256")
    signed["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={digest.hex()}"
    )
    return signed
