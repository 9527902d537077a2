"""Signs as botocore does, in less time: its signer makes two messages of e-mail of the headers of each request."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from hashlib import sha256
from hmac import digest
from typing import Any

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

    unsigned: Collection[str]
    """Headers that are not signed, in lower case."""

    hosts: dict[str, str]
    """The hosts as botocore signs them, by the beginnings of URLs that it has taken them out of."""

    signing_key: Callable[[str, str], bytes]
    """`signing_key`, which keeps those it made last."""

    def headers_to_sign(self, request: Any) -> Mapping[str, str]:
        """The headers as they are signed, by their names in lower case."""
        headers: dict[str, str] = {}
        for header, text in request.headers.raw_items():
            name, value = header.lower(), " ".join(text.split())
            if name not in self.unsigned:
                headers[name] = f"{headers[name]},{value}" if name in headers else value
        if "host" not in headers:
            origin = "/".join(request.url.split("/", 3)[:3])
            if origin not in self.hosts:
                # Only the class that `sign_in_one_pass` makes has a base with this method.
                self.hosts[origin] = super().headers_to_sign(request)["host"]  # type: ignore[misc]
            headers["host"] = self.hosts[origin]
        return headers

    def canonical_headers(self, headers: Mapping[str, str]) -> str:
        """The lines of the headers in the canonical request."""
        return "\n".join([f"{name}:{headers[name]}" for name in sorted(headers)])

    def signed_headers(self, headers: Mapping[str, str]) -> str:
        """The names of the signed headers."""
        return ";".join(sorted(headers))

    def signature(self, string_to_sign: str, request: Any) -> str:
        """The signature; botocore makes the key for each one anew."""
        # As above, the attribute and the method are botocore's.
        secret, scope = self.credentials.secret_key, self.credential_scope(request)  # type: ignore[attr-defined]
        return digest(self.signing_key(secret, scope), string_to_sign.encode(), "sha256").hex()

    def payload(self, request: Any) -> str:
        """The checksum of the body, or what stands for it; botocore prepares a request to see that there is none."""
        if not request.data:
            return NO_BODY
        # As above.
        checksum: str = super().payload(request)  # type: ignore[misc]
        return checksum


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
