"""Signs as botocore does, in less time: its signer makes two messages of e-mail of the headers of each request."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from hmac import digest
from typing import Any
from urllib.parse import urlsplit

NO_BODY = sha256().hexdigest()


def signing_key(secret: str, scope: str) -> bytes:
    """The key for all signatures of one scope: a day, a region, a service and `aws4_request`."""
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = digest(key, part.encode(), "sha256")
    return key


class OnePassSigning:
    """What stands before botocore's `S3SigV4Auth` among the bases of a signer; it comes to the same signature.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
    """

    credentials: Any
    """botocore's frozen credentials, or `None`."""

    unsigned: Collection[str]
    """Headers that are not signed, in lower case."""

    hosts: dict[str, str]
    """The hosts as botocore signs them, by the beginnings of URLs that it has taken them out of."""

    signing_key: Callable[[str, str], bytes]
    """`signing_key`, which keeps those it made last."""

    def add_auth(self, request: Any) -> None:
        """Set the headers of a signature, in place of those of an attempt before."""
        credentials, headers = self.credentials, request.headers
        if credentials is None or "Date" in headers:
            # An error, and what nothing of ours sends. Only the class that `sign_in_one_pass` makes has such a base.
            return super().add_auth(request)  # type: ignore[misc, no-any-return]
        time = request.context["timestamp"] = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        checksum = self._checksum(request)
        del headers["Authorization"]
        set_header(headers, "X-Amz-Date", time)
        if credentials.token:
            set_header(headers, "X-Amz-Security-Token", credentials.token)
        set_header(headers, "X-Amz-Content-SHA256", checksum)

        signed = self._signed_headers(request)
        names = sorted(signed)
        lines, listed = "".join([f"{name}:{signed[name]}\n" for name in names]), ";".join(names)
        url = urlsplit(request.url)
        # The method and the next one are botocore's.
        query = self.canonical_query_string(request) if url.query or request.params else ""  # type: ignore[attr-defined]
        canonical = f"{request.method.upper()}\n{url.path}\n{query}\n{lines}\n{listed}\n{checksum}"
        scope = self.credential_scope(request)  # type: ignore[attr-defined]
        text = f"AWS4-HMAC-SHA256\n{time}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
        signature = digest(self.signing_key(credentials.secret_key, scope), text.encode(), "sha256").hex()
        headers["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, "
            f"SignedHeaders={listed}, Signature={signature}"
        )
        return None

    def _checksum(self, request: Any) -> str:
        """The checksum of the body, or what stands for it; botocore prepares a request to see that there is none."""
        # The method is botocore's.
        return self.payload(request) if request.data else NO_BODY  # type: ignore[attr-defined]

    def _signed_headers(self, request: Any) -> Mapping[str, str]:
        """The headers as they are signed, by their names in lower case."""
        headers: dict[str, str] = {}
        for header, text in request.headers.raw_items():
            name, value = header.lower(), " ".join(text.split())
            if name not in self.unsigned:
                headers[name] = f"{headers[name]},{value}" if name in headers else value
        if "host" not in headers:
            origin = "/".join(request.url.split("/", 3)[:3])
            if origin not in self.hosts:
                # The method is botocore's.
                self.hosts[origin] = self.headers_to_sign(request)["host"]  # type: ignore[attr-defined]
            headers["host"] = self.hosts[origin]
        return headers


def set_header(headers: Any, name: str, value: str) -> None:
    """Set a header in place of all of that name."""
    del headers[name]
    headers[name] = value


def sign_in_one_pass(client: Any, signing: type[Any], unsigned: Collection[str]) -> None:
    """Have a client of botocore sign so what it would sign with `S3SigV4Auth`.

    Args:
        client: The client.
        signing: `botocore.auth.S3SigV4Auth`.
        unsigned: `botocore.auth.SIGNED_HEADERS_BLACKLIST`.
    """
    try:
        # botocore has no public name for it; should it rename it, requests are signed its own way.
        signer = client._request_signer  # noqa: SLF001
    except AttributeError:
        return
    # Kept by the client alone, keys go with it; the second is for the change of the day or of the credentials.
    kept = {"unsigned": frozenset(unsigned), "hosts": {}, "signing_key": staticmethod(lru_cache(2)(signing_key))}
    ours = type("OnePassS3SigV4Auth", (OnePassSigning, signing), kept)
    make = signer.get_auth_instance

    def get_auth_instance(*arguments: Any, **options: Any) -> Any:
        auth = make(*arguments, **options)
        if type(auth) is signing:
            auth.__class__ = ours
        return auth

    signer.get_auth_instance = get_auth_instance
