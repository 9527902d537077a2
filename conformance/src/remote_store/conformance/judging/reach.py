"""Finds out whether a server can be judged, before the first check: it answers, speaks S3 and takes the credentials."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError, fromstring

from remote_store.conformance.contract.rulebook import ConfigurationError
from remote_store.conformance.judging.address import Address, Credentials
from remote_store.conformance.processes.watchdog import Hung, bounded
from remote_store.conformance.servers import Server, sign_v4
from remote_store.conformance.servers.server import connection_to

SECONDS = 10.0
TOTAL = 30.0
MOST = 64 * 1024
REFUSED = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "AuthorizationHeaderMalformed", "InvalidToken")
SKEWED = ("RequestTimeTooSkewed", "RequestExpired")


@dataclass(frozen=True, slots=True)
class Response:
    """A response of a server.

    Attributes:
        status: The status.
        headers: The headers.
        body: The first 64 KiB of the body.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Element | None:
        """The body as an XML document; `None` if it is none."""
        try:
            return fromstring(self.body)  # noqa: S314 - expat limits the expansion of entities
        except (ParseError, LookupError, ValueError):  # the last two are about its encoding
            return None

    @property
    def code(self) -> str:
        """The code of an S3 error; empty if it is none."""
        document = self.document
        if document is None or document.tag.rpartition("}")[2] != "Error":
            return ""
        return document.findtext("{*}Code") or ""

    @property
    def server(self) -> str:
        """What the server calls itself in its header."""
        return next((value for name, value in self.headers.items() if name.lower() == "server"), "")


@dataclass(frozen=True, slots=True)
class Reached:
    """What was found at an address.

    Attributes:
        server: What the server calls itself in its header; empty if it does not.
        is_there: Whether the bucket exists.
        occupant: A key in the bucket; empty if it is empty or does not exist.
    """

    server: str
    is_there: bool
    occupant: str = ""


def reached(address: Address, credentials: Credentials) -> Reached:
    """Look at a server and a bucket. At most three requests; gives up after 30 s.

    Raises:
        ConfigurationError: The server cannot be judged. The message says what happened and what to do.
    """
    try:
        return bounded(lambda: _reached(address, credentials), TOTAL)
    except Hung as hung:
        raise ConfigurationError(f"{address.url} did not finish a response within {TOTAL:g} s; {BUSY}") from hung


BUSY = "check that the server is healthy and that no proxy holds its responses back"


def _reached(address: Address, credentials: Credentials) -> Reached:
    server = Server("server", address.url, credentials.key, credentials.secret, address.region, "")
    with _explained(address.url):
        listed = sent(server, "GET", f"/{address.bucket}?list-type=2&max-keys=1")
    document = listed.document
    if listed.status == 200 and document is not None and document.tag.rpartition("}")[2] == "ListBucketResult":
        return Reached(listed.server, is_there=True, occupant=document.findtext("{*}Contents/{*}Key") or "")
    if listed.code == "NoSuchBucket":
        return Reached(listed.server, is_there=False)
    raise ConfigurationError(_why(address, listed))


def _why(address: Address, listed: Response) -> str:
    """Why a listing of the bucket is no listing, and what to do."""
    where, told = address.url, f"{listed.status} {listed.code}".strip()
    if listed.code in REFUSED:
        return (
            f"{where} refuses the credentials ({told}); check the access key, the secret and the region, which is "
            f"{address.region} (set another one with AWS_REGION)"
        )
    if listed.code in SKEWED:
        return f"{where} says that the clock of this machine is wrong ({told}); set the clock here or there"
    if listed.code == "AccessDenied" or (listed.status in (401, 403) and listed.code):
        return (
            f"{where} does not let these credentials list the bucket {address.bucket} ({told}); use credentials that "
            "may do everything in the bucket, or name a bucket that is theirs"
        )
    if listed.status in (301, 307, 308):
        target = next((value for name, value in listed.headers.items() if name.lower() == "location"), "")
        return (
            f"{where} redirects{f' to {target}' if target else ''} ({told}); name the address and the region of the "
            "bucket itself"
        )
    if listed.code:
        return f"{where} answers a listing of the bucket {address.bucket} with {told}; mend that first"
    if listed.status >= 500:
        return f"{where} answers with {told}; check that the server is healthy"
    kind = next((value for name, value in listed.headers.items() if name.lower() == "content-type"), "no type")
    named = f" of {listed.server!r}" if listed.server else ""
    return (
        f"{where} is not an S3 server: it answers a listing with {told} and a body of type {kind}{named}; check host "
        "and port (a console often has another port than the S3 API)"
    )


def sent(
    server: Server, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """The response to a signed request; raises what `http.client` raises.

    Args:
        server: The server.
        method: The method.
        target: Path and query, percent-encoded.
        body: The body.
        headers: Further headers.
    """
    signed = sign_v4(
        method, server.url + target, key=server.key, secret=server.secret, region=server.region, headers=headers
    )
    with closing(connection_to(server.url, SECONDS)) as connection:
        connection.request(method, target, body, signed)
        response = connection.getresponse()
        return Response(response.status, dict(response.headers), response.read(MOST))


@contextmanager
def _explained(url: str) -> Iterator[None]:
    """Turn an error of a connection into one that says what to do."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise ConfigurationError(
            f"{url} has a certificate that is not trusted ({error.verify_message}); set AWS_CA_BUNDLE to the file of "
            "the authority that signed it"
        ) from error
    except ssl.SSLError as error:
        raise ConfigurationError(
            f"{url} does not speak TLS, or not one that this Python knows ({error.reason or error}); if the server has "
            "no TLS, write http:// instead of https://"
        ) from error
    except FileNotFoundError as error:
        bundle = os.environ.get("AWS_CA_BUNDLE")
        raise ConfigurationError(f"AWS_CA_BUNDLE names {bundle!r}, which cannot be read: {error}") from error
    except socket.gaierror as error:
        raise ConfigurationError(f"{url}: the name of the host is not known ({error}); check it") from error
    except TimeoutError as error:
        raise ConfigurationError(f"{url} does not answer within {SECONDS:g} s; {BUSY}") from error
    except ConnectionRefusedError as error:
        raise ConfigurationError(f"nothing listens at {url}; start the server, or check host and port") from error
    except (http.client.HTTPException, ConnectionError) as error:
        secure = "; if the server has TLS, write https:// instead of http://" if url.startswith("http://") else ""
        raise ConfigurationError(
            f"{url} ends the connection without an HTTP response ({type(error).__name__}: {error}); check that an S3 "
            f"server listens there{secure}"
        ) from error
    except OSError as error:
        raise ConfigurationError(f"{url} cannot be reached ({error}); check host, port and network") from error
